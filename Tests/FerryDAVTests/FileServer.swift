import FerryConnector
import FerryCore
import FerryHTTP
import FerryTestKit
import Foundation
import Testing

@testable import FerryDAV

/// A real server with a person of the test's own.
struct FileServer: Sendable {
    enum Kind: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case apache, rclone
        var testDescription: String { rawValue }
    }

    let kind: Kind
    let process: ServerProcess
    /// Under which the connector finds the person.
    let login: String
    let number: Int

    /// Starts the server, or takes the one that runs already; cancels the test visibly where it is not installed.
    static func person(_ kind: Kind, _ options: [String] = []) async throws -> FileServer {
        let options = (kind == .apache ? ["--users", "300"] : [SharedServers.sparePort]) + options
        do {
            let process = try await SharedServers.all.server(kind.rawValue, options)
            let number = await SharedServers.all.person(kind.rawValue, options)
            return FileServer(kind: kind, process: process, number: number)
        } catch let missing as ServerProcess.Missing {
            try Test.cancel("SKIPPED, no \(kind.rawValue) here: \(missing)")
        }
    }

    init(kind: Kind, process: ServerProcess, number: Int) {
        self.kind = kind
        self.process = process
        self.number = number
        login = "u" + String(repeating: "0", count: 4 - "\(number)".count) + "\(number)"
    }

    /// The person's files on disk, whether or not they are there.
    var folder: String { "\(process.directory)/files/\(login)" }

    var endpoint: HTTPEndpoint { HTTPEndpoint(isEncrypted: false, host: "127.0.0.1", port: process.port) }

    var connector: DAVConnector { connector(endpoint) }

    func connector(
        _ endpoint: HTTPEndpoint,
        as credentials: HTTPCredentials = .password(user: "mover", password: Secret("masterpw")),
        longestPath: Int? = nil
    ) -> DAVConnector {
        let top = kind == .apache ? ["dav"] : []
        var settings = DAVSettings(
            endpoint: endpoint, root: { DAVPath(top + [$0.login]) }, credentials: { _ in credentials })
        if let longestPath { settings.longestPath = longestPath }
        return DAVConnector(tenant: "Contoso", settings: settings)
    }

    func account(_ login: String? = nil) -> Account {
        Account(
            tenant: TenantID(GUID(high: 1, low: 1)),
            person: Person(
                id: PersonID(GUID(high: 2, low: UInt64(number))), userPrincipalName: "ada@contoso.example",
                displayName: "Ada", mail: "ada@contoso.example"),
            login: login ?? self.login)
    }

    /// Puts a file below the person's folder, behind the server's back.
    func put(_ name: String, _ content: [UInt8], modified: Instant? = nil, isExecutable: Bool = false) throws {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(content).write(to: URL(fileURLWithPath: path))
        var attributes: [FileAttributeKey: Any] = [.posixPermissions: isExecutable ? 0o755 : 0o644]
        if let modified { attributes[.modificationDate] = Date(timeIntervalSince1970: Double(modified.seconds)) }
        try FileManager.default.setAttributes(attributes, ofItemAtPath: path)
    }

    /// Has the server see what has been done to the person's files.
    func refresh() async throws {
        guard kind == .rclone else { return }
        let control = HTTPEndpoint(isEncrypted: false, host: "127.0.0.1", port: process.sparePort)
        let session = HTTPSession(
            HTTPConnections(control, connections: 1), as: .password(user: "", password: Secret("")))
        let reply = try await session.send(HTTPRequest("POST", "/vfs/forget?dir=\(login)"))
        #expect(reply.head.status == 200)
    }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }

    func content(_ name: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(folder)/\(name)").map { Array($0) }
    }

    /// Paths of everything that the person has on disk but the server's own files, sorted.
    var tree: [String] {
        (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? [])
            .filter { !$0.split(separator: "/").contains(".DAV") }.sorted()
    }
}
