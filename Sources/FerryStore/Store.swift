package import FerryCore

/// Where jobs, work and the ledger live. Ours alone: change it whenever a better verb appears, in every room at once.
///
/// There is one verb for change. What its closure did becomes durable as a whole (it survives SIGKILL and power loss)
/// before the call returns, or nothing of it happened.
package protocol Store: Sendable {
    /// Runs `body` in a transaction. `body` may run more than once and must have no effect but through `tx`; it cannot
    /// wait. A domain refusal is returned as a value (commit of nothing), not thrown. What it throws undoes all it did.
    /// It may catch `.conflict`, `.duplicateName` and `.leaseLost` of a verb, which has changed nothing then, and go on;
    /// after any other error nothing is committed, even if it is caught.
    ///
    /// Transactions of concurrent callers may share one commit. Serializable.
    func transact<R: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> R
    ) async throws(StoreError) -> R

    /// Reads that need no transaction.
    var reader: any StoreReader { get }

    /// Told after each commit that enqueued or moved work. A hint: the table is the truth.
    func workChanges() -> AsyncStream<Void>

    /// The store's clock, by which leases are judged.
    var now: Instant { get }

    /// Waits for running transactions, then closes the files. Later calls throw `.closed`.
    func close() async
}

/// Reads, each of one consistent state. What `transact` returned before is visible.
package protocol StoreReader: Sendable {
    /// A job of that tenant: by id tombstones included, by name only the job that holds it (a name is free as soon as
    /// deletion was accepted). Hot: a repeated read of an unchanged job crosses no thread.
    func job(_ reference: JobReference, in tenant: TenantID) async throws(StoreError) -> Job?
    func jobs(_ query: JobQuery) async throws(StoreError) -> QueryPage<Job>
    /// Jobs that the query's predicate and search admit, whatever its page.
    func count(_ query: JobQuery) async throws(StoreError) -> Int
    func task(_ job: JobID, _ person: PersonID) async throws(StoreError) -> UserTask?
    func tasks(_ query: TaskQuery) async throws(StoreError) -> QueryPage<UserTask>
    func count(_ query: TaskQuery) async throws(StoreError) -> Int
    /// Progress of a job's runs, summed per workload; `tally` of their states; how many runs were given which grade.
    func progress(of job: JobID) async throws(StoreError) -> JobProgress
    /// Per-item findings of a job in the order they were recorded, after the given sequence number.
    func itemFindings(of job: JobID, after: Int64, limit: Int) async throws(StoreError) -> [ItemFinding]
    /// Earliest due instant of work that nobody holds, or expiry of a lease; `nil` when there is no work.
    func nextDue() async throws(StoreError) -> Instant?
    /// What the ledger knows of one container.
    func ledger(_ route: Route, _ container: ContainerID) async throws(StoreError) -> ContainerLedger
    /// Containers that the ledger knows.
    func ledgerContainers(_ route: Route) async throws(StoreError) -> [ContainerID]
    /// Records of a tenant's audit trail in the order of the chain.
    func auditRecords(_ query: AuditQuery) async throws(StoreError) -> [AuditRecord]
    /// The end of a tenant's audit trail; `nil` while it has no record.
    func auditHead(of tenant: TenantID) async throws(StoreError) -> AuditHead?
    /// Whose audit trails there are, in ascending order.
    func auditTenants() async throws(StoreError) -> [TenantID]
    /// The last dry run of a job, as far as it is.
    func dryRun(of job: JobID) async throws(StoreError) -> DryRun?
    func forecast(of run: RunID) async throws(StoreError) -> Forecast?
    /// Forecasts of `limit` people from the ordinal on, in the order of the job.
    func forecasts(of job: JobID, from ordinal: Int, limit: Int) async throws(StoreError) -> [RunForecast]
    /// What runs between two tenants have done together, over the newest jobs, those without a complete pass left out.
    func measured(from source: TenantID, to target: TenantID) async throws(StoreError) -> [Workload: MeasuredRuns]
    /// Rises with every change of what is stored of the identity map of the pair; 0 before the first. Cheap.
    func mapRevision(of pair: TenantPair) async throws(StoreError) -> Int64
    func map(of pair: TenantPair) async throws(StoreError) -> StoredMap
    /// What was stored of one person before, newest first, and until when it held. At most a hundred.
    func mapHistory(of source: PersonID, in pair: TenantPair) async throws(StoreError) -> [FormerMapEntry]
    /// Which mailbox of the source person was recorded; `nil` when none was.
    func mailbox(of source: PersonID, in pair: TenantPair) async throws(StoreError) -> String?
    /// All mailboxes that were recorded for the pair.
    func mailboxes(of pair: TenantPair) async throws(StoreError) -> [PersonID: String]
    /// People of the tenant whom a stored map names as the source of a target person elsewhere.
    func peopleLeaving(_ tenant: TenantID) async throws(StoreError) -> Set<PersonID>
    /// Cheap proof that the store answers, for readiness.
    func ping() async throws(StoreError)
}

