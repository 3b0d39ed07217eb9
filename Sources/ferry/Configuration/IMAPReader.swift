import FerryConnector
import FerryIMAP
import Yams

/// Reads `imap: { … }`.
struct IMAPReader {
    private static let keys = [
        "host", "port", "tls", "ca", "certificateName", "user", "master", "proxy", "password", "passwords", "token",
        "connections", "readers", "compress", "timeout", "sieve",
    ]
    private static let entrances = ["master", "proxy", "password", "passwords", "token"]

    let problems: ProblemList
    /// Makes a path absolute, as the configuration means it.
    let resolve: (String) -> String
    /// A file's bytes; reports what stands in the way.
    let contents: (_ path: String, _ value: YAMLValue) -> [UInt8]?
    let environment: (String) -> String?

    func read(_ value: YAMLValue) -> IMAPLocation? {
        guard let mapping = value.mapping(knows: Self.keys, of: "imap") else { return nil }
        let host = mapping.required("host", example: "host: imap.contoso.example")?.text("the server's name")
        let security = mapping["tls"].map(security) ?? .implicit
        let port = mapping["port"].map { $0.number(in: 1...65535) } ?? (security == .implicit ? 993 : 143)
        if security == .some(.none), let host, !Self.isPrivate(host) {
            (mapping["tls"] ?? value).report(
                "Passwords and mail would cross the network in clear.",
                "Write tls: implicit or tls: starttls. Without TLS only 127.0.0.1, localhost and private addresses.")
        }
        var trust = IMAPEndpoint.Trust.system
        if let ca = mapping["ca"], let path = ca.text("the path of a PEM file"), contents(resolve(path), ca) != nil {
            trust = .authorities(path: resolve(path))
        }
        let certificateName = mapping["certificateName"]?.text("the name in the server's certificate")
        let user = mapping["user"].map(template) ?? .plain
        let entrance = entrance(mapping)
        let connections = mapping["connections"]?.number(in: 2...1000)
        let readers = mapping["readers"]?.number(in: 1...16)
        let compresses = mapping["compress"]?.boolean() ?? false
        let timeout = mapping["timeout"]?.duration()
        guard let host, let port, let security, let user, let entrance else { return nil }
        let endpoint = IMAPEndpoint(
            host: host, port: port, security: security, trust: trust, certificateName: certificateName)
        var location = IMAPLocation(
            endpoint: endpoint, user: user, entrance: entrance, connections: connections, readers: readers,
            compresses: compresses, timeout: timeout)
        if let value = mapping["sieve"] {
            guard let sieve = sieve(value, beside: endpoint) else { return nil }
            location.sieve = sieve
        }
        return location
    }

    /// `sieve: { … }`: where scripts are managed. What it leaves out is as for the mailboxes.
    private func sieve(_ value: YAMLValue, beside mailboxes: IMAPEndpoint) -> IMAPEndpoint? {
        guard let mapping = value.mapping(knows: ["host", "port", "tls"], of: "sieve") else { return nil }
        let host = mapping["host"].map { $0.text("the server's name") } ?? mailboxes.host
        // RFC 5804 knows no port with TLS from the first byte.
        let security =
            mapping["tls"].map(security) ?? (mailboxes.security == .none ? IMAPEndpoint.Security.none : .startTLS)
        let port = mapping["port"].map { $0.number(in: 1...65535) } ?? 4190
        guard let host, let security, let port else { return nil }
        if security == .none, !Self.isPrivate(host) {
            (mapping["tls"] ?? value).report(
                "Passwords would cross the network in clear.",
                "Write tls: starttls. Without TLS only 127.0.0.1, localhost and private addresses.")
        }
        return IMAPEndpoint(
            host: host, port: port, security: security, trust: mailboxes.trust,
            certificateName: host == mailboxes.host ? mailboxes.certificateName : nil)
    }

    private func security(_ value: YAMLValue) -> IMAPEndpoint.Security? {
        guard let text = value.text("implicit, starttls or none") else { return nil }
        switch text {
        case "implicit": return .implicit
        case "starttls": return .startTLS
        case "none": return IMAPEndpoint.Security.none
        default:
            value.report("\(text.quoted) is not a way to secure a connection.", "Write implicit, starttls or none.")
            return nil
        }
    }

    /// Loopback and the private ranges of RFC 1918 and RFC 4193, written as addresses; of names only `localhost`.
    private static func isPrivate(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        if host.contains(":") { return host.lowercased().hasPrefix("fc") || host.lowercased().hasPrefix("fd") }
        let parts = host.split(separator: ".").compactMap { UInt8($0) }
        guard parts.count == 4, host.split(separator: ".").count == 4 else { return false }
        switch (parts[0], parts[1]) {
        case (127, _), (10, _), (192, 168), (172, 16...31): return true
        default: return false
        }
    }

