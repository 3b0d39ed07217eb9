import Dispatch
package import FerryCore
package import FerryStore
import GRDB

/// The embedded store: one SQLite file, one process that writes it.
///
/// Write-ahead log with a full sync per commit, one serial writer that carries concurrent callers in one commit, a few
/// connections that read, jobs that are read again and again in memory.
package final class SQLiteStore: Store {
    /// How much the store may use.
    package struct Settings: Sendable {
        /// Connections that read, each with a thread while it is busy. At least 1.
        package var readers = 4
        /// Callers that share a commit, at most.
        package var maximumBatch = 256
        /// Jobs kept in memory; a job of 2,000 people takes 32 kB.
        package var cachedJobs = 512
        /// Pages of 4 KiB to which the file may grow; `nil`: as far as the disk has room.
        package var maximumPages: Int?

        package init() {}
    }

    /// What an opened store may do.
    package enum Access: Sendable, Hashable {
        /// The only writer: holds the lock file until it is closed.
        case exclusive
        /// Beside a writer or without one; takes no lock. `transact` throws.
        case readOnly
    }

    private let file: StoreFile
    private let clock: @Sendable () -> Instant
    private let pool: ReaderPool
    private let cache: JobCache?
    private let signals: WorkSignals
    /// `nil` for a store that only reads.
    private let commits: CommitQueue?
    private let lock: FileLock?
    package let reader: any StoreReader

    private init(
        file: StoreFile, clock: @escaping @Sendable () -> Instant, writer: DatabaseQueue?, readers: [DatabaseQueue],
        lock: FileLock?
    ) {
        self.file = file
        self.clock = clock
        self.lock = lock
        pool = ReaderPool(readers)
        signals = WorkSignals()
        cache = writer == nil ? nil : JobCache(capacity: file.settings.cachedJobs)
        reader = SQLiteReader(pool: pool, cache: cache)
        if let writer, let cache {
            commits = CommitQueue(
                writer, cache: cache, signals: signals, maximumBatch: file.settings.maximumBatch, clock: clock)
        } else {
            commits = nil
        }
    }

    /// Opens the store in the file, which is made if it is not there; its directory is not.
    ///
    /// Throws `.unavailable` when another process has it open (the text names the lock file) or the file cannot be
    /// written, `.unusable` when it is not a store, is damaged, has a newer schema, or cannot be written durably.
    package static func open(
        path: String, access: Access = .exclusive, settings: Settings = Settings(),
        now: @escaping @Sendable () -> Instant
    ) async throws(StoreError) -> SQLiteStore {
        let file = StoreFile(path: path, settings: settings)
        let opener = DispatchQueue(label: "ferry.store.open")
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<SQLiteStore, StoreError>, Never>) in
            opener.async {
                continuation.resume(
                    returning: Result { () throws(StoreError) -> SQLiteStore in
                        let lock = access == .exclusive ? try FileLock(path: path + ".lock") : nil
                        let writer = access == .exclusive ? try file.openWriter() : nil
                        var readers: [DatabaseQueue] = []
                        for _ in 0..<max(1, settings.readers) { readers.append(try file.openReader()) }
                        return SQLiteStore(file: file, clock: now, writer: writer, readers: readers, lock: lock)
                    })
            }
        }
        return try result.get()
    }

    package var now: Instant { clock() }

    package func transact<R: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        guard let commits else { throw .unusable("\(file.path): the store was opened for reading only") }
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<R, StoreError>, Never>) in
            commits.add(
                CommitQueue.Member(
                    run: { (transaction) throws(StoreError) in
                        let value = try body(transaction)
                        return { continuation.resume(returning: .success(value)) }
                    },
                    fail: { continuation.resume(returning: .failure($0)) }))
        }
        return try result.get()
    }

    package func workChanges() -> AsyncStream<Void> { signals.makeStream() }

    package func close() async {
        // The writer last: only it can move the log into the file, and with that leave one file behind.
        await pool.close()
        await commits?.close()
        cache?.close()
        signals.finish()
        lock?.release()
    }
}
