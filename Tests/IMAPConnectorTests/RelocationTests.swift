import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Foundation
import Synchronization
import Testing

@testable import FerryIMAP

/// The target's folder gets another UIDVALIDITY: it was restored, repaired or made anew. Law 1 holds all the same.
@Suite struct `A folder that was made anew at the target` {
    private static let club = MailboxName("Club", utf8: false)
    /// Mail of the target's people is younger than this.
    private static let ours = 1_650_000_000 as Int64

    private static let messages: [TestMessage] = {
        var messages = (0..<10).map { number in
            TestMessage(
                "Subject: \(number)\r\n\r\nBody \(number)\r\n", at: 1_600_000_000 + Int64(number / 2),
                flags: number % 3 == 0 ? [.seen] : [])
        }
        // Twins but for their flags; 8-bit; a date that servers change.
        messages.append(TestMessage("Subject: twin\r\n\r\nTwin.\r\n", at: 1_500_000_000, flags: [.seen]))
        messages.append(TestMessage("Subject: twin\r\n\r\nTwin.\r\n", at: 1_500_000_000))
        messages.append(TestMessage("Subject: Gr\u{FC}\u{DF}e\r\n\r\n\u{1F6A2}\r\n", at: 1_400_000_000))
        return messages
    }()

    private static func make(_ server: MailServer, _ messages: [TestMessage]) async throws {
        try await server.acting { session in
            for result in try await session.create([(name: club, specialUse: [])]) { try result.get() }
            try await session.put(messages, into: club)
        }
    }

    private static func validity(_ server: MailServer) async throws -> UInt32? {
        try await server.acting { try await $0.status(of: [club], [.uidValidity]).first?.get().uidValidity }
    }

    /// Deletes the folder and puts into a new one what `change` makes of its mail.
    private static func remake(
        _ server: MailServer, _ change: ([TestMessage]) -> [TestMessage]
    ) async throws {
        let before = try await validity(server)
        let contents = change(try await server.acting { try await $0.contents(of: club) })
        // Servers take UIDVALIDITY from the clock, in seconds, so the first folder made anew may be as the old one.
        repeat {
            try await server.acting { try await $0.delete(club) }
            try await make(server, contents)
        } while try await validity(server) == before
    }

    private static func isOurs(_ message: TestMessage) -> Bool { message.metadata.internalDate.seconds < ours }

    private static func expectSame(
        _ source: MailServer, _ target: MailServer, foreign: [TestMessage], and rest: [TestMessage] = [],
        _ comment: Comment? = nil
    ) async throws {
        let here = try await source.acting { try await $0.contents(of: club) }
        let there = try await target.acting { try await $0.contents(of: club) }
        #expect(there.filter(isOurs).counted == (here + rest).counted, comment)
        #expect(there.filter { !isOurs($0) }.counted == foreign.counted, comment)
    }

    @Test(arguments: MailServer.Kind.allCases)
    func `is searched for Ferry's copies before anything is written`(_ kind: MailServer.Kind) async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(kind)
        try await Self.make(source, Self.messages)
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        let foreign = [
            TestMessage("Subject: 3\r\n\r\nBody 3\r\n", at: Self.ours + 1, flags: [.flagged]),
            TestMessage("Subject: for you\r\n\r\nMine.\r\n", at: Self.ours + 2),
        ]
        // Restored in another order, without two of the copies, and with one whose flag is lost.
        try await Self.remake(target) { contents in
            var restored = Array((foreign + contents.dropFirst(2)).reversed())
            for index in restored.indices where restored[index].metadata.flags == .seen {
                restored[index].metadata.flags = []
                break
            }
            return restored
        }
        let gone = TestMessage("Subject: 5\r\n\r\nBody 5\r\n", at: 1_600_000_002)
        try await source.acting { session in
            _ = try await session.select(Self.club, readOnly: false, known: nil)
            let uids = Array(try await session.search("ALL").uids)
            _ = try await session.store(
                [(UIDSet(uids[0...3]), .set(MessageFlags(.flagged, keywords: ["Later"])))], unchangedSince: nil)
            try await session.expunge(UIDSet(uids[5...5]))
            try await session.put([TestMessage("Subject: new\r\n\r\nNew.\r\n", at: 1_610_000_000)], into: Self.club)
        }
        try await world.pass()
        try await Self.expectSame(source, target, foreign: foreign, and: [gone], "made anew")
        // What the source has no more cannot be told from other people's mail: it stays, and somebody is told.
        let findings = try await world.findings()
        #expect(findings.map(\.code) == [.targetConflict])
        #expect(findings.map(\.item) == ["Club"])
        #expect(try await world.pass().changes == 0)

