import FerryCore
import FoundationEssentials
import Glibc

/// Time and chance of the real world; what `Effects` is made of.
enum SystemEffects {
    /// UTC by the system's clock.
    @Sendable static func now() -> Instant {
        // A Date counts from 2001 as a Double: exact to an eighth of a microsecond in our days.
        Instant(microseconds: Int64((Date().timeIntervalSince1970 * 1_000_000).rounded()))
    }

    /// A random GUID (RFC 9562 section 5.4, version 4).
    @Sendable static func makeGUID() -> GUID {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return GUID(high: high, low: low)
    }

    /// A variable of the process's environment.
    @Sendable static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// In 0 ..< 1.
    @Sendable static func random() -> Double { Double.random(in: 0..<1) }
}
