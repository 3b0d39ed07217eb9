import FerryConnector
import FerryDAV
import FerryHTTP
import Yams

/// Reads `webdav: { … }`.
struct DAVReader {
    private static let keys = ["url", "ca", "user", "password", "passwords", "token", "connections", "timeout"]
    /// Only files have paths.
    private static let fileKeys = ["longestPath"]
    private static let entrances = ["password", "passwords", "token"]

    /// The key that is read, for messages.
    let kind: String
    let secrets: SecretReader

    func read(_ value: YAMLValue) -> DAVLocation? {
        guard let mapping = value.mapping(knows: Self.keys + (kind == "webdav" ? Self.fileKeys : []), of: kind) else {
            return nil
        }
        let url = mapping.required("url", example: "url: https://dav.contoso.example/files/{login}/")
        let address = url.flatMap(address)
        let user = mapping["user"].map(template) ?? .plain
        let entrance = entrance(mapping)
        let connections = mapping["connections"]?.number(in: 1...1000)
        let timeout = mapping["timeout"]?.duration()
        var trust = HTTPEndpoint.Trust.system
        if let ca = mapping["ca"], let path = ca.text("the path of a PEM file"),
            secrets.contents(secrets.resolve(path), ca) != nil
        {
            trust = .authorities(path: secrets.resolve(path))
        }
        guard let url, let address, let user, let entrance else { return nil }
        var endpoint = address.endpoint
        endpoint.trust = trust
        if !endpoint.isEncrypted, !PrivateHost.includes(endpoint.host) {
            url.report(
                "Passwords and contents would cross the network in clear.",
                "Write https://. Without TLS only 127.0.0.1, localhost and private addresses.")
        }
        if !user.isPersonal, !address.path.contains(where: \.isPersonal) {
            url.report(
                "Neither the address nor the user says whose resources these are.",
                "Use one of \(Self.placeholders) in url, or in user where everybody has the same address.")
        }
        return DAVLocation(
            endpoint: endpoint, path: address.path, user: user, entrance: entrance, connections: connections,
            timeout: timeout, longestPath: mapping["longestPath"]?.number(in: 1...4096))
    }

    private static var placeholders: String {
        LoginTemplate.placeholders.map { "{\($0)}" }.joined(separator: ", ")
    }

    // MARK: address

    private func address(_ value: YAMLValue) -> (endpoint: HTTPEndpoint, path: [LoginTemplate])? {
        guard let text = value.text("an address, such as https://dav.contoso.example/files/{login}/") else {
            return nil
        }
        func refuse(_ reason: String, _ remedy: String) -> (endpoint: HTTPEndpoint, path: [LoginTemplate])? {
            value.report("\(text.quoted) \(reason)", remedy)
            return nil
        }
        let example = "For example: https://dav.contoso.example/files/{login}/"
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme else { return refuse("does not begin with https:// or http://.", example) }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else {
            return refuse("has a user in it.", "Write user and password into keys of their own.")
        }
        guard !text.contains("?"), !text.contains("#") else {
            return refuse("has more than a path.", "Leave out what follows ? or #.")
        }
        guard let (host, port) = Self.host(String(authority)), !host.contains("{"), !host.isEmpty else {
            return refuse("names no server.", example)
        }
        var path: [LoginTemplate] = []
        for part in rest.dropFirst(authority.count).split(separator: "/") {
            guard let name = try? DAVPath(href: "/" + part).names.first else {
                return refuse("has a part that leads elsewhere or is not UTF-8.", "Leave out . and ..")
            }
            guard let template = LoginTemplate(name) else {
                return refuse("has braces that mean nothing.", "Use one of \(Self.placeholders).")
            }
            path.append(template)
        }
        let isEncrypted = scheme == "https://"
        return (HTTPEndpoint(isEncrypted: isEncrypted, host: host, port: port ?? (isEncrypted ? 443 : 80)), path)
    }

    /// `host`, `host:port`, `[address]` or `[address]:port`.
    private static func host(_ authority: String) -> (host: String, port: Int?)? {
        var host = authority[...]
        var port: Int?
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                return nil
            }
            port = number
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return (String(host), port)
    }

    // MARK: entering

    private func template(_ value: YAMLValue) -> LoginTemplate? {
        guard let text = value.text("as whom the server is entered, such as \"{mail}\" or mover") else { return nil }
        guard let template = LoginTemplate(text) else {
            value.report("\(text.quoted) has braces that mean nothing.", "Use one of \(Self.placeholders).")
            return nil
        }
        return template
    }

    private func entrance(_ mapping: YAMLMapping) -> DAVLocation.Entrance? {
        guard
            let (kind, value) = mapping.entrance(
                of: Self.entrances, nothing: "Nothing says how the server is entered.")
        else { return nil }
        switch kind {
        case "password": return secrets.secret(value).map { .password($0) }
        case "passwords": return secrets.passwords(value).map { .passwords($0) }
        default: return secrets.source(value).map { .token($0) }
        }
    }
}
