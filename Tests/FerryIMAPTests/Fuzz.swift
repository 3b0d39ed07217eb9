import FerryTestKit
import Glibc

/// Noise that resembles IMAP. The seed is `FERRY_SEED`; `FERRY_FUZZ=N` makes N times as many rounds.
enum Fuzz {
    static func rounds(_ usual: Int) -> Int {
        usual * (environment("FERRY_FUZZ").flatMap { Int($0) } ?? 1)
    }

    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    private static let pieces = [
        "(", ")", "\"", "\\", "{0}\r\n", "{5}\r\n", "~{3}\r\n", "{99999999999999999999}\r\n",
        "{18446744073709551615}\r\n",
        "[", "]", "<", ">", "NIL", "\r", "\n", "\r\n", "* ", "+ ", "F1 OK ", "BODY[] ", "BODY[HEADER] {2}\r\n",
        "UID 4294967296 ",
        "18446744073709551616", "0", ":", ",", "*", "FETCH (", "((((((((((((", "\0", "\u{FF}", " ",
    ]

    /// Some of the samples, one after the other, with bytes and words changed, doubled, moved, cut and put in.
    static func mutated(_ samples: [String], _ random: inout SeededRandom) -> [UInt8] {
        mutated(samples.map { Array($0.utf8) }, &random)
    }

    static func mutated(_ samples: [[UInt8]], _ random: inout SeededRandom) -> [UInt8] {
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
