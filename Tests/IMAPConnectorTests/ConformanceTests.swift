import FerryConnector
import FerryCore
import FerryTestKit
import Synchronization
import Testing

@testable import FerryIMAP

@Suite struct `An IMAP mailbox` {
    @Test(arguments: ConnectorConformance.checks)
    func `on Dovecot passes as a connector`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(try await IMAPFixture(.dovecot))
    }

    @Test(arguments: ConnectorConformance.deltaChecks, [["QRESYNC"], ["QRESYNC", "ESEARCH"]])
    func `on Dovecot without QRESYNC tells of changes all the same`(
        _ check: ConnectorConformance.Check, without missing: [String]
    ) async throws {
        try await check.run(try await IMAPFixture(.dovecot, without: missing))
    }

    @Test(arguments: ConnectorConformance.checks)
    func `on Cyrus passes as a connector`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(try await IMAPFixture(.cyrus))
    }
}

final class IMAPFixture: ConnectorFixture {
    private static let keywords = ["$Junk", "Later"]

    let server: MailServer
    private let reader: MailServer
    private let bystander: MailServer
    /// What the person at the source has put, by name.
    private let present = Mutex<[String: (uid: UID, item: SeedItem)]>([:])
    let home = Container(name: "INBOX", path: ["INBOX"], details: .mailFolder(isSubscribed: false))
    let canUpdate = true
    let tellsChanges = true
    let takesAnyName = true
    /// One for all, so that its administrator is known.
    let source: any Connector
    let target: any Connector

    init(_ kind: MailServer.Kind, without missing: [String] = []) async throws {
        server = try await .person(kind, missing.flatMap { ["--without", $0] })
        reader = try await .person(kind)
        bystander = try await .person(kind)
        let connector = server.connector
        source = connector
        target = connector
        // As on every server in use, somebody has been let in before: then a refusal means the person.
        await (try connector.source(for: reader.account())).close()
    }

    var targetReader: any Connector { target }
    var sourceAccount: Account { server.account() }
    var targetAccount: Account { reader.account() }
    var strangerAccount: Account { server.account(server.kind == .dovecot ? "stranger@example.test" : "stranger") }

    var oddContainers: [Container] {
        [
            ["Projects"], ["Projects", "2024"], ["Übung", "日本 語", "🚢"], ["a.b", "c/d"], ["..", ".."],
            ["nul\u{0}", "x"],
            ["&", "-"], ["&AC4-"], ["cur"], ["dovecot.index"], ["~", "*"], ["50%", "\"q\"", "back\\slash"],
            ["INBOX", "Sub"], ["#news", ";x"],
        ].map { Container(name: $0.joined(separator: "/"), path: $0, details: .mailFolder(isSubscribed: true)) }
    }

    func item(_ number: Int, bytes: Int) -> SeedItem {
        let flags = MessageMetadata.Flags(rawValue: UInt8(number % 64))
        let keywords = Self.keywords.enumerated().filter { number >> $0.offset & 1 == 1 }.map(\.element).sorted()
        var body = Array("Subject: \(number)\r\n\r\n".utf8)
        let filling = Array(repeatElement("NOTE:Filling of number \(number).\r\n".utf8, count: 40).joined())
        while body.count < bytes { body += filling.prefix(bytes - body.count) }
        // A line end is not cut in two: Dovecot drops a CR without its LF.
        if body.last == 0x0D { body[body.count - 1] = UInt8(ascii: ".") }
        return SeedItem(
            name: "message \(number)", body: body,
            metadata: .message(
                MessageMetadata(
                    flags: flags, keywords: keywords, internalDate: Instant(seconds: 1_600_000_000 + Int64(number)))))
    }

    func keepingWhatStays(of old: ItemMetadata, in new: ItemMetadata) -> ItemMetadata {
        guard case .message(let old) = old, case .message(var new) = new else { return new }
        new.internalDate = old.internalDate
        return .message(new)
    }

    /// What changes in a mailbox is flags.
    func changed(_ item: SeedItem) -> SeedItem {
        guard case .message(var message) = item.metadata else { return item }
        message.flags.formSymmetricDifference([.flagged, .answered])
        var item = item
        item.metadata = .message(message)
        return item
    }

    func name(of header: ItemHeader) -> String {
        present.withLock { $0.first { $0.value.uid == UID(truncatingIfNeeded: header.key.low) }?.key } ?? header.name
    }

    func put(_ items: [SeedItem]) async throws {
        try await server.acting { session in
            _ = try await session.select(.inbox, readOnly: false, known: nil)
            var new: [SeedItem] = []
            for item in items {
                guard let known = present.withLock({ $0[item.name] }) else {
                    new.append(item)
                    continue
                }
                #expect(known.item.body == item.body, "A message never changes.")
                guard case .message(let message) = item.metadata else { continue }
                for result in try await session.store(
                    [(UIDSet([known.uid]), .set(message.messageFlags))], unchangedSince: nil)
                {
                    _ = try result.get()
                }
            }
            for chunk in stride(from: 0, to: new.count, by: 500).map({ new[$0..<min($0 + 500, new.count)] }) {
                let uids = try await session.put(
                    chunk.map { item in
                        guard case .message(let message) = item.metadata else {
                            throw ConformanceFailure("Not a message.")
                        }
                        return TestMessage(item.body, message)
                    })
                present.withLock { present in
                    for (item, uid) in zip(chunk, uids) { present[item.name] = (uid, item) }
                }
            }
        }
    }

    func delete(_ item: SeedItem) async throws {
        guard let known = present.withLock({ $0.removeValue(forKey: item.name) }) else { return }
        try await server.acting { session in
            _ = try await session.select(.inbox, readOnly: false, known: nil)
            try await session.expunge(UIDSet([known.uid]))
        }
    }

    func settle() async throws {}

    func isOutsideUntouched() async throws -> Bool {
        try await bystander.acting { try await $0.counts().values.reduce(0, +) } == 0
    }
}
