import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Synchronization
import Testing

/// What happens to a person between the freeze and the release (orchestration 5, 9.2).
@Suite(.timeLimit(.minutes(10))) struct CutoverTests {
    private static let inbox = ["INBOX"]

    /// A job of one person that is in sync and waits for its date.
    private func waiting(
        _ world: EngineWorld, workloads: [String]? = nil, at engine: Engine
    ) async throws -> Job {
        let job = try await world.validated(world.draft(workloads: workloads), at: engine)
        _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
        return try await world.reach([.inProgress], job.id) { _ in
            try await world.allRuns(job.id, .mailbox, are: .synced)
        }
    }

    private func start(_ job: Job, _ world: EngineWorld, at engine: Engine) async throws {
        _ = try await world.send(.reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
    }

    private func copies(_ index: Int, in world: EngineWorld) -> Int {
        (world.holdings(1, .mail)[Self.inbox] ?? []).count { $0.contains("Subject: \(index)\r\n") }
    }

    @Test
    func `scenario 9: mail that comes during sync, during the freeze and after the swap is at the target exactly once`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            world.deliver(50)
            // The server goes on taking mail in for a frozen mailbox: when it freezes, and when the last delta is over.
            world.deliverMeanwhile([.freeze: 51, .redirect: 52])
            try await start(job, world, at: engine)
            try await world.reach([.completed], job.id)
            #expect([50, 51, 52].map { copies($0, in: world) } == [1, 1, 1])
            #expect(world.holdings(1, .mail)[Self.inbox]?.count == 8)
            let findings = try await world.store.reader.itemFindings(of: job.id, after: 0, limit: 100)
            #expect(findings.map(\.code) == [.sourceItemLate])
            #expect(findings.first?.item == "late52" && findings.first?.outcome == .copied)
            let message = try await world.task(job.id, 1)[.mailbox]?.message ?? ""
            #expect(message.contains("1 items came to the source after the last delta"))
            #expect(try await world.journal(job.id) == nil)
        }
        await world.remove()
    }

    @Test
    func `a source that cannot be frozen is passed over until two passes are empty, and once more after the swap`()
        async throws
    {
        var settings = FakeTenant.Settings()
        settings.canFreeze = false
        let world = try await EngineWorld(people: 1, source: settings)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, workloads: ["Exchange"], at: engine)
            // Freezing and redirecting open the three services of a mailbox one after the other and do nothing there.
            let opened = Mutex((inARow: 0, times: 0))
            world.source.meanwhile { [weak world] operation in
                let isRedirection = opened.withLock { opened in
                    opened.inARow = operation == .openSource ? opened.inARow + 1 : 0
                    guard opened.inARow == 3 else { return false }
                    opened.times += 1
                    return opened.times == 2
                }
                if isRedirection { world?.deliver(60) }
            }
            try await start(job, world, at: engine)
            try await world.reach([.completed], job.id)
            #expect(copies(60, in: world) == 1)
            let findings = try await world.store.reader.itemFindings(of: job.id, after: 0, limit: 100)
            #expect(findings.map(\.code) == [.sourceItemLate])
            let mailbox = try await world.task(job.id, 1)[.mailbox]
            #expect(mailbox?.progress.frozenMicroseconds == 0)
        }
        await world.remove()
    }

    @Test func `a freeze beyond the budget ends in a thaw, the person is told, and the next try succeeds`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        var settings = EngineWorld.quick
        // Long enough to be seen.
        settings.backoff = Backoff(base: .milliseconds(300), cap: .milliseconds(600), maximumAttempts: 4)
        let engine = world.makeEngine(settings: settings, clock: BudgetClock(overruns: 1))
        try await world.withEngine(engine) { engine in
            let job = try await waiting(world, at: engine)
            let thaws = world.source.faults.calls[.thaw] ?? 0
            try await start(job, world, at: engine)
            let told = Mutex(false)
            try await world.reach([.inProgress, .cuttingOver, .completed], job.id) { job in
                let message = try await world.task(job.id, 1)[.mailbox]?.message ?? ""
                if message.contains("within the 60 seconds"), message.contains("It is tried again at") {
                    told.withLock { $0 = true }
                }
                return job.status == .completed
            }
            #expect(told.withLock { $0 })
            #expect((world.source.faults.calls[.thaw] ?? 0) > thaws)
            #expect(try await world.task(job.id, 1)[.mailbox]?.message == "")
            #expect(world.source[.init(.mail, world.login(1))].isFrozen)
            try world.expectEverything(1)
        }
        await world.remove()
    }

    @Test func `a mailbox that never keeps within the budget fails with EXCH-15, thawed; with more time it completes`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        let job = try await world.withEngine(world.makeEngine(clock: BudgetClock(overruns: .max))) { engine in
            let job = try await waiting(world, at: engine)
            try await start(job, world, at: engine)
            try await world.reach([.failed], job.id)
            let mailbox = try #require(try await world.task(job.id, 1)[.mailbox])
            #expect(mailbox.findings.map(\.code) == [.mailboxRetriesExhausted])
            #expect(mailbox.findings.first?.reason == "source.freeze.overrun")
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            #expect(try await world.journal(job.id) == nil)
            return job
        }
        try await world.withEngine(world.makeEngine()) { engine in
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.completed], job.id)
        }
        await world.remove()
    }

    @Test func `nobody is left locked out: a source that cannot be thawed is tried until it can`() async throws {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            world.deliverMeanwhile([.freeze: 70])
            world.target.faults.inject(
                .refuse(ConnectorError(.targetForbidden, .failRun, "The target refuses the person.")), at: .write)
            // More often than anything else is tried.
            world.source.faults.inject(.refuse(Fault.disconnected), at: .thaw, times: 18)
            try await start(job, world, at: engine)
            try await world.reach([.completed], job.id)
            #expect(copies(70, in: world) == 1)
            #expect(try await world.journal(job.id) == nil)
        }
        await world.remove()
    }

    @Test func `a redirection that is refused for good takes the swap back: thawed, and nothing left behind`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            world.source.faults.inject(
                .refuse(ConnectorError(.sourceForbidden, .hold, "The rules cannot be written.")), at: .redirect,
                skipping: 1)
            try await start(job, world, at: engine)
            try await world.reach([.failed], job.id)
            let place = FakeTenant.Place(.mail, world.login(1))
            #expect(!world.source[place].isFrozen && world.source[place].redirect == nil)
            #expect(try await world.journal(job.id) == nil)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.completed], job.id)
            #expect(world.source[place].redirect == "person1@south.example")
        }
        await world.remove()
    }

    @Test func `a redirection that fails for a while is tried again, and the person is not thawed in between`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            world.source.faults.inject(.refuse(Fault.disconnected), at: .redirect, times: 2)
            try await start(job, world, at: engine)
            try await world.reach([.completed], job.id)
            #expect(world.source.faults.calls[.thaw] == nil)
        }
        await world.remove()
    }

    @Test
    func `what comes late and cannot be carried over yet stays on the list; migrate again goes on after the swap`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            world.deliverMeanwhile([.redirect: 80])
            world.target.faults.inject(
                .refuse(ConnectorError(.targetFull, .failRun, "The target is full.")), at: .write)
            try await start(job, world, at: engine)
            try await world.reach([.failed], job.id)
            let place = FakeTenant.Place(.mail, world.login(1))
            #expect(world.source[place].isFrozen && world.source[place].redirect != nil)
            #expect(try await world.journal(job.id)?.step == .release)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.completed], job.id)
            #expect(copies(80, in: world) == 1)
            #expect(world.source.faults.calls[.thaw] == nil && world.source.faults.calls[.freeze] == 3 + 2)
            #expect(try await world.journal(job.id) == nil)
        }
        await world.remove()
    }

    @Test func `a mailbox that takes long to compare is compared before the freeze, and then only where it changed`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        var settings = EngineWorld.quick
        settings.deltaInterval = .seconds(3600)
        try await world.withEngine(world.makeEngine(settings: settings)) { engine in
            let job = try await waiting(world, workloads: ["Exchange"], at: engine)
            let mailbox = try #require(try await world.task(job.id, 1)[.mailbox])
            try await world.store.transact { (tx) throws(StoreError) in
                var progress = mailbox.progress
                progress.activeMicroseconds = 31_000_000
                try tx.setProgress(progress, of: mailbox.id)
            }
            let rehearsed = Mutex(false)
            let read = Mutex(0)
            world.target.meanwhile { [weak world] operation in
                guard operation == .bodies, let world else { return }
                let isFrozen =
                    world.source[.init(.mail, world.login(1))].isFrozen
                    && world.source[.init(.mail, world.login(1))].redirect == nil
                if isFrozen { read.withLock { $0 += 1 } } else { rehearsed.withLock { $0 = true } }
            }
            world.deliverMeanwhile([.freeze: 90])
            try await start(job, world, at: engine)
            try await world.reach([.completed], job.id)
            #expect(copies(90, in: world) == 1)
            // Of its two folders, the calendar and the address book, the inbox alone.
            #expect(read.withLock { $0 } == 1)
            #expect(rehearsed.withLock { $0 })
            world.target.meanwhile(nil)
            try await world.expectVerified(job, at: engine)
        }
        await world.remove()
    }
}

