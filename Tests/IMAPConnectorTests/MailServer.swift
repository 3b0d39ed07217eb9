import FerryConnector
import FerryCore
import FerryTestKit
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import FerryIMAP

/// A real server with a person of the test's own.
struct MailServer: Sendable {
    enum Kind: String, Sendable, CaseIterable, CustomTestStringConvertible {
        case dovecot, cyrus
        var testDescription: String { rawValue }
    }

    static let users = ["--users", "600"]

    let kind: Kind
    let process: ServerProcess
    /// Under which the connector finds the person.
    let login: String
    let number: Int

    /// Starts the server, or takes the one that runs already; cancels the test visibly where it is not installed.
    static func person(_ kind: Kind, _ options: [String] = []) async throws -> MailServer {
        let options = users + options
        do {
            let process = try await SharedServers.all.server(kind.rawValue, options)
            let number = await SharedServers.all.person(kind.rawValue, options)
            return MailServer(kind: kind, process: process, number: number)
        } catch let missing as ServerProcess.Missing {
            try Test.cancel("SKIPPED, no \(kind.rawValue) here: \(missing)")
        }
    }

    init(kind: Kind, process: ServerProcess, number: Int) {
        self.kind = kind
        self.process = process
        self.number = number
        login = Self.login(kind, number)
    }

    private static func login(_ kind: Kind, _ number: Int) -> String {
        let name = "u" + String(repeating: "0", count: 4 - "\(number)".count) + "\(number)"
        return kind == .dovecot ? "\(name)@example.test" : name
    }

    var endpoint: IMAPEndpoint { IMAPEndpoint(host: "127.0.0.1", port: process.port, security: .none) }

    var connector: IMAPConnector { connector() }

    /// - Parameter port: of a relay before the server.
    func connector(sieve: IMAPEndpoint? = nil, port: Int? = nil) -> IMAPConnector {
        let entrance: IMAPSettings.Entrance =
            switch kind {
            case .dovecot: .master(user: "mover", separator: "*", password: Secret("masterpw"))
            case .cyrus: .proxy(administrator: "cyrus", password: Secret("pw"))
            }
        var settings = IMAPSettings(endpoint: endpoint, entrance: entrance)
        if let port { settings.endpoint.port = port }
        settings.sieve = sieve
        return IMAPConnector(tenant: "Contoso", settings: settings, on: .singletonMultiThreadedEventLoopGroup)
    }

    func account(_ login: String? = nil) -> Account {
        Account(
            tenant: TenantID(GUID(high: 1, low: 1)),
            person: Person(
                id: PersonID(GUID(high: 2, low: UInt64(number))), userPrincipalName: "ada@contoso.example",
                displayName: "Ada", mail: "ada@contoso.example"),
            login: login ?? self.login)
    }

    /// The person's own connection, as any mail program has one.
    func session() async throws -> IMAPSession {
        try await IMAPSession.connect(
            to: endpoint, as: .password(user: login, password: Secret("pw")), on: .singletonMultiThreadedEventLoopGroup)
    }

    /// Does something as the person.
    func acting<Value>(_ body: (IMAPSession) async throws -> Value) async throws -> Value {
        let session = try await session()
        do {
            let value = try await body(session)
            await session.close()
            return value
        } catch {
            await session.close()
            throw error
        }
    }
}

/// A message as a test puts it into a mailbox.
struct TestMessage: Hashable, Sendable {
    var body: [UInt8]
    var metadata: MessageMetadata

    init(_ body: [UInt8], _ metadata: MessageMetadata) {
        self.body = body
        self.metadata = metadata
    }

    init(_ text: String, at seconds: Int64 = 1_600_000_000, flags: MessageMetadata.Flags = [], keywords: [String] = [])
    {
        self.init(
            Array(text.utf8),
            MessageMetadata(flags: flags, keywords: keywords, internalDate: Instant(seconds: seconds)))
    }
}

extension [TestMessage] {
    /// How often each is there, as Cyrus has them, which makes `X` of 8-bit bytes in headers.
    var counted: [TestMessage: Int] {
        Dictionary(
            map { message in
                var message = message
                message.body = message.body.map { $0 >= 0x80 ? UInt8(ascii: "X") : $0 }
                return (message, 1)
            }, uniquingKeysWith: +)
    }
}

extension IMAPSession {
    /// Puts messages into a folder and gives their UIDs.
    @discardableResult
    func put(_ messages: [TestMessage], into name: MailboxName = .inbox) async throws -> [UID] {
        guard !messages.isEmpty else { return [] }
        let appender = try await append(to: name, single: false)
        for message in messages {
            try await appender.begin(
                AppendedMessage(
                    flags: message.metadata.messageFlags, internalDate: message.metadata.internalDate,
                    size: UInt64(message.body.count)))
            try await appender.write(ByteBuffer(bytes: message.body))
        }
        return try await appender.finish().map { result in
            guard case .appended(_, let uid?) = result else { throw ConformanceFailure("\(result)") }
            return uid
        }
    }

    /// Everything in a folder, by rising UID.
    func contents(of name: MailboxName = .inbox) async throws -> [TestMessage] {
        _ = try await select(name, readOnly: true, known: nil)
        let uids = try await search("ALL")
        guard !uids.isEmpty else { return [] }
        let rows = try await messages(uids, .listing, changedSince: nil, vanished: false).rows
        let fetch = try await bodies(of: Array(uids.uids))
        var bodies: [UID: [UInt8]] = [:]
        var current: [UInt8] = []
        while let events = try await fetch.next() {
            for event in events {
                switch event {
                case .began: current = []
                case .bytes(let buffer): current += buffer.readableBytesView
                case .ended(let uid): bodies[uid] = current
                case .absent, .unreadable: break
                }
            }
        }
        return try rows.sorted { $0.uid < $1.uid }.map { row in
            TestMessage(
                try #require(bodies[row.uid]),
                MessageMetadata(try #require(row.flags), internalDate: try #require(row.internalDate)))
        }
    }

    /// How many messages each folder has.
    func counts() async throws -> [String: Int] {
        let listed = try await list(prefix: nil, status: .messages)
        return Dictionary(
            listed.compactMap { box in box.status?.messages.map { (box.name.printable, Int($0)) } },
            uniquingKeysWith: { first, _ in first })
    }
}

extension MailServer {
    /// Runs Dovecot's administration program against this server, as its administrator would.
    func doveadm(_ arguments: String...) async throws {
        let path = ["/usr/bin/doveadm", "/usr/local/bin/doveadm"].first(where: FileManager.default.isExecutableFile)
        guard let path else { try Test.cancel("SKIPPED, no doveadm here") }
        let input = try ChildPipe()
        let errors = try ChildPipe()
        let child = try ChildProcess(
            [path, "-c", "\(process.directory)/dovecot.conf"] + arguments, input: input.reading, output: errors.writing,
            errors: errors.writing)
        input.closeReading()
        input.closeWriting()
        errors.closeWriting()
        let (status, said) = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let said = String(decoding: errors.readAll(), as: UTF8.self)
                continuation.resume(returning: (child.waitForExit(), said))
            }
        }
        errors.closeReading()
        guard status == 0 else { throw ConformanceFailure("doveadm \(arguments) failed: \(said)") }
    }
}
