import FerryConnector
import FerryCore
import FerryIMAP

/// `imap: { … }` of a tenant's mail: where the server is, and how each person's mailbox is entered.
struct IMAPLocation: Hashable, Sendable {
    enum Entrance: Hashable, Sendable {
        /// By login.
        case passwords([String: Secret])
        /// One password opens every mailbox, as on a test server.
        case password(Secret)
        case proxy(administrator: String, password: Secret)
        case master(user: String, separator: String, password: Secret)
        /// A bearer token, from wherever `credential` says, read anew at each connect.
        case token(SecretSource)
    }

    var endpoint: IMAPEndpoint
    var user: LoginTemplate
    var entrance: Entrance
    var connections: Int?
    var readers: Int?
    var writers: Int?
    var compresses = false
    var timeout: Duration?
    /// The ManageSieve service.
    var sieve: IMAPEndpoint?
}
