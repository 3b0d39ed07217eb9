import Dispatch
import FerryCore
import FerryStore
import GRDB
import Synchronization

/// The one writer: callers queue up, and whoever waits when a commit ends shares the next one.
///
/// A commit costs a sync of the disk whatever it carries, so concurrent callers are carried together. On the happy path
/// a batch is one plain transaction. When a member refuses, all is rolled back and the batch runs again with a savepoint
/// per member; when the database fails, each member runs again in a transaction of its own, so that one that is too big
/// for the disk does not take the others along.
///
/// Everything runs on a serial queue of its own, never on a thread of the cooperative pool.
final class CommitQueue: Sendable {
    /// One caller's closure and what to tell the caller.
    struct Member: Sendable {
        /// Runs the closure; what it returns tells the caller the result, and is called once that is durable.
        var run: @Sendable (SQLiteTransaction) throws(StoreError) -> @Sendable () -> Void
        var fail: @Sendable (StoreError) -> Void
    }

    private struct State {
        var waiting: [Member] = []
        var isDraining = false
        var isClosed = false
    }

    private let database: DatabaseQueue
    private let cache: JobCache
    private let signals: WorkSignals
    private let clock: @Sendable () -> Instant
    private let maximumBatch: Int
    private let queue = DispatchQueue(label: "ferry.store.writer")
    private let state = Mutex(State())

    init(
        _ database: DatabaseQueue, cache: JobCache, signals: WorkSignals, maximumBatch: Int,
        clock: @escaping @Sendable () -> Instant
    ) {
        self.database = database
        self.cache = cache
        self.signals = signals
        self.maximumBatch = max(1, maximumBatch)
        self.clock = clock
    }

    func add(_ member: Member) {
        enum Next { case wait, drain, refuse }
        let next = state.withLock { state -> Next in
            if state.isClosed { return .refuse }
            state.waiting.append(member)
            if state.isDraining { return .wait }
            state.isDraining = true
            return .drain
        }
        switch next {
        case .wait: break
        case .drain: queue.async { self.drain() }
        case .refuse: member.fail(.closed)
        }
    }

    /// Waits for the members that were accepted, then closes the connection.
    func close() async {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        if wasClosed { return }
        await withCheckedContinuation { continuation in
            // Behind the drain that is running, if one is, and that one ends with an empty queue.
            queue.async {
                // Committed data are safe without it: the next start reads the write-ahead log.
                try? self.database.close()
                continuation.resume()
            }
        }
    }

    private func drain() {
        while true {
            let batch = state.withLock { state -> [Member] in
                let batch = Array(state.waiting.prefix(maximumBatch))
                state.waiting.removeFirst(batch.count)
                if batch.isEmpty { state.isDraining = false }
                return batch
            }
            if batch.isEmpty { return }
            database.inDatabase { commit(batch, in: $0) }
        }
    }

    private func commit(_ batch: [Member], in db: Database) {
        if batch.count > 1 {
            do {
                if try commitTogether(batch, isolating: false, in: db) { return }
                if try commitTogether(batch, isolating: true, in: db) { return }
            } catch {
                for member in batch { member.fail(error) }
                return
            }
        }
        for member in batch {
            do {
                if try !commitTogether([member], isolating: true, in: db) {
                    preconditionFailure("A single member is either committed or failed.")
                }
            } catch {
                member.fail(error)
            }
        }
    }

    /// Runs the members in one transaction and tells them their results after its commit.
    ///
    /// With `isolating` a member that refuses is undone and told so, and the others go on.
    /// Returns false, with nothing stored and nobody told, when the members have to run in another way.
    /// Throws when nothing was stored and that is final: the commit failed, or the only member did.
    private func commitTogether(_ members: [Member], isolating: Bool, in db: Database) throws(StoreError) -> Bool {
        try translating { try db.beginTransaction(.immediate) }
        let transaction = SQLiteTransaction(db, cache: cache, clock: clock)
        var answers: [@Sendable () -> Void] = []
        answers.reserveCapacity(members.count)
        // A member that is alone needs no savepoint: its refusal ends the transaction.
        let hasSavepoints = isolating && members.count > 1
        for member in members {
            let before = transaction.effects
            do throws(StoreError) {
                if hasSavepoints { try translating { try db.execute(sql: "SAVEPOINT member") } }
                answers.append(try transaction.run(member.run))
                if hasSavepoints { try translating { try db.execute(sql: "RELEASE member") } }
            } catch {
                guard hasSavepoints, error.isRefusal, transaction.failure == nil else {
                    rollBack(db)
                    if members.count == 1 { throw error }
                    return false
                }
                do {
                    try db.execute(sql: "ROLLBACK TO member; RELEASE member")
                } catch {
                    rollBack(db)
                    return false
                }
                transaction.effects = before
                answers.append { member.fail(error) }
            }
        }
        try end(transaction, in: db)
        for answer in answers { answer() }
        return true
    }

    private func end(_ transaction: SQLiteTransaction, in db: Database) throws(StoreError) {
        let effects = transaction.effects
        if !effects.jobs.isEmpty { cache.beginChange(of: effects.jobs.keys) }
        do {
            try db.commit()
        } catch {
            rollBack(db)
            if !effects.jobs.isEmpty { cache.endChange(EmptyCollection()) }
            throw StoreError(translating: error)
        }
        if !effects.jobs.isEmpty { cache.endChange(effects.jobs.values.lazy.compactMap { $0 }) }
        if effects.movedWork { signals.signal() }
    }

    /// SQLite ends the transaction by itself after some errors. Where it did not and this fails too, the next begin
    /// fails and says so to its callers.
    private func rollBack(_ db: Database) {
        if db.isInsideTransaction { try? db.rollback() }
    }
}
