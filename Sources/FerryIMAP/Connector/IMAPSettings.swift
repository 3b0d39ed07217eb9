package import FerryConnector

/// How one tenant's mail is reached.
package struct IMAPSettings: Sendable {
    package var endpoint: IMAPEndpoint
    /// How each person's mailbox is entered.
    package var entrance: Entrance
    package var options: SessionOptions
    /// The name of a person's mailbox at this server.
    package var login: @Sendable (Account) -> String
    /// Connections to this endpoint at once, for all people together; at least 2, since a move between two mailboxes of
    /// one server holds one for each.
    package var connections: Int
    /// Connections that read bodies of one mailbox at once, as far as `connections` allows.
    package var readers: Int
    /// Connections that write a large batch into one mailbox at once, as far as `connections` allows.
    package var writers: Int
    /// The ManageSieve service beside the IMAP server (RFC 5804), entered as the mailboxes are; `nil` where there is none.
    package var sieve: IMAPEndpoint?
    /// By which an endpoint that turns connections away is left in peace.
    package var clock: any Clock<Duration> = ContinuousClock()

    package init(
        endpoint: IMAPEndpoint, entrance: Entrance, options: SessionOptions = SessionOptions(), connections: Int = 8,
        readers: Int = 4, writers: Int = 4, login: @escaping @Sendable (Account) -> String = { $0.login }
    ) {
        self.endpoint = endpoint
        self.entrance = entrance
        self.options = options
        self.login = login
        self.connections = max(2, connections)
        self.readers = max(1, readers)
        self.writers = max(1, writers)
        // Names stay modified UTF-7, so that they are spelled alike in every session and after an upgrade of the server.
        self.options.enableUTF8 = false
    }

    /// By whose right a mailbox is entered.
    package enum Entrance: Sendable {
        /// Everybody's own password, by login.
        case passwords(@Sendable (_ login: String) -> Secret?)
        /// An administrator who may become anybody by SASL PLAIN with an authorization identity (RFC 4616).
        case proxy(administrator: String, password: Secret)
        /// Dovecot's master user.
        case master(user: String, separator: String, password: Secret)
        /// Bearer tokens.
        case tokens(any TokenSource)

        /// One right opens every mailbox, so a refusal says something of the person once it has worked for another.
        var isAdministrative: Bool {
            switch self {
            case .proxy, .master: true
            case .passwords, .tokens: false
            }
        }

        /// `nil` when there is no password for this login.
        func credentials(for login: String) -> IMAPCredentials? {
            switch self {
            case .passwords(let password): password(login).map { .password(user: login, password: $0) }
            case .proxy(let administrator, let password):
                .proxy(user: login, administrator: administrator, password: password)
            case .master(let user, let separator, let password):
                .master(user: login, master: user, separator: separator, password: password)
            case .tokens(let source): .token(user: login, source: source)
            }
        }
    }
}