/// The words of a transaction. Not to be kept or used outside the closure it was given to.
package protocol StoreTransaction: AnyObject {
    /// The store's clock at the start of the transaction.
    var now: Instant { get }

    // MARK: jobs and people

    /// Inserts the job with a task per person and a run per workload, all `notStarted`.
    /// Throws `.duplicateName` when a job of the tenant has the name whose deletion was not yet accepted, `.conflict`
    /// when there is a job with that id.
    func insert(_ job: Job) throws(StoreError)
    func job(_ id: JobID) throws(StoreError) -> Job?
    func job(_ reference: JobReference, in tenant: TenantID) throws(StoreError) -> Job?
    /// Stores a changed job whose `version` is that of the row, and raises it. Throws `.conflict` otherwise.
    /// Returns the job as stored.
    @discardableResult func save(_ job: Job) throws(StoreError) -> Job
    /// Saves the job, whose status the caller has set, without people, as a tombstone; deletes tasks, runs, findings and
    /// work. A `.job` item that is held stays: its holder is the one who purges, and ends it with `finish`.
    /// Throws `.conflict` as `save` does.
    func purge(_ job: Job) throws(StoreError)
    /// Deletes tombstones whose `updated` is before the instant.
    func removeTombstones(before: Instant) throws(StoreError)

    func task(_ job: JobID, _ person: PersonID) throws(StoreError) -> UserTask?
    /// Tasks by ordinal from the given one on; pages for fan-out.
    func tasks(_ job: JobID, from ordinal: Int, limit: Int) throws(StoreError) -> [UserTask]
    /// Stores the runs that differ and `updated` of the task. Throws `.conflict` when there is no such task (any more).
    func save(_ task: UserTask) throws(StoreError)
    /// Sets every run of the job that is in one of `states` to `status`, with the message and without findings.
    /// Touches `updated` of the tasks concerned. Returns how many runs changed.
    @discardableResult
    func setRuns(
        of job: JobID, in states: Set<RunStatus>, to status: RunStatus, message: String, at: Instant
    ) throws(StoreError) -> Int
    func tally(_ job: JobID) throws(StoreError) -> RunTally
    /// Whether a run of the job is in one of the states; one index probe.
    func hasRun(of job: JobID, in states: Set<RunStatus>) throws(StoreError) -> Bool
    /// Names of other jobs that are active (`JobStatus.isActive`), into the same target tenant, in which the person is
    /// neither cancelled nor failed.
    func activeJobs(with person: PersonID, in tenant: TenantID, besides job: JobID) throws(StoreError) -> [String]

    // MARK: work

    /// Adds work, or replaces `lane`, `due` and `attempts` of the item with that key. A lease on it is kept: its holder
    /// sees at `finish` that the item was enqueued again, and the item then stays.
    func enqueue(_ item: WorkItem) throws(StoreError)
    /// Removes work whose key belongs to the job, but for `.job`. Leases on it are lost.
    func removeWork(of job: JobID) throws(StoreError)
    /// Removes one item. A lease on it is lost.
    func removeWork(_ key: WorkKey) throws(StoreError)
    /// Makes the job's `.run` items due at `instant` that were due later (the job's date was moved to an earlier one).
    func bringForward(_ job: JobID, to instant: Instant) throws(StoreError)
    /// All lanes that have work, due or not; asked once at start.
    func lanes() throws(StoreError) -> Set<LaneID>
    /// Leases up to `limit` due items of the given lanes, earliest due first, that nobody holds or whose lease has
    /// expired (these count as due since then); at most `room[lane]` of each lane. Tokens are new and rising.
    func lease(room: [LaneID: Int], limit: Int, term: Duration) throws(StoreError) -> [Lease]
    /// Extends leases that are still held; returns the tokens of those. The others are lost.
    func renew(_ leases: [Lease], term: Duration) throws(StoreError) -> Set<Int64>
    /// Throws `.leaseLost` unless the token is the item's current one and has not expired. Call it first in every
    /// transaction that writes the result of leased work.
    func require(_ lease: Lease) throws(StoreError)
    /// Ends leased work: removes the item, or puts it back to be done again at `next`, which has the same key.
    /// An item that was enqueued again since it was leased stays as it was enqueued, due at the earlier of both.
    /// Throws `.leaseLost` as `require` does.
    func finish(_ lease: Lease, next: WorkItem?) throws(StoreError)

    // MARK: the ledger and the progress of a run

    /// Records a batch under the lease: entries, progress, findings, and the cleared or new intent.
    /// Throws `.leaseLost` as `require` does; so do the two below.
    func checkpoint(_ checkpoint: Checkpoint, under lease: Lease) throws(StoreError)
    /// Replaces everything that the ledger knows of a container (end of a pass: compact form, new cursor).
    func replaceLedger(
        _ route: Route, _ container: ContainerID, with ledger: ContainerLedger, under lease: Lease
    ) throws(StoreError)
    func removeLedger(_ route: Route, _ container: ContainerID, under lease: Lease) throws(StoreError)
    /// Stores progress only.
    func setProgress(_ progress: RunProgress, of run: RunID) throws(StoreError)
    func addItemFinding(_ finding: ItemFinding) throws(StoreError)
    /// Removes the per-item findings of one run, before a new pass reports again: all but those about items that were
    /// copied, of which no pass speaks twice.
    func removeItemFindings(of run: RunID) throws(StoreError)
    /// The per-item findings of one run, counted.
    func findingCounts(of run: RunID) throws(StoreError) -> [FindingCount]
    /// People of the job with a run that waits for an approval (`WorkloadRun.waitsForApproval`).
    func peopleHeld(of job: JobID) throws(StoreError) -> Int
    /// How far the cutover of a run is; `nil` when none has begun, or the last one is over.
    func cutover(of run: RunID) throws(StoreError) -> CutoverJournal?
    /// Replaces what is kept of a run's cutover; `nil` removes it. Nothing is kept of a run that is not there.
    func setCutover(_ journal: CutoverJournal?, of run: RunID) throws(StoreError)

    // MARK: dry runs

    func dryRun(of job: JobID) throws(StoreError) -> DryRun?
    /// Replaces what is kept of the job's dry run, but for the forecasts.
    func setDryRun(_ dryRun: DryRun, of job: JobID) throws(StoreError)
    /// Replaces the forecast of a run. Returns whether there was none. Nothing is kept of a run that is not there.
    @discardableResult func setForecast(_ forecast: Forecast, of run: RunID) throws(StoreError) -> Bool
    func removeForecasts(of job: JobID) throws(StoreError)
    /// Removes work of the job's dry run. Leases on it are lost.
    func removeDryRunWork(of job: JobID) throws(StoreError)

    // MARK: the identity map

    func mapEntry(of source: PersonID, in pair: TenantPair) throws(StoreError) -> MapEntry?
    /// Stores entries in place of what was stored of the same people, which goes to the history.
    func save(_ entries: [MapEntry], in pair: TenantPair) throws(StoreError)
    /// Removes what is stored of a person and their mailbox; the entry goes to the history. Returns whether there was
    /// anything.
    @discardableResult func removeMapEntry(of source: PersonID, in pair: TenantPair) throws(StoreError) -> Bool
    /// Records which mailbox the source person has; `nil` forgets it.
    func setMailbox(_ identity: String?, of source: PersonID, in pair: TenantPair) throws(StoreError)

    // MARK: the audit trail, and creations that may be repeated

    /// The end of a tenant's audit trail, what this transaction appended included; `nil` while it has no record.
    func auditHead(of tenant: TenantID) throws(StoreError) -> AuditHead?
    /// Appends to the trail of the record's tenant. The caller has sealed the record (`AuditChain.seal`); the store
    /// keeps it as it is, and has no verb that changes or removes one. Throws `.conflict` unless the record's number
    /// follows that of the head, and for a token's record when there is one with its request id already.
    func append(_ record: AuditRecord) throws(StoreError)
    /// The creation that was remembered under the key; `nil` when there is none or it is older than `since`.
    func creation(_ key: RememberedCreation.Key, since: Instant) throws(StoreError) -> RememberedCreation?
    /// Remembers a creation, in place of an older one with its key.
    func remember(_ creation: RememberedCreation) throws(StoreError)
    /// Forgets creations from before the instant.
    func forgetCreations(before: Instant) throws(StoreError)
}

