import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Foundation
import Synchronization
import Testing

@testable import FerryIMAP

/// Real servers behind a relay that hides UIDPLUS: no word of where a message went, no expunging of chosen ones.
@Suite struct `A target without UIDPLUS` {
    private static func relay(_ server: MailServer) async throws -> MailRelay {
        try await MailRelay.open(to: server.process.port) { line in
            line.replacingOccurrences(of: " UIDPLUS", with: "")
                .replacingOccurrences(of: #"\[(APPENDUID|COPYUID) [^\]]*\] ?"#, with: "", options: .regularExpression)
        }
    }

    private static func world(
        _ source: MailServer, _ target: MailServer, _ relay: MailRelay
    ) async throws -> MoveWorld {
        try await MoveWorld(
            from: source.connector, source.login, to: target.connector(port: relay.port), target.login)
    }

    /// Younger than everything that moves.
    private static let theirs = [
        TestMessage("Subject: thrown away\r\n\r\nBy others.\r\n", at: 1_750_000_000, flags: [.deleted]),
        TestMessage("Subject: kept\r\n\r\nBy others.\r\n", at: 1_750_000_001),
    ]

    private static func expectSame(
        _ source: MailServer, _ target: MailServer, marked: Int, _ comment: Comment? = nil
    ) async throws {
        let here = try await source.acting { try await $0.contents() }
        let there = try await target.acting { try await $0.contents() }
        let isForeign = { (message: TestMessage) in message.metadata.internalDate.seconds >= 1_750_000_000 }
        #expect(there.filter(isForeign).counted == theirs.counted, comment)
        let ours = there.filter { !isForeign($0) }
        #expect(ours.filter { !$0.metadata.flags.contains(.deleted) }.counted == here.counted, comment)
        #expect(ours.count { $0.metadata.flags.contains(.deleted) } == marked, comment)
    }

    @Test(arguments: MailServer.Kind.allCases)
    func `takes mail once, follows flags, and keeps what is removed, marked`(_ kind: MailServer.Kind) async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(kind)
        let relay = try await Self.relay(target)
        // Same date and content twice, large ones, 8-bit.
        let messages =
            MoveTests.messages.filter { !String(decoding: $0.body, as: UTF8.self).contains("draft") }
        try await source.acting { _ = try await $0.put(messages) }
        try await target.acting { _ = try await $0.put(Self.theirs) }
        let world = try await Self.world(source, target, relay)
        #expect(try await world.pass(batchItems: 25).changes == Int64(messages.count))
        try await Self.expectSame(source, target, marked: 0, "first pass")
        #expect(try await world.findings().isEmpty)

        for round in 0..<2 {
            try await source.acting { session in
                _ = try await session.select(.inbox, readOnly: false, known: nil)
                let uids = Array(try await session.search("ALL").uids)
                _ = try await session.store([
                    (UIDSet(uids), .add(MessageFlags(round == 0 ? .flagged : .answered))),
                    (UIDSet(uids[8..<10]), .set(MessageFlags(.seen))),
                ])
                try await session.expunge(UIDSet(uids[20...22]))
                try await session.put([TestMessage("Subject: new \(round)\r\n\r\nNew.\r\n", at: 1_700_000_000)])
            }
            try await world.pass(batchItems: 25)
            try await Self.expectSame(source, target, marked: 3 * (round + 1), "round \(round)")
        }
        let findings = try await world.findings()
        #expect(findings.map(\.code) == [.targetConflict, .targetConflict])
        #expect(findings.allSatisfy { $0.message.hasPrefix("3 copies") })
        #expect(try await world.pass().changes == 0)
        #expect(!relay.traffic.lines.contains { $0.uppercased().contains("EXPUNGE") || $0.hasSuffix(" CLOSE") })
    }

    /// Deaths at every boundary; what the source forgets meanwhile is marked.
    @Test(.timeLimit(.minutes(10))) func `doubles nothing when Ferry dies`() async throws {
        final class World: Sendable {
            let source: MailServer
            let target: MailServer
            let relay: MailRelay
            let move: MoveWorld
            init(_ source: MailServer, _ target: MailServer, _ relay: MailRelay, _ move: MoveWorld) {
                (self.source, self.target, self.relay, self.move) = (source, target, relay, move)
            }
        }
        let messages = (0..<9).map { number in
            // Two are twins but for their flags.
            TestMessage(
                "Subject: \(min(number, 7))\r\n\r\nBody \(min(number, 7))\r\n",
                at: 1_600_000_000 + Int64(min(number, 7)), flags: number % 2 == 0 ? [.seen] : [])
        }
        let sweep = CrashSweep<World>(
            makeWorld: {
                let source = try await MailServer.person(.dovecot)
                let target = try await MailServer.person(.dovecot)
                let relay = try await Self.relay(target)
                try await source.acting { _ = try await $0.put(messages) }
                try await target.acting { _ = try await $0.put(Self.theirs) }
                return World(source, target, relay, try await Self.world(source, target, relay))
            },
            live: { world, points in
                while world.move.stage.withLock({ $0 }) < 2 {
                    try await world.move.pass(through: points, batchItems: 4)
                    let stage = world.move.stage.withLock { stage in
                        stage += 1
                        return stage
                    }
                    guard stage == 1 else { continue }
                    try await world.source.acting { session in
                        try await session.put([TestMessage("Subject: new\r\n\r\nNew.\r\n", at: 1_610_000_000)])
                        _ = try await session.select(.inbox, readOnly: false, known: nil)
                        let uids = Array(try await session.search("ALL").uids)
                        _ = try await session.store([(UIDSet(uids[1...2]), .set(MessageFlags([.flagged, .seen])))])
                        try await session.expunge(UIDSet(uids[4...4]))
                    }
                }
            },
            judge: { world, story in
                try await Self.expectSame(world.source, world.target, marked: 1, "\(story)")
            })
        #expect(try await sweep.run(killingTwiceWith: RunSeed.value, stride: 3) > 20)
    }
}
