import FerryCore

/// Nanoseconds since this was made, by a monotonic clock.
func makeUptime<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Int64 {
    let start = clock.now
    return {
        let (seconds, attoseconds) = start.duration(to: clock.now).components
        return seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000
    }
}
