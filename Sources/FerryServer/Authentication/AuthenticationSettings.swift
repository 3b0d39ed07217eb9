package import FerryCore

/// Whose tokens are accepted, and what they must say (reference 7.7).
package struct AuthenticationSettings: Sendable, Hashable {
    /// Tenants that may be the target of jobs; a token of another one is refused.
    package var tenants: Set<TenantID>
    /// Issuers beside the embedded one.
    package var issuers: [TrustedIssuer]
    /// Accepted values of `aud`, unless an issuer has its own.
    package var audiences: Set<String>
    /// What a role allows a person to do: role template ids as `wids` carries them, and names of custom roles. Keys are
    /// in lower case. An application that holds a custom role needs no permission beside it.
    package var roles: [String: Permission]
    /// How far clocks may be apart.
    package var skew: Duration
    /// Verified tokens that are remembered.
    package var cachedTokens: Int
    /// `authorization_uri` of the challenge; `nil`: what the first issuer says about itself, else the server.
    package var authorizationURL: String?
    /// Time between two fetches of the same issuer's keys, whatever strange key ids are presented.
    package var keyInterval: Duration
    /// How long an issuer's keys are kept without asking again, whatever it says itself: so long may a key that was
    /// rotated out still open the door.
    package var keyFreshness: ClosedRange<Duration>
    /// How long keys are used while their issuer cannot be reached.
    package var keysOutlastOutage: Duration
    /// Time for one document of an issuer to arrive.
    package var issuerTimeout: Duration

    /// The service's own application id, which v1 tokens name as their audience.
    package static let applicationID = "00000003-0000-0000-c000-000000000000"
    package static let globalAdministrator = "62e90394-69f5-4237-9190-012177145e10"
    package static let migrationAdministrator = "8c8b803f-96e1-4129-9349-20738d9f9652"
    /// The roles that exist everywhere, by template id.
    package static let builtInRoles: [String: Permission] = [
        globalAdministrator: .readWrite, migrationAdministrator: .readWrite,
    ]

    /// - Parameter roles: custom ones, beside those that are built in.
    package init(
        tenants: Set<TenantID>, issuers: [TrustedIssuer] = [],
        audiences: Set<String> = ["https://graph.microsoft.com", "https://graph.microsoft.com/", applicationID],
        roles: [String: Permission] = [:], skew: Duration = .seconds(300), cachedTokens: Int = 4096,
        authorizationURL: String? = nil, keyInterval: Duration = .seconds(10),
        keyFreshness: ClosedRange<Duration> = .seconds(60) ... .seconds(900),
        keysOutlastOutage: Duration = .seconds(86_400), issuerTimeout: Duration = .seconds(5)
    ) {
        self.tenants = tenants
        self.issuers = issuers
        self.audiences = audiences
        self.roles = Self.builtInRoles.merging(roles.map { ($0.lowercased(), $1) }) { $1 }
        self.skew = min(skew, .seconds(300))
        self.cachedTokens = max(2, cachedTokens)
        self.authorizationURL = authorizationURL
        self.keyInterval = keyInterval
        self.keyFreshness = keyFreshness
        self.keysOutlastOutage = keysOutlastOutage
        self.issuerTimeout = issuerTimeout
    }
}

/// The two permissions that exist, as scopes of delegated tokens and as roles of application tokens. The greater one
/// includes the smaller one.
package enum Permission: String, Sendable, Hashable, CaseIterable, Comparable {
    case read = "CrossTenantContentMigration.Read.All"
    case readWrite = "CrossTenantContentMigration.ReadWrite.All"

    package static func < (left: Permission, right: Permission) -> Bool { left == .read && right == .readWrite }
}
