package import FerryCore
import FoundationEssentials

/// An OpenID Connect issuer whose tokens are accepted, as an administrator describes it.
package struct TrustedIssuer: Sendable, Hashable {
    /// Which claims say what, where an issuer cannot be taught Entra's names. A name with dots is a path into nested
    /// objects, unless a claim has exactly that name.
    package struct ClaimNames: Sendable, Hashable {
        /// The tenant, a GUID.
        package var tenant: String
        /// Roles of a person: a text or an array of texts. Read beside `wids`.
        package var roles: String
        /// Permissions of a delegated token, separated by spaces. The first that is there counts.
        package var scopes: [String]
        /// The sign-in name. The first that is there counts.
        package var user: [String]

        package init(
            tenant: String = "tid", roles: String = "roles", scopes: [String] = ["scp", "scope"],
            user: [String] = ["upn", "preferred_username", "unique_name"]
        ) {
            self.tenant = tenant
            self.roles = roles
            self.scopes = scopes
            self.user = user
        }
    }

    /// `iss` of its tokens, compared to the letter. With the placeholder `{tid}` it stands for one issuer per tenant,
    /// each with discovery and keys of its own.
    package let name: String
    /// Accepted values of `aud`; empty: those of the service.
    package var audiences: Set<String>
    /// The tenant of all its tokens; `nil`: each token says it, and any tenant of this installation will do.
    package let tenant: TenantID?
    package var claims: ClaimNames
    /// Where the keys are; `nil`: discovery tells.
    package let keys: String?

    /// Spellings of the placeholder: ours, and those of Entra's documents.
    package static let placeholders = ["{tid}", "{tenantid}", "{tenant}"]

    /// Throws `IssuerNameError` for an address that tokens or keys must not come from.
    package init(
        name: String, audiences: Set<String> = [], tenant: TenantID? = nil, claims: ClaimNames = ClaimNames(),
        keys: String? = nil
    ) throws(IssuerNameError) {
        let places = Self.placeholders.filter { name.contains($0) }
        guard places.count <= 1 else { throw .placeholder }
        let plain = places.first.map { name.replacing($0, with: "0") } ?? name
        guard !plain.contains("{"), !plain.contains("}") else { throw .placeholder }
        guard places.isEmpty || tenant == nil else { throw .templateWithTenant }
        try IssuerAddress.check(plain, allowsQuery: false)
        if let keys {
            let plain = places.isEmpty ? keys : Self.placeholders.reduce(keys) { $0.replacing($1, with: "0") }
            try IssuerAddress.check(plain, allowsQuery: true)
        }
        self.name = name
        self.audiences = audiences
        self.tenant = tenant
        self.claims = claims
        self.keys = keys
    }

    /// Whether there is one issuer per tenant.
    package var isTemplate: Bool { Self.placeholders.contains { name.contains($0) } }

    /// The name of one tenant's issuer.
    package func name(of tenant: TenantID) -> String { Self.expand(name, tenant) }

    /// The text with every placeholder replaced by the tenant's id.
    static func expand(_ text: String, _ tenant: TenantID) -> String {
        placeholders.reduce(text) { $0.replacing($1, with: tenant.description) }
    }
}

/// Why an issuer cannot be configured this way.
package enum IssuerNameError: Error, Sendable, Hashable, CustomStringConvertible {
    case notAnAddress(String)
    case insecure(String)
    case placeholder
    case templateWithTenant

    package var description: String {
        switch self {
        case .notAnAddress(let text):
            "'\(text)' is no address of an issuer; for example: https://id.example.org/realms/it"
        case .insecure(let text):
            "'\(text)' is not https, which only an issuer on this machine (127.0.0.1, localhost) may do without."
        case .placeholder:
            "The name may hold one placeholder, {tid}, for the tenant's id; for example: https://login.example/{tid}/v2.0"
        case .templateWithTenant: "With {tid} in the name there is an issuer per tenant; leave tenant out."
        }
    }
}

/// Which addresses identity may come from: https, and http on this machine alone.
enum IssuerAddress {
    /// An issuer has neither query nor fragment (OpenID Connect Discovery 1.0 section 2).
    static func check(_ text: String, allowsQuery: Bool) throws(IssuerNameError) {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != 0x5C }),
            let url = URL(string: text), let host = url.host, !host.isEmpty, let scheme = url.scheme?.lowercased(),
            ["http", "https"].contains(scheme), url.user == nil, url.password == nil, url.fragment == nil,
            allowsQuery || url.query == nil
        else { throw .notAnAddress(text) }
        guard scheme == "https" || isLoopback(host) else { throw .insecure(text) }
    }

    static func isAcceptable(_ text: String) -> Bool { (try? check(text, allowsQuery: true)) != nil }

    private static func isLoopback(_ host: String) -> Bool {
        if ["localhost", "::1", "[::1]"].contains(host.lowercased()) { return true }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
    }
}
