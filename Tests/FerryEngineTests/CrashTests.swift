import FerryConnector
import FerryCore
import FerryEngine
import FerryTestKit
import Synchronization
import Testing

/// Law 1: whatever dies when, the finished move has every source item exactly once at the target.
@Suite struct CrashTests {
    /// Two passes: everything; then a day's work with new, changed and deleted items. Dead lives are continued.
    private func sweep(
        _ target: FakeTenant.Settings, tellsChanges: Bool = true, sharesWork: Bool = false
    ) async throws -> CrashSweep<CopierWorld> {
        let (reference, progress) = try await Self.reference(target)
        return CrashSweep(
            makeWorld: {
                var slow = FakeTenant.Settings()
                slow.pageItems = 4
                slow.tellsChanges = tellsChanges
                slow.sharesWork = sharesWork
                let world = try await CopierWorld(from: slow, to: target)
                world.fill(mail: 9)
                return world
            },
            live: { world, points in
                while world.stage.withLock({ $0 }) < 2 {
                    try await world.pass(through: points)
                    world.stage.withLock { stage in
                        stage += 1
                        if stage == 1 { Self.work(in: world) }
                    }
                }
            },
            judge: { world, story in
                world.expectSame([.mail, .calendar, .contacts], story)
                let (ledgers, counters) = (try await world.ledgers(), Self.counters(try await world.progress()))
                let verification = try await world.verify()
                #expect(ledgers == reference, "\(story)")
                #expect(counters == progress, "\(story)")
                #expect(verification.differences == [], "\(story)")
            })
    }

    private static func work(in world: CopierWorld) {
        world.addMail(3, from: 50)
        world.source.edit(world.place(.mail)) { holdings in
            holdings[["INBOX"]].remove("m2")
            holdings[["INBOX"]].change("m3") {
                $0.metadata = .message(
                    MessageMetadata(flags: [.seen, .flagged], internalDate: Instant(seconds: 1_700_000_003)))
            }
            holdings.folders.removeAll { $0.container.path == ["Projects", "2024"] }
        }
        world.source.edit(world.place(.calendar)) { holdings in
            holdings[["Work"]].change("a.ics") {
                $0.content = CopierWorld.event("a", organizer: "dora@elsewhere.example", attendee: CopierWorld.ada.mail)
            }
            holdings[["Work"]].remove("b.ics")
        }
    }

    /// What the same story leaves behind when nobody dies.
    private static func reference(
        _ target: FakeTenant.Settings
    ) async throws -> (ledgers: [ContainerID: [LedgerEntry]], progress: [Int64?]) {
        let world = try await CopierWorld(to: target)
        world.fill(mail: 9)
        try await world.pass()
        work(in: world)
        try await world.pass()
        return (try await world.ledgers(), counters(try await world.progress()))
    }

    private static func counters(_ progress: RunProgress) -> [Int64?] {
        [
            progress.items, progress.bytes, progress.itemsExpected, progress.bytesExpected, progress.skipped,
            progress.failed,
        ]
    }

    private static func target(isIdempotent: Bool, canUpdate: Bool) -> FakeTenant.Settings {
        var settings = FakeTenant.Settings()
        settings.isIdempotent = isIdempotent
        settings.canUpdate = canUpdate
        settings.batchItems = 4
        return settings
    }

    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)], [true, false])
    func `A process that dies at any boundary loses nothing and doubles nothing`(
        _ target: (isIdempotent: Bool, canUpdate: Bool), tellsChanges: Bool
    ) async throws {
        let boundaries = try await sweep(
            Self.target(isIdempotent: target.isIdempotent, canUpdate: target.canUpdate), tellsChanges: tellsChanges
        ).run()
        #expect(boundaries > 40)
    }

    @Test(arguments: [true, false])
    func `Nor does one that dies again while it recovers`(isIdempotent: Bool) async throws {
        let boundaries = try await sweep(Self.target(isIdempotent: isIdempotent, canUpdate: true))
            .run(killingTwiceWith: RunSeed.value, stride: 2)
        #expect(boundaries > 40)
    }

    @Test(arguments: [true, false])
    func `Nor does one that goes through several containers at once`(isIdempotent: Bool) async throws {
        var target = Self.target(isIdempotent: isIdempotent, canUpdate: true)
        target.sharesWork = true
        let boundaries = try await sweep(target, sharesWork: true).run()
        #expect(boundaries > 40)
    }

    @Test func `A sweep notices a target for which the copier does not keep the law`() async throws {
        var liar = Self.target(isIdempotent: false, canUpdate: true)
        liar.claimsToBeIdempotent = true
        let sweep = CrashSweep<CopierWorld>(
            makeWorld: { [liar] in
                let world = try await CopierWorld(to: liar)
                world.addMail(6)
                return world
            },
            live: { world, points in try await world.pass(through: points) },
            judge: { world, _ in if !world.differences([.mail]).isEmpty { throw Doubled() } })
        await #expect(throws: Doubled.self) { try await sweep.run() }
    }

    private struct Doubled: Error {}
}
