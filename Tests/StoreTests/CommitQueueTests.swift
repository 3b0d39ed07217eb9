import Dispatch
import FerryCore
import FerryStore
import FerryTestKit
import GRDB
import Synchronization
import Testing

@testable import FerrySQLite

@Suite("Callers who wait for the writer") struct CommitQueueTests {
    /// In which transactions a caller's closure was run, in order, and how it ended.
    private struct Trace {
        var transactions: [ObjectIdentifier] = []
        var error: StoreError?
        var isDone = false
    }

    /// Inserts a job; refuses after that, if it shall.
    private struct Caller: Sendable {
        var job: Job
        var refuses = false

        func run(_ tx: SQLiteTransaction) throws(StoreError) {
            try tx.insert(job)
            if refuses { throw .conflict }
        }
    }

    private func callers(_ count: Int) -> [Caller] { (0..<count).map { Caller(job: Samples.job($0)) } }

    /// Lets the callers wait while the writer is busy, then carries them, and gives what happened to each.
    private func carry(
        _ callers: [Caller], maximumBatch: Int = 256, pages: Int? = nil
    ) async throws -> [Trace] {
        let directory = try StoreDirectory()
        var settings = SQLiteStore.Settings()
        settings.maximumPages = pages
        let writer = try StoreFile(path: directory.store, settings: settings).openWriter()
        let queue = CommitQueue(
            writer, cache: JobCache(capacity: 8), signals: WorkSignals(), maximumBatch: maximumBatch,
            clock: { Samples.start })
        // The first member keeps the writer busy until all the others wait behind it.
        let gate = DispatchSemaphore(value: 0)
        let (entries, entry) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        queue.add(
            CommitQueue.Member(
                run: { (_) throws(StoreError) in
                    entry.yield()
                    gate.wait()
                    return {}
                },
                fail: { Issue.record("The gate failed: \($0)") }))
        for await _ in entries { break }
        let traces = Mutex(callers.map { _ in Trace() })
        // Kept, so that no two of them have the same address.
        let transactions = Mutex<[ObjectIdentifier: Holder]>([:])
        for (index, caller) in callers.enumerated() {
            queue.add(
                CommitQueue.Member(
                    run: { (tx) throws(StoreError) in
                        let id = ObjectIdentifier(tx)
                        transactions.withLock { $0[id] = Holder(tx) }
                        traces.withLock { $0[index].transactions.append(id) }
                        try caller.run(tx)
                        return { traces.withLock { $0[index].isDone = true } }
                    },
                    fail: { error in
                        traces.withLock {
                            $0[index].error = error
                            $0[index].isDone = true
                        }
                    }))
        }
        gate.signal()
        await queue.close()
        return traces.withLock { $0 }
    }

    // SAFETY: Only keeps the transaction alive; nobody uses it.
    private struct Holder: @unchecked Sendable {
        let transaction: SQLiteTransaction
        init(_ transaction: SQLiteTransaction) { self.transaction = transaction }
    }

    @Test("share one transaction")
    func shareOneTransaction() async throws {
        let traces = try await carry(callers(64))
        #expect(Set(traces.map(\.transactions)).count == 1)
        #expect(traces.allSatisfy { $0.transactions.count == 1 && $0.isDone && $0.error == nil })
    }

    @Test("share it in bounded numbers")
    func shareInBoundedNumbers() async throws {
        let traces = try await carry(callers(64), maximumBatch: 10)
        #expect(Set(traces.map(\.transactions)).count == 7)
        #expect(traces.allSatisfy { $0.transactions.count == 1 && $0.isDone && $0.error == nil })
    }

    @Test("run once more, again together, when one of them refuses")
    func runAgainWhenOneRefuses() async throws {
        var callers = callers(64)
        callers[40].refuses = true
        // Stands on what number 40 did not leave behind.
        callers[41].job = Samples.job(41, name: "wave 40")
        let traces = try await carry(callers)
        #expect(Set(traces.compactMap(\.transactions.last)).count == 1)
        for (index, trace) in traces.enumerated() {
            #expect(trace.isDone)
            #expect(trace.error == (index == 40 ? .conflict : nil))
            #expect(trace.transactions.count == (index <= 40 ? 2 : 1))
        }
    }

    @Test("run one by one when the database fails, so that only who is too big is refused")
    func runOneByOneWhenTheDatabaseFails() async throws {
        var callers = callers(8)
        callers[5].job = Samples.job(5, people: Array(1...2_000))
        let traces = try await carry(callers, pages: 60)
        #expect(Set(traces.compactMap(\.transactions.last)).count == 8)
        for (index, trace) in traces.enumerated() {
            #expect(trace.isDone)
            if case .unavailable? = trace.error {
                #expect(index == 5)
            } else {
                #expect(trace.error == nil && index != 5)
            }
        }
    }

    @Test("are told that the store is closed when they come too late")
    func areToldWhenTooLate() async throws {
        let directory = try StoreDirectory()
        let writer = try StoreFile(path: directory.store, settings: SQLiteStore.Settings()).openWriter()
        let queue = CommitQueue(
            writer, cache: JobCache(capacity: 8), signals: WorkSignals(), maximumBatch: 8, clock: { Samples.start })
        await queue.close()
        let error = Mutex<StoreError?>(nil)
        queue.add(
            CommitQueue.Member(
                run: { (_) throws(StoreError) in {} }, fail: { reason in error.withLock { $0 = reason } }))
        #expect(error.withLock { $0 } == .closed)
    }
}
