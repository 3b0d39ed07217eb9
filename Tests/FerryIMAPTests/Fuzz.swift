import FerryTestKit

/// Noise that resembles IMAP.
extension Fuzz {
    private static let pieces = [
        "(", ")", "\"", "\\", "{0}\r\n", "{5}\r\n", "~{3}\r\n", "{99999999999999999999}\r\n",
        "{18446744073709551615}\r\n",
        "[", "]", "<", ">", "NIL", "\r", "\n", "\r\n", "* ", "+ ", "F1 OK ", "BODY[] ", "BODY[HEADER] {2}\r\n",
        "UID 4294967296 ",
        "18446744073709551616", "0", ":", ",", "*", "FETCH (", "((((((((((((", "\0", "\u{FF}", " ",
    ]

    static func mutated(_ samples: [String], _ random: inout SeededRandom) -> [UInt8] {
        mutated(samples.map { Array($0.utf8) }, &random)
    }

    static func mutated(_ samples: [[UInt8]], _ random: inout SeededRandom) -> [UInt8] {
        mutated(samples, with: pieces, &random)
    }
}
