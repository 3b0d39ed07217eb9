package import NIOCore

/// How literals may be sent (RFC 7888).
package enum LiteralStyle: Sendable, Hashable {
    /// Each waits for the server's `+`.
    case synchronizing
    /// LITERAL-: up to 4,096 bytes without waiting.
    case minus
    /// LITERAL+: all without waiting.
    case plus

    package init(_ capabilities: Capabilities) {
        self = capabilities.literalPlus ? .plus : capabilities.literalMinus ? .minus : .synchronizing
    }

    package func waits(bytes: UInt64) -> Bool {
        switch self {
        case .synchronizing: true
        case .minus: bytes > 4_096
        case .plus: false
        }
    }
}

/// A command without its tag, put together word by word. What must wait for the server's `+` begins a new piece.
package struct CommandText: Sendable {
    /// Before each piece but the first the server must have asked for it. The last lacks its line break until `sealed`.
    private var pieces: [ByteBuffer]
    private let literals: LiteralStyle

    /// `words` goes out as it is.
    package init(_ words: String, literals: LiteralStyle = .synchronizing) {
        pieces = [ByteBuffer(string: words)]
        self.literals = literals
    }

    /// The pieces of the whole command.
    package var sealed: [ByteBuffer] {
        var pieces = pieces
        pieces[pieces.count - 1].writeStaticString("\r\n")
        return pieces
    }

    /// The pieces so far, without a line break, for a command that goes on.
    package var unsealed: [ByteBuffer] { pieces }

    package mutating func word(_ word: some StringProtocol) {
        write(" ")
        pieces[pieces.count - 1].writeSubstring(Substring(word))
    }

    /// `)`
    package mutating func close() { write(")") }

    package mutating func mailbox(_ name: MailboxName) { string(name.bytes) }

    /// `astring`: an atom where possible, else quoted, else a literal.
    package mutating func string(_ bytes: [UInt8]) {
        write(" ")
        if !bytes.isEmpty, bytes.count <= 200, bytes.allSatisfy(Self.isAtomCharacter), !Self.isNil(bytes) {
            pieces[pieces.count - 1].writeBytes(bytes)
        } else if bytes.count <= 1_000, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
            quote(bytes)
        } else {
            literal(bytes)
        }
    }

    package mutating func string(_ text: String) { string(Array(text.utf8)) }

    /// A pattern of LIST, in which `*` and `%` are wild: quoted even where it could be an atom.
    package mutating func pattern(_ bytes: [UInt8]) {
        write(" ")
        if bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { quote(bytes) } else { literal(bytes) }
    }

    /// `literal8` where bytes may be anything.
    package mutating func binaryString(_ bytes: [UInt8]) {
        guard bytes.contains(0) else { return string(bytes) }
        write(" ~")
        literal(bytes)
    }

    private mutating func quote(_ bytes: [UInt8]) {
        write("\"")
        for byte in bytes {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { write("\\") }
            pieces[pieces.count - 1].writeInteger(byte)
        }
        write("\"")
    }

    private mutating func literal(_ bytes: [UInt8]) {
        let waits = literals.waits(bytes: UInt64(bytes.count))
        pieces[pieces.count - 1].writeString("{\(bytes.count)\(waits ? "" : "+")}\r\n")
        if waits { pieces.append(ByteBuffer()) }
        pieces[pieces.count - 1].writeBytes(bytes)
    }

    private mutating func write(_ text: StaticString) { pieces[pieces.count - 1].writeStaticString(text) }

    /// `ASTRING-CHAR` but `]` and `&`, which some servers dislike bare.
    private static func isAtomCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x20, 0x7F...0xFF: false
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "*"),
            UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"), UInt8(ascii: "&"), UInt8(ascii: "~"):
            false
        default: true
        }
    }

    private static func isNil(_ bytes: [UInt8]) -> Bool {
        bytes.count == 3 && bytes.map { $0 | 0x20 } == Array("nil".utf8)
    }
}

extension MessageFlags {
    /// `(\Seen work)`. `\Recent` and keywords that are no atoms are left out: no server takes them.
    package var commandText: String {
        var words = [String]()
        for (flag, name) in Self.systemNames where system.contains(flag) { words.append(name) }
        words += keywords.filter(Self.isSendable)
        return "(" + words.joined(separator: " ") + ")"
    }

    private static let systemNames: [(System, String)] = [
        (.seen, "\\Seen"), (.answered, "\\Answered"), (.flagged, "\\Flagged"), (.deleted, "\\Deleted"),
        (.draft, "\\Draft"),
    ]

    /// An atom (RFC 9051 section 9, `flag-keyword`).
    package static func isSendable(_ keyword: String) -> Bool {
        !keyword.isEmpty
            && keyword.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7F && !"(){%*\"\\]".utf8.contains($0)
            }
    }
}
