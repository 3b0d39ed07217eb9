/// A point in time: microseconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX time).
package struct Instant: Hashable, Sendable, Comparable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }
    package init(seconds: Int64) { self.microseconds = seconds &* 1_000_000 }

    /// Whole seconds since the epoch, rounded down.
    package var seconds: Int64 {
        microseconds >= 0 ? microseconds / 1_000_000 : (microseconds - 999_999) / 1_000_000
    }

    package static let distantPast = Instant(microseconds: .min)
    package static let distantFuture = Instant(microseconds: .max)

    package static func < (left: Instant, right: Instant) -> Bool { left.microseconds < right.microseconds }

    /// The instant `duration` later; saturates at the ends of the representable range.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.microseconds.addingReportingOverflow(duration.wholeMicroseconds)
        if overflow { return duration < .zero ? .distantPast : .distantFuture }
        return Instant(microseconds: sum)
    }

    package static func - (instant: Instant, duration: Duration) -> Instant { instant + (.zero - duration) }

    /// The time from `right` to `left`.
    package static func - (left: Instant, right: Instant) -> Duration {
        .microseconds(left.microseconds.subtractingReportingOverflow(right.microseconds).partialValue)
    }
}

extension Duration {
    /// Microseconds, the fraction below one cut off; saturates.
    package var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        return scaled &+ attoseconds / 1_000_000_000_000
    }

    /// Seconds as a floating-point number, for rates and displays.
    package var inSeconds: Double { Double(wholeMicroseconds) / 1_000_000 }
}
