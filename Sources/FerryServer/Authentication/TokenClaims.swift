import FerryAPI
import FerryCore

/// The claims of a token whose signature is known to be good, judged by the rules of reference 7.7.
struct TokenClaims {
    private let claims: JSONValue

    init(_ claims: JSONValue) { self.claims = claims }

    /// From when to when the token holds, skew not counted.
    struct Lifetime: Sendable, Hashable {
        var notBefore: Instant
        var expires: Instant

        /// Throws the claim that `now` violates.
        func check(now: Instant, skew: Duration) throws(Failure) {
            guard now < expires + skew else { throw .unauthenticated(.expired) }
            guard now >= notBefore - skew else { throw .unauthenticated(.notYetValid) }
        }
    }

    /// `exp` is required; `nbf` and `iat` bound the start where they are there.
    func lifetime() throws(Failure) -> Lifetime {
        guard let expires = try instant("exp") else { throw .unauthenticated(.malformed) }
        let starts = [try instant("nbf"), try instant("iat")].compactMap { $0 }
        return Lifetime(notBefore: starts.max() ?? .distantPast, expires: expires)
    }

    /// Who calls, with what rights. Throws when audience, tenant or issuer are not ours; a token without rights is good
    /// and gives a principal without rights.
    func principal(_ settings: AuthenticationSettings) throws(Failure) -> Principal {
        guard texts("aud").contains(where: settings.audiences.contains) else { throw .unauthenticated(.audience) }
        guard let tenant = text("tid").flatMap({ TenantID($0) }), settings.tenants.contains(tenant) else {
            throw .unauthenticated(.tenant)
        }
        guard text("iss") == EmbeddedIssuer.issuer(of: tenant) else { throw .unauthenticated(.issuer) }
        let application = text("appid") ?? text("azp")
        guard let subject = text("oid") ?? text("sub") ?? application else { throw .unauthenticated(.malformed) }
        let name = text("upn") ?? text("preferred_username") ?? text("unique_name")
        let permissions = Set(isApplication ? texts("roles") : scopes(settings))
        let canWrite = permissions.contains(Permission.readWrite.rawValue)
        return Principal(
            tenant: tenant, subject: isApplication ? application ?? subject : subject,
            name: name ?? text("oid") ?? application ?? subject,
            canRead: canWrite || permissions.contains(Permission.read.rawValue), canWrite: canWrite)
    }

    /// `idtyp` says it; without it a token with scopes is delegated.
    private var isApplication: Bool {
        switch text("idtyp") {
        case "app": true
        case nil: text("scp") == nil
        default: false
        }
    }

    /// Scopes count only for people who hold one of the roles.
    private func scopes(_ settings: AuthenticationSettings) -> [String] {
        guard texts("wids").contains(where: { settings.roles.contains($0.lowercased()) }) else { return [] }
        return (text("scp") ?? "").split(separator: " ").map(String.init)
    }

    private func text(_ name: String) -> String? {
        guard let text = claims[name]?.string, !text.isEmpty else { return nil }
        return text
    }

    /// A text, or an array of texts.
    private func texts(_ name: String) -> [String] {
        switch claims[name] {
        case .string(let text): [text]
        case .array(let elements): elements.compactMap(\.string)
        default: []
        }
    }

    /// A NumericDate (RFC 7519 section 2); `nil` when it is not there.
    private func instant(_ name: String) throws(Failure) -> Instant? {
        guard let value = claims[name] else { return nil }
        guard case .number(let text) = value, let seconds = Double(text), abs(seconds) < 1e11 else {
            throw .unauthenticated(.malformed)
        }
        return Instant(microseconds: Int64(seconds * 1e6))
    }
}
