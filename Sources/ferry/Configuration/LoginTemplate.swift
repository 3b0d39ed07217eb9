import FerryConnector
import FerryCore

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

    /// Whether it is another for every person.
    var isPersonal: Bool {
        parts.contains { part in
            if case .placeholder = part { true } else { false }
        }
    }

    /// `nil` for an unknown placeholder, an open brace or nothing.
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
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        guard !parts.isEmpty else { return nil }
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
