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
    var compresses = false
    var timeout: Duration?
    /// The ManageSieve service.
    var sieve: IMAPEndpoint?
}

/// Where a secret is kept; the configuration itself never holds one.
enum SecretSource: Hashable, Sendable {
    case file(path: String)
    case environment(name: String)
}

/// How a person's login at a service is written: `{mail}`, `{userPrincipalName}`, `{login}` (what the people file says,
/// else the mail address) and `{local}` (the mail address up to the `@`) stand for what the person has.
struct LoginTemplate: Hashable, Sendable {
    static let placeholders = ["login", "mail", "userPrincipalName", "local"]
    static let plain = LoginTemplate(parts: [.placeholder("login")])

    private enum Part: Hashable, Sendable {
        case text(String)
        case placeholder(String)
    }

    private let parts: [Part]

    private init(parts: [Part]) { self.parts = parts }

    /// `nil` for an unknown placeholder, an open brace, or a text without any placeholder, which would give everybody
    /// the same mailbox.
    init?(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            let name = String(rest[rest.index(after: open)..<close])
            guard Self.placeholders.contains(name) else { return nil }
            if open > rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            parts.append(.placeholder(name))
            rest = rest[rest.index(after: close)...]
        }
        guard !parts.isEmpty else { return nil }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.init(parts: parts)
    }

    func login(of person: Person, named login: String) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .placeholder("mail"): person.mail
            case .placeholder("userPrincipalName"): person.userPrincipalName
            case .placeholder("local"): String(person.mail.prefix { $0 != "@" })
            case .placeholder: login
            }
        }.joined()
    }
}
