import NIOCore

/// A word of a ManageSieve response (RFC 5804 section 4).
enum SieveWord: Sendable, Hashable {
    /// A number, or a word without quotes.
    case atom(String)
    /// Quoted, or a literal.
    case string([UInt8])
    case open, close

    var text: String? {
        switch self {
        case .atom(let text): text
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        case .open, .close: nil
        }
    }
}

/// Cuts what a ManageSieve server sends into lines of words. Literals belong to the line that announces them.
struct SieveReader {
    enum Trouble: Error { case malformed, tooLong }

    /// Scripts are the largest thing; servers limit them to a mebibyte by default.
    static let mostBytes = 4 << 20
    /// Of a line, without its literals. RFC 5804 gives a quoted string 1,024.
    private static let mostPlainBytes = 64 << 10

    private var bytes: [UInt8] = []
    /// Where the line begins that comes next.
    private var start = 0

    var isEmpty: Bool { start == bytes.count }

    mutating func append(_ buffer: ByteBuffer) {
        // Not line by line, which would move everything for each of many short lines.
        bytes.removeFirst(start)
        start = 0
        bytes.append(contentsOf: buffer.readableBytesView)
    }

    /// The next whole line; `nil` while it is incomplete.
    mutating func next() throws(Trouble) -> [SieveWord]? {
        guard bytes.count - start <= Self.mostBytes else { throw .tooLong }
        var words: [SieveWord] = []
        var place = start
        var literalBytes = 0
        while place < bytes.count {
            guard place - start - literalBytes <= Self.mostPlainBytes else { throw .tooLong }
            switch bytes[place] {
            case UInt8(ascii: " "): place += 1
            case 0x0D:
                guard place + 1 < bytes.count else { return nil }
                guard bytes[place + 1] == 0x0A else { throw .malformed }
                start = place + 2
                return words
            case UInt8(ascii: "("):
                words.append(.open)
                place += 1
            case UInt8(ascii: ")"):
                words.append(.close)
                place += 1
            case UInt8(ascii: "\""):
                guard let (text, end) = try quoted(after: place + 1) else { return nil }
                words.append(.string(text))
                place = end
            case UInt8(ascii: "{"):
                guard let (text, end) = try literal(after: place + 1) else { return nil }
                words.append(.string(text))
                literalBytes += text.count
                place = end
            default:
                let begin = place
                while place < bytes.count, !Self.endsAtom(bytes[place]) { place += 1 }
                guard place > begin else { throw .malformed }
                guard place - begin <= Self.mostPlainBytes else { throw .tooLong }
                guard place < bytes.count else { return nil }
                words.append(.atom(String(decoding: bytes[begin..<place], as: UTF8.self)))
            }
        }
        return nil
    }

    private static func endsAtom(_ byte: UInt8) -> Bool { byte <= 0x20 || byte == 0x7F || "(){\"".utf8.contains(byte) }

    private func quoted(after start: Int) throws(Trouble) -> (text: [UInt8], end: Int)? {
        var text: [UInt8] = []
        var place = start
        while place < bytes.count {
            guard place - start <= Self.mostPlainBytes else { throw .tooLong }
            switch bytes[place] {
            case UInt8(ascii: "\""): return (text, place + 1)
            case UInt8(ascii: "\\"):
                guard place + 1 < bytes.count else { return nil }
                text.append(bytes[place + 1])
                place += 2
            case 0, 0x0A, 0x0D: throw .malformed
            default:
                text.append(bytes[place])
                place += 1
            }
        }
        return nil
    }

    private func literal(after start: Int) throws(Trouble) -> (text: [UInt8], end: Int)? {
        var place = start
        var count = 0
        while place < bytes.count, (0x30...0x39).contains(bytes[place]) {
            count = count * 10 + Int(bytes[place] - 0x30)
            guard count <= Self.mostBytes else { throw .tooLong }
            place += 1
        }
        guard place > start || place == bytes.count else { throw .malformed }
        // A server announces without `+`; clients are the ones who must not wait.
        if place < bytes.count, bytes[place] == UInt8(ascii: "+") { place += 1 }
        for expected in [UInt8(ascii: "}"), 0x0D, 0x0A] {
            guard place < bytes.count else { return nil }
            guard bytes[place] == expected else { throw .malformed }
            place += 1
        }
        guard bytes.count - place >= count else { return nil }
        return (Array(bytes[place..<place + count]), place + count)
    }
}
