import Synchronization

/// How many requests of one person a server is sent at once: more while that makes it answer more of them in the same time,
/// fewer when it is in trouble. Shared by all sessions with the server.
final class Pace: Sendable {
    /// So much must a step bring to be kept.
    private static let gain = 1.05
    /// Rounds for which a width is kept after a step that brought nothing, and after trouble.
    private static let rest = 16
    /// A pause after which nobody was waiting for the server.
    private static let idle = Duration.milliseconds(250)

    private struct State: Sendable {
        var width: Int
        /// Before the last step; `nil` when it has been judged.
        var before: Int?
        /// Answers a second at the width that is kept.
        var best = 0.0
        /// Rounds to go before the next step.
        var resting = 0
        var begin: ContinuousClock.Instant?
        var last: ContinuousClock.Instant?
        var answers = 0
    }

    private let state: Mutex<State>
    private let limit: Int

    /// Begins with `width` at once; at most `limit`.
    init(width: Int, limit: Int) {
        self.limit = max(1, limit)
        state = Mutex(State(width: min(max(1, width), self.limit)))
    }

    var width: Int { state.withLock { $0.width } }

    /// Takes note of an answer's status.
    func note(_ status: Int, at now: ContinuousClock.Instant = .now) {
        switch status {
        case 429, 500, 502, 503, 504: trouble()
        default: answered(at: now)
        }
    }

    /// The server has asked for rest, failed, fallen silent or broken the connection.
    func trouble() {
        state.withLock { state in
            state = State(width: max(1, state.width / 2), resting: Self.rest)
        }
    }

    private func answered(at now: ContinuousClock.Instant) {
        state.withLock { state in
            guard let begin = state.begin, let last = state.last, now - last < Self.idle else {
                (state.begin, state.last, state.answers) = (now, now, 0)
                return
            }
            state.last = now
            state.answers += 1
            guard state.answers >= 8 * state.width else { return }
            judge(Double(state.answers) / max(1e-6, (now - begin) / .seconds(1)), &state)
            (state.begin, state.answers) = (now, 0)
        }
    }

    /// A round is over, in which so many answers came in a second.
    private func judge(_ rate: Double, _ state: inout State) {
        if let before = state.before {
            state.before = nil
            guard rate >= state.best * Self.gain else {
                (state.width, state.resting) = (before, Self.rest)
                return
            }
        }
        state.best = rate
        if state.resting > 0 {
            state.resting -= 1
        } else if state.width < limit {
            state.before = state.width
            state.width = min(limit, state.width + max(1, state.width / 2))
        }
    }
}