extension CutoverTests {
    /// The server takes mail in for a frozen mailbox, and more of it whenever both sides are compared.
    @Test func `mail that never stops coming in holds no cutover up`() async throws {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, workloads: ["Exchange"], at: engine)
            let arrived = Mutex(0)
            world.source.meanwhile { [weak world] operation in
                // Once per reading of the inbox, as long as the person has not been swapped.
                guard operation == .bodies, let world else { return }
                let mailbox = world.source[.init(.mail, world.login(1))]
                guard mailbox.isFrozen, mailbox.redirect == nil else { return }
                let number = arrived.withLock { count in
                    count += 1
                    return count
                }
                world.deliver(100 + number)
            }
            try await start(job, world, at: engine)
            try await world.reach([.completed], job.id)
            world.source.meanwhile(nil)
            let count = arrived.withLock { $0 }
            #expect(count >= EngineWorld.quick.lastPasses)
            #expect((1...count).map { copies(100 + $0, in: world) } == Array(repeating: 1, count: count))
            #expect(world.source.faults.calls[.thaw] == nil)
            try await world.expectVerified(job, at: engine)
        }
        await world.remove()
    }
}

extension EngineWorld {
    /// A message comes in for the first person.
    func deliver(_ index: Int) {
        source.edit(.init(.mail, login(1))) { $0[["INBOX"]].add("late\(index)", Self.message(1, index), Self.mail) }
    }

