import FerryCore
import Testing

struct BackoffTests {
    @Test func `waits double from the base up to the cap`() {
        let backoff = Backoff(base: .seconds(2), factor: 2, cap: .seconds(900), maximumAttempts: 5)
        // The largest number below 1 stands for the upper end.
        let longest = (1...11).map { backoff.delay(attempt: $0, random: 1.0.nextDown).inSeconds.rounded() }
        #expect(longest == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
        #expect(backoff.delay(attempt: .max, random: 0) == .seconds(450))
    }

    @Test func `chance spreads a wait over its upper half`() {
        let backoff = Backoff(base: .seconds(2))
        #expect(backoff.delay(attempt: 1, random: 0) == .seconds(1))
        #expect(backoff.delay(attempt: 1, random: 0.5) == .milliseconds(1500))
        #expect(backoff.delay(attempt: 3, random: 0) == .seconds(4))
    }

    @Test func `odd numbers do no harm`() {
        let backoff = Backoff(base: .seconds(2), factor: 0)
        #expect(backoff.delay(attempt: 0, random: -3) == .seconds(1))
        #expect(backoff.delay(attempt: .min, random: .nan) == .seconds(1))
        #expect(backoff.delay(attempt: 9, random: 7) == .seconds(2))
    }

    @Test func `somebody gives up in the end`() {
        let backoff = Backoff(maximumAttempts: 3)
        #expect((1...4).map(backoff.isExhausted) == [false, false, true, true])
    }
}
