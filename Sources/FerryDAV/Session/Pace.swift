import Synchronization

/// How many requests of one person a server is sent at once: more while that makes it answer more of them in the same time,
/// fewer when it is in trouble. Shared by all sessions with the server.
///
/// A wider step is judged by what it promises: half as many requests more that bring less than a quarter more answers are
/// only a longer queue, and are taken back. Single rounds are noise, so a step has to prove itself twice, and is measured
/// against the mean of the rounds before it. After trouble the width comes back by one a round.
final class Pace: Sendable {
    /// The part of a step's promise that it must keep.
    private static let share = 0.5
    /// What the last round counts in the mean.
    private static let weight = 0.25
    /// Rounds for which a width is kept after a step that brought nothing.
    private static let rest = 16
    /// A pause after which nobody was waiting for the server.
    private static let idle = Duration.milliseconds(250)

    /// A step that is being tried.
    private struct Step: Sendable {
        /// The width before it.
        var before: Int
        var hasProvedItself = false
    }

    private struct State: Sendable {
        var width: Int
        var step: Step?
        /// Answers a second at the width that is kept; 0 while nothing is known of it.
        var rate = 0.0
        /// Rounds to go before the next step. The first round has the connections to make.
        var resting = 1
        /// The width comes back to this after trouble.
        var goal = 0
        /// Answers to go that may be to requests from before the last trouble; more of the same is not worse.
        var deaf = 0
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
            guard state.deaf == 0 else {
                state.deaf -= 1
                return
            }
            // A step that was being tried is what the trouble comes from.
            let width = state.step?.before ?? state.width
            state = State(width: max(1, width / 2), resting: 1, goal: width, deaf: state.width - 1)
        }
    }

    private func answered(at now: ContinuousClock.Instant) {
        state.withLock { state in
            state.deaf = max(0, state.deaf - 1)
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
        if let step = state.step {
            let promise = Double(state.width) / Double(step.before) - 1
            guard rate >= state.rate * (1 + promise * Self.share) else {
                (state.width, state.step, state.resting) = (step.before, nil, Self.rest)
                return
            }
            if step.hasProvedItself {
                (state.rate, state.step) = (rate, nil)
            } else {
                state.step?.hasProvedItself = true
            }
            return
        }
        state.rate = state.rate == 0 ? rate : state.rate + (rate - state.rate) * Self.weight
        if state.resting > 0 {
            state.resting -= 1
        } else if state.width < state.goal {
            state.width += 1
            state.rate = 0
            if state.width == state.goal { state.resting = Self.rest }
        } else if state.width < limit {
            state.step = Step(before: state.width)
            state.width = min(limit, state.width + max(1, state.width / 2))
        }
    }
}
