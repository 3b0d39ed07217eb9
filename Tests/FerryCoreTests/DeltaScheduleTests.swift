import FerryCore
import Testing

/// When a person in sync is looked at again (orchestration 6).
struct DeltaScheduleTests {
    private static let schedule = DeltaSchedule(interval: .seconds(900))

    @Test func `passes come further apart while nothing changes, and closer when they find a lot`() {
        let date = Make.now + .seconds(30 * 86_400)
        func pause(_ changes: Int64) -> Duration {
            Self.schedule.next(after: Make.now, changes: changes, date: date) - Make.now
        }
        #expect(pause(0) == .seconds(3600))
        #expect(pause(1) == .seconds(900) && pause(999) == .seconds(900))
        #expect(pause(1000) == .seconds(225))
    }

    @Test(arguments: DeltaSchedule.beforeDate)
    func `there is a pass 24 h, 4 h, 1 h and 15 min before the date, whatever the interval`(lead: Duration) {
        let slow = DeltaSchedule(interval: .seconds(7 * 86_400))
        let date = Make.now + .seconds(30 * 86_400)
        var now = Make.now
        var passes: Set<Instant> = []
        while now < date {
            now = slow.next(after: now, changes: 0, date: date)
            passes.insert(now)
        }
        #expect(passes.contains(date - lead))
        #expect(passes.contains(date) && passes.allSatisfy { $0 <= date })
    }

    @Test func `a date that is moved counts from the next pass on, and after the date the interval goes on`() {
        let now = Make.now
        #expect(Self.schedule.next(after: now, changes: 0, date: now + .seconds(1000)) == now + .seconds(100))
        #expect(Self.schedule.next(after: now, changes: 0, date: now + .seconds(900)) == now + .seconds(900))
        #expect(Self.schedule.next(after: now, changes: 1, date: now) == now + .seconds(900))
        #expect(Self.schedule.next(after: now, changes: 1, date: now - .seconds(1)) == now + .seconds(900))
    }

    @Test func `a pause never exceeds a day, unless the interval itself does`() {
        let date = Make.now + .seconds(300 * 86_400)
        let daily = DeltaSchedule(interval: .seconds(20 * 3600))
        #expect(daily.next(after: Make.now, changes: 0, date: date) == Make.now + .seconds(86_400))
        let weekly = DeltaSchedule(interval: .seconds(7 * 86_400))
        #expect(weekly.next(after: Make.now, changes: 0, date: date) == Make.now + .seconds(7 * 86_400))
    }
}
