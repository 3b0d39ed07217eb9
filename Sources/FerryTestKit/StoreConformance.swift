package import FerryCore
package import FerryStore
import Synchronization
import Testing

/// What every store must do, in the words of its door. A store passes when each method does.
///
/// Each method makes a store of its own, so they may run at once.
package struct StoreConformance: Sendable {
    /// Makes an empty store whose clock is the given one.
    package typealias MakeStore = @Sendable (_ now: @escaping @Sendable () -> Instant) async throws -> any Store

    /// One behaviour, or a few that belong together.
    package struct Behaviour: Sendable, CustomStringConvertible {
        /// A sentence without the subject "the store".
        package var description: String
        package var check: @Sendable (StoreConformance) async throws -> Void

        init(_ description: String, _ check: @escaping @Sendable (StoreConformance) async throws -> Void) {
            self.description = description
            self.check = check
        }
    }

    /// All behaviours, for a parameterized test.
    package static let behaviours: [Behaviour] =
        jobBehaviours + taskBehaviours + queryBehaviours + workBehaviours + ledgerBehaviours + transactionBehaviours
        + auditBehaviours + mapBehaviours

    private let makeStore: MakeStore

    package init(makeStore: @escaping MakeStore) {
        self.makeStore = makeStore
    }

    /// Checks all behaviours, one after the other.
    package func runAll() async throws {
        for behaviour in Self.behaviours { try await behaviour.check(self) }
    }

    /// Runs `body` with an empty store and the clock that it goes by, and closes the store.
    func withStore(_ body: (any Store, SettableClock) async throws -> Void) async throws {
        let clock = SettableClock(Samples.start)
        let store = try await makeStore { clock.now }
        do {
            try await body(store, clock)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }
}

/// A clock that stands still until it is told to move.
final class SettableClock: Sendable {
    private let instant: Mutex<Instant>

    init(_ start: Instant) { instant = Mutex(start) }

    var now: Instant { instant.withLock { $0 } }

    func advance(by duration: Duration) { instant.withLock { $0 = $0 + duration } }
}

extension Store {
    /// Inserts the jobs in one transaction.
    func insert(_ jobs: [Job]) async throws(StoreError) {
        try await transact { (tx) throws(StoreError) in
            for job in jobs { try tx.insert(job) }
        }
    }

    func insert(_ job: Job) async throws(StoreError) { try await insert([job]) }

    /// Changes the stored job and gives it back as stored.
    func change(_ id: JobID, _ body: @escaping @Sendable (inout Job) -> Void) async throws -> Job {
        let saved = try await transact { (tx) throws(StoreError) -> Job? in
            guard var job = try tx.job(id) else { return nil }
            body(&job)
            return try tx.save(job)
        }
        return try #require(saved)
    }

    /// Sets the runs of one person; those that are not named stay.
    func setStatus(_ statuses: [Workload: RunStatus], job: JobID, person: PersonID) async throws {
        try await transact { (tx) throws(StoreError) in
            guard var task = try tx.task(job, person) else { throw .conflict }
            for index in task.runs.indices {
                if let status = statuses[task.runs[index].id.workload] { task.runs[index].status = status }
            }
            try tx.save(task)
        }
    }

    /// Enqueues the item and leases it.
    func leased(_ item: WorkItem, term: Duration = .seconds(60)) async throws -> Lease {
        let leases = try await transact { (tx) throws(StoreError) in
            try tx.enqueue(item)
            return try tx.lease(room: [item.lane: 1], limit: 1, term: term)
        }
        return try #require(leases.first)
    }

    func lease(_ room: [LaneID: Int], limit: Int = 100, term: Duration = .seconds(60)) async throws(StoreError)
        -> [Lease]
    {
        try await transact { (tx) throws(StoreError) in try tx.lease(room: room, limit: limit, term: term) }
    }
}
