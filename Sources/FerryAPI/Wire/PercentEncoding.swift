import FerryCore

/// RFC 3986 escapes.
package enum PercentEncoding {
    /// The text behind the escapes; `nil` when an escape is cut short or the result is not UTF-8.
    ///
    /// `plusIsSpace` is the rule of form encoding, by which clients write query options.
    static func decode(_ raw: some Collection<UInt8>, plusIsSpace: Bool) -> String? {
        var bytes = [UInt8]()
        bytes.reserveCapacity(raw.count)
        var rest = raw.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(Hexadecimal.digit),
                    let low = rest.next().flatMap(Hexadecimal.digit)
                else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Escapes everything but the unreserved characters and those that Graph's own links leave bare in a query.
    static func encode(_ text: String) -> String {
        var bytes = [UInt8]()
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: ","), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "$"),
                UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: ":"), UInt8(ascii: "/"):
                bytes.append(byte)
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(upper(byte >> 4))
                bytes.append(upper(byte & 0xF))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func upper(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10
    }
}

/// Comparison of protocol words, which are ASCII and often without case.
enum ASCII {
    static func equalFoldingCase(_ left: some StringProtocol, _ right: some StringProtocol) -> Bool {
        var rest = right.utf8.makeIterator()
        for byte in left.utf8 {
            guard let other = rest.next(), fold(byte) == fold(other) else { return false }
        }
        return rest.next() == nil
    }

    /// The text without `prefix`, compared without case; `nil` when it begins otherwise.
    static func drop(_ prefix: String, from text: String) -> Substring? {
        let count = prefix.utf8.count
        guard text.utf8.count >= count else { return nil }
        let cut = text.utf8.index(text.utf8.startIndex, offsetBy: count)
        guard let cut = cut.samePosition(in: text.unicodeScalars), equalFoldingCase(text[..<cut], prefix) else {
            return nil
        }
        return text[cut...]
    }

    static func fold(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Blanks and tabs at both ends go.
    static func trim(_ text: Substring) -> Substring {
        var text = text
        while let first = text.utf8.first, first == 0x20 || first == 0x09 {
            text = text[text.utf8.index(after: text.startIndex)...]
        }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 {
            text = text[..<text.utf8.index(before: text.endIndex)]
        }
        return text
    }
}
