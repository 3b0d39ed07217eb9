import FerryCore
import FerryStore
import GRDB

/// What a transaction did that others must hear of once it is committed.
struct CommitEffects {
    /// Jobs that were changed, as they are now; `nil` for one that is gone.
    var jobs: [JobID: Job?] = [:]
    /// Work was enqueued or moved.
    var movedWork = false
}

/// The words of a transaction, on the connection of the writer. Lives on the writer's queue only, from the begin of a
/// transaction to its end; serves all closures that share it, one after the other.
///
/// A verb that refuses (`StoreError.isRefusal`) does so before it has changed anything, so a closure may catch that and
/// go on. Every other error is kept in `failure`, and the transaction is not committed even if the closure caught it.
final class SQLiteTransaction: StoreTransaction {
    private let db: Database
    /// What is committed. Only the writer changes it, so within a transaction it is exact for jobs not changed in it.
    private let cache: JobCache
    private let clock: @Sendable () -> Instant
    private(set) var now: Instant
    private(set) var failure: StoreError?
    var effects = CommitEffects()
    private var isOpen = false

    init(_ db: Database, cache: JobCache, clock: @escaping @Sendable () -> Instant) {
        self.db = db
        self.cache = cache
        self.clock = clock
        now = clock()
    }

    /// Runs one closure, with the clock's present time as its `now`.
    func run<R>(_ body: (SQLiteTransaction) throws(StoreError) -> R) throws(StoreError) -> R {
        now = clock()
        isOpen = true
        defer { isOpen = false }
        let value = try body(self)
        if let failure { throw failure }
        return value
    }

    /// Runs one verb and sorts its errors.
    private func perform<R>(_ verb: () throws -> R) throws(StoreError) -> R {
        precondition(isOpen, "A transaction was used outside the closure that it was given to.")
        do {
            return try verb()
        } catch {
            let error = StoreError(translating: error)
            if !error.isRefusal, failure == nil { failure = error }
            throw error
        }
    }

    private var jobs: JobTable { JobTable(db: db) }
    private var people: TaskTable { TaskTable(db: db) }
    private var work: WorkTable { WorkTable(db: db) }
    private var ledgers: LedgerTable { LedgerTable(db: db) }
    private var findings: FindingTable { FindingTable(db: db) }
    private var audit: AuditTable { AuditTable(db: db) }
    private var creations: CreationTable { CreationTable(db: db) }
    private var cutovers: CutoverTable { CutoverTable(db: db) }
    private var dryRuns: DryRunTable { DryRunTable(db: db) }

    private func map(_ pair: TenantPair) -> MapTable { MapTable(db: db, pair: pair) }

    /// The job as this transaction sees it.
    private func current(_ id: JobID) throws -> Job? {
        if let changed = effects.jobs[id] { return changed }
        return try cache.job(id) ?? jobs.find(id)
    }
}

// MARK: jobs and people

extension SQLiteTransaction {
    func insert(_ job: Job) throws(StoreError) {
        try perform {
            guard try current(job.id) == nil else { throw StoreError.conflict }
            try jobs.insert(job)
            effects.jobs[job.id] = .some(job)
        }
    }

    func job(_ id: JobID) throws(StoreError) -> Job? {
        try perform { try current(id) }
    }

    func job(_ reference: JobReference, in tenant: TenantID) throws(StoreError) -> Job? {
        try perform { try jobs.find(reference, in: tenant) }
    }

    func save(_ job: Job) throws(StoreError) -> Job {
        try perform { try store(job) }
    }

    func purge(_ job: Job) throws(StoreError) {
        try perform {
            var tombstone = job
            tombstone.people = []
            try store(tombstone)
            try jobs.removeChildren(of: job.id)
            try work.purge(job.id, now: now)
        }
    }

    func removeTombstones(before instant: Instant) throws(StoreError) {
        try perform {
            for id in try jobs.removeTombstones(before: instant) { effects.jobs[id] = .some(nil) }
        }
    }

