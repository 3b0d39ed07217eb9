import FerryTestKit
import Testing

@testable import FerryDAV

@Suite struct `The pace of requests` {
    /// Lets a server answer for a while that is at its best with so many requests at once; gives the widths on the way.
    /// - Parameter noise: by how much a round may be slower or faster than it should.
    private func widths(
        _ pace: Pace, best: Int, rounds: Int, from start: ContinuousClock.Instant = .now, noise: Double = 0
    ) -> [Int] {
        var now = start
        var random = SeededRandom(seed: RunSeed.value)
        return (0..<rounds).map { _ in
            let luck = 1 + Double.random(in: -noise...noise, using: &random)
            for _ in 0..<(8 * pace.width + 1) {
                now += .milliseconds(10) / min(pace.width, best) * luck
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

    @Test func `stays where it is useful, and widens where that helps, in spite of noise`() {
        let useless = widths(Pace(width: 8, limit: 64), best: 8, rounds: 400, noise: 0.2)
        #expect(useless.count { $0 <= 12 } > 300)
        #expect(useless.min() == 8, "noise is no trouble")
        let useful = widths(Pace(width: 8, limit: 16), best: 1_000, rounds: 400, noise: 0.2)
        #expect(useful.suffix(200).count { $0 == 16 } > 180)
    }

    @Test(arguments: [429, 500, 503]) func `halves once for all that was under way at trouble, and recovers`(
        _ status: Int
    ) {
        let pace = Pace(width: 8, limit: 16)
        // Eight were under way: they say the same thing once.
        for _ in 0..<8 {
            pace.note(status)
            #expect(pace.width == 4)
        }
        for width in [2, 2, 2, 2, 1, 1, 1] {
            pace.note(status)
            #expect(pace.width == width)
        }
        let seen = widths(pace, best: 1_000, rounds: 200)
        #expect(seen[0] == 1)
        #expect(seen[5] >= 2)
        #expect(seen.last == 16)
    }

    @Test func `comes back after one hiccup within a few rounds`() {
        let pace = Pace(width: 8, limit: 16)
        _ = widths(pace, best: 8, rounds: 20)
        pace.trouble()
        #expect(pace.width == 4)
        #expect(widths(pace, best: 8, rounds: 8).last == 8)
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
