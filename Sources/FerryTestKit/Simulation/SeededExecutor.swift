import Dispatch
import Synchronization

/// Runs a whole program of tasks on one thread, one step at a time; which of the steps that could run is next, a seed
/// decides. The same seed gives the same run, exactly.
///
/// Waits on a `VirtualClock` take no time: when nothing can run, the clock jumps. What has to happen on other threads (a
/// database at work) goes through `outside`, and everything else stands still meanwhile. Only `Set` and `Dictionary` can
/// still bring chance in: the process needs `SWIFT_DETERMINISTIC_HASHING=1`.
package final class SeededExecutor: TaskExecutor {
    private struct State {
        var random: SeededRandom
        var ready: [UnownedJob] = []
        /// Came in while somebody was outside: part of that, so they run before anything else.
        var returning: [UnownedJob] = []
        /// How many are outside: more than one when somebody woke another before going.
        var outside = 0
        var isOver = false
        var steps = 0
    }

    private enum Step { case run(UnownedJob), wait, idle, end }

    private let state: Mutex<State>
    private let returned = DispatchSemaphore(value: 0)

    package init(seed: UInt64) { state = Mutex(State(random: SeededRandom(seed: seed))) }

    /// Steps carried out so far.
    package var steps: Int { state.withLock { $0.steps } }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isReturning = state.withLock { state in
            if state.outside > 0 { state.returning.append(job) } else { state.ready.append(job) }
            return state.outside > 0
        }
        if isReturning { returned.signal() }
    }

    /// Carries out work that other threads take part in, and lets nothing else run until it is done.
    package func outside<Value, Failure: Error>(
        _ work: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        state.withLock { $0.outside += 1 }
        defer { state.withLock { $0.outside -= 1 } }
        return try await work()
    }

    /// Runs `work` and everything that it starts to the end, on this thread.
    ///
    /// - Parameter onIdle: called when nothing can run; `false` when nothing ever will again.
    /// - Returns: `nil` when that was so before the work had ended.
    package func run<Value: Sendable>(
        _ work: @escaping @Sendable () async -> Value, onIdle: () -> Bool
    ) -> Value? {
        let result = Mutex<Value?>(nil)
        // The root of all tasks; it cannot outlive this call, which runs it.
        Task(executorPreference: self) {
            let value = await work()
            result.withLock { $0 = value }
            self.state.withLock { $0.isOver = true }
        }
        while true {
            let step = state.withLock { state -> Step in
                if state.outside > 0 { return .wait }
                if !state.returning.isEmpty { return .run(state.returning.removeFirst()) }
                guard !state.ready.isEmpty else { return state.isOver ? .end : .idle }
                state.steps += 1
                return .run(state.ready.remove(at: Int.random(in: 0..<state.ready.count, using: &state.random)))
            }
            switch step {
            case .run(let job): job.runSynchronously(on: asUnownedTaskExecutor())
            case .wait:
                returned.wait()
                let job = state.withLock { $0.returning.isEmpty ? nil : $0.returning.removeFirst() }
                job?.runSynchronously(on: asUnownedTaskExecutor())
            case .idle: if !onIdle() { return nil }
            case .end: return result.withLock { $0 }
            }
        }
    }
}