    /// Messages come in when the source is first asked for something.
    func deliverMeanwhile(_ mail: [FakeOperation: Int]) {
        let waiting = Mutex(mail)
        source.meanwhile { [weak self] operation in
            if let index = waiting.withLock({ $0.removeValue(forKey: operation) }) { self?.deliver(index) }
        }
    }

    func journal(_ job: JobID) async throws -> CutoverJournal? {
        let run = RunID(job: job, person: Samples.person(1), workload: .mailbox)
        return try await store.transact { (tx) throws(StoreError) in try tx.cutover(of: run) }
    }

    func expectVerified(_ job: Job, at engine: Engine, _ location: SourceLocation = #_sourceLocation) async throws {
        let verification = try await engine.verify(job)
        #expect(verification.isIdentical, sourceLocation: location)
    }
}

/// The continuous clock, but for the freeze budget: the first so many are used up at once, the others never.
final class BudgetClock: Clock {
    private let overruns: Mutex<Int>

    init(overruns: Int) { self.overruns = Mutex(overruns) }

    var now: ContinuousClock.Instant { ContinuousClock().now }
    var minimumResolution: Duration { ContinuousClock().minimumResolution }

    func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
        if Self.isBudget(now.duration(to: deadline)) {
            let isOver = overruns.withLock { left in
                guard left > 0 else { return false }
                left -= 1
                return true
            }
            if isOver { return }
        }
        try await ContinuousClock().sleep(until: deadline, tolerance: tolerance)
    }

    private static func isBudget(_ time: Duration) -> Bool { time > .seconds(50) && time <= .seconds(60) }
}
