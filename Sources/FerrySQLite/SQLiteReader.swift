import FerryCore
import FerryStore
import GRDB

/// Reads of committed data, on connections of their own.
struct SQLiteReader: StoreReader {
    let pool: ReaderPool
    /// `nil` when another process may write.
    let cache: JobCache?

    func job(_ reference: JobReference, in tenant: TenantID) async throws(StoreError) -> Job? {
        guard let cache else { return try await pool.read { try JobTable(db: $0).find(reference, in: tenant) } }
        if let job = cache.job(reference, in: tenant) { return job }
        let ticket = cache.ticket()
        let job = try await pool.read { try JobTable(db: $0).find(reference, in: tenant) }
        if let job { cache.fill(job, ticket) }
        return job
    }

    func jobs(_ query: JobQuery) async throws(StoreError) -> QueryPage<Job> {
        if let page = cache?.page(query) { return page }
        let ticket = cache?.ticket()
        let page = try await pool.read { db in
            let page = try PageQuery<JobField>(query).rows(in: db, JobTable.decode) { job in
                (job.id.description, job.queryValue)
            }
            return QueryPage(rows: page.rows, next: page.next)
        }
        cache?.fill(page, of: query, ticket)
        return page
    }

    func count(_ query: JobQuery) async throws(StoreError) -> Int {
        try await pool.read { try PageQuery<JobField>(query).count(in: $0) }
    }

    func task(_ job: JobID, _ person: PersonID) async throws(StoreError) -> UserTask? {
        try await pool.read { try TaskTable(db: $0).find(job, person) }
    }

    func tasks(_ query: TaskQuery) async throws(StoreError) -> QueryPage<UserTask> {
        try await pool.read { db in
            let page = try PageQuery<TaskField>(query).rows(in: db, TaskTable.Stub.init) { stub in
                (stub.person.description, stub.queryValue)
            }
            let table = TaskTable(db: db)
            return QueryPage(rows: try page.rows.map { try table.read($0, of: query.job) }, next: page.next)
        }
    }

    func count(_ query: TaskQuery) async throws(StoreError) -> Int {
        try await pool.read { try PageQuery<TaskField>(query).count(in: $0) }
    }

    func progress(of job: JobID) async throws(StoreError) -> JobProgress {
        try await pool.read { db in
            let table = TaskTable(db: db)
            return JobProgress(
                progress: try table.progress(of: job), tally: try table.tally(job), grades: try table.grades(of: job),
                peopleHeld: try table.held(of: job))
        }
    }

    func itemFindings(of job: JobID, after: Int64, limit: Int) async throws(StoreError) -> [ItemFinding] {
        try await pool.read { try FindingTable(db: $0).page(of: job, after: after, limit: limit) }
    }

    func nextDue() async throws(StoreError) -> Instant? {
        try await pool.read { try WorkTable(db: $0).nextDue() }
    }

    func ledger(_ route: Route, _ container: ContainerID) async throws(StoreError) -> ContainerLedger {
        try await pool.read { try LedgerTable(db: $0).read(route, container) }
    }

    func ledgerContainers(_ route: Route) async throws(StoreError) -> [ContainerID] {
        try await pool.read { try LedgerTable(db: $0).containers(route) }
    }

    func auditRecords(_ query: AuditQuery) async throws(StoreError) -> [AuditRecord] {
        try await pool.read { try AuditTable(db: $0).page(query) }
    }

    func auditHead(of tenant: TenantID) async throws(StoreError) -> AuditHead? {
        try await pool.read { try AuditTable(db: $0).head(of: tenant) }
    }

    func auditTenants() async throws(StoreError) -> [TenantID] {
        try await pool.read { try AuditTable(db: $0).tenants() }
    }

    func dryRun(of job: JobID) async throws(StoreError) -> DryRun? {
        try await pool.read { try DryRunTable(db: $0).find(job) }
    }

    func forecast(of run: RunID) async throws(StoreError) -> Forecast? {
        try await pool.read { try DryRunTable(db: $0).forecast(of: run) }
    }

    func forecasts(of job: JobID, from ordinal: Int, limit: Int) async throws(StoreError) -> [RunForecast] {
        try await pool.read { try DryRunTable(db: $0).forecasts(of: job, from: ordinal, limit: limit) }
    }

    func measured(
        from source: TenantID, to target: TenantID
    ) async throws(StoreError) -> [Workload: MeasuredRuns] {
        try await pool.read { try DryRunTable(db: $0).measured(from: source, to: target) }
    }

    func mapRevision(of pair: TenantPair) async throws(StoreError) -> Int64 {
        try await pool.read { try MapTable(db: $0, pair: pair).revision() }
    }

    func map(of pair: TenantPair) async throws(StoreError) -> StoredMap {
        try await pool.read { try MapTable(db: $0, pair: pair).all() }
    }

    func mapHistory(of source: PersonID, in pair: TenantPair) async throws(StoreError) -> [FormerMapEntry] {
        try await pool.read { try MapTable(db: $0, pair: pair).history(of: source) }
    }

    func mailbox(of source: PersonID, in pair: TenantPair) async throws(StoreError) -> String? {
        try await pool.read { try MapTable(db: $0, pair: pair).mailbox(of: source) }
    }

    func mailboxes(of pair: TenantPair) async throws(StoreError) -> [PersonID: String] {
        try await pool.read { try MapTable(db: $0, pair: pair).mailboxes() }
    }

    func peopleLeaving(_ tenant: TenantID) async throws(StoreError) -> Set<PersonID> {
        try await pool.read { try MapTable.leaving(tenant, in: $0) }
    }

    func ping() async throws(StoreError) {
        try await pool.read { _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM counter") }
    }
}
