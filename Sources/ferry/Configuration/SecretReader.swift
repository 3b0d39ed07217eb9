import FerryConnector
import Yams

/// Reads where passwords and tokens are kept, and the files that services name.
struct SecretReader {
    let problems: ProblemList
    /// Makes a path absolute, as the configuration means it.
    let resolve: (String) -> String
    /// A file's bytes; reports what stands in the way.
    let contents: (_ path: String, _ value: YAMLValue) -> [UInt8]?
    let environment: (String) -> String?

    /// Where a secret is, without looking.
    func source(_ value: YAMLValue) -> SecretSource? {
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

    /// The secret itself.
    func secret(_ value: YAMLValue) -> Secret? {
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

    /// By login, from a CSV file.
    func passwords(_ value: YAMLValue) -> [String: Secret]? {
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
        return passwords
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

/// Hosts to which nothing need be encrypted.
enum PrivateHost {
    /// Loopback and the private ranges of RFC 1918 and RFC 4193, written as addresses; of names only `localhost`.
    static func includes(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        if host.contains(":") { return host.lowercased().hasPrefix("fc") || host.lowercased().hasPrefix("fd") }
        let parts = host.split(separator: ".").compactMap { UInt8($0) }
        guard parts.count == 4, host.split(separator: ".").count == 4 else { return false }
        switch (parts[0], parts[1]) {
        case (127, _), (10, _), (192, 168), (172, 16...31): return true
        default: return false
        }
    }
}

extension YAMLMapping {
    /// The one of the ways to enter a server that is given; reports when there is none or more than one.
    ///
    /// - Parameter nothing: what is said when there is none.
    func entrance(of ways: [String], nothing: String) -> (way: String, value: YAMLValue)? {
        let given = ways.filter { self[$0] != nil }
        guard given.count == 1, let way = given.first, let value = self[way] else {
            whole.report(
                given.isEmpty ? nothing : "There are several ways to enter: \(given.joined(separator: ", ")).",
                "Give exactly one of \(ways.joined(separator: ", ")).")
            return nil
        }
        return (way, value)
    }
}
