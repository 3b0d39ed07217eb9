import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Synchronization
import Testing

@testable import FerryIMAP

/// A pass over a folder in which little has happened asks for that little.
@Suite struct `Changes over IMAP` {
    /// A real server, and what it does not say that it has.
    struct Offer: Sendable, CustomTestStringConvertible {
        var kind: MailServer.Kind
        var without: [String] = []
        var testDescription: String {
            kind.rawValue + without.map { " without \($0)" }.joined()
        }
        var options: [String] { without.flatMap { ["--without", $0] } }
    }

    static let offers = [
        Offer(kind: .dovecot), Offer(kind: .cyrus), Offer(kind: .dovecot, without: ["QRESYNC"]),
        Offer(kind: .dovecot, without: ["QRESYNC", "ESEARCH"]),
    ]

    private static func messages(_ numbers: Range<Int>) -> [TestMessage] {
        numbers.map { number in
            TestMessage(
                "Subject: \(number)\r\n\r\nBody \(number)\r\n", at: 1_600_000_000 + Int64(number),
                flags: number % 3 == 0 ? [.seen] : [])
        }
    }

    private static func fill(_ server: MailServer, _ numbers: Range<Int>) async throws {
        try await server.acting { session in
            for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 500) {
                try await session.put(messages(start..<min(start + 500, numbers.upperBound)))
            }
        }
    }

    /// Ten new messages, five with other flags, five gone, the newest of the old ones among them.
    private static func work(_ server: MailServer, _ round: Int) async throws {
        try await fill(server, 10_000 + round * 10..<10_010 + round * 10)
        try await server.acting { session in
            _ = try await session.select(.inbox, readOnly: false, known: nil)
            let uids = Array(try await session.search("ALL").uids)
            for result in try await session.store([
                (UIDSet(uids[20..<25]), .set(MessageFlags([.flagged, .answered], keywords: ["Round\(round)"])))
            ]) { _ = try result.get() }
            try await session.expunge(UIDSet(uids[3...6] + [uids[uids.count - 11]]))
        }
    }

    @Test(arguments: offers)
    func `cost the same few round trips however much mail there is`(_ offer: Offer) async throws {
        var traffic: [MailRelay.Traffic] = []
        for count in [60, 1_500] {
            let source = try await MailServer.person(offer.kind, offer.options)
            let target = try await MailServer.person(.dovecot)
            try await Self.fill(source, 0..<count)
            let relay = try await MailRelay.open(to: source.process.port)
            let world = try await MoveWorld(
                from: source.connector(port: relay.port), source.login, to: target.connector, target.login)
            try await world.pass()
            for round in 0..<3 {
                try await Self.work(source, round)
                relay.reset()
                #expect(try await world.pass().changes == 10 + 5 + 5)
            }
            traffic.append(relay.traffic)
            try await world.expectSame("\(count) messages")
            #expect(try await world.pass().changes == 0)
        }
        // Login, folders, the change, the bodies, the farewell.
        let (few, many) = (traffic[0], traffic[1])
        #expect(few.turns <= 12, "\(few.lines)")
        #expect(abs(many.turns - few.turns) <= 2, "\(many.lines)")
        #expect(many.lines.count { $0.contains("FETCH") } <= 3, "\(many.lines)")
        if !offer.without.contains("ESEARCH") { #expect(abs(many.received - few.received) < 600) }
    }

    @Test(arguments: offers)
    func `follow mail that is moved between folders, there and back`(_ offer: Offer) async throws {
        let source = try await MailServer.person(offer.kind, offer.options)
        let target = try await MailServer.person(.dovecot)
        let club = MailboxName("Club", utf8: false)
        try await Self.fill(source, 0..<40)
        try await source.acting { session in
            for result in try await session.create([(name: club, specialUse: [])]) { try result.get() }
        }
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        for (here, there) in [(MailboxName.inbox, club), (club, .inbox), (.inbox, club)] {
            try await source.acting { session in
                let moved = try await session.contents(of: here).prefix(7)
                _ = try await session.select(here, readOnly: false, known: nil)
                let uids = Array(try await session.search("ALL").uids.prefix(7))
                try await session.put(Array(moved), into: there)
                try await session.expunge(UIDSet(uids))
            }
            #expect(try await world.pass().changes == 14)
            try await world.expectSame("\(here.printable) to \(there.printable)")
        }
        #expect(try await target.acting { try await $0.counts()["INBOX"] } == 33)
    }

    @Test func `are found by comparison where the server keeps no modification sequences`() async throws {
        let source = try await MailServer.person(.dovecot, ["--without", "QRESYNC", "--without", "CONDSTORE"])
        let target = try await MailServer.person(.dovecot)
        try await Self.fill(source, 0..<60)
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        try await Self.work(source, 0)
        #expect(try await world.pass().changes == 10 + 5 + 5)
        try await world.expectSame()
    }

    @Test func `are asked for even while a message of the folder cannot be moved`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.cyrus)
        // Cyrus refuses a line without a colon among the headers.
        try await source.acting { session in
            _ = try await session.put(
                Self.messages(0..<40) + [TestMessage("Subject: bad\r\nthis is no header\r\n\r\nBad.\r\n")]
                    + Self.messages(40..<60))
        }
        let relay = try await MailRelay.open(to: source.process.port)
        let world = try await MoveWorld(
            from: source.connector(port: relay.port), source.login, to: target.connector, target.login)
        #expect(try await world.pass().progress.skipped == 1)
        try await Self.work(source, 0)
        for changes in [20, 0, 0] as [Int64] {
            relay.reset()
            let result = try await world.pass()
            #expect(result.changes == changes)
            #expect(result.progress.skipped == 1)
            #expect(result.progress.bytes < (result.progress.bytesExpected ?? 0))
            #expect(try await world.findings().map(\.item) == ["UID 41"])
            #expect(!relay.traffic.lines.contains { $0.contains("SEARCH") })
        }
        try await world.expectSame()
    }

    private final class Flag: Sendable {
        private let state = Mutex(false)
        var isUp: Bool { state.withLock { $0 } }
        func raise() { state.withLock { $0 = true } }
    }

    /// Many hands: mail comes, goes and gets flags while passes run, on servers that tell and on such that do not.
    @Test(.timeLimit(.minutes(10)), arguments: offers)
    func `miss nothing in a mailbox in which people work`(_ offer: Offer) async throws {
        let source = try await MailServer.person(offer.kind, offer.options)
        let target = try await MailServer.person(.dovecot)
        try await Self.fill(source, 0..<80)
        let world = try await MoveWorld(from: source, to: target)
        let random = SharedRandom(seed: RunSeed.value)
        let isOver = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                var number = 1_000
                try await source.acting { session in
                    while !isOver.isUp {
                        _ = try await session.select(.inbox, readOnly: false, known: nil)
                        let uids = Array(try await session.search("ALL").uids)
                        try await session.put(Self.messages(number..<number + random.number(in: 1..<4)))
                        number += 4
                        let uid = uids[random.number(in: 0..<uids.count)]
                        let flags = MessageMetadata.Flags(rawValue: UInt8(random.number(in: 0..<16)))
                        _ = try await session.store([
                            (
                                UIDSet([uid]),
                                .set(MessageMetadata(flags: flags, internalDate: Instant(seconds: 0)).messageFlags)
                            )
                        ])
                        if uids.count > 60 {
                            try await session.expunge(UIDSet([uids[random.number(in: 0..<uids.count)]]))
                        }
                    }
                }
            }
            for _ in 0..<8 { try await world.pass(batchItems: 7) }
            isOver.raise()
            try await group.waitForAll()
        }
        try await world.pass()
        try await world.expectSame("seed \(RunSeed.value)")
        #expect(try await world.pass().changes == 0)
    }
}