    private func template(_ value: YAMLValue) -> LoginTemplate? {
        guard let text = value.text("how logins are written, such as \"{mail}\"") else { return nil }
        guard let template = LoginTemplate(text) else {
            value.report(
                "\(text.quoted) does not say whose mailbox it is.",
                "Use one of \(LoginTemplate.placeholders.map { "{\($0)}" }.joined(separator: ", ")).")
            return nil
        }
        return template
    }

    // MARK: entering

    private func entrance(_ mapping: YAMLMapping) -> IMAPLocation.Entrance? {
        let given = Self.entrances.filter { mapping[$0] != nil }
        guard given.count == 1, let kind = given.first, let value = mapping[kind] else {
            mapping.whole.report(
                given.isEmpty
                    ? "Nothing says how mailboxes are entered."
                    : "There are several ways to enter: \(given.joined(separator: ", ")).",
                "Give exactly one of \(Self.entrances.joined(separator: ", ")).")
            return nil
        }
        switch kind {
        case "password": return secret(value).map { .password($0) }
        case "passwords": return passwords(value)
        case "token": return source(value).map { .token($0) }
        case "proxy":
            guard let administrator = administrator(value, knows: ["user", "password"], of: "proxy") else { return nil }
            return .proxy(administrator: administrator.user, password: administrator.password)
        default:
            guard let administrator = administrator(value, knows: ["user", "password", "separator"], of: "master")
            else { return nil }
            let separator = administrator.mapping["separator"].map { $0.text("one character") } ?? "*"
            guard let separator else { return nil }
            return .master(user: administrator.user, separator: separator, password: administrator.password)
        }
    }

    private func administrator(
        _ value: YAMLValue, knows keys: [String], of subject: String
    ) -> (user: String, password: Secret, mapping: YAMLMapping)? {
        guard let mapping = value.mapping(knows: keys, of: subject) else { return nil }
        let user = mapping.required("user", example: "user: mover")?.text("the administrator's login")
        let password = mapping.required("password", example: "password: { file: mover.secret }").flatMap(secret)
        guard let user, let password else { return nil }
        return (user, password, mapping)
    }

    private func source(_ value: YAMLValue) -> SecretSource? {
        guard value.node.mapping != nil else {
            value.report(
                "A secret does not stand in the configuration itself.", "Write { file: PATH } or { env: NAME }.")
            return nil
        }
        guard let mapping = value.mapping(knows: ["file", "env"], of: "a secret") else { return nil }
        switch (mapping["file"], mapping["env"]) {
        case (let file?, nil): return file.text("the path of a file").map { .file(path: resolve($0)) }
        case (nil, let name?): return name.text("the name of a variable").map { .environment(name: $0) }
        default:
            value.report("A secret comes from one place.", "Write { file: PATH } or { env: NAME }.")
            return nil
        }
    }

    private func secret(_ value: YAMLValue) -> Secret? {
        guard let source = source(value) else { return nil }
        let text: String
        switch source {
        case .file(let path):
            guard let bytes = contents(path, value) else { return nil }
            text = String(decoding: bytes, as: UTF8.self)
        case .environment(let name):
            guard let found = environment(name) else {
                value.report("The environment has no variable \(name).", "Set it where Ferry is started.")
                return nil
            }
            text = found
        }
        guard let secret = Secret(line: text) else {
            value.report("The secret is empty.", "Write it into the first line, and nothing else.")
            return nil
        }
        return secret
    }

    private func passwords(_ value: YAMLValue) -> IMAPLocation.Entrance? {
        guard let path = value.text("the path of a CSV file with the columns login and password"),
            let bytes = contents(resolve(path), value)
        else { return nil }
        let table = CSVTable(
            bytes, file: resolve(path), required: ["login", "password"], optional: [], problems: problems)
        var passwords: [String: Secret] = [:]
        for record in table.records {
            guard let login = record["login"], let password = record["password"] else { continue }
            if passwords.updateValue(Secret(password), forKey: login) != nil {
                problems.report(
                    "\(login.quoted) is there twice.", remedy: "Remove one of the rows.",
                    at: record.place(of: "login"), key: "login")
            }
        }
        return .passwords(passwords)
    }
}

extension Secret {
    /// The first line of a file or variable, without blanks around it; `nil` when there is nothing.
    init?(line text: String) {
        let line = text.split(whereSeparator: \.isNewline).first.map { String($0).trimmed } ?? ""
        if line.isEmpty { return nil }
        self.init(line)
    }
}
