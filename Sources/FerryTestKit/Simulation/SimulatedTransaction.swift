import FerryCore
import FerryStore
import Synchronization

extension Sabotage {
    /// What a wrong clock adds to the time.
    var shift: Duration { self == .clockRunsAhead ? .seconds(3600) : .zero }
}

/// Every fifth piece of work.
final class Losses: Sendable {
    private let count = Mutex(0)
    func pass() -> Bool {
        count.withLock { count in
            count += 1
            return count % 5 == 0
        }
    }
}

/// Passes every verb on, with the bug that was put in, and sees whether work was enqueued or moved.
final class SimulatedTransaction: StoreTransaction {
    private let inner: any StoreTransaction
    private let sabotage: Sabotage?
    private let losses: Losses

    /// What was done.
    struct Seen: Sendable {
        var hasMovedWork = false
        /// Something that a client could see may be different.
        var hasChanged = false
        /// Journals that were stored or removed.
        var cutovers: [RunID: CutoverJournal?] = [:]
    }
    private(set) var seen = Seen()

    init(inner: any StoreTransaction, sabotage: Sabotage?, losses: Losses) {
        self.inner = inner
        self.sabotage = sabotage
        self.losses = losses
    }

    var now: Instant { inner.now + (sabotage?.shift ?? .zero) }

