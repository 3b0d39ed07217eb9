/// How far a job is at one moment, as a display needs it.
struct ProgressSnapshot: Hashable, Sendable {
    struct Line: Hashable, Sendable {
        /// The wire's name of the workload (`Exchange`).
        var name: String
        var items: Int64
        /// `nil` until everybody's data has been listed once.
        var itemsExpected: Int64?
        var bytes: Int64
        var bytesExpected: Int64?
        var skipped: Int64
        var failed: Int64
        var itemsPerSecond: Double?
        var bytesPerSecond: Double?
        /// How many people's runs are in which state.
        var states: [String: Int]

        /// In 0...1: by items where it is known how many there are, by people's states before that and where there is
        /// nothing to move; `nil` before anything has moved.
        var fraction: Double? {
            let settled = items + skipped + failed
            if let itemsExpected, itemsExpected > 0 { return min(1, Double(settled) / Double(itemsExpected)) }
            guard itemsExpected != nil || settled > 0 else { return nil }
            let total = states.values.reduce(0, +)
            let finished = states.filter { Self.settledStates.contains($0.key) }.values.reduce(0, +)
            return total > 0 ? Double(finished) / Double(total) : 0
        }

        /// States in which no item is missing at the target.
        static let settledStates: Set<String> = ["synced", "completed", "finalizing", "forceComplete"]
    }

    var name: String
    var status: String
    var peopleDone: Int
    var people: Int
    var elapsedSeconds: Double
    /// `nil` while nobody can tell.
    var remainingSeconds: Double?
    var lines: [Line]
}
