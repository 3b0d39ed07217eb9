import FoundationEssentials

/// Servers that a demo can run, one for each of its two tenants.
enum DemoPeer: String, Codable, CodingKeyRepresentable, CaseIterable, Sendable {
    /// Mail over IMAP.
    case dovecot
    /// Calendars and contacts over CalDAV and CardDAV.
    case radicale
    /// Files over WebDAV.
    case apache
}

/// Where the data of the demo's two tenants lies: in folders that Ferry reads and writes itself, or behind servers that
/// have the same folders.
struct DemoPlaces: Hashable, Codable, Sendable {
    /// On loopback.
    struct Ports: Hashable, Codable, Sendable {
        var source: Int
        var target: Int
    }

    /// Of the servers that run.
    var ports: [DemoPeer: Ports] = [:]

    /// The user of all servers who may enter everybody's data.
    static let masterUser = "mover"
    /// Holds that user's password; beside the configuration.
    static let secretFile = "mover.secret"
    /// Where Radicale has its collections, below its tenant's folder.
    static let collections = "collections"

    /// The services of a tenant, as lines of the configuration.
    func services(of tenant: String, isSource: Bool) -> [String] {
        let password = "password: { file: \(Self.secretFile) }"
        func port(_ peer: DemoPeer) -> Int? { ports[peer].map { isSource ? $0.source : $0.target } }
        func dav(_ kind: String, _ port: Int, _ entrance: String) -> String {
            "{ \(kind): { url: \"http://127.0.0.1:\(port)/{login}/\", \(entrance) } }"
        }
        let master = "user: \(Self.masterUser), \(password)"
        let mail = port(.dovecot).map { "{ imap: { host: 127.0.0.1, port: \($0), tls: none, master: { \(master) } } }" }
        let calendar = port(.radicale).map { dav("caldav", $0, master) }
        let contacts = port(.radicale).map { dav("carddav", $0, master) }
        let files = port(.apache).map { dav("webdav", $0, "token: { file: \(Self.secretFile) }") }
        return [
            "mail: \(mail ?? "{ folder: \(tenant)/mail }")",
            "calendar: \(calendar ?? "{ folder: \(tenant)/calendars }")",
            "contacts: \(contacts ?? "{ folder: \(tenant)/contacts }")",
            "files: \(files ?? "{ folder: \(tenant)/files }")",
            "chats: { folder: \(tenant)/chats }",
        ]
    }

    /// A file of a collection (a folder with `displayname`, then `color`, then objects) as the calendar server wants it,
    /// where there is one; `nil` for what it does not want.
    /// - Parameters:
    ///   - tag: what Radicale calls the kind.
    ///   - color: the property of the collection's color.
    ///   - name: the display name, kept from file to file.
    func placed(_ file: DemoFile, _ tag: String, _ color: String, _ name: inout String) throws -> DemoFile? {
        guard ports[.radicale] != nil else { return file }
        var file = file
        var parts = file.path.split(separator: "/", maxSplits: 2).map(String.init)
        parts[1] = "\(Self.collections)/collection-root"
        file.path = parts.joined(separator: "/")
        guard case .bytes(let bytes) = file.content else { return file }
        if file.path.hasSuffix("/displayname") {
            name = String(decoding: bytes, as: UTF8.self)
            return nil
        }
        guard file.path.hasSuffix("/color") else { return file }
        file.path = file.path.dropLast("color".count) + ".Radicale.props"
        let properties = ["tag": tag, "D:displayname": name, color: String(decoding: bytes, as: UTF8.self)]
        file.content = .bytes(Array(try JSONEncoder().encode(properties)))
        return file
    }
}
