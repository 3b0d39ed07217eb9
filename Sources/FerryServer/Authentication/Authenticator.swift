package import FerryAPI
package import FerryCore
package import Logging

/// Turns the `Authorization` header into a principal.
///
/// In this order: the token's form, the issuer it names, that issuer's key, the signature; only then what it says.
package final class Authenticator: Sendable {
    private let settings: AuthenticationSettings
    private let issuers: IssuerTable
    /// Signs nothing here; its documents are served.
    let embedded: EmbeddedIssuer?
    private let now: @Sendable () -> Instant
    private let cache: TokenCache

    /// - Parameters:
    ///   - embedded: the local issuer, where its tokens are accepted.
    ///   - now: the wall clock, against which lifetimes are judged.
    ///   - uptime: a monotonic clock, against which the age of keys is judged.
    package init(
        settings: AuthenticationSettings, embedded: EmbeddedIssuer?, now: @escaping @Sendable () -> Instant,
        uptime: @escaping @Sendable () -> Duration, logger: Logger
    ) {
        self.settings = settings
        self.embedded = embedded
        self.now = now
        issuers = IssuerTable(settings, embedded: embedded, uptime: uptime, logger: logger)
        cache = TokenCache(capacity: settings.cachedTokens)
    }

    /// Who calls. Throws `Failure.unauthenticated` unless the header holds a bearer token that is good now, and
    /// `Failure.unavailable` when that cannot be known because the issuer's keys cannot be had: Graph's clients try a
    /// 503 again, and give up after a 401.
    package func principal(authorization: String?) async throws(Failure) -> Principal {
        guard let authorization else { throw .unauthenticated(.missing) }
        if let known = cache[authorization], await isStillSigned(known) {
            do {
                try known.lifetime.check(now: now(), skew: settings.skew)
            } catch {
                cache.remove(authorization)
                throw error
            }
            return known.principal
        }
        let (claims, issuer, generation) = try await verified(try Self.bearerToken(authorization))
        let lifetime = try claims.lifetime()
        try lifetime.check(now: now(), skew: settings.skew)
        let principal = try claims.principal(issuer, settings)
        cache.insert(
            .init(principal: principal, lifetime: lifetime, keys: issuer.keys, generation: generation),
            for: authorization)
        return principal
    }

    /// Whether the header holds a token that was found good before, so that looking at it again costs nothing.
    func remembers(_ authorization: String?) -> Bool { authorization.map { cache[$0] != nil } ?? false }

    /// Whether the keys are those that the token was checked with. Almost always two loads of a number.
    private func isStillSigned(_ entry: TokenCache.Entry) async -> Bool {
        if entry.keys.isCurrent(entry.generation) { return true }
        await entry.keys.renewIfDue()
        return entry.keys.generation == entry.generation
    }

    /// RFC 6750 section 2.1; the scheme's name has no case.
    private static func bearerToken(_ header: String) throws(Failure) -> String {
        let blank = UInt8(ascii: " ")
        guard let cut = header.utf8.firstIndex(of: blank), header[..<cut].lowercased() == "bearer",
            let start = header.utf8[cut...].firstIndex(where: { $0 != blank })
        else { throw .unauthenticated(.missing) }
        let token = header.utf8[start...]
        // The whole header is bounded, because it is what the cache keeps.
        guard header.utf8.count <= 16 * 1024, !token.contains(blank) else { throw .unauthenticated(.malformed) }
        return String(Substring(token))
    }

    /// The claims, after the signature was found good with a key of the issuer that they name.
    private func verified(
        _ text: String
    ) async throws(Failure) -> (claims: TokenClaims, issuer: IssuerTable.Entry, generation: Int) {
        let token = try CompactToken(text)
        guard let issuer = token.payload["iss"]?.string.flatMap({ issuers[$0] }) else {
            throw .unauthenticated(.issuer)
        }
        var (key, generation) = try await key(for: token, of: issuer)
        // Some issuers put a new key under the old id. Then the id is known and the key is not, which is asked for once
        // more, as seldom as for an unknown id.
        if !token.isSigned(by: key), await issuer.keys.isRenewed(since: generation) {
            (key, generation) = try await self.key(for: token, of: issuer)
        }
        guard token.isSigned(by: key), key.mayServe(issuer.name) else { throw .unauthenticated(.signature) }
        return (TokenClaims(token.payload, names: issuer.claims), issuer, generation)
    }

    private func key(
        for token: CompactToken, of issuer: IssuerTable.Entry
    ) async throws(Failure) -> (SigningKey, generation: Int) {
        switch await issuer.keys.key(id: token.keyID, for: token.algorithm) {
        case .key(let key, let generation): return (key, generation)
        case .unknown: throw .unauthenticated(.unknownKey)
        case .otherAlgorithm: throw .unauthenticated(.algorithm)
        case .unavailable:
            throw .unavailable("The issuer of the access token cannot be reached to check it. Try again.")
        }
    }

    // MARK: what others want to know

    /// Begins to fetch the keys of every issuer, so that the first request finds them. Waits for nothing.
    package func prepare() {
        for ring in issuers.rings { ring.prepare() }
    }

    /// Which issuers' tokens cannot be checked at the moment, and why. Tries again what is due.
    package var outages: [(issuer: String, problem: IssuerProblem)] {
        prepare()
        return issuers.rings.compactMap { ring in ring.outage.map { (ring.name, $0) } }
    }

    /// What one issuer answered when it was asked for its keys.
    package struct Survey: Sendable, Hashable {
        package var issuer: String
        /// Keys that can check signatures.
        package var keys: Int
        /// Published keys that cannot.
        package var ignored: Int
        package var problem: IssuerProblem?
    }

    /// Asks every issuer for its keys, all at once, and waits for all answers.
    package func survey() async -> [Survey] {
        prepare()
        var findings: [Survey] = []
        for ring in issuers.rings {
            await ring.renewIfDue()
            findings.append(
                Survey(issuer: ring.name, keys: ring.counts.usable, ignored: ring.counts.ignored, problem: ring.problem)
            )
        }
        return findings
    }

    /// Whether there is an issuer whose tokens can be checked, or may be soon.
    package var canWork: Bool { issuers.rings.contains { $0.outage == nil } }

    /// Whether jobs can belong to the tenant.
    func serves(_ tenant: TenantID) -> Bool { settings.tenants.contains(tenant) }

    /// The embedded issuer's key as it is now; `nil` where there is no embedded issuer.
    func publishedKeys() async throws(Failure) -> [UInt8]? {
        guard let ring = issuers.embedded else { return nil }
        await ring.renewIfDue()
        guard let keys = ring.published else { throw .unavailable("The issuer's key cannot be read. Try again.") }
        return keys
    }

    /// Value of `WWW-Authenticate` (reference 7.7).
    func challenge(base: String) -> String {
        let page = settings.authorizationURL ?? issuers.rings.lazy.compactMap(\.authorizationEndpoint).first ?? base
        return "Bearer realm=\"\", authorization_uri=\"\(page)\", client_id=\"\(AuthenticationSettings.applicationID)\""
    }
}
