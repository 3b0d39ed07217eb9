import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// Rows of `job` and `job_people`.
struct JobTable {
    let db: Database

    /// What `decode` reads, in its order; `job` is called `j`.
    static let columns = """
        j.id, j.target_tenant, j.source_tenant, j.display_name, j.source_endpoint, j.delivery_domain, j.workloads, \
        j.created_by, j.created, j.updated, j.complete_after, j.status, j.type, j.message, j.interrupted, j.validated, \
        j.attempt, j.validation_only, j.version, p.people
        """
    static let joins = "LEFT JOIN job_people p ON p.job = j.number"
    static let tables = "job j \(joins)"

    static func decode(_ row: Row) throws -> Job {
        let endpoint: String? = row[4]
        let domain: String? = row[5]
        let interrupted: String? = row[14]
        let validated: Int64? = row[15]
        return Job(
            id: try row.identifier(0), targetTenant: try row.identifier(1), sourceTenant: try row.identifier(2),
            displayName: row[3],
            exchangeSettings: endpoint.map { ExchangeSettings(sourceEndpoint: $0, targetDeliveryDomain: domain ?? "") },
            workloads: try workloads(row[6]),
            people: try row.withUnsafeData(atIndex: 19) { try $0.map { try Packed.people($0) } ?? [] },
            createdBy: row[7], created: row.instant(8), updated: row.instant(9), completeAfter: row.instant(10),
            status: try row.member(11), type: try row.member(12), message: row[13],
            validated: validated.map { Instant(microseconds: $0) }, attempt: row[16], isValidationOnly: row[17],
            version: row[18], interrupted: interrupted == nil ? nil : try row.member(14))
    }

    func find(_ id: JobID) throws -> Job? {
        try db.first("SELECT \(Self.columns) FROM \(Self.tables) WHERE j.id = ?", [id.blob], Self.decode)
    }

    /// The job that holds the name, which is in lower case.
    func find(named folded: String, in tenant: TenantID) throws -> Job? {
        try db.first(
            """
            SELECT \(Self.columns) FROM \(Self.tables)
            WHERE j.target_tenant = ? AND j.folded_name = ? AND j.status NOT IN ('pendingDelete', 'deleted')
            """, [tenant.blob, folded], Self.decode)
    }

    func find(_ reference: JobReference, in tenant: TenantID) throws -> Job? {
        for step in reference.steps {
            let job =
                switch step {
                case .id(let id): try find(id).flatMap { $0.targetTenant == tenant ? $0 : nil }
                case .name(let folded): try find(named: folded, in: tenant)
                }
            if let job { return job }
        }
        return nil
    }

    /// Four statements, whatever the number of people: tasks and runs are made from the list of people by SQLite.
    func insert(_ job: Job) throws {
        let folded = job.displayName.lowercased()
        if job.holdsName {
            let holder = try db.first(
                """
                SELECT 1 FROM job
                WHERE target_tenant = ? AND folded_name = ? AND status NOT IN ('pendingDelete', 'deleted')
                """, [job.targetTenant.blob, folded]
            ) { _ in true }
            if holder != nil { throw StoreError.duplicateName }
        }
        try db.run(
            """
            INSERT INTO job (id, target_tenant, source_tenant, display_name, folded_name, source_endpoint,
                delivery_domain, workloads, created_by, created, updated, complete_after, status, type, message,
                interrupted, validated, attempt, validation_only, version)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                job.id.blob, job.targetTenant.blob, job.sourceTenant.blob, job.displayName, folded,
                job.exchangeSettings?.sourceEndpoint, job.exchangeSettings?.targetDeliveryDomain,
                "," + job.workloads.map { $0.rawValue + "," }.joined(), job.createdBy, job.created.microseconds,
                job.updated.microseconds, job.completeAfter.microseconds, job.status.rawValue, job.type.rawValue,
                job.message, job.interrupted?.rawValue, job.validated?.microseconds, job.attempt, job.isValidationOnly,
                job.version,
            ])
        guard !job.people.isEmpty else { return }
        let number = db.lastInsertedRowID
        let people = Packed.blob(job.people)
        try db.run("INSERT INTO job_people (job, people) VALUES (?, ?)", [number, people])
        try db.run(
            """
            WITH RECURSIVE place (ordinal) AS (
                VALUES (0) UNION ALL SELECT ordinal + 1 FROM place WHERE ordinal + 1 < ?
            )
            INSERT INTO user_task (job, ordinal, person, updated)
            SELECT ?, ordinal, substr(?, ordinal * 16 + 1, 16), ? FROM place
            """, [job.people.count, number, people, job.updated.microseconds])
        let workloads = Set(job.workloads).map(\.rawValue).sorted()
        let rows = workloads.map { _ in "(?)" }.joined(separator: ", ")
        try db.run(
            """
            WITH chosen (workload) AS (VALUES \(rows))
            INSERT INTO run (job, ordinal, workload, status)
            SELECT t.job, t.ordinal, chosen.workload, ? FROM user_task t CROSS JOIN chosen WHERE t.job = ?
            """, StatementArguments(workloads) + [RunStatus.notStarted.rawValue, number])
    }

    /// Stores what may change of a job but for its people. Returns whether the row was there in that version.
    func update(_ job: Job) throws -> Bool {
        try db.run(
            """
            UPDATE job SET updated = ?, complete_after = ?, status = ?, type = ?, message = ?, interrupted = ?,
                validated = ?, attempt = ?, version = version + 1
            WHERE id = ? AND version = ?
            """,
            [
                job.updated.microseconds, job.completeAfter.microseconds, job.status.rawValue, job.type.rawValue,
                job.message, job.interrupted?.rawValue, job.validated?.microseconds, job.attempt, job.id.blob,
                job.version,
            ])
        return db.changesCount == 1
    }

    func setPeople(_ people: [PersonID], of job: JobID) throws {
        guard let number = try number(of: job) else { return }
        if people.isEmpty {
            try db.run("DELETE FROM job_people WHERE job = ?", [number])
        } else {
            try db.run(
                "INSERT INTO job_people (job, people) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET people = excluded.people",
                [number, Packed.blob(people)])
        }
    }

    /// Deletes tasks, runs and findings.
    func removeChildren(of job: JobID) throws {
        guard let number = try number(of: job) else { return }
        try db.run("DELETE FROM cutover WHERE job = ?", [number])
        try db.run("DELETE FROM forecast WHERE job = ?", [number])
        try db.run("DELETE FROM dry_run WHERE job = ?", [number])
        try db.run("DELETE FROM run WHERE job = ?", [number])
        try db.run("DELETE FROM user_task WHERE job = ?", [number])
        try db.run("DELETE FROM item_finding WHERE job = ?", [number])
    }

    /// Returns the jobs that are gone.
    func removeTombstones(before instant: Instant) throws -> [JobID] {
        try db.rows(
            "DELETE FROM job WHERE status = 'deleted' AND updated < ? RETURNING id", [instant.microseconds]
        ) { try $0.identifier(0) }
    }

    /// The job's number, by which its children name it; `nil` without such a job.
    func number(of job: JobID) throws -> Int64? {
        try db.first("SELECT number FROM job WHERE id = ?", [job.blob]) { $0[0] }
    }

    private static func workloads(_ text: String) throws -> [Workload] {
        try text.split(separator: ",").map { name in
            guard let workload = Workload(rawValue: String(name)) else {
                throw StoreError.unusable("the store has a workload '\(name)' that this program does not know")
            }
            return workload
        }
    }
}
