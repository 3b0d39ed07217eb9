package import FerryCore

/// Whose tokens are accepted, and what they must say (reference 7.7).
package struct AuthenticationSettings: Sendable, Hashable {
    /// Tenants that may be the target of jobs; a token of another one is refused.
    package var tenants: Set<TenantID>
    /// Accepted values of `aud`.
    package var audiences: Set<String>
    /// Role template ids, in lower case, of which a delegated token must carry one in `wids`.
    package var roles: Set<String>
    /// How far clocks may be apart.
    package var skew: Duration
    /// Verified tokens that are remembered.
    package var cachedTokens: Int
    /// `authorization_uri` of the challenge; `nil`: the server itself.
    package var authorizationURL: String?

    /// The service's own application id, which v1 tokens name as their audience.
    package static let applicationID = "00000003-0000-0000-c000-000000000000"
    package static let globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"
    package static let migrationAdministrator = "8c8b803f-96e1-4129-9349-20738d9f9652"

    package init(
        tenants: Set<TenantID>,
        audiences: Set<String> = ["https://graph.microsoft.com", "https://graph.microsoft.com/", applicationID],
        roles: Set<String> = [globalAdministrator, migrationAdministrator], skew: Duration = .seconds(300),
        cachedTokens: Int = 4096, authorizationURL: String? = nil
    ) {
        self.tenants = tenants
        self.audiences = audiences
        self.roles = Set(roles.map { $0.lowercased() })
        self.skew = min(skew, .seconds(300))
        self.cachedTokens = max(2, cachedTokens)
        self.authorizationURL = authorizationURL
    }
}

/// The two permissions that exist, as scopes of delegated tokens and as roles of application tokens.
package enum Permission: String, Sendable, Hashable, CaseIterable {
    case read = "CrossTenantContentMigration.Read.All"
    case readWrite = "CrossTenantContentMigration.ReadWrite.All"
}
