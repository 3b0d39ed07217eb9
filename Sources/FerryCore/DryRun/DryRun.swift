/// A look at all data of a job that moves nothing: one `Forecast` for each workload of each person.
package struct DryRun: Sendable, Hashable {
    /// Raw values are stored and travel in `/ferry`.
    package enum State: String, Sendable, Hashable, CaseIterable {
        case running, completed, cancelled
    }

    package var state: State
    package var began: Instant
    /// When it was completed or cancelled.
    package var ended: Instant?
    /// Forecasts that there will be; `nil` until the work has been handed out.
    package var expected: Int?
    /// Forecasts that are there.
    package var done: Int

    package init(
        state: State = .running, began: Instant, ended: Instant? = nil, expected: Int? = nil, done: Int = 0
    ) {
        self.state = state
        self.began = began
        self.ended = ended
        self.expected = expected
        self.done = done
    }

    /// The last forecast completes it, once it is known how many there are to be.
    package mutating func settle(now: Instant) {
        guard state == .running, let expected, done >= expected else { return }
        (state, ended) = (.completed, now)
    }

    /// Nobody works on it any more.
    package mutating func cancelled(now: Instant) {
        guard state == .running else { return }
        (state, ended) = (.cancelled, now)
    }
}

extension Job {
    /// Whether a dry run of the job makes sense in its state. Throws `.conflict` when its data are about to go, or nobody is
    /// to move any more.
    package func checkDryRun() throws(Refusal) {
        switch status {
        case .pendingCancel, .cancelled, .pendingDelete, .deleted:
            throw .conflict(
                .invalidJobStatus,
                message:
                    "A dry run is not possible while the job is \(status). Make one in a job that is to move somebody.")
        default: return
        }
    }
}
