/// One word of a `$filter`, with its place for error messages.
struct FilterToken: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        /// A property, operator, function, keyword or range variable.
        case name(String)
        /// `'…'`, quotes removed.
        case text(String)
        /// `microsoft.graph.type'…'`: the type's name and the member.
        case enumeration(type: String, member: String)
        /// Something that begins with a digit: a date.
        case literal(String)
        case open, close, comma, slash, colon
        case end
    }

    var kind: Kind
    /// Place in the option's value, counted in bytes from 1.
    var position: Int

    /// How an error message calls it.
    var description: String {
        switch kind {
        case .name(let name): "'\(name.prefix(64))'"
        case .text: "a text"
        case .enumeration: "an enum value"
        case .literal(let text): "'\(text.prefix(64))'"
        case .open: "'('"
        case .close: "')'"
        case .comma: "','"
        case .slash: "'/'"
        case .colon: "':'"
        case .end: "the end"
        }
    }

    /// Cuts the text into tokens; the last one is `.end`.
    static func all(of text: String) throws(Failure) -> [FilterToken] {
        let bytes = Array(text.utf8)
        var tokens: [FilterToken] = []
        var index = 0
        while index < bytes.count {
            let start = index
            let kind: Kind
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D:
                index += 1
                continue
            case UInt8(ascii: "("): (kind, index) = (.open, index + 1)
            case UInt8(ascii: ")"): (kind, index) = (.close, index + 1)
            case UInt8(ascii: ","): (kind, index) = (.comma, index + 1)
            case UInt8(ascii: "/"): (kind, index) = (.slash, index + 1)
            case UInt8(ascii: ":"): (kind, index) = (.colon, index + 1)
            case UInt8(ascii: "'"): kind = .text(try quoted(bytes, &index))
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                while index < bytes.count, isLiteral(bytes[index]) { index += 1 }
                kind = .literal(String(decoding: bytes[start..<index], as: UTF8.self))
            case let byte where isName(byte):
                while index < bytes.count, isName(bytes[index]) { index += 1 }
                let name = String(decoding: bytes[start..<index], as: UTF8.self)
                if index < bytes.count, bytes[index] == UInt8(ascii: "'") {
                    kind = .enumeration(type: name, member: try quoted(bytes, &index))
                } else {
                    kind = .name(name)
                }
            default:
                throw .badRequest("$filter: unexpected character at position \(start + 1).", target: "$filter")
            }
            tokens.append(FilterToken(kind: kind, position: start + 1))
        }
        tokens.append(FilterToken(kind: .end, position: bytes.count + 1))
        return tokens
    }

    /// Reads from the opening quote to behind the closing one.
    private static func quoted(_ bytes: [UInt8], _ index: inout Int) throws(Failure) -> String {
        let start = index
        index += 1
        var content: [UInt8] = []
        while index < bytes.count {
            if bytes[index] != UInt8(ascii: "'") {
                content.append(bytes[index])
            } else if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "'") {
                content.append(bytes[index])
                index += 1
            } else {
                index += 1
                return String(decoding: content, as: UTF8.self)
            }
            index += 1
        }
        throw .badRequest("$filter: a text that has no end begins, at position \(start + 1).", target: "$filter")
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// Dates hold colons and signs.
    private static func isLiteral(_ byte: UInt8) -> Bool {
        isName(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }
}
