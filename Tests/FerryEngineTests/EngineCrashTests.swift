import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

/// Scenario 10 and law 1: the whole engine, killed after each durable boundary of each phase, ends as if nothing had
/// happened.
@Suite(.timeLimit(.minutes(10))) struct EngineCrashTests {
    @Test(arguments: [true, false])
    func `killed at any boundary of any phase, the job ends with everything exactly once`(isIdempotent: Bool)
        async throws
    {
        var settings = FakeTenant.Settings()
        settings.isIdempotent = isIdempotent
        let target = settings
        let sweep = CrashSweep<EngineWorld>(
            makeWorld: { try await EngineWorld(people: 1, target: target) },
            live: { world, points in try await world.liveThrough(points) },
            judge: { world, story in
                let job = try await world.job(.key("Wave 1"))
                #expect(job?.status == .completed, "\(story)")
                try world.expectEverything(1)
                #expect(world.source[.init(.mail, world.login(1))].isFrozen, "\(story)")
                let task = try await world.task(try #require(job).id, 1)
                #expect(task[.mailbox]?.progress.items == 8, "\(story)")
                await world.remove()
            })
        let boundaries = try await sweep.run(killingTwiceWith: RunSeed.value)
        #expect(boundaries > 20)
    }
}

/// A cutover, killed at each of its boundaries while mail comes in: it ends in a thaw or in a swap, never in between, and
/// loses nothing (orchestration 5.7 rule 4, 9.2).
@Suite(.timeLimit(.minutes(10))) struct CutoverCrashTests {
    @Test(arguments: [true, false])
    func `killed at any boundary of a cutover, mail that comes meanwhile is at the target exactly once`(
        canFreeze: Bool
    ) async throws {
        var (source, target) = (FakeTenant.Settings(), FakeTenant.Settings())
        source.canFreeze = canFreeze
        target.isIdempotent = false
        let settings = (source, target)
        let sweep = CrashSweep<EngineWorld>(
            makeWorld: {
                let world = try await EngineWorld(people: 1, source: settings.0, target: settings.1)
                try await world.bringToCutover()
                world.deliverMeanwhile(canFreeze ? [.freeze: 51, .redirect: 52] : [.bodies: 51])
                return world
            },
            live: { world, points in
                do { try await world.liveThrough(points) } catch { if !points.isDead { throw error } }
                try await world.expectWayOut()
            },
            judge: { world, story in
                let job = try await world.job(.key("Wave 1"))
                #expect(job?.status == .completed, "\(story)")
                let place = FakeTenant.Place(.mail, world.login(1))
                #expect(world.source[place].isFrozen == canFreeze, "\(story)")
                #expect((world.source[place].redirect != nil) == canFreeze, "\(story)")
                let here = world.source[place].folders.flatMap(\.items).map(\.content).sorted {
                    $0.lexicographicallyPrecedes($1)
                }
                let there = world.target[.init(.mail, world.targetLogin(1))].folders.flatMap(\.items).map(\.content)
                    .sorted { $0.lexicographicallyPrecedes($1) }
                #expect(here == there, "\(story)")
                #expect(try await world.journal(try #require(job).id) == nil, "\(story)")
                await world.remove()
            })
        let boundaries = try await sweep.run(killingTwiceWith: RunSeed.value)
        #expect(boundaries > 10)
    }
}

extension EngineWorld {
    /// A job of the mailbox alone, in sync, whose date has come.
    func bringToCutover() async throws {
        try await withEngine(makeEngine()) { engine in
            let job = try await self.validated(self.draft(workloads: ["Exchange"]), at: engine)
            _ = try await self.send(.migrate(.key(job.id.description)), to: engine)
            try await self.reach([.inProgress], job.id) { _ in
                try await self.allRuns(job.id, .mailbox, are: .synced)
            }
        }
        // Its people are due the moment the next life begins.
        time.advance(by: .seconds(2 * 86_400))
    }

    /// Whenever somebody is locked out of the source, the journal knows the way back or on.
    func expectWayOut(_ location: SourceLocation = #_sourceLocation) async throws {
        guard source[.init(.mail, login(1))].isFrozen, let job = try await job(.key("Wave 1")) else { return }
        let mailbox = try await task(job.id, 1)[.mailbox]
        let journal = try await journal(job.id)
        #expect(journal != nil || mailbox?.status == .completed, sourceLocation: location)
    }

    func job(_ reference: JobReference) async throws -> Job? {
        try await store.reader.job(reference, in: StaticDirectory.target)
    }

    /// One life of a server and of an administrator who does the next thing that is to be done.
    func liveThrough(_ points: CrashPoints) async throws {
        // Whoever held a lease when the last process died is given up.
        time.advance(by: .seconds(60))
        let engine = makeEngine(points)
        try await withEngine(engine) { engine in
            while !points.isDead {
                guard let job = try await self.job(.key("Wave 1")) else {
                    _ = try await self.send(.create(self.draft()), to: engine)
                    continue
                }
                let key = JobReference.key(job.id.description)
                switch job.status {
                case .submitted: _ = try await self.send(.validate(key), to: engine)
                case .validatePassed: _ = try await self.send(.migrate(key), to: engine)
                case .inProgress where job.completeAfter > self.time.now:
                    if try await self.allRuns(job.id, .mailbox, are: .synced) {
                        _ = try await self.send(.reschedule(key, completeAfter: self.time.now), to: engine)
                    }
                case .completed, .completedWithErrors, .failed, .cancelled, .validateFailed: return
                default: break
                }
                try await self.nextBeat()
            }
        }
    }
}
