import Dispatch
import FerryStore
import GRDB
import Synchronization

/// A few connections that read, each with a serial queue of its own.
///
/// GRDB's blocking calls run on these queues only, one caller per connection, so nothing ever waits for a connection
/// while it holds a thread of the cooperative pool, and no caller can meet GRDB's own asynchronous readers.
final class ReaderPool: Sendable {
    private struct Reader: Sendable {
        let database: DatabaseQueue
        let queue: DispatchQueue
    }

    private struct State {
        /// Reads that wait or run, per connection.
        var load: [Int]
        var isClosed = false
    }

    private let readers: [Reader]
    private let state: Mutex<State>

    init(_ databases: [DatabaseQueue]) {
        readers = databases.enumerated().map { index, database in
            Reader(database: database, queue: DispatchQueue(label: "ferry.store.reader.\(index)"))
        }
        state = Mutex(State(load: databases.map { _ in 0 }))
    }

    /// Runs `body` on the connection with the shortest queue, in one state of the database.
    func read<R: Sendable>(_ body: @escaping @Sendable (Database) throws -> R) async throws(StoreError) -> R {
        let chosen = state.withLock { state -> Int? in
            guard !state.isClosed, let least = state.load.indices.min(by: { state.load[$0] < state.load[$1] }) else {
                return nil
            }
            state.load[least] += 1
            return least
        }
        guard let chosen else { throw .closed }
        let reader = readers[chosen]
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<R, StoreError>, Never>) in
            reader.queue.async {
                let result = Result { () throws(StoreError) -> R in
                    try translating { try reader.database.read(body) }
                }
                self.state.withLock { $0.load[chosen] -= 1 }
                continuation.resume(returning: result)
            }
        }
        return try result.get()
    }

    /// Waits for the reads that were accepted, then closes the connections.
    func close() async {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        if wasClosed { return }
        for reader in readers {
            await withCheckedContinuation { continuation in
                reader.queue.async {
                    // Nothing is lost when it fails: the kernel closes the file with the process.
                    try? reader.database.close()
                    continuation.resume()
                }
            }
        }
    }
}