    func task(_ job: JobID, _ person: PersonID) throws(StoreError) -> UserTask? {
        try perform { try people.find(job, person) }
    }

    func tasks(_ job: JobID, from ordinal: Int, limit: Int) throws(StoreError) -> [UserTask] {
        try perform { try people.page(job, from: ordinal, limit: limit) }
    }

    func save(_ task: UserTask) throws(StoreError) {
        try perform {
            guard try people.save(task) else { throw StoreError.conflict }
        }
    }

    func setRuns(
        of job: JobID, in states: Set<RunStatus>, to status: RunStatus, message: String, at instant: Instant
    ) throws(StoreError) -> Int {
        try perform { try people.setRuns(of: job, in: states, to: status, message: message, at: instant) }
    }

    func tally(_ job: JobID) throws(StoreError) -> RunTally {
        try perform { try people.tally(job) }
    }

    func hasRun(of job: JobID, in states: Set<RunStatus>) throws(StoreError) -> Bool {
        try perform { try people.hasRun(of: job, in: states) }
    }

    func activeJobs(
        with person: PersonID, in tenant: TenantID, besides job: JobID
    ) throws(StoreError) -> [String] {
        try perform { try people.activeJobs(with: person, in: tenant, besides: job) }
    }

    @discardableResult
    private func store(_ job: Job) throws -> Job {
        guard let stored = try current(job.id), stored.version == job.version else { throw StoreError.conflict }
        guard try jobs.update(job) else { throw StoreError.conflict }
        if stored.people != job.people { try jobs.setPeople(job.people, of: job.id) }
        var saved = job
        saved.version += 1
        effects.jobs[job.id] = .some(saved)
        return saved
    }
}

// MARK: work

extension SQLiteTransaction {
    func enqueue(_ item: WorkItem) throws(StoreError) {
        try perform {
            try work.enqueue(item)
            effects.movedWork = true
        }
    }

    func removeWork(of job: JobID) throws(StoreError) {
        try perform { try work.remove(of: job) }
    }

    func removeWork(_ key: WorkKey) throws(StoreError) {
        try perform { try work.remove(key) }
    }

    func bringForward(_ job: JobID, to instant: Instant) throws(StoreError) {
        try perform {
            if try work.bringForward(job, to: instant) { effects.movedWork = true }
        }
    }

    func lanes() throws(StoreError) -> Set<LaneID> {
        try perform { try work.lanes() }
    }

    func lease(room: [LaneID: Int], limit: Int, term: Duration) throws(StoreError) -> [Lease] {
        try perform { try work.lease(room: room, limit: limit, term: term, now: now) }
    }

    func renew(_ leases: [Lease], term: Duration) throws(StoreError) -> Set<Int64> {
        try perform {
            Set(try leases.filter { try work.renew($0, term: term, now: now) }.map(\.token))
        }
    }

    func require(_ lease: Lease) throws(StoreError) {
        try perform { _ = try work.held(lease, now: now) }
    }

    func finish(_ lease: Lease, next: WorkItem?) throws(StoreError) {
        precondition(next == nil || next?.key == lease.item.key, "Leased work is put back under another key.")
        try perform {
            let (stored, isEnqueuedAgain) = try work.held(lease, now: now)
            guard next != nil || isEnqueuedAgain else { return try work.remove(lease.item.key) }
            // Who enqueued it meanwhile wants it seen to by then, whatever its holder thinks; earlier does no harm.
            var item = isEnqueuedAgain ? stored : next ?? stored
            if let next { item.due = min(item.due, next.due) }
            try work.release(item)
            effects.movedWork = true
        }
    }
}

// MARK: the ledger and the progress of a run

extension SQLiteTransaction {
    func checkpoint(_ checkpoint: Checkpoint, under lease: Lease) throws(StoreError) {
        try perform {
            _ = try work.held(lease, now: now)
            let number = try ledgers.open(checkpoint.route, checkpoint.container)
            try ledgers.append(checkpoint.entries, removed: checkpoint.removed, to: number)
            try ledgers.setIntent(checkpoint.intent, of: number)
            try people.setProgress(checkpoint.progress, of: checkpoint.run)
            for finding in checkpoint.findings { try findings.add(finding) }
        }
    }

