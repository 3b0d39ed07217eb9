import ArgumentParser
import GRDB

/// What creating a job is compared to: one plain durable transaction that inserts the rows the job consists of.
struct BareInsert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Take the newest job's rows out of a store and insert them again, measured.")

    @Option(help: "A store that no server has open; it is changed.") var store: String
    @Option(help: "Measured rounds.") var rounds: Int = 11

    /// Children after parents, as the foreign keys want it.
    private static let tables = ["job", "job_people", "user_task", "run"]

    func run() throws {
        let queue = try DatabaseQueue(path: store)
        let (rows, times) = try queue.inDatabase { db in
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF;
                    PRAGMA temp_store = MEMORY;
                    """)
            let newest = try Int64.fetchOne(db, sql: "SELECT max(number) FROM job") ?? 0
            var rows: Int64 = 0
            for table in Self.tables {
                try db.execute(
                    sql: "CREATE TEMP TABLE copy_\(table) AS SELECT * FROM \(table) WHERE \(Self.key(table)) = ?",
                    arguments: [newest])
                rows += try Int64.fetchOne(db, sql: "SELECT count(*) FROM copy_\(table)") ?? 0
            }
            return (rows, try (0..<rounds).map { _ in try Self.round(db, newest) })
        }
        var result = Measurement()
        result.add("rows", rows)
        if let median = times.median { result.add("seconds", seconds: median) }
        result.finish()
    }

    /// Deletes the rows, then gives the time that inserting them takes, out of memory and with one statement a table:
    /// SQLite cannot do it with less.
    private static func round(_ db: Database, _ newest: Int64) throws -> Duration {
        try db.inTransaction(.immediate) {
            for table in tables.reversed() {
                try db.execute(sql: "DELETE FROM \(table) WHERE \(key(table)) = ?", arguments: [newest])
            }
            return .commit
        }
        return try ContinuousClock().measure {
            try db.inTransaction(.immediate) {
                for table in tables { try db.execute(sql: "INSERT INTO \(table) SELECT * FROM copy_\(table)") }
                return .commit
            }
        }
    }

    private static func key(_ table: String) -> String { table == "job" ? "number" : "job" }
}

/// The price of one durable commit of one small row on this disk, the unit in which orchestration is measured.
enum BareCommit {
    static func median(in directory: String, commits: Int = 500) throws -> Duration {
        let queue = try DatabaseQueue(path: directory + "/commit.sqlite")
        return try queue.inDatabase { db in
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                    CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY, content BLOB NOT NULL);
                    """)
            let statement = try db.cachedStatement(sql: "INSERT INTO row (content) VALUES (zeroblob(200))")
            var times: [Duration] = []
            for _ in 0..<commits {
                times.append(try ContinuousClock().measure { try statement.execute() })
            }
            return times.median ?? .zero
        }
    }
}
