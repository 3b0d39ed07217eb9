import FerryConnector
import FerryCore
import FerryStore
import Logging

/// What every kind of leased work needs.
struct Workshop: Sendable {
    let store: any Store
    let effects: Effects
    let settings: EngineSettings
    /// The directory that the planner asks.
    let people: MappedDirectory
    let planner: TransferPlanner
    let copier: Copier
    let verifier: Verifier
    let gate: CutoverGate
    let logger: Logger

    /// Runs a transaction for the holder of a lease: refused as a whole once the lease is lost.
    func transact<R: Sendable>(
        under lease: Lease, _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> R
    ) async throws(WorkError) -> R {
        do throws(StoreError) {
            return try await store.transact { (tx) throws(StoreError) in
                try tx.require(lease)
                return try body(tx)
            }
        } catch {
            throw .store(error)
        }
    }

    /// The job and the person's task as they are now. The identity map is as new from here on.
    func load(_ job: JobID, _ person: PersonID) async throws(WorkError) -> (Job, UserTask)? {
        let found: (Job, UserTask)?
        do throws(StoreError) {
            found = try await store.transact { (tx) throws(StoreError) in
                guard let job = try tx.job(job), let task = try tx.task(job.id, person) else { return nil }
                return (job, task)
            }
        } catch {
            throw .store(error)
        }
        if let found { try await renewPeople(of: found.0) }
        return found
    }

    /// Looks whether the identity map was changed.
    func renewPeople(of job: Job) async throws(WorkError) {
        do throws(StoreError) {
            try await people.renew(TenantPair(source: job.sourceTenant, target: job.targetTenant), from: store.reader)
        } catch {
            throw .store(error)
        }
    }

    /// Whether the person lives at the target of the route, because Ferry has moved them there and not back.
    func isHome(_ route: Route) async throws(WorkError) -> Bool {
        do throws(StoreError) { return try await store.reader.ledger(route, .home).cursor != nil } catch {
            throw .store(error)
        }
    }

    /// Ends a piece of work without a result.
    func finish(_ lease: Lease, next: WorkItem? = nil) async throws(WorkError) {
        do throws(StoreError) {
            try await store.transact { (tx) throws(StoreError) in try tx.finish(lease, next: next) }
        } catch {
            throw .store(error)
        }
    }

    /// Stores a changed task, and the job when that was the last unfinished run (rows T5, T6, T17, T25 to T27).
    static func settle(
        _ task: UserTask, of job: Job, unfinished: Set<RunStatus>, in tx: any StoreTransaction
    ) throws(StoreError) {
        try tx.save(task)
        var job = job
        if try !tx.hasRun(of: job.id, in: unfinished) {
            let actions = job.summedUp(try tx.tally(job.id), now: tx.now)
            job = try save(job, in: tx)
            try JobActions.apply(actions, to: job, in: tx)
        } else {
            _ = try save(job, in: tx)
        }
    }

    /// Shows, or does not show any more, that people of the job wait for an approval (rows T41, T42).
    /// - Parameter isHeld: somebody has just begun to wait. Without that, only a job that shows it can have changed.
    static func heed(_ job: inout Job, isHeld: Bool = false, in tx: any StoreTransaction) throws(StoreError) {
        guard isHeld || job.status == .adminActionRequired else { return }
        let people = try tx.peopleHeld(of: job.id)
        if people > 0 {
            job.needsAction(JobMessages.approveLosses, people: people, now: tx.now)
        } else {
            job.actionTaken(now: tx.now)
        }
    }

    /// The same, stored. Somebody who agrees is noted in the audit trail by the caller.
    static func heeded(_ job: Job, in tx: any StoreTransaction) throws(StoreError) -> Job {
        var job = job
        try heed(&job, in: tx)
        return try save(job, in: tx)
    }

    /// Stores the job if it differs from what is stored; a new status is noted in the audit trail.
    @discardableResult
    static func save(_ job: Job, in tx: any StoreTransaction) throws(StoreError) -> Job {
        guard let stored = try tx.job(job.id), stored != job else { return job }
        let saved = try tx.save(job)
        if saved.status != stored.status { try AuditTrail.noteStatus(of: saved, in: tx) }
        return saved
    }
}

extension RunStatus {
    /// A validation has no verdict yet on runs in these states.
    static let unjudged: Set<RunStatus> = [.notStarted, .inProgress, .pendingCancel]
    /// A migration still has something to do for runs in these states.
    static let unfinished: Set<RunStatus> = [
        .notStarted, .valid, .invalid, .inProgress, .pendingCancel, .syncing, .synced, .finalizing, .forceComplete,
    ]
}
