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
        let newest = try queue.inDatabase { db in
            try db.execute(
                sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF;")
            return try Int64.fetchOne(db, sql: "SELECT max(number) FROM job") ?? 0
        }
        var rows: [(sql: String, rows: [StatementArguments])] = []
        for table in Self.tables {
            try queue.inDatabase { db in
                let found = try Row.fetchAll(
                    db, sql: "SELECT * FROM \(table) WHERE \(Self.key(table)) = ?", arguments: [newest])
                guard let first = found.first else { return }
                let columns = Array(first.columnNames)
                let marks = columns.map { _ in "?" }.joined(separator: ", ")
                rows.append(
                    (
                        "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(marks))",
                        found.map { StatementArguments($0.databaseValues) }
                    ))
            }
        }
        var times: [Duration] = []
        for _ in 0..<rounds {
            try queue.inDatabase { db in
                try db.inTransaction(.immediate) {
                    for table in Self.tables.reversed() {
                        try db.execute(sql: "DELETE FROM \(table) WHERE \(Self.key(table)) = ?", arguments: [newest])
                    }
                    return .commit
                }
                let elapsed = try ContinuousClock().measure {
                    try db.inTransaction(.immediate) {
                        for (sql, arguments) in rows {
                            let statement = try db.cachedStatement(sql: sql)
                            for values in arguments {
                                statement.setUncheckedArguments(values)
                                try statement.execute()
                            }
                        }
                        return .commit
                    }
                }
                times.append(elapsed)
            }
        }
        var result = Measurement()
        result.add("rows", Int64(rows.reduce(0) { $0 + $1.rows.count }))
        if let median = times.median { result.add("seconds", seconds: median) }
        result.finish()
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
