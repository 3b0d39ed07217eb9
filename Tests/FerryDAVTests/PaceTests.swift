import Testing

@testable import FerryDAV

@Suite struct `The pace of requests` {
    /// Lets a server answer for a while that is at its best with so many requests at once; gives the widths on the way.
    private func widths(_ pace: Pace, best: Int, rounds: Int, from start: ContinuousClock.Instant = .now) -> [Int] {
        var now = start
        return (0..<rounds).map { _ in
            for _ in 0..<(8 * pace.width + 1) {
                now += .milliseconds(10) / min(pace.width, best)
                pace.note(207, at: now)
            }
            return pace.width
        }
    }

    @Test func `grows as long as that brings something, and no further than it may`() {
        #expect(widths(Pace(width: 8, limit: 16), best: 1_000, rounds: 40).last == 16)
        #expect(widths(Pace(width: 2, limit: 100), best: 100, rounds: 60).max() == 100)
    }

    @Test func `goes back where more at once brings nothing, and tries again after a while`() {
        let seen = widths(Pace(width: 8, limit: 64), best: 8, rounds: 80)
        #expect(seen.max() == 12)
        #expect(seen.filter { $0 == 8 }.count > 65)
        #expect(seen.suffix(40).contains(12))
    }

    @Test(arguments: [429, 500, 503]) func `shrinks at trouble, and recovers`(_ status: Int) {
        let pace = Pace(width: 8, limit: 16)
        for width in [4, 2, 1, 1] {
            pace.note(status)
            #expect(pace.width == width)
        }
        let seen = widths(pace, best: 1_000, rounds: 80)
        #expect(seen.prefix(10).allSatisfy { $0 == 1 })
        #expect(seen.last == 16)
    }

    @Test func `does not take a pause for a slow server`() {
        let pace = Pace(width: 4, limit: 8)
        var now = ContinuousClock.now
        for _ in 0..<20 {
            _ = widths(pace, best: 1_000, rounds: 1, from: now)
            now += .seconds(60)
        }
        #expect(pace.width == 8)
    }
}
