import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

/// Lines of the conformance checklist (docs/conformance.md) that only a running engine can show.
@Suite(.timeLimit(.minutes(10))) struct ChecklistTests {
    @Test func `C42 C43 nobody is switched over before the date, and a later date delays it`() async throws {
        let world = try await EngineWorld(people: 2)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            let key = JobReference.key(job.id.description)
            _ = try await world.send(.migrate(key), to: engine)
            try await world.reach([.inProgress], job.id) { _ in try await world.allRuns(job.id, .mailbox, are: .synced)
            }
            let delay = Duration.seconds(2 * 86_400)
            _ = try await world.send(.reschedule(key, completeAfter: world.time.now + delay), to: engine)
            // The first date passes, and the engine comes by several times.
            world.time.advance(by: .seconds(86_400 + 3_600))
            let passes = try await world.task(job.id, 1)[.mailbox]?.progress.passes ?? 0
            try await world.reach([.inProgress], job.id) { job in
                try await world.checkTable(job)
                return try await world.task(job.id, 1)[.mailbox]?.progress.passes ?? 0 > passes + 2
            }
            for number in 1...2 {
                #expect(!world.source[.init(.mail, world.login(number))].isFrozen)
                #expect(world.source[.init(.mail, world.login(number))].redirect == nil)
            }
            world.time.advance(by: .seconds(86_400))
            try await world.reach([.completed], job.id)
            #expect(world.source[.init(.mail, world.login(1))].isFrozen)
        }
        await world.remove()
    }

    @Test(arguments: [JobStatus.completedWithErrors, .failed])
    func `C41 migrate again touches only the people who are not finished`(status: JobStatus) async throws {
        let world = try await EngineWorld(people: 2)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            // As a first attempt left it that moved one of the two; nothing of hers is at this target to begin with.
            let finished = status == .failed ? [] : [1]
            let now = world.time.now
            try await world.store.transact { (tx) throws(StoreError) in
                guard var stored = try tx.job(job.id) else { throw .conflict }
                stored.status = status
                stored.type = .migrate
                stored.attempt = 1
                stored.completeAfter = now
                try tx.save(stored)
                for number in 1...2 {
                    guard var task = try tx.task(job.id, Samples.person(number)) else { throw .conflict }
                    for index in task.runs.indices {
                        task.runs[index].status = finished.contains(number) ? .completed : .failed
                    }
                    try tx.save(task)
                }
            }
            let key = JobReference.key(job.id.description)
            _ = try await world.send(.migrate(key), to: engine)
            // The job is in a final state until the engine has seen the command, so only the way out counts.
            for await _ in world.store.commits() where try await world.job(job.id).status == .completed { break }
            for number in 1...2 {
                #expect(try await world.task(job.id, number).runs.allSatisfy { $0.status == .completed })
                if finished.contains(number) {
                    let messages = world.holdings(number, .mail).values.flatMap { $0 }
                    #expect(messages.isEmpty)
                    #expect(!world.source[.init(.mail, world.login(number))].isFrozen)
                } else {
                    try world.expectEverything(number)
                }
            }
        }
        await world.remove()
    }
}
