import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// Rows of `user_task` and `run`.
struct TaskTable {
    let db: Database

    /// What `read` needs of a task, in its order; `user_task` is called `t`.
    static let columns = "t.job, t.ordinal, t.person, t.updated"

    /// A task as its row has it; the runs come with `read`.
    struct Stub {
        let number: Int64
        let ordinal: Int
        let person: PersonID
        let updated: Instant

        init(_ row: Row) throws {
            number = row[0]
            ordinal = row[1]
            person = try row.identifier(2)
            updated = row.instant(3)
        }
    }

    func read(_ stub: Stub, of job: JobID) throws -> UserTask {
        let runs = try db.rows(
            """
            SELECT workload, status, message, findings, items, bytes, items_expected, bytes_expected, skipped, failed,
                passes, active_microseconds, frozen_microseconds, grade, lost, approved
            FROM run WHERE job = ? AND ordinal = ?
            """, [stub.number, stub.ordinal]
        ) { row in
            WorkloadRun(
                id: RunID(job: job, person: stub.person, workload: try row.member(0)), status: try row.member(1),
                message: row[2], findings: try FindingList.decode(row[3]), progress: Self.progress(row, from: 4),
                verdict: row.hasNull(atIndex: 13)
                    ? nil : ConsistencyVerdict(grade: try row.member(13), lost: row[14]), approved: row[15])
        }
        return UserTask(
            job: job, person: stub.person, ordinal: stub.ordinal, updated: stub.updated,
            runs: runs.sorted { $0.id.workload < $1.id.workload })
    }

    func find(_ job: JobID, _ person: PersonID) throws -> UserTask? {
        let stub = try db.first(
            "SELECT \(Self.columns) FROM job j JOIN user_task t ON t.job = j.number AND t.person = ? WHERE j.id = ?",
            [person.blob, job.blob], Stub.init)
        return try stub.map { try read($0, of: job) }
    }

    func page(_ job: JobID, from ordinal: Int, limit: Int) throws -> [UserTask] {
        try db.rows(
            """
            SELECT \(Self.columns) FROM job j JOIN user_task t ON t.job = j.number
            WHERE j.id = ? AND t.ordinal >= ? ORDER BY t.ordinal LIMIT ?
            """, [job.blob, ordinal, max(0, limit)], Stub.init
        ).map { try read($0, of: job) }
    }

    /// Returns whether there is such a task.
    func save(_ task: UserTask) throws -> Bool {
        guard let stored = try find(task.job, task.person), let number = try JobTable(db: db).number(of: task.job)
        else {
            return false
        }
        for run in task.runs where stored[run.id.workload] != run {
            let progress = run.progress
            try db.run(
                """
                UPDATE run SET status = ?, message = ?, findings = ?, items = ?, bytes = ?, items_expected = ?,
                    bytes_expected = ?, skipped = ?, failed = ?, passes = ?, active_microseconds = ?,
                    frozen_microseconds = ?, grade = ?, lost = ?, approved = ?
                WHERE job = ? AND ordinal = ? AND workload = ?
                """,
                [run.status.rawValue, run.message, try FindingList.encode(run.findings)] + Self.arguments(progress)
                    + [run.verdict?.grade.rawValue, run.verdict?.lost ?? 0, run.approved]
                    + [number, stored.ordinal, run.id.workload.rawValue])
        }
        try db.run(
            "UPDATE user_task SET updated = ? WHERE job = ? AND ordinal = ?",
            [task.updated.microseconds, number, stored.ordinal])
        return true
    }

    func setProgress(_ progress: RunProgress, of run: RunID) throws {
        try db.run(
            """
            UPDATE run SET items = ?, bytes = ?, items_expected = ?, bytes_expected = ?, skipped = ?, failed = ?,
                passes = ?, active_microseconds = ?, frozen_microseconds = ?
            WHERE (job, ordinal) = (
                SELECT t.job, t.ordinal FROM job j JOIN user_task t ON t.job = j.number AND t.person = ? WHERE j.id = ?
            ) AND workload = ?
            """, Self.arguments(progress) + [run.person.blob, run.job.blob, run.workload.rawValue])
    }

    /// Returns how many runs changed.
    func setRuns(
        of job: JobID, in states: Set<RunStatus>, to status: RunStatus, message: String, at: Instant
    ) throws -> Int {
        guard !states.isEmpty, let number = try JobTable(db: db).number(of: job) else { return 0 }
        let names = Self.names(states)
        let marks = SQLText.marks(names.count)
        try db.run(
            """
            UPDATE user_task SET updated = ? WHERE job = ? AND ordinal IN (
                SELECT ordinal FROM run WHERE job = ? AND status IN (\(marks))
            )
            """, [at.microseconds, number, number] + StatementArguments(names))
        try db.run(
            "UPDATE run SET status = ?, message = ?, findings = '', grade = NULL, lost = 0 WHERE job = ? AND status IN (\(marks))",
            [status.rawValue, message, number] + StatementArguments(names))
        return db.changesCount
    }

    func hasRun(of job: JobID, in states: Set<RunStatus>) throws -> Bool {
        guard !states.isEmpty else { return false }
        let names = Self.names(states)
        return try db.first(
            """
            SELECT EXISTS (
                SELECT 1 FROM run WHERE job = (SELECT number FROM job WHERE id = ?)
                    AND status IN (\(SQLText.marks(names.count)))
            )
            """, [job.blob] + StatementArguments(names)
        ) { $0[0] } ?? false
    }

