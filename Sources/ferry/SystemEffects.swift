import FerryCore
import FoundationEssentials
import Glibc
import Synchronization

/// Time and chance of the real world; what `Effects` is made of.
enum SystemEffects {
    /// UTC by the system's clock.
    @Sendable static func now() -> Instant {
        // A Date counts from 2001 as a Double: exact to an eighth of a microsecond in our days.
        Instant(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded()))
    }

    /// A random GUID (RFC 9562 section 5.4, version 4).
    @Sendable static func makeGUID() -> GUID {
        let (high, low) = pool.withLock { ($0.next(), $0.next()) }
        return GUID(
            high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    /// Every request takes an id, and asking the system for each word of it costs more than routing the request.
    private static let pool = Mutex(RandomPool())

    /// The system's random words, fetched as many at a time as it gives in one call (getentropy(3): 256 bytes).
    private struct RandomPool {
        private var words = [UInt64](repeating: 0, count: 32)
        private var used = 32

        mutating func next() -> UInt64 {
            if used == words.count { refill() }
            defer { used += 1 }
            return words[used]
        }

        private mutating func refill() {
            let status = words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
            precondition(status == 0, "the system has no randomness")
            used = 0
        }
    }

    /// A variable of the process's environment.
    @Sendable static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// In 0 ..< 1.
    @Sendable static func random() -> Double { Double.random(in: 0..<1) }
}
