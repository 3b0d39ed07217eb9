package import FerryConnector

/// How a person's mailbox is entered.
package enum IMAPCredentials: Sendable {
    /// The person's own name and password: SASL PLAIN, or LOGIN where the server has no PLAIN.
    case password(user: String, password: Secret)
    /// An administrator enters for `user`: SASL PLAIN with `user` as the authorization identity (RFC 4616).
    case proxy(user: String, administrator: String, password: Secret)
    /// Dovecot's master user: the login name is `user`, `separator`, `master`; PLAIN or LOGIN.
    case master(user: String, master: String, separator: String = "*", password: Secret)
    /// OAUTHBEARER (RFC 7628), or XOAUTH2 where the server has only that.
    case token(user: String, source: any TokenSource)

    /// The mailbox's owner.
    package var user: String {
        switch self {
        case .password(let user, _), .proxy(let user, _, _), .master(let user, _, _, _), .token(let user, _): user
        }
    }
}

/// Where bearer tokens come from.
package protocol TokenSource: Sendable {
    /// A token that is valid now. `rejected` is the one that the server just refused; then a fresh one is wanted. The
    /// session asks at each connect, and once more when the server says no.
    func token(for user: String, rejected: Secret?) async throws(IMAPError) -> Secret
}
