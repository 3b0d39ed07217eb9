import FerryConnector
import FerryCore
import FerryTestKit
import Synchronization
import Testing

@testable import FerryIMAP

/// Law 1 against a server whose APPEND is not idempotent: whoever dies when, every message is there exactly once, and
/// what others put into the target meanwhile is untouched.
@Suite struct `Crashes over IMAP` {
    private final class World: Sendable {
        let source: MailServer
        let target: MailServer
        let move: MoveWorld
        /// Mail that people put into the target, once per life.
        let delivered = Mutex(0)

        init(source: MailServer, target: MailServer, move: MoveWorld) {
            (self.source, self.target, self.move) = (source, target, move)
        }

        func deliver() async throws {
            let number = delivered.withLock { count in
                count += 1
                return count
            }
            // The first has the content of one that is on its way, and another date: it is not ours all the same.
            // The source forgets what may have been on its way when the process died, one of the twins among it.
            if number == 2 {
                try await source.acting { session in
                    _ = try await session.select(.inbox, readOnly: false, known: nil)
                    let uids = Array(try await session.search("ALL").uids)
                    try await session.expunge(UIDSet([uids[1], uids[5], uids[7]].filter { $0 <= 9 }))
                }
            }
            let text = number == 1 ? "Subject: 3\r\n\r\nBody 3\r\n" : "Subject: for you\r\n\r\nNumber \(number)\r\n"
            _ = try await target.acting { try await $0.put([TestMessage(text, at: 1_650_000_000 + Int64(number))]) }
        }
    }

    private static let messages = (0..<9).map { number in
        // Two are twins but for their flags.
        TestMessage(
            "Subject: \(min(number, 7))\r\n\r\nBody \(min(number, 7))\r\n", at: 1_600_000_000 + Int64(min(number, 7)),
            flags: number % 2 == 0 ? [.seen] : [])
    }

    private static func sweep(
        _ from: MailServer.Kind, _ to: MailServer.Kind
    ) -> CrashSweep<World> {
        CrashSweep<World>(
            makeWorld: {
                let source = try await MailServer.person(from)
                let target = try await MailServer.person(to)
                try await source.acting { _ = try await $0.put(messages) }
                return World(source: source, target: target, move: try await MoveWorld(from: source, to: target))
            },
            live: { world, points in
                try await world.deliver()
                while world.move.stage.withLock({ $0 }) < 2 {
                    try await world.move.pass(through: points, batchItems: 4)
                    let stage = world.move.stage.withLock { stage in
                        stage += 1
                        return stage
                    }
                    if stage == 1 { try await change(world.source) }
                }
            },
            judge: { world, story in
                let here = try await world.source.acting { try await $0.contents() }
                let there = try await world.target.acting { try await $0.contents() }
                let foreign = there.filter { $0.metadata.internalDate.seconds >= 1_650_000_000 }
                let ours = there.filter { $0.metadata.internalDate.seconds < 1_650_000_000 }
                #expect(foreign.count == world.delivered.withLock { $0 }, "\(story)")
                #expect(counted(ours) == counted(here), "\(story)")
            })
    }

    private static func counted(_ messages: [TestMessage]) -> [TestMessage: Int] {
        Dictionary(messages.map { ($0, 1) }, uniquingKeysWith: +)
    }

    /// A day's work between the passes.
    private static func change(_ server: MailServer) async throws {
        try await server.acting { session in
            try await session.put([TestMessage("Subject: new\r\n\r\nNew.\r\n", at: 1_610_000_000)])
            _ = try await session.select(.inbox, readOnly: false, known: nil)
            let uids = Array(try await session.search("ALL").uids)
            _ = try await session.store(
                [(UIDSet(uids[1...2]), .set(MessageFlags([.flagged, .seen])))], unchangedSince: nil)
            try await session.expunge(UIDSet(uids[4...4]))
        }
    }

    @Test(
        .timeLimit(.minutes(10)), arguments: [(MailServer.Kind.dovecot, MailServer.Kind.dovecot), (.dovecot, .cyrus)])
    func `A process that dies at any boundary loses nothing and doubles nothing`(
        from: MailServer.Kind, to: MailServer.Kind
    ) async throws {
        let boundaries = try await Self.sweep(from, to).run(killingTwiceWith: RunSeed.value, stride: 2)
        #expect(boundaries > 20)
    }
}