/// An entry of an identity map that holds no longer.
package struct FormerMapEntry: Sendable, Hashable {
    package var entry: MapEntry
    /// When it was replaced or removed.
    package var until: Instant

    package init(entry: MapEntry, until: Instant) {
        self.entry = entry
        self.until = until
    }
}

/// What the ledger knows of one container on a route.
package struct ContainerLedger: Sendable, Hashable {
    package var entries: LedgerEntries
    /// The copier's memo of the container, with the source's cursor of the last complete pass; opaque to stores. `nil`
    /// while the copier has not come to the container.
    package var cursor: [UInt8]?
    /// The batch that was about to be written when the last holder stopped; `nil` if none was.
    package var intent: BatchIntent?

    package init(entries: LedgerEntries = [], cursor: [UInt8]? = nil, intent: BatchIntent? = nil) {
        self.entries = entries
        self.cursor = cursor
        self.intent = intent
    }
}

/// A batch that may or may not have reached a target that is not idempotent (law 1).
package struct BatchIntent: Sendable, Hashable {
    package var keys: [ItemKey]
    /// What the target said of the container before the batch (an IMAP UIDNEXT, say); opaque to all but its connector.
    package var mark: [UInt8]

    package init(keys: [ItemKey], mark: [UInt8]) {
        self.keys = keys
        self.mark = mark
    }
}

