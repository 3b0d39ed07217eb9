import FerryAPI
import FerryCore

/// The claims of a token whose signature is known to be good, judged by the rules of reference 7.7.
struct TokenClaims {
    private let claims: JSONValue
    private let names: TrustedIssuer.ClaimNames

    init(_ claims: JSONValue, names: TrustedIssuer.ClaimNames) {
        self.claims = claims
        self.names = names
    }

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

    /// Who calls, with what rights. Throws when audience or tenant are not the issuer's or not ours; a token without
    /// rights is good and gives a principal without rights.
    ///
    /// v1 and v2 tokens (`ver`) differ in the names of claims only, so both names are read.
    func principal(
        _ issuer: IssuerTable.Entry, _ settings: AuthenticationSettings
    ) throws(Failure) -> Principal {
        guard texts("aud").contains(where: issuer.audiences.contains) else { throw .unauthenticated(.audience) }
        let tenant = try tenant(issuer)
        guard settings.tenants.contains(tenant) else { throw .unauthenticated(.tenant) }
        let application = text("appid") ?? text("azp") ?? text("client_id")
        guard let subject = text("oid") ?? text("sub") ?? application else { throw .unauthenticated(.malformed) }
        let name = names.user.lazy.compactMap(text).first
        let permission = isApplication ? applicationPermission(settings) : delegatedPermission(settings)
        return Principal(
            tenant: tenant, subject: isApplication ? application ?? subject : subject,
            name: name ?? text("oid") ?? application ?? subject, application: application ?? "",
            canRead: permission != nil, canWrite: permission == .readWrite)
    }

    /// What the token says, which must be what is configured for its issuer, if anything is.
    private func tenant(_ issuer: IssuerTable.Entry) throws(Failure) -> TenantID {
        guard value(names.tenant) != nil else {
            guard issuer.mayOmitTenant, let tenant = issuer.tenant else { throw .unauthenticated(.tenant) }
            return tenant
        }
        guard let tenant = text(names.tenant).flatMap({ TenantID($0) }) else { throw .unauthenticated(.tenant) }
        if let only = issuer.tenant, only != tenant { throw .unauthenticated(.issuer) }
        return tenant
    }

    /// `idtyp` says it. Without it a token with scopes is delegated; `scope` is written into application tokens too
    /// (RFC 9068 section 2.2.3), which are then their own subject (section 2.2).
    private var isApplication: Bool {
        switch text("idtyp") {
        case "app": return true
        case nil:
            guard names.scopes.contains(where: { text($0) != nil }) else { return true }
            return text("scp") == nil && text("sub") != nil && text("sub") == text("client_id") ?? text("azp")
        default: return false
        }
    }

    /// The permissions in `roles`, and custom roles; the built-in roles are for people.
    private func applicationPermission(_ settings: AuthenticationSettings) -> Permission? {
        let granted = texts("roles") + (names.roles == "roles" ? [] : texts(names.roles))
        return granted.compactMap { name in
            if let permission = Permission(rawValue: name) { return permission }
            let role = name.lowercased()
            return AuthenticationSettings.builtInRoles[role] == nil ? settings.roles[role] : nil
        }.max()
    }

    /// Scopes count only for people who hold a role, and only as far as the role goes.
    private func delegatedPermission(_ settings: AuthenticationSettings) -> Permission? {
        let held = texts("wids") + texts(names.roles)
        guard let role = held.compactMap({ settings.roles[$0.lowercased()] }).max() else { return nil }
        let scopes = names.scopes.lazy.compactMap(text).first ?? ""
        return scopes.split(separator: " ").compactMap { Permission(rawValue: String($0)) }.max().map { min($0, role) }
    }

    /// A claim by its name, or by its path into nested objects.
    private func value(_ name: String) -> JSONValue? {
        if let value = claims[name] { return value }
        guard name.utf8.contains(UInt8(ascii: ".")) else { return nil }
        var value: JSONValue? = claims
        for step in name.split(separator: ".") { value = value?[String(step)] }
        return value
    }

    private func text(_ name: String) -> String? {
        guard let text = value(name)?.string, !text.isEmpty else { return nil }
        return text
    }

    /// A text, or an array of texts.
    private func texts(_ name: String) -> [String] {
        switch value(name) {
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