    func tally(_ job: JobID) throws -> RunTally {
        var tally = RunTally(counts: [:], people: 0, peopleCompleted: 0, peopleCancelled: 0, peopleFailed: 0)
        guard let number = try JobTable(db: db).number(of: job) else { return tally }
        let groups = try db.rows(
            "SELECT workload, status, count(*) FROM run WHERE job = ? GROUP BY workload, status", [number]
        ) { row -> (RunTally.Group, Int) in
            (RunTally.Group(workload: try row.member(0), status: try row.member(1)), row[2])
        }
        for (group, count) in groups { tally.counts[group] = count }
        let failures = Self.names(Set(RunStatus.allCases.filter(\.isFailure)))
        let people = try db.first(
            """
            SELECT count(*), coalesce(sum(completed = runs), 0),
                coalesce(sum(cancelled > 0 AND cancelled + completed = runs), 0), coalesce(sum(failed > 0), 0)
            FROM (
                SELECT count(*) AS runs, sum(status = 'completed') AS completed, sum(status = 'cancelled') AS cancelled,
                    sum(status IN (\(SQLText.marks(failures.count)))) AS failed
                FROM run WHERE job = ? GROUP BY ordinal
            )
            """, StatementArguments(failures) + [number]
        ) { row -> (Int, Int, Int, Int) in (row[0], row[1], row[2], row[3]) }
        if let people {
            (tally.people, tally.peopleCompleted, tally.peopleCancelled, tally.peopleFailed) = people
        }
        return tally
    }

    /// Progress summed per workload, by the rules of `RunProgress.+`.
    func progress(of job: JobID) throws -> [Workload: RunProgress] {
        let sums = try db.rows(
            """
            SELECT workload, sum(items), sum(bytes),
                CASE WHEN count(items_expected) = count(*) THEN sum(items_expected) END,
                CASE WHEN count(bytes_expected) = count(*) THEN sum(bytes_expected) END,
                sum(skipped), sum(failed), max(passes), sum(active_microseconds), max(frozen_microseconds)
            FROM run WHERE job = (SELECT number FROM job WHERE id = ?) GROUP BY workload
            """, [job.blob]
        ) { row -> (Workload, RunProgress) in (try row.member(0), Self.progress(row, from: 1)) }
        return Dictionary(sums, uniquingKeysWith: { first, _ in first })
    }

    /// How many runs of each workload have which grade; those without one are left out.
    func grades(of job: JobID) throws -> [Workload: [ConsistencyGrade: Int]] {
        let rows = try db.rows(
            """
            SELECT workload, grade, count(*) FROM run
            WHERE job = (SELECT number FROM job WHERE id = ?) AND grade IS NOT NULL GROUP BY workload, grade
            """, [job.blob]
        ) { row -> (Workload, ConsistencyGrade, Int) in (try row.member(0), try row.member(1), row[2]) }
        var grades: [Workload: [ConsistencyGrade: Int]] = [:]
        for (workload, grade, count) in rows { grades[workload, default: [:]][grade] = count }
        return grades
    }

    /// People with a run that waits for an approval.
    func held(of job: JobID) throws -> Int {
        try db.first(
            """
            SELECT count(DISTINCT ordinal) FROM run INDEXED BY run_held
            WHERE job = (SELECT number FROM job WHERE id = ?) AND grade = 'investigate' AND lost > approved
                AND (status = 'finalizing' OR status = 'inProgress' AND workload <> 'mailbox')
            """, [job.blob]
        ) { $0[0] } ?? 0
    }

    /// Names of the other active jobs into the tenant in which some run of the person is neither cancelled nor failed.
    func activeJobs(with person: PersonID, in tenant: TenantID, besides job: JobID) throws -> [String] {
        let active = JobStatus.allCases.filter(\.isActive).map(\.rawValue)
        return try db.rows(
            """
            SELECT j.display_name FROM user_task t JOIN job j ON j.number = t.job
            WHERE t.person = ? AND j.target_tenant = ? AND j.id <> ? AND j.validation_only = 0
                AND j.status IN (\(SQLText.marks(active.count)))
                AND EXISTS (
                    SELECT 1 FROM run r
                    WHERE r.job = t.job AND r.ordinal = t.ordinal AND r.status NOT IN ('cancelled', 'failed')
                )
            ORDER BY j.folded_name
            """, [person.blob, tenant.blob, job.blob] + StatementArguments(active)
        ) { $0[0] }
    }

    private static func names(_ states: Set<RunStatus>) -> [String] { states.map(\.rawValue).sorted() }

    /// In the order of the columns.
    private static func arguments(_ progress: RunProgress) -> StatementArguments {
        [
            progress.items, progress.bytes, progress.itemsExpected, progress.bytesExpected, progress.skipped,
            progress.failed, progress.passes, progress.activeMicroseconds, progress.frozenMicroseconds,
        ]
    }

    private static func progress(_ row: Row, from index: Int) -> RunProgress {
        var progress = RunProgress()
        progress.items = row[index]
        progress.bytes = row[index + 1]
        progress.itemsExpected = row[index + 2]
        progress.bytesExpected = row[index + 3]
        progress.skipped = row[index + 4]
        progress.failed = row[index + 5]
        progress.passes = row[index + 6]
        progress.activeMicroseconds = row[index + 7]
        progress.frozenMicroseconds = row[index + 8]
        return progress
    }
}
