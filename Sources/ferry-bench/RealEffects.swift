import FerryCore
import FerryEngine
import Glibc

extension Effects {
    /// Time and chance of the real world.
    static let real = Effects(
        now: { Instant.wallClock }, clock: ContinuousClock(),
        makeGUID: { GUID(high: .random(in: .min ... .max), low: .random(in: .min ... .max)) },
        random: { .random(in: 0..<1) })
}

extension Instant {
    static var wallClock: Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}
