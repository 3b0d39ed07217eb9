import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

/// A date that moves while people wait for it (orchestration 2.3, rows T18 to T22).
@Suite(.timeLimit(.minutes(10))) struct DateTests {
    private func waiting(_ world: EngineWorld, at engine: Engine) async throws -> Job {
        let job = try await world.validated(world.draft(in: .seconds(3600)), at: engine)
        _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
        return try await world.reach([.inProgress], job.id) { _ in
            try await world.allRuns(job.id, .mailbox, are: .synced)
        }
    }

    /// Waits for so many more passes over the mailbox.
    private func passes(_ count: Int64, over job: Job, in world: EngineWorld) async throws {
        let before = try await world.task(job.id, 1)[.mailbox]?.progress.passes ?? 0
        try await world.reach([.inProgress], job.id) { _ in
            try await world.task(job.id, 1)[.mailbox]?.progress.passes ?? 0 >= before + count
        }
    }

    @Test func `C42 T18 scenario 8: a later date means no cutover at the old one, an earlier one is cut over at once`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            let key = JobReference.key(job.id.description)
            let (old, later) = (job.completeAfter, job.completeAfter + .seconds(3 * 86_400))
            _ = try await world.send(.reschedule(key, completeAfter: later), to: engine)
            world.time.advance(by: .seconds(2 * 3600))
            #expect(world.time.now > old)
            try await passes(2, over: job, in: world)
            #expect(try await world.allRuns(job.id, .mailbox, are: .synced))
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            #expect(world.source.faults.calls[.freeze] == nil)
            // Cancel is possible again until the new date, and would not be without it.
            _ = try await world.send(.reschedule(key, completeAfter: world.time.now + .seconds(60)), to: engine)
            #expect(world.source.faults.calls[.freeze] == nil)
            _ = try await world.send(.reschedule(key, completeAfter: world.time.now), to: engine)
            try await world.reach([.completed], job.id)
            try world.expectEverything(1)
            #expect(world.source[.init(.mail, world.login(1))].isFrozen)
        }
        await world.remove()
    }
}
