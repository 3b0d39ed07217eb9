import FerryConnector
import FerryCore
import FerryHTTP
import FerryTestKit
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import FerryDAV

/// A real server of calendars and address books, with a person of the test's own.
struct CollectionServer: Sendable {
    enum Kind: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case radicale, cyrus
        var testDescription: String { rawValue }
    }

    let kind: Kind
    let process: ServerProcess
    let number: Int
    let login: String

    /// Starts the server, or takes the one that runs already; cancels the test visibly where it is not installed.
    static func person(_ kind: Kind) async throws -> CollectionServer {
        let options = ["--users", "300"] + (kind == .cyrus ? ["--http-port", SharedServers.sparePort] : [])
        do {
            let process = try await SharedServers.all.server(kind.rawValue, options)
            let number = await SharedServers.all.person(kind.rawValue, options)
            return CollectionServer(kind: kind, process: process, number: number)
        } catch let missing as ServerProcess.Missing {
            try Test.cancel("SKIPPED, no \(kind.rawValue) here: \(missing)")
        }
    }

    private init(kind: Kind, process: ServerProcess, number: Int) {
        self.kind = kind
        self.process = process
        self.number = number
        login = "u" + String(repeating: "0", count: 4 - "\(number)".count) + "\(number)"
        if kind == .cyrus {
            // Cyrus has no calendars for people who have no mail yet; the first login makes the mailbox.
            if let connection = try? RawConnection(port: process.port) {
                connection.send("a LOGIN \(login) pw\r\nb LOGOUT\r\n")
                _ = connection.read { $0.contains("b OK") }
                connection.close()
            }
        }
    }

    var endpoint: HTTPEndpoint {
        HTTPEndpoint(
            isEncrypted: false, host: "127.0.0.1", port: kind == .cyrus ? process.sparePort : process.port)
    }

    /// Where a person's collections are.
    func home(_ what: CollectionKind, of login: String) -> DAVPath {
        switch kind {
        case .radicale: DAVPath([login])
        case .cyrus: DAVPath(["dav", what == .calendars ? "calendars" : "addressbooks", "user", login])
        }
    }

    /// At Radicale as somebody who reaches everybody, at Cyrus as the person.
    var credentials: HTTPCredentials {
        kind == .radicale
            ? .password(user: "mover", password: Secret("masterpw")) : .password(user: login, password: Secret("pw"))
    }

    func connector(
        _ what: CollectionKind, credentials: HTTPCredentials? = nil, sendsMany: Bool = true, port: Int? = nil
    ) -> CollectionConnector {
        let credentials = credentials ?? self.credentials
        var endpoint = endpoint
        if let port { endpoint.port = port }
        var settings = DAVSettings(
            // Radicale reads 2,500 new files before it answers.
            endpoint: endpoint, timeout: .seconds(300), root: { home(what, of: $0.login) },
            credentials: { _ in credentials })
        settings.sendsMany = sendsMany
        return CollectionConnector(what, tenant: "Contoso", settings: settings)
    }

    /// Finds the person's home by asking, from the server's root.
    func discovering(_ what: CollectionKind, from start: [String] = []) -> CollectionConnector {
        let login = login
        var settings = DAVSettings(
            endpoint: endpoint, root: { _ in DAVPath(start) },
            credentials: { _ in .password(user: login, password: Secret("pw")) })
        settings.isPersonal = false
        return CollectionConnector(what, tenant: "Contoso", settings: settings)
    }

    func account(_ login: String? = nil) -> Account {
        Account(
            tenant: TenantID(GUID(high: 1, low: 1)),
            person: Person(
                id: PersonID(GUID(high: 2, low: UInt64(number))), userPrincipalName: "ada@contoso.example",
                displayName: "Ada", mail: "ada@contoso.example"),
            login: login ?? self.login)
    }

    // MARK: behind Ferry's back

    private static let sessions = HTTPConnectionsByPort()

    /// One request as the person; the answer's status and content.
    @discardableResult
    func ask(
        _ method: String, _ path: DAVPath, isCollection: Bool = false, _ content: [UInt8]? = nil,
        type: String = "application/xml; charset=utf-8", _ headers: [(name: String, value: String)] = []
    ) async throws -> (status: Int, content: [UInt8]) {
        let session = HTTPSession(Self.sessions.connections(endpoint), as: credentials)
        var reply = try await session.send(
            HTTPRequest(
                method, path.encoded(isCollection: isCollection),
                headers: headers + (content == nil ? [] : [("Content-Type", type)]),
                body: content.map { ByteBuffer(bytes: $0) }))
        let status = reply.head.status
        return (status, Array(try await reply.collect(limit: 64 << 20).readableBytesView))
    }

    /// Radicale keeps one file per object and looks at it anew at every request.
    func folder(_ collection: String) -> String { "\(process.directory)/data/collection-root/\(login)/\(collection)" }

    func make(_ collection: String, _ what: CollectionKind, name: String, color: String) async throws {
        switch kind {
        case .radicale:
            try FileManager.default.createDirectory(
                atPath: folder(collection), withIntermediateDirectories: true)
            let properties = [
                "tag": what == .calendars ? "VCALENDAR" : "VADDRESSBOOK", "D:displayname": name,
                what == .calendars ? "ICAL:calendar-color" : "INF:addressbook-color": color,
            ]
            try JSONEncoder().encode(properties).write(to: URL(filePath: folder(collection) + "/.Radicale.props"))
        case .cyrus:
            let session = try await connector(what).target(for: account())
            _ = try await session.ensure(
                Container(
                    name: collection, path: [collection],
                    details: what == .calendars
                        ? .calendar(displayName: name, color: color) : .addressBook(displayName: name, color: color)))
            await session.close()
        }
    }

    func put(_ name: String, _ content: [UInt8], in collection: String, _ what: CollectionKind) async throws {
        if kind == .radicale {
            try Data(content).write(to: URL(filePath: folder(collection) + "/" + name))
            return
        }
        let path = home(what, of: login).appending(collection).appending(name)
        let status = try await ask(
            "PUT", path, content, type: what.contentType, [("Scheduling-Enabled", "F")]
        ).status
        guard (200..<300).contains(status) else { throw ConformanceFailure("PUT of \(name) gives \(status).") }
    }

    func delete(_ name: String, in collection: String, _ what: CollectionKind) async throws {
        if kind == .radicale {
            try FileManager.default.removeItem(atPath: folder(collection) + "/" + name)
            return
        }
        let status = try await ask("DELETE", home(what, of: login).appending(collection).appending(name)).status
        guard (200..<300).contains(status) else { throw ConformanceFailure("DELETE of \(name) gives \(status).") }
    }

    func content(_ name: String, in collection: String, _ what: CollectionKind) async throws -> [UInt8]? {
        let answer = try await ask("GET", home(what, of: login).appending(collection).appending(name))
        return answer.status == 200 ? answer.content : nil
    }
}

/// Connections that tests share.
final class HTTPConnectionsByPort: Sendable {
    private let known = Mutex<[Int: HTTPConnections]>([:])

    func connections(_ endpoint: HTTPEndpoint) -> HTTPConnections {
        known.withLock { known in
            if let present = known[endpoint.port] { return present }
            let made = HTTPConnections(endpoint, connections: 16)
            known[endpoint.port] = made
            return made
        }
    }
}
