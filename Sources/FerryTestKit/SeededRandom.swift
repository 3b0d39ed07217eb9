package import FerryCore
import Glibc
import Synchronization

/// Where the random parts of a test run begin: `FERRY_SEED`, or 1. The same number repeats the same run.
package enum RunSeed {
    package static let value: UInt64 = environment("FERRY_SEED").flatMap { UInt64($0) } ?? 1

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

/// SplitMix64: the same numbers from the same seed, on every machine.
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// A seeded source of chance that many tasks share; for the closures of `Effects`.
package final class SharedRandom: Sendable {
    private let state: Mutex<SeededRandom>

    package init(seed: UInt64) { state = Mutex(SeededRandom(seed: seed)) }

    package func makeGUID() -> GUID { state.withLock { GUID(high: $0.next(), low: $0.next()) } }

    /// In 0 ..< 1.
    package func fraction() -> Double { state.withLock { Double.random(in: 0..<1, using: &$0) } }

    package func number(in range: Range<Int>) -> Int { state.withLock { Int.random(in: range, using: &$0) } }
}
