import FerryCore

/// A strict reader of JSON texts: no comments, no trailing commas, no member twice, valid UTF-8 only.
///
/// Nesting and the number of values are bounded, so a hostile body costs no more than its length.
package struct JSONParser {
    /// What is wrong with the text and where, counted in bytes from 1.
    package struct Problem: Error, Sendable, Hashable {
        package var text: String
        package var position: Int
    }

    private let bytes: [UInt8]
    private var index = 0
    private var values = 0
    private let maximumDepth: Int

    private init(_ bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    package static func parse(
        _ bytes: [UInt8], maximumDepth: Int = APILimits.bodyDepth
    ) throws(Problem) -> JSONValue {
        var parser = JSONParser(bytes, maximumDepth: maximumDepth)
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.index == bytes.count else { throw parser.problem("text after the end") }
        return value
    }

    private mutating func value(depth: Int) throws(Problem) -> JSONValue {
        values += 1
        guard values <= APILimits.bodyValues else { throw problem("too many values") }
        skipBlanks()
        guard let first = peek else { throw problem("the text ends too early") }
        switch first {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw problem("unexpected character")
        }
    }

    private mutating func object(depth: Int) throws(Problem) -> JSONValue {
        try descend(depth)
        var members: [JSONMember] = []
        var names: Set<String> = []
        while true {
            skipBlanks()
            if members.isEmpty, take(UInt8(ascii: "}")) { break }
            guard peek == UInt8(ascii: "\"") else { throw problem("expected a member's name") }
            let name = try string()
            guard names.insert(name).inserted else { throw problem("the member '\(name.prefix(64))' is there twice") }
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw problem("expected ':'") }
            members.append(JSONMember(name: name, value: try value(depth: depth + 1)))
            skipBlanks()
            if take(UInt8(ascii: "}")) { break }
            guard take(UInt8(ascii: ",")) else { throw problem("expected ',' or '}'") }
        }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Problem) -> JSONValue {
        try descend(depth)
        var elements: [JSONValue] = []
        skipBlanks()
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipBlanks()
            if take(UInt8(ascii: "]")) { break }
            guard take(UInt8(ascii: ",")) else { throw problem("expected ',' or ']'") }
        }
        return .array(elements)
    }

    private mutating func descend(_ depth: Int) throws(Problem) {
        guard depth < maximumDepth else { throw problem("nested deeper than \(maximumDepth) levels") }
        index += 1
    }

    private mutating func string() throws(Problem) -> String {
        index += 1
        var content: [UInt8] = []
        while let byte = peek {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else { throw problem("invalid UTF-8") }
                return text
            case UInt8(ascii: "\\"): try escape(into: &content)
            case 0..<0x20: throw problem("control character in a string")
            default: content.append(byte)
            }
        }
        throw problem("the text ends inside a string")
    }

    private mutating func escape(into content: inout [UInt8]) throws(Problem) {
        guard let byte = peek else { throw problem("the text ends inside a string") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            var code = try codeUnit()
            if (0xD800..<0xDC00).contains(code) {
                guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else { throw problem("half a surrogate pair") }
                let low = try codeUnit()
                guard (0xDC00..<0xE000).contains(low) else { throw problem("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw problem("half a surrogate pair") }
            content.append(contentsOf: String(scalar).utf8)
        default: throw problem("unknown escape")
        }
    }

    private mutating func codeUnit() throws(Problem) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = peek.flatMap(Hexadecimal.digit) else { throw problem("expected four hexadecimal digits") }
            code = code << 4 | UInt32(digit)
            index += 1
        }
        return code
    }

    private mutating func number() throws(Problem) -> String {
        let start = index
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(Problem) {
        let start = index
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        guard index > start else { throw problem("expected a digit") }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(Problem) -> JSONValue {
        guard bytes[index...].starts(with: word.utf8) else { throw problem("unexpected character") }
        index += word.utf8.count
        return value
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { index += 1 }
    }

    private func problem(_ text: String) -> Problem { Problem(text: text, position: index + 1) }
}