        // The new places are durable: from here on flags and removals find their messages.
        try await source.acting { session in
            _ = try await session.select(Self.club, readOnly: false, known: nil)
            let uids = Array(try await session.search("ALL").uids)
            _ = try await session.store([(UIDSet(uids[1...8]), .set(MessageFlags(.answered)))], unchangedSince: nil)
            try await session.expunge(UIDSet(uids[9...10]))
        }
        try await world.pass()
        try await Self.expectSame(source, target, foreign: foreign, and: [gone], "and used on")
    }

    @Test func `keeps its UIDs and changes its UIDVALIDITY alone`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.dovecot)
        try await Self.make(source, Self.messages)
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        let validity = try #require(try await Self.validity(target))
        try await target.doveadm("mailbox", "update", "-u", target.login, "--uid-validity", "\(validity + 7)", "Club")
        #expect(try await Self.validity(target) == validity + 7)
        try await source.acting { session in
            _ = try await session.select(Self.club, readOnly: false, known: nil)
            let uids = Array(try await session.search("ALL").uids)
            _ = try await session.store([(UIDSet(uids), .add(MessageFlags(.answered)))], unchangedSince: nil)
        }
        try await world.pass()
        try await Self.expectSame(source, target, foreign: [])
        #expect(try await world.findings().isEmpty)
    }

    @Test func `while the source's is made anew, too`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.dovecot)
        try await Self.make(source, Self.messages)
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        try await Self.remake(target) { $0 }
        try await Self.remake(source) { $0.reversed() }
        try await world.pass()
        try await Self.expectSame(source, target, foreign: [])
        #expect(try await world.findings().isEmpty)
        #expect(try await world.pass().changes == 0)
    }

    @Test func `and whose folder is gone from the source is not emptied by guess`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.dovecot)
        try await Self.make(source, Array(Self.messages.prefix(3)))
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        try await Self.remake(target) { $0 }
        try await source.acting { try await $0.delete(Self.club) }
        try await world.pass()
        #expect(try await target.acting { try await $0.counts()["Club"] } == 3)
        #expect(try await world.findings().map(\.code) == [.targetConflict])
    }

    /// Deaths at every boundary of three lives, between which the folder is made anew.
    @Test(.timeLimit(.minutes(10)), arguments: MailServer.Kind.allCases)
    func `loses and doubles nothing when the search is interrupted`(_ kind: MailServer.Kind) async throws {
        final class World: Sendable {
            let source: MailServer
            let target: MailServer
            let move: MoveWorld
            init(_ source: MailServer, _ target: MailServer, _ move: MoveWorld) {
                (self.source, self.target, self.move) = (source, target, move)
            }
        }
        let foreign = TestMessage("Subject: 1\r\n\r\nBody 1\r\n", at: Self.ours)
        let sweep = CrashSweep<World>(
            makeWorld: {
                let source = try await MailServer.person(.dovecot)
                let target = try await MailServer.person(kind)
                try await Self.make(source, Self.messages)
                return World(source, target, try await MoveWorld(from: source, to: target))
            },
            live: { world, points in
                while world.move.stage.withLock({ $0 }) < 2 {
                    try await world.move.pass(through: points, batchItems: 4)
                    let stage = world.move.stage.withLock { stage in
                        stage += 1
                        return stage
                    }
                    guard stage == 1 else { continue }
                    try await Self.remake(world.target) { [foreign] + $0.dropLast(3).reversed() }
                    try await world.source.acting { session in
                        _ = try await session.select(Self.club, readOnly: false, known: nil)
                        let uids = Array(try await session.search("ALL").uids)
                        _ = try await session.store(
                            [(UIDSet(uids[1...4]), .set(MessageFlags([.flagged])))], unchangedSince: nil)
                        try await session.put(
                            [TestMessage("Subject: new\r\n\r\nNew.\r\n", at: 1_610_000_000)], into: Self.club)
                    }
                }
            },
            judge: { world, story in
                try await Self.expectSame(world.source, world.target, foreign: [foreign], "\(story)")
            })
        #expect(try await sweep.run(killingTwiceWith: RunSeed.value, stride: 3) > 20)
    }
}
