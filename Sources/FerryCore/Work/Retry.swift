/// How long to wait before the next try, and how many there are. Exponential, capped, spread by chance.
package struct Backoff: Sendable, Hashable {
    /// Longest wait after the first failure.
    package var base: Duration
    /// Growth per failure; at least 1.
    package var factor: Double
    /// No wait is longer.
    package var cap: Duration
    /// Failures in a row after which nobody tries again.
    package var maximumAttempts: Int

    package init(
        base: Duration = .seconds(2), factor: Double = 2, cap: Duration = .seconds(15 * 60), maximumAttempts: Int = 12
    ) {
        self.base = base
        self.factor = factor
        self.cap = cap
        self.maximumAttempts = maximumAttempts
    }

    /// The wait after the `attempt`th failure in a row (1 is the first; smaller numbers count as 1).
    ///
    /// Between half the exponential step and the whole of it, so that many workers that failed together do not come
    /// back together.
    /// - Parameter random: 0 ..< 1; values outside are clamped.
    package func delay(attempt: Int, random: Double) -> Duration {
        var step = base.inSeconds
        let limit = cap.inSeconds
        for _ in 1..<max(1, min(attempt, 1000)) {
            step *= max(1, factor)
            if step >= limit { break }
        }
        let spread = random.isNaN ? 0 : min(max(random, 0), 1)
        return .microseconds(Int64(min(step, limit) * (0.5 + spread / 2) * 1_000_000))
    }

    /// Whether so many failures in a row are enough to give up.
    package func isExhausted(after attempts: Int) -> Bool { attempts >= maximumAttempts }
}
