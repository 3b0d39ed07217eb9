import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

/// The identity map in the hands of an administrator and of the engine.
@Suite(.timeLimit(.minutes(10))) struct IdentityTests {
    private static let pair = TenantPair(source: StaticDirectory.source, target: StaticDirectory.target)
    private static let provenance = Provenance(status: 200)

    private static func source(_ number: Int) -> PersonID { StaticDirectory.sourcePerson(number).id }
    private static func mail(_ number: Int) -> String { StaticDirectory.sourcePerson(number).mail }

    /// A world whose configuration maps nobody.
    private func unmapped(people: Int = 2) async throws -> EngineWorld {
        var directory = StaticDirectory(people: people)
        directory.pairs = []
        directory.cache()
        let world = try await EngineWorld(people: people, directory: directory)
        for number in 1...people {
            world.source.edit(.init(.mail, world.login(number))) { $0.identity = "box-\(number)" }
        }
        return world
    }

    @discardableResult
    private func edit(_ command: MapCommand, _ engine: Engine) async throws -> MapOutcome {
        try await engine.identities.carryOut(
            command, from: nil, by: EngineWorld.administrator, in: Self.provenance)
    }

    private func codes(_ outcome: MapOutcome) -> [String] {
        outcome.remarks.map { "\($0.name) \($0.finding.code.rawValue)" }
    }

    private let complete = MapCommand.complete(people: nil, overwriting: false, after: nil, limit: 100)

    @Test func `match, complete, migrate: only what is completed counts`() async throws {
        let world = try await unmapped()
        let engine = world.makeEngine()
        try await world.withEngine(engine) { engine in
            // CTM-100
            let job = try await world.create(world.draft(workloads: ["Exchange"]), at: engine)
            _ = try await world.send(.validate(.key(job.id.description)), to: engine)
            try await world.reach([.validateFailed], job.id)
            #expect(try await world.task(job.id, 1)[.mailbox]?.findings.map(\.code) == [.mappingMissing])
            // CTM-101
            #expect(try await edit(.match(people: nil, overwriting: false), engine).changed == 2)
            _ = try await world.send(.validate(.key(job.id.description)), to: engine)
            try await world.reach([.validateFailed], job.id) { job in
                let tasks = [try await world.task(job.id, 1), try await world.task(job.id, 2)]
                return tasks.allSatisfy { $0[.mailbox]?.findings.map(\.code) == [.mappingIncomplete] }
            }
            let completed = try await edit(complete, engine)
            #expect(completed == MapOutcome(changed: 2))
            #expect(
                try await world.store.reader.mailboxes(of: Self.pair)
                    == [Self.source(1): "box-1", Self.source(2): "box-2"])
            _ = try await world.send(.validate(.key(job.id.description)), to: engine)
            try await world.reach([.validatePassed], job.id)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.inProgress], job.id) { job in
                let tasks = [try await world.task(job.id, 1), try await world.task(job.id, 2)]
                return tasks.allSatisfy { $0[.mailbox]?.status == .synced }
            }
            // Nobody is given another mailbox while a job moves them.
            for command in [
                MapCommand.remove(Self.mail(1)), .assign(Self.mail(1), to: nil, overwriting: true),
                .assign(Self.mail(1), to: StaticDirectory.targetPerson(2).mail, overwriting: true),
            ] {
                await #expect(throws: Refusal.self) { try await edit(command, engine) }
            }
            #expect(
                codes(
                    try await edit(
                        .importRows([MapRow(source: Self.mail(1), target: nil)], overwriting: true), engine))
                    == ["\(Self.mail(1)) CTM-002"])
            _ = try await world.send(.reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
            try await world.reach([.completed], job.id)
            #expect(world.holdings(1, .mail)[["INBOX"]]?.count == 5)
        }
        await world.remove()
    }

    @Test func `IDM-12 EXCH-08 a mailbox that was replaced between passes fails its user and nothing is touched`()
        async throws
    {
        let world = try await EngineWorld(people: 2)
        for number in 1...2 { world.source.edit(.init(.mail, world.login(number))) { $0.identity = "box-\(number)" } }
        let engine = world.makeEngine()
        try await world.withEngine(engine) { engine in
            let job = try await world.validated(world.draft(workloads: ["Exchange"]), at: engine)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.inProgress], job.id) { job in
                let tasks = [try await world.task(job.id, 1), try await world.task(job.id, 2)]
                return tasks.allSatisfy { $0[.mailbox]?.status == .synced }
            }
            // Recorded at the first sync, because the configuration's mappings are nobody's to complete.
            #expect(try await world.store.reader.mailboxes(of: Self.pair).count == 2)
            let before = world.holdings(1, .mail)
            world.source.edit(.init(.mail, world.login(1))) { holdings in
                holdings.folders = []
                holdings.identity = "another"
                holdings[["INBOX"]].add("x", EngineWorld.message(1, 77), EngineWorld.mail)
            }
            try await world.reach([.inProgress, .cuttingOver], job.id) { _ in
                try await world.task(job.id, 1)[.mailbox]?.status == .failed
            }
            let finding = try #require(try await world.task(job.id, 1)[.mailbox]?.findings.first)
            #expect(finding.code == .mailboxProbeFailed && finding.reason == "mailboxIdMismatch")
            #expect(finding.message.contains("box-1") && finding.message.contains("another"))
            #expect(finding.message.contains("ferry map complete --overwrite"))
            #expect(world.holdings(1, .mail) == before)
            #expect(world.source[.init(.mail, world.login(1))].isFrozen == false)
            // The other one goes on.
            world.time.advance(by: .seconds(2 * 86_400))
            try await world.reach([.completedWithErrors], job.id)
            #expect(try await world.task(job.id, 2)[.mailbox]?.status == .completed)

            let check = try await engine.identities.check(
                from: nil, to: StaticDirectory.target, after: nil, limit: 100)
            #expect(codes(check) == ["\(Self.mail(1)) IDM-12"] && check.changed == 2)
            // Nobody agrees to it by accident, somebody may on purpose.
            let refused = try await edit(
                .complete(people: [Self.mail(1)], overwriting: false, after: nil, limit: 100), engine)
            #expect(refused.unchanged == 1)
            let agreed = try await edit(
                .complete(people: [Self.mail(1)], overwriting: true, after: nil, limit: 100), engine)
            #expect(agreed == MapOutcome(changed: 1))
            #expect(try await world.store.reader.mailbox(of: Self.source(1), in: Self.pair) == "another")
        }
        await world.remove()
    }

    @Test func `a mailbox that is replaced right before the cutover is found before anybody is frozen`() async throws {
        let world = try await EngineWorld(people: 1)
        world.source.edit(.init(.mail, world.login(1))) { $0.identity = "box-1" }
        // No pass comes between the replacement and the cutover.
        var settings = EngineWorld.quick
        settings.deltaInterval = .seconds(365 * 86_400)
        let engine = world.makeEngine(settings: settings)
        try await world.withEngine(engine) { engine in
            let job = try await world.validated(world.draft(workloads: ["Exchange"]), at: engine)
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.inProgress], job.id) { _ in
                try await world.task(job.id, 1)[.mailbox]?.status == .synced
            }
            let before = world.holdings(1, .mail)
            world.source.edit(.init(.mail, world.login(1))) { $0.identity = "another" }
            world.source.meanwhile { operation in #expect(operation != .freeze) }
            _ = try await world.send(
                .reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
            for await _ in world.store.commits() {
                let found = try await world.job(job.id)
                if found.status == .failed { break }
                try #require(found.status != .completed)
            }
            #expect(try await world.task(job.id, 1)[.mailbox]?.findings.first?.reason == "mailboxIdMismatch")
            #expect(world.holdings(1, .mail) == before)
        }
        await world.remove()
    }

    @Test func `conflicts keep entries from being completed, and say who`() async throws {
        let world = try await unmapped(people: 3)
        let engine = world.makeEngine()
        try await edit(
            .importRows(
                [
                    MapRow(source: Self.mail(1), target: StaticDirectory.targetPerson(1).mail),
                    MapRow(source: Self.mail(2), target: StaticDirectory.targetPerson(1).mail),
                    MapRow(source: Self.mail(3), target: StaticDirectory.targetPerson(3).mail),
                ], overwriting: false), engine)
        let outcome = try await edit(complete, engine)
        #expect(outcome.changed == 1)
        #expect(codes(outcome) == ["\(Self.mail(1)) CTM-101", "\(Self.mail(2)) CTM-101"])
        // CTM-101 mappedInChain: somebody at the target is on the way to a third tenant.
        let onward = TenantPair(source: StaticDirectory.target, target: Samples.stranger)
        try await world.store.transact { (tx) throws(StoreError) in
            try tx.save(
                [MapEntry(source: Samples.person(2), target: Samples.person(9), state: .mapped, origin: .import)],
                in: onward)
        }
        try await edit(.assign(Self.mail(2), to: StaticDirectory.targetPerson(2).mail, overwriting: true), engine)
        let second = try await edit(complete, engine)
        #expect(second.changed == 1)
        #expect(second.remarks.map(\.finding.reason) == ["mappedInChain"])
        // What it was stays known, and everything is in the audit trail.
        let history = try await engine.identities.history(of: Self.source(2), in: Self.pair)
        #expect(history.map(\.entry.target) == [Samples.person(1)])
        let trail = try await world.store.reader.auditRecords(AuditQuery(tenant: StaticDirectory.target))
        #expect(
            trail.map(\.entry.operation) == [
                "importIdentities", "completeIdentities", "updateIdentity", "completeIdentities",
            ])
        #expect(trail[0].entry.detail == "\(StaticDirectory.source): 3")
        await world.remove()
    }

    @Test func `IDM-02 a mailbox that cannot be asked is not agreed to`() async throws {
        let world = try await unmapped(people: 1)
        let engine = world.makeEngine()
        try await edit(.match(people: nil, overwriting: false), engine)
        world.source.faults.inject(
            .refuse(ConnectorError(.sourceUnreachable, .retry(after: nil), "Nobody answers.")), at: .openSource)
        let outcome = try await edit(complete, engine)
        #expect(codes(outcome) == ["\(Self.mail(1)) IDM-02"] && outcome.changed == 0)
        #expect(try await edit(complete, engine) == MapOutcome(changed: 1))
        await world.remove()
    }

    @Test func `pages of a completion go on where the last one ended`() async throws {
        let world = try await unmapped(people: 5)
        let engine = world.makeEngine()
        try await edit(.match(people: nil, overwriting: false), engine)
        var (after, done, rounds) = (PersonID?.none, 0, 0)
        repeat {
            let outcome = try await edit(
                .complete(people: nil, overwriting: false, after: after, limit: 2), engine)
            done += outcome.changed
            rounds += 1
            after = outcome.next
        } while after != nil
        #expect(done == 5 && rounds == 3)
        await world.remove()
    }
}
