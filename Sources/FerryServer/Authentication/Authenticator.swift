import Crypto
package import FerryAPI
package import FerryCore
import FoundationEssentials

/// Turns the `Authorization` header into a principal. Only signatures by keys that were given at the start count.
package final class Authenticator: Sendable {
    private let settings: AuthenticationSettings
    /// Public keys by `kid`. All of them sign with ES256.
    private let keys: [String: P256.Signing.PublicKey]
    private let now: @Sendable () -> Instant
    private let cache: TokenCache

    /// - Parameter now: the wall clock, against which lifetimes are judged.
    package init(
        settings: AuthenticationSettings, embedded issuer: EmbeddedIssuer, now: @escaping @Sendable () -> Instant
    ) {
        self.settings = settings
        self.now = now
        keys = [issuer.keyID: issuer.publicKey]
        cache = TokenCache(capacity: settings.cachedTokens)
    }

    /// Who calls. Throws `Failure.unauthenticated` unless the header holds a bearer token that is good now.
    package func principal(authorization: String?) throws(Failure) -> Principal {
        let token = try Self.bearerToken(authorization)
        let now = now()
        if let known = cache[token] {
            do {
                try known.lifetime.check(now: now, skew: settings.skew)
            } catch {
                cache.remove(token)
                throw error
            }
            return known.principal
        }
        let claims = TokenClaims(try verified(token))
        let lifetime = try claims.lifetime()
        try lifetime.check(now: now, skew: settings.skew)
        let principal = try claims.principal(settings)
        cache.insert(.init(principal: principal, lifetime: lifetime), for: token)
        return principal
    }

    /// Value of `WWW-Authenticate` (reference 7.7).
    func challenge(base: String) -> String {
        "Bearer realm=\"\", authorization_uri=\"\(settings.authorizationURL ?? base)\", "
            + "client_id=\"\(AuthenticationSettings.applicationID)\""
    }

    /// RFC 6750 section 2.1; the scheme's name has no case. Every request comes by here, so the header is taken as the
    /// bytes it is: finding characters in a token of a kilobyte costs more than the rest of the request.
    private static func bearerToken(_ header: String?) throws(Failure) -> String {
        let blank = UInt8(ascii: " ")
        guard let header, let cut = header.utf8.firstIndex(of: blank), header[..<cut].lowercased() == "bearer",
            let start = header.utf8[cut...].firstIndex(where: { $0 != blank })
        else { throw .unauthenticated(.missing) }
        let token = header.utf8[start...]
        guard token.count <= 16 * 1024, !token.contains(blank) else { throw .unauthenticated(.malformed) }
        return String(Substring(token))
    }

    /// The payload, after the signature was found good (RFC 7515 section 5.2). The algorithm is ours to choose, not the
    /// token's: anything but ES256 is refused before a key is looked at.
    private func verified(_ token: String) throws(Failure) -> JSONValue {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let payload = Self.object(parts[1]) else {
            throw .unauthenticated(.malformed)
        }
        guard header["alg"]?.string == "ES256", header["crit"] == nil else { throw .unauthenticated(.algorithm) }
        guard let keyID = header["kid"]?.string, let key = keys[keyID] else { throw .unauthenticated(.unknownKey) }
        guard let raw = Base64URL.decode(parts[2]),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: raw),
            key.isValidSignature(
                signature, for: Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count)))
        else { throw .unauthenticated(.signature) }
        return payload
    }

    private static func object(_ part: Substring) -> JSONValue? {
        guard let bytes = Base64URL.decode(part), let value = try? JSONParser.parse(bytes), case .object = value else {
            return nil
        }
        return value
    }
}
