/// When a person who is in sync is looked at again, until the date (orchestration 6).
///
/// A pass that finds nothing lets the next one come later, one that finds a lot brings it closer. Whatever they find,
/// there is a pass a day, four hours, an hour and a quarter of an hour before the date, so that the freeze is short.
package struct DeltaSchedule: Sendable, Hashable {
    /// Time from one pass to the next while people work.
    package var interval: Duration
    /// No pass comes later than this after the one before.
    package var longest: Duration

    /// How long before the date there is a pass in any case; from long to short.
    package static let beforeDate: [Duration] = [.seconds(86_400), .seconds(4 * 3600), .seconds(3600), .seconds(900)]
    /// So many changes are a lot.
    package static let many: Int64 = 1000

    package init(interval: Duration, longest: Duration = .seconds(86_400)) {
        self.interval = interval
        self.longest = longest
    }

    /// The next pass after one that has ended at `now` and found so many changes. Never after the date, and at once when
    /// that has passed: whoever waits for something else is woken by its end.
    package func next(after now: Instant, changes: Int64, date: Instant) -> Instant {
        let pause: Duration
        if changes == 0 {
            pause = min(interval * 4, max(longest, interval))
        } else {
            pause = changes >= Self.many ? interval / 4 : interval
        }
        guard now < date else { return now + pause }
        var next = min(now + pause, date)
        for lead in Self.beforeDate where date - lead > now { next = min(next, date - lead) }
        return next
    }
}
