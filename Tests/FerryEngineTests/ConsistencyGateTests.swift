import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

/// Who would leave content behind waits for somebody to agree (orchestration 5.5, 9.4; rows T41 and T42).
@Suite(.timeLimit(.minutes(10))) struct ConsistencyGateTests {
    private func refuse(_ names: Set<String>, in world: EngineWorld) {
        world.target.faults.inject(
            .spoil(names: names, ConnectorError(.targetItemRefused, .skip, "The target does not take it.")), at: .write,
            times: 100_000)
    }

    private func copy(of content: [UInt8], in world: EngineWorld) -> FakeTenant.Item? {
        world.target[.init(.mail, world.targetLogin(1))].folders.flatMap(\.items).first { $0.content == content }
    }

    private func start(_ world: EngineWorld, at engine: Engine) async throws -> Job {
        let job = try await world.validated(world.draft(), at: engine)
        try await world.migrateNow(job, at: engine)
        return job
    }

    @Test func `scenario 13: Investigate waits as adminActionRequired, unfrozen, until it is approved, then completes`()
        async throws
    {
        let world = try await EngineWorld(people: 2)
        refuse(["m2"], in: world)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await start(world, at: engine)
            let key = JobReference.key(job.id.description)
            let held = try await world.reach([.adminActionRequired], job.id) { job in
                job.message.hasSuffix("affects 2 users.")
            }
            try await world.checkTable(held)
            let mailbox = try #require(try await world.task(job.id, 1)[.mailbox])
            #expect(mailbox.status == .finalizing && mailbox.waitsForApproval)
            #expect(mailbox.verdict == ConsistencyVerdict(grade: .investigate, lost: 1))
            #expect(mailbox.message.hasPrefix("1 items cannot be moved"))
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            #expect(try await world.journal(job.id) == nil)
            let items = try await world.store.reader.itemFindings(of: job.id, after: 0, limit: 100)
            #expect(items.contains { $0.item == "m2" && $0.code == .targetItemRefused && $0.outcome == .skipped })

            await #expect(throws: Refusal.personNotFound("nobody")) {
                try await world.send(.approvePerson(key, "nobody"), to: engine)
            }
            // One of the two; the other goes on waiting.
            _ = try await world.send(.approvePerson(key, Samples.person(1).description), to: engine)
            try await world.reach([.adminActionRequired], job.id) { job in
                let first = try await world.task(job.id, 1)
                return first.runs.allSatisfy { $0.status == .completed } && job.message.hasSuffix("affects 1 users.")
            }
            #expect(!world.source[.init(.mail, world.login(2))].isFrozen)
            await #expect(throws: Refusal.self) {
                try await world.send(.approvePerson(key, Samples.person(1).description), to: engine)
            }
            _ = try await world.send(.approve(key), to: engine)
            try await world.reach([.completed], job.id)
            for number in 1...2 {
                let mailbox = try #require(try await world.task(job.id, number)[.mailbox])
                #expect(mailbox.verdict?.grade == .investigate && mailbox.approved == 1)
                #expect(world.holdings(number, .mail)[["INBOX"]]?.count == 4)
            }
            await #expect(throws: Refusal.self) { try await world.send(.approve(key), to: engine) }
            let trail = try await world.store.reader.auditRecords(AuditQuery(tenant: StaticDirectory.target))
            #expect(trail.map(\.entry.operation).filter { $0.hasPrefix("approve") } == ["approveUser", "approveJob"])
            let grades = try await world.store.reader.progress(of: job.id).grades
            #expect(grades[.mailbox] == [.investigate: 2] && grades[.files] == [.perfect: 2])
        }
        await world.remove()
    }

    @Test func `what is mended while it waits is moved, and nobody has to approve anything`() async throws {
        let world = try await EngineWorld(people: 1)
        refuse(["m2", "m3"], in: world)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await start(world, at: engine)
            try await world.reach([.adminActionRequired], job.id)
            world.target.faults.clear()
            try await world.reach([.completed], job.id)
            #expect(try await world.task(job.id, 1)[.mailbox]?.verdict?.grade == .perfect)
            try world.expectEverything(1)
        }
        await world.remove()
    }

    @Test func `scenario 13: Poor fails, the source stays as it was, and migrate again moves what was mended`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        for index in 101...112 { world.deliver(index) }
        refuse(Set((101...111).map { "late\($0)" }), in: world)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await start(world, at: engine)
            try await world.reach([.failed], job.id)
            let mailbox = try #require(try await world.task(job.id, 1)[.mailbox])
            #expect(mailbox.findings.first?.reason == ErrorCode.targetIncomplete.rawValue)
            #expect(mailbox.verdict?.grade == .poor)
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            world.target.faults.clear()
            let before = try #require(copy(of: EngineWorld.message(1, 1), in: world))
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.completed], job.id)
            #expect(world.holdings(1, .mail)[["INBOX"]]?.count == 17)
            // What was there already is still the same copy.
            #expect(copy(of: EngineWorld.message(1, 1), in: world) == before)
        }
        await world.remove()
    }

    @Test func `an installation may want skipped items reported and nothing more`() async throws {
        let world = try await EngineWorld(people: 1)
        refuse(["m2"], in: world)
        var settings = EngineWorld.quick
        settings.jobs.holdsSkippedItems = false
        try await world.withEngine(world.makeEngine(settings: settings)) { engine in
            let job = try await start(world, at: engine)
            try await world.reach([.completed], job.id)
            let mailbox = try #require(try await world.task(job.id, 1)[.mailbox])
            #expect(mailbox.message.contains("1 items cannot be moved"))
            #expect(mailbox.verdict?.grade == .investigate)
        }
        await world.remove()
    }
}
