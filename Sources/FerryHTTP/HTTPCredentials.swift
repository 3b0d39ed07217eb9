package import FerryConnector

/// As whom requests are made.
package enum HTTPCredentials: Sendable {
    /// Digest (RFC 7616) where the server offers it, else Basic (RFC 7617). Nothing is sent before the server has asked.
    case password(user: String, password: Secret)
    /// Bearer tokens (RFC 6750), sent with every request.
    case token(user: String, source: any BearerTokens)
}

/// Where bearer tokens come from.
package protocol BearerTokens: Sendable {
    /// A token that is valid now. `rejected` is the one that the server just refused; then a fresh one is wanted.
    func token(for user: String, rejected: Secret?) async throws(HTTPFailure) -> Secret
}
