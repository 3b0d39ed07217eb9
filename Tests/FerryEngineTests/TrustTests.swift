import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Synchronization
import Testing

/// A directory whose trust changes while an engine runs.
private final class ChangingDirectory: Directory {
    private let state: Mutex<StaticDirectory>

    init(people: Int) { state = Mutex(StaticDirectory(people: people)) }

    private var now: StaticDirectory { state.withLock { $0 } }

    func change(_ body: (inout Trust) -> Void) { state.withLock { body(&$0.trusts[0]) } }

    func tenant(_ id: TenantID) -> Tenant? { now.tenant(id) }
    func person(_ id: PersonID, in tenant: TenantID) -> Person? { now.person(id, in: tenant) }
    func people(in tenant: TenantID) -> [Person] { now.people(in: tenant) }
    func trusts(to target: TenantID) -> [Trust] { now.trusts(to: target) }
    func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap {
        now.identityMap(from: source, to: target)
    }
    func addressBook(from source: TenantID, to target: TenantID) -> AddressBook {
        now.addressBook(from: source, to: target)
    }
    func addressBook(of map: IdentityMap, from source: TenantID, to target: TenantID) -> AddressBook {
        now.addressBook(of: map, from: source, to: target)
    }
}

/// Consent that is taken back while people move (orchestration 2.2, rule 5).
@Suite(.timeLimit(.minutes(2))) struct TrustTests {
    private func waiting(_ world: EngineWorld, at engine: Engine) async throws -> Job {
        let job = try await world.validated(world.draft(), at: engine)
        _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
        return try await world.reach([.inProgress], job.id) { _ in
            try await world.allRuns(job.id, .mailbox, are: .synced)
        }
    }

    @Test func `rule 5: who leaves the scope during sync fails with MIGR-002, the other user moves`() async throws {
        let directory = ChangingDirectory(people: 2)
        let world = try await EngineWorld(people: 2, directory: directory)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            directory.change { $0.scope = [StaticDirectory.sourcePerson(2).id] }
            try await world.reach([.inProgress], job.id) { _ in
                try await world.task(job.id, 1)[.mailbox]?.status == .failed
            }
            _ = try await world.send(.reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
            try await world.reach([.completedWithErrors], job.id)
            let lost = try await world.task(job.id, 1)
            #expect(lost[.mailbox]?.findings.map(\.code) == [.notInScope])
            #expect(lost.outcome == .failedEntirely)
            #expect(!world.source[.init(.mail, world.login(1))].isFrozen)
            #expect(try await world.task(job.id, 2).outcome == .completed)
            try world.expectEverything(2)

            // Back in the scope, a retry moves what failed.
            directory.change { $0.scope = nil }
            _ = try await world.send(.migrate(.key(job.id.description)), to: engine)
            try await world.reach([.completed], job.id)
            try world.expectEverything(1)
        }
        await world.remove()
    }

    @Test(arguments: [Trust.Objection.Side.source, .target])
    func
        `rule 5: a trust that a side disables under the freeze thaws the users and fails them, MIGR-001 names the side`(
            side: Trust.Objection.Side
        ) async throws
    {
        let directory = ChangingDirectory(people: 1)
        let world = try await EngineWorld(people: 1, directory: directory)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            // The freeze is the signal.
            world.source.meanwhile { operation in
                guard operation == .freeze else { return }
                directory.change { trust in
                    if side == .source { trust.outbound = .disabled } else { trust.inbound = .disabled }
                }
            }
            _ = try await world.send(.reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
            try await world.reach([.failed], job.id)
            let task = try await world.task(job.id, 1)
            let finding = try #require(task[.mailbox]?.findings.first)
            #expect(finding.code == .trustMissing && finding.reason == "consentDisabled")
            #expect(finding.object == side.rawValue)
            let mailbox = world.source[.init(.mail, world.login(1))]
            #expect(!mailbox.isFrozen && mailbox.redirect == nil)
            #expect(try await world.journal(job.id) == nil)
        }
        await world.remove()
    }

    @Test func `rule 5: a trust that ends after the swap leaves nobody in between`() async throws {
        let directory = ChangingDirectory(people: 1)
        let world = try await EngineWorld(people: 1, directory: directory)
        try await world.withEngine(world.makeEngine()) { engine in
            let job = try await waiting(world, at: engine)
            world.source.meanwhile { operation in
                if operation == .redirect { directory.change { $0.inbound = .missing } }
            }
            _ = try await world.send(.reschedule(.key(job.id.description), completeAfter: world.time.now), to: engine)
            try await world.reach([.completedWithErrors], job.id)
            let task = try await world.task(job.id, 1)
            #expect(task[.mailbox]?.status == .completed)
            #expect(world.source[.init(.mail, world.login(1))].redirect != nil)
            // What had not begun does not begin any more.
            for workload in [Workload.files, .chats, .meetings] {
                #expect(task[workload]?.status == .failed, "\(workload)")
                #expect(task[workload]?.findings.first?.code == .trustMissing)
            }
        }
        await world.remove()
    }
}
