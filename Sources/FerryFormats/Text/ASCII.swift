/// Letters without case and blanks, for protocols that are ASCII whatever the content is.
enum ASCII {
    static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// Space or horizontal tab.
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7F }

    /// The bytes equal the ASCII text when case is not looked at. `lowercase` must be in lower case.
    static func equal(_ bytes: some Sequence<UInt8>, _ lowercase: StaticString) -> Bool {
        bytes.lazy.map(lowercased).elementsEqual(lowercase.description.utf8)
    }

    /// Upper case as text; bytes that are not UTF-8 are replaced.
    static func uppercasedText(_ bytes: some Sequence<UInt8>) -> String {
        String(
            decoding: bytes.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self
        )
    }

    /// The range without blanks at its ends.
    static func trimmed(_ range: Range<Int>, of bytes: [UInt8]) -> Range<Int> {
        var range = range
        while let first = range.first, isBlank(bytes[first]) { range = range.dropFirst() }
        while let last = range.last, isBlank(bytes[last]) { range = range.dropLast() }
        return range
    }
}
