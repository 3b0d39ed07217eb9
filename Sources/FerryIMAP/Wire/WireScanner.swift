/// Reads tokens from one complete response, literals included in place (`{3}`, CRLF, three bytes).
///
/// Every access is checked against `end`, so no input can make it read outside; the borrowed bytes must outlive it.
struct WireScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position: Int
    private let limits: WireLimits

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: WireLimits) {
        self.bytes = bytes
        self.limits = limits
        position = 0
    }

    var isAtEnd: Bool { position >= bytes.count }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func advance() { position += 1 }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    mutating func expect(_ byte: UInt8, _ name: StaticString) throws(WireError) {
        guard take(byte) else { throw malformed(name) }
    }

    /// Servers also send more than one.
    mutating func skipSpaces() {
        while position < bytes.count, bytes[position] == 0x20 { position += 1 }
    }

    /// The error at this place. The place is the first words of the response up to where its data begins.
    func malformed(_ expected: StaticString) -> WireError { .malformed(expected: "\(expected)", place: place) }

    var place: String { WireScanner.place(of: bytes) }

    static func place(of bytes: UnsafeBufferPointer<UInt8>) -> String {
        var text = ""
        var words = 0
        for byte in bytes.prefix(40) {
            if byte == 0x20 { words += 1 }
            guard words < 3, byte >= 0x20, byte < 0x7F, !"\"([{\\".utf8.contains(byte) else { break }
            text.unicodeScalars.append(Unicode.Scalar(byte))
        }
        return "'\(text)…' at byte \(bytes.count)"
    }

    // MARK: tokens

    /// Bytes up to a space, a parenthesis, a quote or the end. More than an atom has, because servers do send it.
    mutating func token() -> Range<Int> {
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x20 || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")") || byte == UInt8(ascii: "\"") {
                break
            }
            position += 1
        }
        return start..<position
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    func uppercasedText(_ range: Range<Int>) -> String {
        String(decoding: bytes[range].lazy.map { $0 >= 0x61 && $0 <= 0x7A ? $0 & 0xDF : $0 }, as: UTF8.self)
    }

    /// Equal when case is not looked at; `uppercase` is ASCII in capitals.
    func matches(_ range: Range<Int>, _ uppercase: StaticString) -> Bool {
        guard range.count == uppercase.utf8CodeUnitCount else { return false }
        let expected = UnsafeBufferPointer(start: uppercase.utf8Start, count: uppercase.utf8CodeUnitCount)
        for (offset, index) in range.enumerated() {
            let byte = bytes[index]
            if (byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte) != expected[offset] { return false }
        }
        return true
    }

    /// `number64`.
    mutating func number() throws(WireError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[position] - 0x30))
            guard !overflow, !carry else { throw malformed("a number below 2^64") }
            value = sum
            position += 1
        }
        guard position > start else { throw malformed("a number") }
        return value
    }

    mutating func number32() throws(WireError) -> UInt32 {
        guard let value = UInt32(exactly: try number()) else { throw malformed("a number below 2^32") }
        return value
    }

    /// `nil` when the number does not fit: for data that may be missing.
    mutating func lenientNumber() -> UInt64? {
        let start = position
        guard let value = try? number() else {
            if position == start { skipToken() }
            while let byte = next, byte >= 0x30, byte <= 0x39 { advance() }
            return nil
        }
        return value
    }

    private mutating func skipToken() { _ = token() }

    /// `NIL` is taken when it is there.
    mutating func takeNil() -> Bool {
        guard let byte = next, byte | 0x20 == UInt8(ascii: "n") else { return false }
        let start = position
        let range = token()
        guard matches(range, "NIL") else {
            position = start
            return false
        }
        return true
    }

    /// `string`: quoted, literal or literal8.
    mutating func string() throws(WireError) -> [UInt8] {
        switch next {
        case UInt8(ascii: "\""): return try quoted()
        case UInt8(ascii: "{"), UInt8(ascii: "~"):
            let range = try literal()
            return Array(bytes[range])
        default: throw malformed("a string")
        }
    }

    /// `nstring`.
    mutating func nilString() throws(WireError) -> [UInt8]? { takeNil() ? nil : try string() }

    /// `astring`; an unquoted one ends at a space or parenthesis.
    mutating func astring() throws(WireError) -> [UInt8] {
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "{"): return try string()
        default:
            let range = token()
            guard !range.isEmpty else { throw malformed("a name") }
            return Array(bytes[range])
        }
    }

    private mutating func quoted() throws(WireError) -> [UInt8] {
        position += 1
        let start = position
        var hasEscapes = false
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let range = start..<position
                position += 1
                return hasEscapes ? unescaped(range) : Array(bytes[range])
            case UInt8(ascii: "\\"):
                hasEscapes = true
                position += 2
            default: position += 1
            }
        }
        position = bytes.count
        throw malformed("the end of a quoted string")
    }

    private func unescaped(_ range: Range<Int>) -> [UInt8] {
        var output = [UInt8]()
        output.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound { index += 1 }
            output.append(bytes[index])
            index += 1
        }
        return output
    }

    /// The bytes of a literal that was collected in place.
    private mutating func literal() throws(WireError) -> Range<Int> {
        _ = take(UInt8(ascii: "~"))
        try expect(UInt8(ascii: "{"), "a literal")
        let size = try number()
        _ = take(UInt8(ascii: "+"))
        try expect(UInt8(ascii: "}"), "the end of a literal's size")
        try expect(0x0D, "a line break after a literal's size")
        try expect(0x0A, "a line break after a literal's size")
        guard size <= UInt64(bytes.count - position) else { throw malformed("the bytes of a literal") }
        let start = position
        position += Int(size)
        return start..<position
    }

    /// Passes over one value of any kind (list, string, NIL, number, atom with brackets), however deep, without
    /// recursion.
    mutating func skipValue() throws(WireError) {
        var depth = 0
        repeat {
            switch next {
            case UInt8(ascii: "("):
                depth += 1
                guard depth <= limits.depth else { throw .tooDeep(limit: limits.depth, place: place) }
                advance()
            case UInt8(ascii: ")"):
                guard depth > 0 else { throw malformed("a value") }
                depth -= 1
                advance()
            case UInt8(ascii: "\""): try skipQuoted()
            case UInt8(ascii: "{"): _ = try literal()
            case UInt8(ascii: "~"):
                if position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "{") {
                    _ = try literal()
                } else {
                    advance()
                }
            case nil: throw malformed("a closing parenthesis")
            default:
                if depth == 0 {
                    skipToken()
                } else {
                    advance()
                }
            }
        } while depth > 0
    }

    private mutating func skipQuoted() throws(WireError) {
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        position = bytes.count
        throw malformed("the end of a quoted string")
    }

    /// The section of `BODY[…]` without its brackets, which may hold parentheses and quoted names.
    mutating func section() throws(WireError) -> Range<Int> {
        try expect(UInt8(ascii: "["), "a section")
        let start = position
        while let byte = next {
            if byte == UInt8(ascii: "]") {
                defer { position += 1 }
                return start..<position
            }
            if byte == UInt8(ascii: "\"") { try skipQuoted() } else { advance() }
        }
        throw malformed("the end of a section")
    }

    /// Everything that is left.
    mutating func rest() -> Range<Int> {
        defer { position = bytes.count }
        return position..<bytes.count
    }

    /// Where the byte stands next, from here on.
    func index(of byte: UInt8) -> Int? { bytes[Swift.min(position, bytes.count)...].firstIndex(of: byte) }

    mutating func move(to place: Int) { position = place }

    /// `sequence-set` without `*`, in any order and direction.
    mutating func uidSet() throws(WireError) -> UIDSet {
        var ranges = [ClosedRange<UID>]()
        repeat {
            let first = try number32()
            let last = take(UInt8(ascii: ":")) ? try number32() : first
            guard first > 0, last > 0 else { throw malformed("a UID above 0") }
            ranges.append(min(first, last)...max(first, last))
        } while take(UInt8(ascii: ","))
        return UIDSet(ranges: ranges)
    }
}
