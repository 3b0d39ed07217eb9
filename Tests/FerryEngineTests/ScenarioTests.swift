import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

/// Those of the acceptance scenarios (orchestration 11) that no other suite tells: 1, 3, 5 to 7, 9, 11, 12 and 14 are in
/// `EngineTests`, 8 in `DateTests`, 10 in `EngineCrashTests`, 13 in `ConsistencyGateTests`.
@Suite(.timeLimit(.minutes(10))) struct ScenarioTests {
    private func code(_ error: (any Error)?) -> FieldProblem.Code? {
        guard case .invalid(let problems)? = error as? Refusal else { return nil }
        return problems.first?.code
    }

    private func refusal(_ command: Command, of world: EngineWorld, at engine: Engine) async throws -> Refusal? {
        do {
            _ = try await world.send(command, to: engine)
            return nil
        } catch let error as Refusal {
            return error
        }
    }

    @Test
    func `scenario 2: a name twice, a past date and meetings alone are invalid; nothing acts on what is not there`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        let desk = world.makeEngine()
        let job = try await world.create(world.draft(), at: desk)
        let taken = try await refusal(.create(world.draft("WAVE 1")), of: world, at: desk)
        #expect(code(taken) == .duplicateDisplayNameJob)
        let past = try await refusal(.create(world.draft("Past", in: .seconds(-1))), of: world, at: desk)
        #expect(code(past) == .minThresholdFailed)
        let alone = try await refusal(.create(world.draft("Alone", workloads: ["Meeting"])), of: world, at: desk)
        #expect(code(alone) == .invalidValue)
        let nobody = JobReference.key("nobody")
        for command: Command in [
            .validate(nobody), .migrate(nobody), .cancel(nobody), .delete(nobody), .approve(nobody),
            .cancelPerson(nobody, "x"), .reschedule(nobody, completeAfter: world.time.now),
        ] {
            #expect(try await refusal(command, of: world, at: desk) == .jobNotFound("nobody"), "\(command)")
        }
        // What no action may do to a job that was only defined (LifecycleTests has every state).
        let key = JobReference.key(job.id.description)
        for (command, reason): (Command, ConflictReason) in [
            (.migrate(key), .invalidJobStatus), (.delete(key), .resourceTypeMismatch),
            (.approve(key), .invalidJobStatus),
        ] {
            guard case .conflict(let found, _)? = try await refusal(command, of: world, at: desk) else {
                Issue.record("\(command) was not refused")
                continue
            }
            #expect(found == reason)
        }
        await world.remove()
    }

    @Test func `scenario 4: a defect after validation is one error, the others finish, and a retry completes the job`()
        async throws
    {
        let world = try await EngineWorld(people: 2)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await world.validated(world.draft(), at: engine)
            let place = FakeTenant.Place(.mail, world.login(2))
            let saved = world.source[place]
            world.source.removeAccount(place)
            try await world.migrateNow(job, at: engine)
            try await world.reach([.completedWithErrors], job.id)
            let broken = try await world.task(job.id, 2)
            #expect(broken.runs.flatMap(\.findings).count == 1)
            #expect(broken.runs.allSatisfy { $0.status == .failed })
            try world.expectEverything(1)
            #expect(!world.source[.init(.files, world.login(2))].isFrozen)

            world.source.edit(place) { $0 = saved }
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.completed], job.id)
            for number in 1...2 { try world.expectEverything(number) }
        }
        await world.remove()
    }

    @Test func `scenario 15: of 45 jobs there are three pages, newest first`() async throws {
        let world = try await EngineWorld(people: 1)
        let desk = world.makeEngine()
        for number in 1...45 {
            _ = try await world.create(world.draft("Wave \(number)"), at: desk)
            world.time.advance(by: .seconds(1))
        }
        var query = JobQuery(tenant: StaticDirectory.target)
        query.limit = 20
        var pages: [[String]] = []
        repeat {
            let page = try await world.store.reader.jobs(query)
            pages.append(page.rows.map(\.displayName))
            query.after = page.next
        } while query.after != nil
        #expect(pages.map(\.count) == [20, 20, 5])
        #expect(pages.flatMap(\.self) == (1...45).reversed().map { "Wave \($0)" })
        await world.remove()
    }
}
