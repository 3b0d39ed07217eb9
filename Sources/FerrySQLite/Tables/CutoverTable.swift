import FerryCore
import FerryStore
import GRDB

/// Rows of `cutover`.
struct CutoverTable {
    let db: Database

    func find(_ run: RunID) throws -> CutoverJournal? {
        try db.first(
            """
            SELECT c.step, c.began, c.hold, c.undoing FROM job j
            JOIN user_task t ON t.job = j.number AND t.person = ?
            JOIN cutover c ON c.job = t.job AND c.ordinal = t.ordinal AND c.workload = ?
            WHERE j.id = ?
            """, [run.person.blob, run.workload.rawValue, run.job.blob]
        ) { row in
            CutoverJournal(
                step: try row.member(0), began: row.instant(1), hold: row.hasNull(atIndex: 2) ? nil : try row.member(2),
                isUndoing: row[3])
        }
    }

    /// `nil` removes the journal.
    func set(_ journal: CutoverJournal?, of run: RunID) throws {
        guard let journal else {
            return try db.run(
                """
                DELETE FROM cutover WHERE (job, ordinal) = (
                    SELECT t.job, t.ordinal FROM job j JOIN user_task t ON t.job = j.number AND t.person = ? WHERE j.id = ?
                ) AND workload = ?
                """, [run.person.blob, run.job.blob, run.workload.rawValue])
        }
        try db.run(
            """
            INSERT INTO cutover (job, ordinal, workload, step, began, hold, undoing)
            SELECT t.job, t.ordinal, ?, ?, ?, ?, ? FROM job j JOIN user_task t ON t.job = j.number AND t.person = ?
            WHERE j.id = ?
            ON CONFLICT (job, ordinal, workload) DO UPDATE SET step = excluded.step, began = excluded.began,
                hold = excluded.hold, undoing = excluded.undoing
            """,
            [
                run.workload.rawValue, journal.step.rawValue, journal.began.microseconds, journal.hold?.rawValue,
                journal.isUndoing, run.person.blob, run.job.blob,
            ])
    }
}
