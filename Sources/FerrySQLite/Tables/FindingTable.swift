import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// Rows of `item_finding`.
struct FindingTable {
    let db: Database

    func add(_ finding: ItemFinding) throws {
        try db.run(
            """
            INSERT INTO item_finding (job, person, workload, container, item, outcome, code, message, at)
            SELECT number, ?, ?, ?, ?, ?, ?, ?, ? FROM job WHERE id = ?
            """,
            [
                finding.run.person.blob, finding.run.workload.rawValue, finding.container.text, finding.item,
                Int64(finding.outcome.rawValue), finding.code.rawValue, finding.message, finding.at.microseconds,
                finding.run.job.blob,
            ])
    }

    func remove(of run: RunID) throws {
        try db.run(
            """
            DELETE FROM item_finding
            WHERE job = (SELECT number FROM job WHERE id = ?) AND person = ? AND workload = ? AND outcome <> ?
            """,
            [run.job.blob, run.person.blob, run.workload.rawValue, Int64(ItemOutcome.copied.rawValue)])
    }

    func counts(of run: RunID) throws -> [FindingCount] {
        try db.rows(
            """
            SELECT outcome, code, count(*),
                sum(item IN ('INBOX', 'Sent', 'Sent Items', 'Sent Messages') AND container = 'mail/' || item)
            FROM item_finding
            WHERE job = (SELECT number FROM job WHERE id = ?) AND person = ? AND workload = ? GROUP BY outcome, code
            """, [run.job.blob, run.person.blob, run.workload.rawValue]
        ) { row in
            FindingCount(
                outcome: try Self.outcome(row[0]), code: try row.member(1), count: row[2], systemFolders: row[3])
        }
    }

    private static func outcome(_ value: UInt8) throws -> ItemOutcome {
        guard let outcome = ItemOutcome(rawValue: value) else {
            throw StoreError.unusable("the store has an outcome \(value) that this program does not know")
        }
        return outcome
    }

    func page(of job: JobID, after sequence: Int64, limit: Int) throws -> [ItemFinding] {
        try db.rows(
            """
            SELECT sequence, person, workload, container, item, outcome, code, message, at FROM item_finding
            WHERE job = (SELECT number FROM job WHERE id = ?) AND sequence > ? ORDER BY sequence LIMIT ?
            """, [job.blob, sequence, max(0, limit)]
        ) { row in
            ItemFinding(
                sequence: row[0], run: RunID(job: job, person: try row.identifier(1), workload: try row.member(2)),
                container: ContainerID(row[3]), item: row[4], outcome: try Self.outcome(row[5]),
                code: try row.member(6),
                message: row[7], at: row.instant(8))
        }
    }
}
