import FerryConnector
import Synchronization

/// How often an endpoint is called that turns connections away: one call at a time, each after twice the wait of the one
/// before, from half a second to half a minute. The first success ends it.
///
/// A server that is full or restarts has enough to do without everybody's calls. Whoever waits here holds a place of the
/// endpoint's lane, so nobody else's attempts are used up meanwhile.
final class ConnectPace: Sendable {
    static let shortest = Duration.milliseconds(500)
    static let longest = Duration.seconds(30)

    private struct State {
        /// Failures in a row. Calls that were under way together count as one.
        var failures = 0
        /// When the next call may begin, as `elapsed` counts.
        var next = Duration.zero
        /// Changes with every failure and success that counts.
        var generation = 0
    }

    /// A call that was made.
    struct Call: Sendable { fileprivate let generation: Int }

    private let state = Mutex(State())
    private let clock: any Clock<Duration>
    private let elapsed: @Sendable () -> Duration

    init(_ clock: any Clock<Duration>) {
        self.clock = clock
        elapsed = Self.stopwatch(clock)
    }

    private static func stopwatch(_ clock: some Clock<Duration>) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }

    /// Waits until a call may be made. Throws `cancelled` when the task is.
    func begin() async throws(ConnectorError) -> Call {
        let wait = state.withLock { state in
            guard state.failures > 0 else { return Duration.zero }
            let now = elapsed()
            let start = max(now, state.next)
            state.next = start + Self.step(state.failures)
            return start - now
        }
        if wait > .zero {
            do { try await clock.sleep(for: wait) } catch { throw .cancelled }
        }
        return beginAtOnce()
    }

    /// For somebody who wants to know now how the endpoint is.
    func beginAtOnce() -> Call { Call(generation: state.withLock { $0.generation }) }

    func succeeded(_ call: Call) {
        state.withLock { state in
            if state.failures > 0 { state = State(generation: state.generation + 1) }
        }
    }

    func failed(_ call: Call) {
        state.withLock { state in
            guard call.generation == state.generation else { return }
            state.generation += 1
            state.failures += 1
            state.next = max(state.next, elapsed() + Self.step(state.failures))
        }
    }

    private static func step(_ failures: Int) -> Duration {
        min(longest, shortest * (1 << min(failures - 1, 10)))
    }
}
