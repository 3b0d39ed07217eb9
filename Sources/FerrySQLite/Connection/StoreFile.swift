import FerryStore
import GRDB
import Glibc

/// The database file: how its connections are opened and what is asserted of them.
struct StoreFile {
    let path: String
    let settings: SQLiteStore.Settings

    /// Opens the one connection that writes, creating and migrating the file as needed.
    ///
    /// GRDB is told nothing of journal modes: left to itself it sets `synchronous` back to NORMAL after its own
    /// preparation, and with that a power loss takes acknowledged commits. So both pragmas are ours, and both are read
    /// back.
    func openWriter() throws(StoreError) -> DatabaseQueue {
        try naming {
            var configuration = makeConfiguration()
            // A rollback that fails leaves a transaction open, which is for us to report and not a reason to trap.
            configuration.allowsUnsafeTransactions = true
            makePrivate()
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inDatabase { db in
                let migrator = Migrator(migrations: Migration.all)
                _ = try migrator.inspect(db)
                try db.execute(
                    sql: """
                        PRAGMA journal_mode = WAL;
                        PRAGMA synchronous = FULL;
                        PRAGMA secure_delete = OFF;
                        PRAGMA temp_store = MEMORY;
                        PRAGMA journal_size_limit = 67108864;
                        PRAGMA cache_size = -2048;
                        """)
                if let pages = settings.maximumPages { try db.execute(sql: "PRAGMA max_page_count = \(pages)") }
                try assertDurable(db)
                try migrator.migrate(db)
                // The lock says that whoever held leases is gone: nobody has to wait until they run out, which a clock that
                // was set back could make long.
                try db.execute(sql: "UPDATE work SET token = 0, lease_until = 0, again = 0 WHERE token <> 0")
            }
            try synchronizeDirectory()
            return queue
        }
    }

    /// Makes the file, if it is not there, so that nobody but its owner reads who moves where. What SQLite puts beside it
    /// gets the same mode. Where this fails, so does the opening, which says why.
    private func makePrivate() {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Opens a connection that only reads. The file exists and is migrated, else it throws.
    func openReader() throws(StoreError) -> DatabaseQueue {
        try naming {
            var configuration = makeConfiguration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inDatabase { db in
                let migrator = Migrator(migrations: Migration.all)
                guard try !migrator.inspect(db), try migrator.pending(in: db).isEmpty else {
                    throw StoreError.unusable("its schema is older than this program; start the server once")
                }
                try db.execute(sql: "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048")
            }
            return queue
        }
    }

    private func makeConfiguration() -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        return configuration
    }

    private func assertDurable(_ db: Database) throws {
        let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode") ?? ""
        let synchronous = try Int.fetchOne(db, sql: "PRAGMA synchronous") ?? -1
        let foreignKeys = try Int.fetchOne(db, sql: "PRAGMA foreign_keys") ?? 0
        guard journal == "wal", synchronous == 2, foreignKeys == 1 else {
            throw StoreError.unusable(
                "it cannot be written durably (journal_mode \(journal), synchronous \(synchronous), foreign_keys"
                    + " \(foreignKeys)); the file must be on a local file system and SQLite an ordinary build")
        }
    }

    /// SQLite makes the contents durable, but the name of a file that was just created is the directory's content.
    private func synchronizeDirectory() throws {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError.unavailable("cannot open the directory \(directory)") }
        defer { _ = Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError.unavailable("cannot sync the directory \(directory)") }
    }

    /// Puts the file's name in front of what went wrong.
    private func naming<R>(_ body: () throws -> R) throws(StoreError) -> R {
        do {
            return try body()
        } catch {
            switch StoreError(translating: error) {
            case .unavailable(let text): throw .unavailable("\(path): \(text)")
            case .unusable(let text): throw .unusable("\(path): \(text)")
            case let other: throw other
            }
        }
    }
}
