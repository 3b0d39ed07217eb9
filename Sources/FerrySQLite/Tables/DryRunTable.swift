import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// Rows of `dry_run` and `forecast`.
struct DryRunTable {
    let db: Database

    /// Jobs whose runs tell how fast data move between two tenants: the newest ones.
    private static let measuredJobs = 50

    func find(_ job: JobID) throws -> DryRun? {
        try db.first(
            """
            SELECT d.state, d.began, d.ended, d.expected, d.done FROM job j JOIN dry_run d ON d.job = j.number WHERE j.id = ?
            """, [job.blob]
        ) { row in
            let ended: Int64? = row[2]
            return DryRun(
                state: try row.member(0), began: row.instant(1), ended: ended.map { Instant(microseconds: $0) },
                expected: row[3], done: row[4])
        }
    }

    func set(_ dryRun: DryRun, of job: JobID) throws {
        try db.run(
            """
            INSERT INTO dry_run (job, state, began, ended, expected, done) SELECT number, ?, ?, ?, ?, ? FROM job WHERE id = ?
            ON CONFLICT (job) DO UPDATE SET state = excluded.state, began = excluded.began, ended = excluded.ended,
                expected = excluded.expected, done = excluded.done
            """,
            [
                dryRun.state.rawValue, dryRun.began.microseconds, dryRun.ended?.microseconds, dryRun.expected,
                dryRun.done,
                job.blob,
            ])
    }

    func removeForecasts(of job: JobID) throws {
        try db.run("DELETE FROM forecast WHERE job = (SELECT number FROM job WHERE id = ?)", [job.blob])
    }

    /// Returns whether there was none before.
    func set(_ forecast: Forecast, of run: RunID) throws -> Bool {
        let isNew = try self.forecast(of: run) == nil
        let content = String(decoding: try JSONEncoder().encode(forecast), as: UTF8.self)
        try db.run(
            """
            INSERT INTO forecast (job, ordinal, workload, content)
            SELECT t.job, t.ordinal, ?, ? FROM job j JOIN user_task t ON t.job = j.number AND t.person = ? WHERE j.id = ?
            ON CONFLICT (job, ordinal, workload) DO UPDATE SET content = excluded.content
            """, [run.workload.rawValue, content, run.person.blob, run.job.blob])
        return isNew
    }

    func forecast(of run: RunID) throws -> Forecast? {
        try db.first(
            """
            SELECT f.content FROM job j JOIN user_task t ON t.job = j.number AND t.person = ?
            JOIN forecast f ON f.job = t.job AND f.ordinal = t.ordinal AND f.workload = ? WHERE j.id = ?
            """, [run.person.blob, run.workload.rawValue, run.job.blob]
        ) { try Self.decode($0[0]) }
    }

    /// Those of `limit` people from the ordinal on.
    func forecasts(of job: JobID, from ordinal: Int, limit: Int) throws -> [RunForecast] {
        try db.rows(
            """
            SELECT t.person, f.workload, f.content FROM job j JOIN user_task t ON t.job = j.number
            JOIN forecast f ON f.job = t.job AND f.ordinal = t.ordinal
            WHERE j.id = ? AND t.ordinal >= ? AND t.ordinal < ? ORDER BY t.ordinal, f.workload
            """, [job.blob, ordinal, ordinal + limit]
        ) { row in
            RunForecast(
                run: RunID(job: job, person: try row.identifier(0), workload: try row.member(1)),
                forecast: try Self.decode(row[2]))
        }
    }

    func measured(from source: TenantID, to target: TenantID) throws -> [Workload: MeasuredRuns] {
        let rows = try db.rows(
            """
            SELECT r.workload, count(*), sum(r.items), sum(r.bytes), sum(r.active_microseconds) FROM (
                SELECT number FROM job WHERE target_tenant = ? AND source_tenant = ? AND status <> 'deleted'
                ORDER BY created DESC LIMIT ?
            ) j JOIN run r ON r.job = j.number WHERE r.passes > 0 AND r.items > 0 GROUP BY r.workload
            """, [target.blob, source.blob, Self.measuredJobs]
        ) { row -> (Workload, MeasuredRuns) in
            var progress = RunProgress()
            (progress.items, progress.bytes, progress.activeMicroseconds) = (row[2], row[3], row[4])
            return (try row.member(0), MeasuredRuns(runs: row[1], progress: progress))
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    private static func decode(_ text: String) throws -> Forecast {
        guard let forecast = try? JSONDecoder().decode(Forecast.self, from: Data(text.utf8)) else {
            throw StoreError.unusable("a forecast in the store is not readable; make another dry run")
        }
        return forecast
    }
}
