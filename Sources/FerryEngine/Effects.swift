package import FerryCore

/// Everything that makes two runs of the same program differ: time, identifiers, chance. Made in the wiring and in tests.
package struct Effects: Sendable {
    /// Wall clock, UTC.
    package var now: @Sendable () -> Instant
    /// Monotonic clock for deadlines and waits inside the process.
    package var clock: any Clock<Duration>
    package var makeGUID: @Sendable () -> GUID
    /// A number in 0 ..< 1, for jitter.
    package var random: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> Instant, clock: any Clock<Duration>, makeGUID: @escaping @Sendable () -> GUID,
        random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.clock = clock
        self.makeGUID = makeGUID
        self.random = random
    }
}