    func insert(_ job: Job) throws(StoreError) {
        seen.hasChanged = true
        try inner.insert(job)
    }
    func job(_ id: JobID) throws(StoreError) -> Job? {
        try inner.job(id)
    }
    func job(_ reference: JobReference, in tenant: TenantID) throws(StoreError) -> Job? {
        try inner.job(reference, in: tenant)
    }
    @discardableResult func save(_ job: Job) throws(StoreError) -> Job {
        seen.hasChanged = true
        return try inner.save(job)
    }
    func purge(_ job: Job) throws(StoreError) {
        seen.hasChanged = true
        try inner.purge(job)
    }
    func removeTombstones(before: Instant) throws(StoreError) {
        seen.hasChanged = true
        try inner.removeTombstones(before: before)
    }
    func task(_ job: JobID, _ person: PersonID) throws(StoreError) -> UserTask? {
        try inner.task(job, person)
    }
    func tasks(_ job: JobID, from ordinal: Int, limit: Int) throws(StoreError) -> [UserTask] {
        try inner.tasks(job, from: ordinal, limit: limit)
    }
    func save(_ task: UserTask) throws(StoreError) {
        seen.hasChanged = true
        try inner.save(task)
    }
    @discardableResult func setRuns(
        of job: JobID, in states: Set<RunStatus>, to status: RunStatus, message: String, at: Instant
    ) throws(StoreError) -> Int {
        seen.hasChanged = true
        return try inner.setRuns(of: job, in: states, to: status, message: message, at: at)
    }
    func tally(_ job: JobID) throws(StoreError) -> RunTally {
        try inner.tally(job)
    }
    func hasRun(of job: JobID, in states: Set<RunStatus>) throws(StoreError) -> Bool {
        try inner.hasRun(of: job, in: states)
    }
    func activeJobs(with person: PersonID, in tenant: TenantID, besides job: JobID) throws(StoreError) -> [String] {
        if sabotage == .overlooksOtherJobs { return [] }
        return try inner.activeJobs(with: person, in: tenant, besides: job)
    }
    func enqueue(_ item: WorkItem) throws(StoreError) {
        if sabotage == .losesWork, case .run = item.key, item.attempts == 0, losses.pass() { return }
        seen.hasMovedWork = true
        try inner.enqueue(item)
    }
    func removeWork(of job: JobID) throws(StoreError) {
        try inner.removeWork(of: job)
    }
    func removeWork(_ key: WorkKey) throws(StoreError) {
        try inner.removeWork(key)
    }
    func bringForward(_ job: JobID, to instant: Instant) throws(StoreError) {
        seen.hasMovedWork = true
        try inner.bringForward(job, to: instant)
    }
    func lanes() throws(StoreError) -> Set<LaneID> {
        try inner.lanes()
    }
    func lease(room: [LaneID: Int], limit: Int, term: Duration) throws(StoreError) -> [Lease] {
        try inner.lease(room: room, limit: limit, term: term)
    }
    func renew(_ leases: [Lease], term: Duration) throws(StoreError) -> Set<Int64> {
        try inner.renew(leases, term: term)
    }
    func require(_ lease: Lease) throws(StoreError) {
        do throws(StoreError) { try inner.require(lease) } catch {
            if sabotage != .acceptsLateResults || error != .leaseLost { throw error }
        }
    }
    func finish(_ lease: Lease, next: WorkItem?) throws(StoreError) {
        seen.hasMovedWork = true
        seen.hasChanged = true
        do throws(StoreError) {
            try inner.finish(lease, next: sabotage == .dropsRepetitions && next?.attempts != 0 ? nil : next)
        } catch {
            if sabotage != .acceptsLateResults || error != .leaseLost { throw error }
        }
    }
    func checkpoint(_ checkpoint: Checkpoint, under lease: Lease) throws(StoreError) {
        var checkpoint = checkpoint
        if sabotage == .forgetsIntents { checkpoint.intent = nil }
        if sabotage == .forgetsEntries { checkpoint.entries.removeAll { $0.key.low & 3 == 0 } }
        seen.hasChanged = true
        try inner.checkpoint(checkpoint, under: lease)
    }
    func replaceLedger(_ route: Route, _ container: ContainerID, with ledger: ContainerLedger, under lease: Lease)
        throws(StoreError)
    {
        var ledger = ledger
        if sabotage == .forgetsLedgerAtTheEnd { ledger.entries = LedgerEntries(Array(ledger.entries).dropLast()) }
        try inner.replaceLedger(route, container, with: ledger, under: lease)
    }
    func removeLedger(_ route: Route, _ container: ContainerID, under lease: Lease) throws(StoreError) {
        try inner.removeLedger(route, container, under: lease)
    }
    func setProgress(_ progress: RunProgress, of run: RunID) throws(StoreError) {
        try inner.setProgress(progress, of: run)
    }
    func addItemFinding(_ finding: ItemFinding) throws(StoreError) {
        try inner.addItemFinding(finding)
    }
    func removeItemFindings(of run: RunID) throws(StoreError) {
        try inner.removeItemFindings(of: run)
    }
    func auditHead(of tenant: TenantID) throws(StoreError) -> AuditHead? {
        try inner.auditHead(of: tenant)
    }
    func append(_ record: AuditRecord) throws(StoreError) {
        try inner.append(record)
    }
    func creation(_ key: RememberedCreation.Key, since: Instant) throws(StoreError) -> RememberedCreation? {
        try inner.creation(key, since: since)
    }
    func remember(_ creation: RememberedCreation) throws(StoreError) {
        try inner.remember(creation)
    }
    func forgetCreations(before: Instant) throws(StoreError) {
        try inner.forgetCreations(before: before)
    }
    func cutover(of run: RunID) throws(StoreError) -> CutoverJournal? {
        try inner.cutover(of: run)
    }
    func setCutover(_ journal: CutoverJournal?, of run: RunID) throws(StoreError) {
        if sabotage == .forgetsCutovers { return }
        seen.cutovers.updateValue(journal, forKey: run)
        seen.hasChanged = true
        try inner.setCutover(journal, of: run)
    }
    func dryRun(of job: JobID) throws(StoreError) -> DryRun? {
        try inner.dryRun(of: job)
    }
    func setDryRun(_ dryRun: DryRun, of job: JobID) throws(StoreError) {
        seen.hasChanged = true
        try inner.setDryRun(dryRun, of: job)
    }
    func setForecast(_ forecast: Forecast, of run: RunID) throws(StoreError) -> Bool {
        seen.hasChanged = true
        return try inner.setForecast(forecast, of: run)
    }
    func removeForecasts(of job: JobID) throws(StoreError) {
        try inner.removeForecasts(of: job)
    }
    func removeDryRunWork(of job: JobID) throws(StoreError) {
        try inner.removeDryRunWork(of: job)
    }
    func findingCounts(of run: RunID) throws(StoreError) -> [FindingCount] {
        try inner.findingCounts(of: run)
    }
    func peopleHeld(of job: JobID) throws(StoreError) -> Int {
        try inner.peopleHeld(of: job)
    }
    func mapEntry(of source: PersonID, in pair: TenantPair) throws(StoreError) -> MapEntry? {
        try inner.mapEntry(of: source, in: pair)
    }
    func save(_ entries: [MapEntry], in pair: TenantPair) throws(StoreError) {
        try inner.save(entries, in: pair)
    }
    @discardableResult func removeMapEntry(of source: PersonID, in pair: TenantPair) throws(StoreError) -> Bool {
        try inner.removeMapEntry(of: source, in: pair)
    }
    func setMailbox(_ identity: String?, of source: PersonID, in pair: TenantPair) throws(StoreError) {
        try inner.setMailbox(identity, of: source, in: pair)
    }
}
