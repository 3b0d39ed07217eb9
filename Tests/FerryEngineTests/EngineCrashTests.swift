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

extension EngineWorld {
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
