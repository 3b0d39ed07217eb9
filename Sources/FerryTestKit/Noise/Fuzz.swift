import Glibc

/// Noise that resembles something. The seed is `FERRY_SEED`; `FERRY_FUZZ=N` makes N times as many rounds.
package enum Fuzz {
    package static func rounds(_ usual: Int) -> Int {
        usual * (environment("FERRY_FUZZ").flatMap { Int($0) } ?? 1)
    }

    package static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Some of the samples, one after the other, with bytes and pieces changed, doubled, moved, cut and put in.
    package static func mutated(
        _ samples: [[UInt8]], with pieces: [String], _ random: inout SeededRandom
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) { bytes += samples.randomElement(using: &random) ?? [] }
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let start = Int.random(in: 0...bytes.count, using: &random)
            let end = min(bytes.count, start + Int.random(in: 0...12, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes.removeSubrange(start..<end)
            case 1: bytes.insert(contentsOf: Array(bytes[start..<end]), at: start)
            case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: start)
            case 3: bytes.insert(contentsOf: (pieces.randomElement(using: &random) ?? "").utf8, at: start)
            case 4: if start < bytes.count { bytes[start] ^= 1 << UInt8.random(in: 0...7, using: &random) }
            default: bytes.replaceSubrange(start..<end, with: (pieces.randomElement(using: &random) ?? "").utf8)
            }
        }
        return bytes
    }
}
