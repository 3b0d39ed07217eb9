import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// Rows of `work` and the counter of lease tokens.
struct WorkTable {
    let db: Database

    /// An item can be leased from `max(due, lease_until)` on; the index on that expression serves leases and wake-ups.
    private static let ready = "max(due, lease_until)"
    private static let isKey = "job = ? AND kind = ? AND person = ? AND workload = ?"

    func enqueue(_ item: WorkItem) throws {
        try db.run(
            """
            INSERT INTO work (job, kind, person, workload, lane, due, attempts) VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (job, kind, person, workload) DO UPDATE
            SET lane = excluded.lane, due = excluded.due, attempts = excluded.attempts, again = token <> 0
            """, item.key.arguments + [item.lane.name, item.due.microseconds, item.attempts])
    }

    func remove(of job: JobID) throws {
        try db.run("DELETE FROM work WHERE job = ? AND kind <> 0", [job.blob])
    }

    func removeDryRun(of job: JobID) throws {
        try db.run("DELETE FROM work WHERE job = ? AND kind IN (3, 4)", [job.blob])
    }

    func remove(_ key: WorkKey) throws {
        try db.run("DELETE FROM work WHERE \(Self.isKey)", key.arguments)
    }

    /// Removes all work of the job but what somebody holds under `.job`, who is the one that purges.
    func purge(_ job: JobID, now: Instant) throws {
        try db.run(
            "DELETE FROM work WHERE job = ? AND (kind <> 0 OR lease_until <= ?)", [job.blob, now.microseconds])
    }

    /// Returns whether an item was moved.
    func bringForward(_ job: JobID, to instant: Instant) throws -> Bool {
        try db.run(
            "UPDATE work SET due = ? WHERE job = ? AND kind = 2 AND due > ?",
            [instant.microseconds, job.blob, instant.microseconds])
        return db.changesCount > 0
    }

    func lanes() throws -> Set<LaneID> {
        Set(try db.rows("\(Self.lanes) SELECT lane FROM lanes WHERE lane IS NOT NULL", []) { LaneID($0[0]) })
    }

    func nextDue() throws -> Instant? {
        let due: Int64?? = try db.first(
            """
            \(Self.lanes)
            SELECT min((SELECT min(\(Self.ready)) FROM work WHERE work.lane = lanes.lane))
            FROM lanes WHERE lane IS NOT NULL
            """, []
        ) { $0[0] }
        return due.flatMap { $0.map { Instant(microseconds: $0) } }
    }

    func lease(room: [LaneID: Int], limit: Int, term: Duration, now: Instant) throws -> [Lease] {
        var candidates: [(ready: Int64, item: WorkItem)] = []
        for (lane, room) in room where room > 0 && limit > 0 {
            candidates += try db.rows(
                """
                SELECT job, kind, person, workload, due, attempts, \(Self.ready) AS ready FROM work
                WHERE lane = ? AND \(Self.ready) <= ?
                ORDER BY \(Self.ready), job, kind, person, workload LIMIT ?
                """, [lane.name, now.microseconds, min(room, limit)]
            ) { row in
                (
                    row[6],
                    WorkItem(key: try WorkKey(row), lane: lane, due: row.instant(4), attempts: row[5])
                )
            }
        }
        let chosen = candidates.sorted { $0.ready < $1.ready }.prefix(limit)
        guard !chosen.isEmpty else { return [] }
        let last: Int64? = try db.first(
            "UPDATE counter SET value = value + ? WHERE name = 'lease' RETURNING value", [chosen.count]
        ) { $0[0] }
        guard let last else { throw StoreError.unusable("the store is damaged: the counter of leases is missing") }
        var token = last - Int64(chosen.count)
        return try chosen.map { candidate in
            token += 1
            let lease = Lease(item: candidate.item, token: token, expires: now + term)
            try db.run(
                "UPDATE work SET token = ?, lease_until = ?, again = 0 WHERE \(Self.isKey)",
                [token, lease.expires.microseconds] + lease.item.key.arguments)
            return lease
        }
    }

    /// Returns whether the lease was still held.
    func renew(_ lease: Lease, term: Duration, now: Instant) throws -> Bool {
        try db.run(
            "UPDATE work SET lease_until = ? WHERE \(Self.isKey) AND token = ? AND lease_until > ?",
            [(now + term).microseconds] + lease.item.key.arguments + [lease.token, now.microseconds])
        return db.changesCount == 1
    }

    /// The item of a lease that is held, as it is now, and whether it was enqueued again since.
    func held(_ lease: Lease, now: Instant) throws -> (item: WorkItem, isEnqueuedAgain: Bool) {
        let row = try db.first(
            "SELECT lane, due, attempts, again FROM work WHERE \(Self.isKey) AND token = ? AND lease_until > ?",
            lease.item.key.arguments + [lease.token, now.microseconds]
        ) { row -> (WorkItem, Bool) in
            (
                WorkItem(key: lease.item.key, lane: LaneID(row[0]), due: row.instant(1), attempts: row[2]),
                row[3]
            )
        }
        guard let row else { throw StoreError.leaseLost }
        return row
    }

    /// Takes the lease off the item and stores it so.
    func release(_ item: WorkItem) throws {
        try db.run(
            """
            UPDATE work SET lane = ?, due = ?, attempts = ?, token = 0, lease_until = 0, again = 0 WHERE \(Self.isKey)
            """, [item.lane.name, item.due.microseconds, item.attempts] + item.key.arguments)
    }

    /// The distinct lanes by one index probe each.
    private static let lanes = """
        WITH RECURSIVE lanes (lane) AS (
            SELECT min(lane) FROM work
            UNION ALL
            SELECT (SELECT min(lane) FROM work WHERE work.lane > lanes.lane) FROM lanes WHERE lane IS NOT NULL
        )
        """
}

extension WorkKey {
    /// The key columns: job, kind, person, workload.
    fileprivate var arguments: StatementArguments {
        switch self {
        case .job(let job): [job.blob, 0, Data(), ""]
        case .check(let job, let person): [job.blob, 1, person.blob, ""]
        case .run(let run): [run.job.blob, 2, run.person.blob, run.workload.rawValue]
        case .dryRun(let job): [job.blob, 3, Data(), ""]
        case .forecast(let run): [run.job.blob, 4, run.person.blob, run.workload.rawValue]
        }
    }

    fileprivate init(_ row: Row) throws {
        let job: JobID = try row.identifier(0)
        let kind: Int = row[1]
        switch kind {
        case 0: self = .job(job)
        case 1: self = .check(job, try row.identifier(2))
        case 2: self = .run(RunID(job: job, person: try row.identifier(2), workload: try row.member(3)))
        case 3: self = .dryRun(job)
        case 4: self = .forecast(RunID(job: job, person: try row.identifier(2), workload: try row.member(3)))
        default: throw StoreError.unusable("the store has work of a kind \(kind) that this program does not know")
        }
    }
}
