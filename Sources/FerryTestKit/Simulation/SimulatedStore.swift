import FerryCore
import FerryStore
import Synchronization

/// A real store in a simulation: its threads are let do their work while everything else stands still, and somebody looks
/// at what is stored after every commit.
final class SimulatedStore: Store {
    private let inner: any Store
    private let executor: SeededExecutor
    private let sabotage: Sabotage?
    private let losses = Losses()
    private let listeners = Mutex<[AsyncStream<Void>.Continuation]>([])
    private let watch: SimulationWatch
    private let onCommit: @Sendable () async -> Void

    init(
        _ inner: any Store, on executor: SeededExecutor, sabotage: Sabotage?, watch: SimulationWatch,
        onCommit: @escaping @Sendable () async -> Void
    ) {
        self.inner = inner
        self.executor = executor
        self.sabotage = sabotage
        self.watch = watch
        self.onCommit = onCommit
    }

    func transact<R: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        let (inner, sabotage, losses) = (inner, sabotage, losses)
        let (result, seen) = try await executor.outside {
            () async throws(StoreError) -> (R, SimulatedTransaction.Seen) in
            try await inner.transact { (tx) throws(StoreError) -> (R, SimulatedTransaction.Seen) in
                let tx = SimulatedTransaction(inner: tx, sabotage: sabotage, losses: losses)
                let result = try body(tx)
                return (result, tx.seen)
            }
        }
        if !seen.cutovers.isEmpty { watch.note(seen.cutovers) }
        if seen.hasMovedWork { for listener in listeners.withLock({ $0 }) { listener.yield() } }
        if seen.hasChanged { await onCommit() }
        return result
    }

    var reader: any StoreReader { SimulatedReader(inner: inner.reader, executor: executor) }

    func workChanges() -> AsyncStream<Void> {
        let (stream, listener) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        listeners.withLock { $0.append(listener) }
        return stream
    }

    var now: Instant { inner.now + (sabotage?.shift ?? .zero) }
    func close() async {}
}

struct SimulatedReader: StoreReader {
    let inner: any StoreReader
    let executor: SeededExecutor

    func job(_ reference: JobReference, in tenant: TenantID) async throws(StoreError) -> Job? {
        try await executor.outside { () async throws(StoreError) in try await inner.job(reference, in: tenant) }
    }
    func jobs(_ query: JobQuery) async throws(StoreError) -> QueryPage<Job> {
        try await executor.outside { () async throws(StoreError) in try await inner.jobs(query) }
    }
    func count(_ query: JobQuery) async throws(StoreError) -> Int {
        try await executor.outside { () async throws(StoreError) in try await inner.count(query) }
    }
    func task(_ job: JobID, _ person: PersonID) async throws(StoreError) -> UserTask? {
        try await executor.outside { () async throws(StoreError) in try await inner.task(job, person) }
    }
    func tasks(_ query: TaskQuery) async throws(StoreError) -> QueryPage<UserTask> {
        try await executor.outside { () async throws(StoreError) in try await inner.tasks(query) }
    }
    func count(_ query: TaskQuery) async throws(StoreError) -> Int {
        try await executor.outside { () async throws(StoreError) in try await inner.count(query) }
    }
    func progress(of job: JobID) async throws(StoreError) -> JobProgress {
        try await executor.outside { () async throws(StoreError) in try await inner.progress(of: job) }
    }
    func itemFindings(of job: JobID, after: Int64, limit: Int) async throws(StoreError) -> [ItemFinding] {
        try await executor.outside { () async throws(StoreError) in
            try await inner.itemFindings(of: job, after: after, limit: limit)
        }
    }
    func nextDue() async throws(StoreError) -> Instant? {
        try await executor.outside { () async throws(StoreError) in try await inner.nextDue() }
    }
    func ledger(_ route: Route, _ container: ContainerID) async throws(StoreError) -> ContainerLedger {
        try await executor.outside { () async throws(StoreError) in try await inner.ledger(route, container) }
    }
    func ledgerContainers(_ route: Route) async throws(StoreError) -> [ContainerID] {
        try await executor.outside { () async throws(StoreError) in try await inner.ledgerContainers(route) }
    }
    func auditRecords(_ query: AuditQuery) async throws(StoreError) -> [AuditRecord] {
        try await executor.outside { () async throws(StoreError) in try await inner.auditRecords(query) }
    }
    func auditHead(of tenant: TenantID) async throws(StoreError) -> AuditHead? {
        try await executor.outside { () async throws(StoreError) in try await inner.auditHead(of: tenant) }
    }
    func auditTenants() async throws(StoreError) -> [TenantID] {
        try await executor.outside { () async throws(StoreError) in try await inner.auditTenants() }
    }
    func dryRun(of job: JobID) async throws(StoreError) -> DryRun? {
        try await executor.outside { () async throws(StoreError) in try await inner.dryRun(of: job) }
    }
    func forecast(of run: RunID) async throws(StoreError) -> Forecast? {
        try await executor.outside { () async throws(StoreError) in try await inner.forecast(of: run) }
    }
    func forecasts(of job: JobID, from ordinal: Int, limit: Int) async throws(StoreError) -> [RunForecast] {
        try await executor.outside { () async throws(StoreError) in
            try await inner.forecasts(of: job, from: ordinal, limit: limit)
        }
    }
    func measured(
        from source: TenantID, to target: TenantID
    ) async throws(StoreError) -> [Workload: MeasuredRuns] {
        try await executor.outside { () async throws(StoreError) in
            try await inner.measured(from: source, to: target)
        }
    }
    func mapRevision(of pair: TenantPair) async throws(StoreError) -> Int64 {
        try await executor.outside { () async throws(StoreError) in try await inner.mapRevision(of: pair) }
    }
    func map(of pair: TenantPair) async throws(StoreError) -> StoredMap {
        try await executor.outside { () async throws(StoreError) in try await inner.map(of: pair) }
    }
    func mapHistory(of source: PersonID, in pair: TenantPair) async throws(StoreError) -> [FormerMapEntry] {
        try await executor.outside { () async throws(StoreError) in try await inner.mapHistory(of: source, in: pair) }
    }
    func mailbox(of source: PersonID, in pair: TenantPair) async throws(StoreError) -> String? {
        try await executor.outside { () async throws(StoreError) in try await inner.mailbox(of: source, in: pair) }
    }
    func mailboxes(of pair: TenantPair) async throws(StoreError) -> [PersonID: String] {
        try await executor.outside { () async throws(StoreError) in try await inner.mailboxes(of: pair) }
    }
    func peopleLeaving(_ tenant: TenantID) async throws(StoreError) -> Set<PersonID> {
        try await executor.outside { () async throws(StoreError) in try await inner.peopleLeaving(tenant) }
    }
    func ping() async throws(StoreError) {
        try await executor.outside { () async throws(StoreError) in try await inner.ping() }
    }
}
