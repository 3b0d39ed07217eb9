package import FerryCore

/// What a token of the embedded issuer shall say.
package struct TokenRequest: Sendable, Hashable {
    package enum Rights: Sendable, Hashable {
        /// A person with scopes and directory roles (template ids, claim `wids`).
        case delegated(userPrincipalName: String, scopes: [String], roles: [String])
        /// An application with permissions of its own (claim `roles`).
        case application(permissions: [String])
    }

    package var tenant: TenantID
    package var rights: Rights
    /// Object id of the person or the application's service principal.
    package var objectID: GUID
    /// The client application (`appid`).
    package var applicationID: String
    package var audience: String
    /// From now on.
    package var lifetime: Duration

    package init(
        tenant: TenantID, rights: Rights, objectID: GUID, applicationID: String = "ferry",
        audience: String = "https://graph.microsoft.com", lifetime: Duration = .seconds(3600)
    ) {
        self.tenant = tenant
        self.rights = rights
        self.objectID = objectID
        self.applicationID = applicationID
        self.audience = audience
        self.lifetime = lifetime
    }
}
