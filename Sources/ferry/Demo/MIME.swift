/// Writes what RFC 2045 and RFC 2047 define, for the demo's messages.
enum MIME {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Base64 without line breaks.
    static func base64(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let group = bytes[index..<min(index + 3, bytes.count)]
            var word: UInt32 = 0
            for position in 0..<3 {
                word = word << 8 | (position < group.count ? UInt32(group[group.startIndex + position]) : 0)
            }
            for position in 0..<4 {
                let digit = alphabet[Int(word >> UInt32(18 - position * 6) & 63)]
                output.append(position <= group.count ? digit : UInt8(ascii: "="))
            }
            index += 3
        }
        return output
    }

    /// Base64 in lines of 76 (RFC 2045 section 6.8), each ended by CRLF.
    static func base64Lines(_ bytes: [UInt8]) -> [UInt8] {
        let encoded = base64(bytes)
        var output: [UInt8] = []
        for start in stride(from: 0, to: encoded.count, by: 76) {
            output += encoded[start..<min(start + 76, encoded.count)]
            output += [13, 10]
        }
        return output
    }

    /// Quoted-printable (RFC 2045 section 6.7) of text with CRLF line breaks.
    static func quotedPrintable(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var column = 0
        for (index, byte) in bytes.enumerated() {
            if byte == 13 || byte == 10 {
                output.append(byte)
                column = 0
                continue
            }
            let isBeforeBreak = index + 1 == bytes.count || bytes[index + 1] == 13
            let isPlain = (33...126).contains(byte) && byte != UInt8(ascii: "=") || byte == 32 && !isBeforeBreak
            let width = isPlain ? 1 : 3
            if column + width > 75 {
                output += Array("=\r\n".utf8)
                column = 0
            }
            if isPlain {
                output.append(byte)
            } else {
                output += hex(byte)
            }
            column += width
        }
        return output
    }

    private static func hex(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    /// Unstructured header text: as it is when it is ASCII, else encoded words of at most 75 characters (RFC 2047
    /// section 2), folded.
    static func headerText(_ text: String, _ charset: Charset) -> String {
        if text.utf8.allSatisfy({ (32...126).contains($0) }) { return text }
        var words: [String] = []
        var rest = text[...]
        while !rest.isEmpty {
            var length = rest.count
            while true {
                let part = rest.prefix(length)
                let word = encodedWord(String(part), charset)
                if word.utf8.count <= 75 || length == 1 {
                    words.append(word)
                    rest = rest.dropFirst(length)
                    break
                }
                length = max(1, length * 3 / 4)
            }
        }
        return words.joined(separator: "\r\n ")
    }

    private static func encodedWord(_ text: String, _ charset: Charset) -> String {
        // What the charset cannot say is said in UTF-8.
        guard let bytes = charset.encode(text) else { return encodedWord(text, .utf8) }
        if charset == .latin1 {
            let encoded = bytes.map { byte -> String in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    String(UnicodeScalar(byte))
                case 32: "_"
                default: String(decoding: hex(byte), as: UTF8.self)
                }
            }
            return "=?\(charset.rawValue)?Q?\(encoded.joined())?="
        }
        return "=?\(charset.rawValue)?B?\(String(decoding: base64(bytes), as: UTF8.self))?="
    }

    /// `Display Name <address>`.
    static func mailbox(_ name: String, _ address: String, _ charset: Charset) -> String {
        if name.utf8.allSatisfy({ (32...126).contains($0) }) {
            return name.contains(where: { ",.;:()<>@\"".contains($0) })
                ? "\"\(name)\" <\(address)>" : "\(name) <\(address)>"
        }
        return "\(headerText(name, charset)) <\(address)>"
    }
}
