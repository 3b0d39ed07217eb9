/// A 128-bit identifier as RFC 9562 writes it: `8-4-4-4-12` hexadecimal digits.
///
/// Compares and prints in lower case whatever case was read, because Graph compares keys without case.
package struct GUID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first eight octets, most significant first.
    package let high: UInt64
    /// The last eight octets, most significant first.
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the canonical 36-character form; `nil` for anything else (braces, missing dashes, other lengths).
    package init?(_ text: some StringProtocol) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var digits = 0
        var position = 0
        for byte in text.utf8 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = Hexadecimal.digit(byte) else { return nil }
                if digits < 16 {
                    high = high << 4 | UInt64(digit)
                } else if digits < 32 {
                    low = low << 4 | UInt64(digit)
                }
                digits += 1
            }
            position += 1
        }
        guard position == 36, digits == 32 else { return nil }
        self.init(high: high, low: low)
    }

    package var description: String {
        var text = [UInt8]()
        text.reserveCapacity(36)
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 { text.append(UInt8(ascii: "-")) }
            let word = nibble < 16 ? high : low
            let shift = UInt64(60 - (nibble % 16) * 4)
            text.append(Hexadecimal.character(UInt8(truncatingIfNeeded: word >> shift & 0xF)))
        }
        return String(decoding: text, as: UTF8.self)
    }

    package static func < (left: GUID, right: GUID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// Hexadecimal digits, without Foundation.
package enum Hexadecimal {
    /// The value of one ASCII digit, upper or lower case.
    package static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The lower-case ASCII digit of a value below 16.
    package static func character(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Two lower-case digits for each octet.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8]()
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(character(byte >> 4))
            text.append(character(byte & 0xF))
        }
        return text
    }

    /// The octets that the digits stand for; `nil` for an odd number of them and for anything that is none.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 2)
        var high: UInt8?
        for character in text.utf8 {
            guard let digit = digit(character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }
}
