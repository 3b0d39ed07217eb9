import FerryStore
import GRDB

/// Brings a database file to the newest schema, forward only, and says what the file is.
struct Migrator {
    /// Marks a file as a store of Ferry's (`PRAGMA application_id`): "Ferr" in ASCII.
    static let applicationID = 0x4665_7272

    let migrations: [Migration]

    /// Refuses a file that is another program's database.
    /// Returns whether it is empty.
    func inspect(_ db: Database) throws -> Bool {
        let id = try Int.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        if id == 0, tables == 0 { return true }
        guard id == Self.applicationID else {
            throw StoreError.unusable("this is a database of another program; name another file as the store")
        }
        return false
    }

    /// Carries out what is missing, all of it or nothing. The caller knows that the file is empty or ours.
    func migrate(_ db: Database) throws {
        if try pending(in: db).isEmpty { return }
        try db.inTransaction(.immediate) {
            try db.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS schema_migration (
                        number INTEGER PRIMARY KEY,
                        name TEXT NOT NULL,
                        checksum TEXT NOT NULL
                    ) STRICT
                    """)
            for migration in try pending(in: db) {
                try db.execute(sql: migration.sql)
                try db.execute(
                    sql: "INSERT INTO schema_migration (number, name, checksum) VALUES (?, ?, ?)",
                    arguments: [migration.number, migration.name, migration.checksum])
            }
            try db.execute(sql: "PRAGMA application_id = \(Self.applicationID)")
            return .commit
        }
    }

    /// Migrations that the file lacks. Throws `.unusable` for a newer schema or a changed migration.
    func pending(in db: Database) throws -> [Migration] {
        guard try db.tableExists("schema_migration") else { return migrations }
        let rows = try Row.fetchAll(db, sql: "SELECT number, checksum FROM schema_migration ORDER BY number")
        let applied = Dictionary(
            rows.map { row -> (Int, String) in (row[0], row[1]) }, uniquingKeysWith: { first, _ in first })
        let known = migrations.last?.number ?? 0
        if let newest = applied.keys.max(), newest > known {
            throw StoreError.unusable(
                "its schema has number \(newest), this program knows up to \(known): a newer version of"
                    + " Ferry wrote it; start that version, or restore a backup of before the upgrade")
        }
        for migration in migrations {
            guard let checksum = applied[migration.number], checksum != migration.checksum else { continue }
            throw StoreError.unusable(
                "migration \(migration.number) (\(migration.name)) was applied to it with another text than this"
                    + " program has: the program is not a release; use a released version")
        }
        return migrations.filter { applied[$0.number] == nil }
    }
}
