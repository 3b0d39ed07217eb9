import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Synchronization
import Testing

/// Clocks that jump: set by hand or by NTP, stopped while the machine sleeps (orchestration 2.3, row T43).
@Suite(.timeLimit(.minutes(10))) struct ClockTests {
    private static func appending() -> FakeTenant.Settings {
        var settings = FakeTenant.Settings()
        settings.isIdempotent = false
        return settings
    }

    private func waiting(
        _ world: EngineWorld, workloads: [String]? = nil, at engine: Engine
    ) async throws -> JobReference {
        let job = try await world.validated(world.draft(workloads: workloads), at: engine)
        let key = JobReference.key(job.id.description)
        _ = try await world.send(.migrate(key), to: engine)
        try await world.reach([.inProgress], job.id) { _ in try await world.allRuns(job.id, .mailbox, are: .synced) }
        return key
    }

    private func id(_ key: JobReference) throws -> JobID { try #require(JobID(key.text)) }

    /// The clock jumps at the first call of the verb.
    private func jump(by step: Duration, at operation: FakeOperation, of tenant: FakeTenant, _ world: EngineWorld) {
        let isDone = Mutex(false)
        tenant.meanwhile { [time = world.time] called in
            guard called == operation,
                isDone.withLock({ isDone in
                    defer { isDone = true }
                    return !isDone
                })
            else { return }
            time.advance(by: step)
        }
    }

    @Test(arguments: [-3600, 7200])
    func `a clock that jumps in a freeze leaves nobody frozen for longer, and everything is there once`(seconds: Int)
        async throws
    {
        let world = try await EngineWorld(people: 1, target: Self.appending())
        try await world.withEngine(world.makeEngine()) { engine in
            // Of one workload: what waits for another's end would wait for the date that is to come again.
            let key = try await waiting(world, workloads: ["Exchange"], at: engine)
            world.deliver(40)
            jump(by: .seconds(seconds), at: .freeze, of: world.source, world)
            _ = try await world.send(.reschedule(key, completeAfter: world.time.now), to: engine)
            try await world.reach([.completed], try id(key))
            // Forward, the lease is lost with everything else, and the next worker finds the budget used up. Back, time goes
            // on for whoever is at it.
            #expect(((world.source.faults.calls[.thaw] ?? 0) > 0) == (seconds > 0))
            #expect(world.holdings(1, .mail)[["INBOX"]]?.count == 6)
            #expect(world.source[.init(.mail, world.login(1))].isFrozen)
            let frozen = try await world.task(try id(key), 1)[.mailbox]?.progress.frozenMicroseconds ?? 0
            // Of the freeze that counted, and not of the jump.
            #expect(frozen < 60_000_000)
        }
        await world.remove()
    }

    @Test func `a machine that slept while it wrote writes nothing twice, although every lease ran out`() async throws {
        let world = try await EngineWorld(people: 2, target: Self.appending())
        jump(by: .seconds(3600), at: .write, of: world.target, world)
        try await world.withEngine(world.makeEngine()) { engine in
            let key = try await waiting(world, at: engine)
            _ = try await world.send(.reschedule(key, completeAfter: world.time.now), to: engine)
            try await world.reach([.completed], try id(key))
            for number in 1...2 { try world.expectEverything(number) }
        }
        await world.remove()
    }

    @Test func `a clock that is set back never brings the date, one that is set forward does`() async throws {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let key = try await waiting(world, at: engine)
            let date = try await world.job(try id(key)).completeAfter
            world.time.advance(by: .seconds(-3600))
            // Whatever an administrator does meanwhile is done at once.
            _ = try await world.send(.reschedule(key, completeAfter: date + .seconds(60)), to: engine)
            _ = try await world.send(.reschedule(key, completeAfter: date), to: engine)
            try await world.nextBeat()
            #expect(try await world.job(try id(key)).status == .inProgress)
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            world.time.advance(by: .seconds(2 * 86_400))
            _ = try await world.send(.reschedule(key, completeAfter: date + .seconds(1)), to: engine)
            try await world.reach([.completed], try id(key))
            try world.expectEverything(1)
        }
        await world.remove()
    }
}
