import FerryConnector
import FerryIMAP
import Yams

/// Reads `imap: { … }`.
struct IMAPReader {
    private static let keys = [
        "host", "port", "tls", "ca", "certificateName", "user", "master", "proxy", "password", "passwords", "token",
        "connections", "readers", "writers", "compress", "timeout", "sieve",
    ]
    private static let entrances = ["master", "proxy", "password", "passwords", "token"]

    let secrets: SecretReader

    func read(_ value: YAMLValue) -> IMAPLocation? {
        guard let mapping = value.mapping(knows: Self.keys, of: "imap") else { return nil }
        let host = mapping.required("host", example: "host: imap.contoso.example")?.text("the server's name")
        let security = mapping["tls"].map(security) ?? .implicit
        let port = mapping["port"].map { $0.number(in: 1...65535) } ?? (security == .implicit ? 993 : 143)
        if security == .some(.none), let host, !PrivateHost.includes(host) {
            (mapping["tls"] ?? value).report(
                "Passwords and mail would cross the network in clear.",
                "Write tls: implicit or tls: starttls. Without TLS only 127.0.0.1, localhost and private addresses.")
        }
        var trust = IMAPEndpoint.Trust.system
        if let ca = mapping["ca"], let path = ca.text("the path of a PEM file"),
            secrets.contents(secrets.resolve(path), ca) != nil
        {
            trust = .authorities(path: secrets.resolve(path))
        }
        let certificateName = mapping["certificateName"]?.text("the name in the server's certificate")
        let user = mapping["user"].map(template) ?? .plain
        let entrance = entrance(mapping)
        let connections = mapping["connections"]?.number(in: 2...1000)
        let readers = mapping["readers"]?.number(in: 1...16)
        let writers = mapping["writers"]?.number(in: 1...16)
        let compresses = mapping["compress"]?.boolean() ?? false
        let timeout = mapping["timeout"]?.duration()
        guard let host, let port, let security, let user, let entrance else { return nil }
        let endpoint = IMAPEndpoint(
            host: host, port: port, security: security, trust: trust, certificateName: certificateName)
        var location = IMAPLocation(
            endpoint: endpoint, user: user, entrance: entrance, connections: connections, readers: readers,
            writers: writers, compresses: compresses, timeout: timeout)
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
        if security == .none, !PrivateHost.includes(host) {
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

    private func template(_ value: YAMLValue) -> LoginTemplate? {
        guard let text = value.text("how logins are written, such as \"{mail}\"") else { return nil }
        guard let template = LoginTemplate(text), template.isPersonal else {
            value.report(
                "\(text.quoted) does not say whose mailbox it is.",
                "Use one of \(LoginTemplate.placeholders.map { "{\($0)}" }.joined(separator: ", ")).")
            return nil
        }
        return template
    }

    // MARK: entering

    private func entrance(_ mapping: YAMLMapping) -> IMAPLocation.Entrance? {
        guard
            let (kind, value) = mapping.entrance(
                of: Self.entrances, nothing: "Nothing says how mailboxes are entered.")
        else { return nil }
        switch kind {
        case "password": return secrets.secret(value).map { .password($0) }
        case "passwords": return secrets.passwords(value).map { .passwords($0) }
        case "token": return secrets.source(value).map { .token($0) }
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
        let password = mapping.required("password", example: "password: { file: mover.secret }").flatMap(secrets.secret)
        guard let user, let password else { return nil }
        return (user, password, mapping)
    }
}