    func replaceLedger(
        _ route: Route, _ container: ContainerID, with ledger: ContainerLedger, under lease: Lease
    ) throws(StoreError) {
        try perform {
            _ = try work.held(lease, now: now)
            try ledgers.replace(ledger, of: ledgers.open(route, container))
        }
    }

    func removeLedger(_ route: Route, _ container: ContainerID, under lease: Lease) throws(StoreError) {
        try perform {
            _ = try work.held(lease, now: now)
            try ledgers.remove(route, container)
        }
    }

    func setProgress(_ progress: RunProgress, of run: RunID) throws(StoreError) {
        try perform { try people.setProgress(progress, of: run) }
    }

    func addItemFinding(_ finding: ItemFinding) throws(StoreError) {
        try perform { try findings.add(finding) }
    }

    func removeItemFindings(of run: RunID) throws(StoreError) {
        try perform { try findings.remove(of: run) }
    }

    func findingCounts(of run: RunID) throws(StoreError) -> [FindingCount] {
        try perform { try findings.counts(of: run) }
    }

    func peopleHeld(of job: JobID) throws(StoreError) -> Int {
        try perform { try people.held(of: job) }
    }

    func cutover(of run: RunID) throws(StoreError) -> CutoverJournal? {
        try perform { try cutovers.find(run) }
    }

    func setCutover(_ journal: CutoverJournal?, of run: RunID) throws(StoreError) {
        try perform { try cutovers.set(journal, of: run) }
    }

    func dryRun(of job: JobID) throws(StoreError) -> DryRun? {
        try perform { try dryRuns.find(job) }
    }

    func setDryRun(_ dryRun: DryRun, of job: JobID) throws(StoreError) {
        try perform { try dryRuns.set(dryRun, of: job) }
    }

    func setForecast(_ forecast: Forecast, of run: RunID) throws(StoreError) -> Bool {
        try perform { try dryRuns.set(forecast, of: run) }
    }

    func removeForecasts(of job: JobID) throws(StoreError) {
        try perform { try dryRuns.removeForecasts(of: job) }
    }

    func removeDryRunWork(of job: JobID) throws(StoreError) {
        try perform { try work.removeDryRun(of: job) }
    }
}

// MARK: the identity map

extension SQLiteTransaction {
    func mapEntry(of source: PersonID, in pair: TenantPair) throws(StoreError) -> MapEntry? {
        try perform { try map(pair).find(source) }
    }

    func save(_ entries: [MapEntry], in pair: TenantPair) throws(StoreError) {
        try perform { try map(pair).save(entries, now: now) }
    }

    func removeMapEntry(of source: PersonID, in pair: TenantPair) throws(StoreError) -> Bool {
        try perform { try map(pair).remove(source, now: now) }
    }

    func setMailbox(_ identity: String?, of source: PersonID, in pair: TenantPair) throws(StoreError) {
        try perform { try map(pair).setMailbox(identity, of: source) }
    }
}

// MARK: the audit trail, and creations that may be repeated

extension SQLiteTransaction {
    func auditHead(of tenant: TenantID) throws(StoreError) -> AuditHead? {
        try perform { try audit.head(of: tenant) }
    }

    func append(_ record: AuditRecord) throws(StoreError) {
        try perform { try audit.append(record) }
    }

    func creation(_ key: RememberedCreation.Key, since: Instant) throws(StoreError) -> RememberedCreation? {
        try perform { try creations.find(key, since: since) }
    }

    func remember(_ creation: RememberedCreation) throws(StoreError) {
        try perform { try creations.save(creation) }
    }

    func forgetCreations(before instant: Instant) throws(StoreError) {
        try perform { try creations.remove(before: instant) }
    }
}