/// One durable step of the copier.
package struct Checkpoint: Sendable {
    package var run: RunID
    package var route: Route
    package var container: ContainerID
    /// Outcomes of this batch. A key that is known gets the new version and outcome.
    package var entries: [LedgerEntry]
    /// Items that are gone from the source and were removed at the target.
    package var removed: [ItemKey]
    /// Replaces the stored intent; `nil` clears it.
    package var intent: BatchIntent?
    /// The run's progress after this batch.
    package var progress: RunProgress
    package var findings: [ItemFinding]

    package init(
        run: RunID, route: Route, container: ContainerID, entries: [LedgerEntry] = [], removed: [ItemKey] = [],
        intent: BatchIntent? = nil, progress: RunProgress, findings: [ItemFinding] = []
    ) {
        self.run = run
        self.route = route
        self.container = container
        self.entries = entries
        self.removed = removed
        self.intent = intent
        self.progress = progress
        self.findings = findings
    }
}

/// Something that happened to one item: skipped, failed, or changed on the way. Never its content.
package struct ItemFinding: Sendable, Hashable {
    /// Rises within a job; 0 until stored.
    package var sequence: Int64
    package var run: RunID
    package var container: ContainerID
    /// The source's name of the item (a file name, a UID).
    package var item: String
    package var outcome: ItemOutcome
    /// A connector's error code, dotted (`source.item.vanished`).
    package var code: ErrorCode
    /// What is wrong and how to mend it.
    package var message: String
    package var at: Instant

    package init(
        sequence: Int64 = 0, run: RunID, container: ContainerID, item: String, outcome: ItemOutcome, code: ErrorCode,
        message: String, at: Instant
    ) {
        self.sequence = sequence
        self.run = run
        self.container = container
        self.item = item
        self.outcome = outcome
        self.code = code
        self.message = message
        self.at = at
    }
}

/// How often a run has a kind of per-item finding.
package struct FindingCount: Sendable, Hashable {
    package var outcome: ItemOutcome
    package var code: ErrorCode
    package var count: Int64
    /// Of these, findings about the inbox or the folder of sent mail as a whole.
    package var systemFolders: Int64

    package init(outcome: ItemOutcome, code: ErrorCode, count: Int64, systemFolders: Int64) {
        self.outcome = outcome
        self.code = code
        self.count = count
        self.systemFolders = systemFolders
    }
}

/// What a dry run saw of one run.
package struct RunForecast: Sendable, Hashable {
    package var run: RunID
    package var forecast: Forecast

    package init(run: RunID, forecast: Forecast) {
        self.run = run
        self.forecast = forecast
    }
}

/// What several runs have done together.
package struct MeasuredRuns: Sendable, Hashable {
    package var runs: Int
    package var progress: RunProgress

    package init(runs: Int, progress: RunProgress) {
        self.runs = runs
        self.progress = progress
    }
}

/// How far a job is, by workload.
package struct JobProgress: Sendable, Hashable {
    package var progress: [Workload: RunProgress]
    package var tally: RunTally
    /// Runs that were judged.
    package var grades: [Workload: [ConsistencyGrade: Int]]
    /// People of whom something waits for an approval.
    package var peopleHeld: Int

    package init(
        progress: [Workload: RunProgress], tally: RunTally, grades: [Workload: [ConsistencyGrade: Int]] = [:],
        peopleHeld: Int = 0
    ) {
        self.progress = progress
        self.tally = tally
        self.grades = grades
        self.peopleHeld = peopleHeld
    }
}

/// What can go wrong in a store.
package enum StoreError: Error, Sendable, Hashable {
    /// The row has another version than the one that was to be saved.
    case conflict
    /// A job of the tenant has the display name already.
    case duplicateName
    /// Somebody else holds the work, or it is gone.
    case leaseLost
    /// Full disk, I/O error, lock held by another process: nothing was stored; safe to try again.
    case unavailable(String)
    /// The file is not a store of ours, or of a newer version, or damaged. The text says how to mend it.
    case unusable(String)
    case closed
}
