import FerryCore

/// A JSON text (RFC 8259) with the place of every value in it, for reading some and changing some without touching the
/// spelling of the others.
///
/// Strict: what it accepts, every parser accepts; nesting is limited by `ContentLimits.maximumJSONDepth`. Reads without
/// recursion.
package struct JSONDocument: Sendable {
    package enum Kind: Sendable, Hashable { case object, array, string, number, literal }

    /// A value of the document; only valid with the document it came from.
    package struct Node: Sendable, Hashable { fileprivate let index: Int }

    private struct Entry {
        var kind: Kind
        /// The octets of the value, quotes or brackets included.
        var range: Range<Int>
        /// The member's name in an object, quotes included.
        var key: Range<Int>?
        /// The entry after this value and all that is in it.
        var next: Int
    }

    package let bytes: [UInt8]
    private var entries: [Entry] = []

    package var root: Node { Node(index: 0) }

    /// `nil` when the octets are not one JSON value with nothing but blanks around it.
    package init?(_ bytes: [UInt8]) {
        self.bytes = bytes
        guard parse() else { return nil }
    }

    package func kind(of node: Node) -> Kind { entries[node.index].kind }

    /// Where the value is, quotes or brackets included.
    package func range(of node: Node) -> Range<Int> { entries[node.index].range }

    /// The values of an array or an object, in order; none for other kinds.
    package func children(of node: Node) -> [Node] {
        guard [.object, .array].contains(entries[node.index].kind) else { return [] }
        var children = [Node]()
        var index = node.index + 1
        while index < entries[node.index].next {
            children.append(Node(index: index))
            index = entries[index].next
        }
        return children
    }

    /// The octets of the name under which the value is in its object, quotes included; `nil` in arrays.
    package func keyRange(of node: Node) -> Range<Int>? { entries[node.index].key }

    /// The name under which the value is in its object.
    package func key(of node: Node) -> String? { entries[node.index].key.flatMap(text) }

    /// The member of that name; the last one where a name is repeated, as most parsers take it.
    package subscript(node: Node, name: String) -> Node? { members(of: node, named: name).last }

    /// All members of that name; more than one where an author repeated it.
    package func members(of node: Node, named name: String) -> [Node] {
        guard entries[node.index].kind == .object else { return [] }
        return children(of: node).filter { child in
            guard let key = entries[child.index].key else { return false }
            let content = bytes[key.lowerBound + 1..<key.upperBound - 1]
            return content.elementsEqual(name.utf8) || content.contains(Self.backslash) && text(key) == name
        }
    }

    /// The text of a string; `nil` for other kinds.
    package func string(_ node: Node) -> String? {
        entries[node.index].kind == .string ? text(entries[node.index].range) : nil
    }

    /// A whole number; `nil` for other kinds, fractions, exponents and numbers outside of 64 bits.
    package func integer(_ node: Node) -> Int64? {
        guard entries[node.index].kind == .number else { return nil }
        return Int64(String(decoding: bytes[entries[node.index].range], as: UTF8.self))
    }

    /// The text as a JSON string, quotes included.
    package static func quoted(_ text: String) -> [UInt8] {
        var output = [quote]
        for byte in text.utf8 {
            if byte == quote || byte == backslash {
                output += [backslash, byte]
            } else if byte < 0x20 {
                output += Array("\\u00".utf8) + [Hexadecimal.character(byte >> 4), Hexadecimal.character(byte & 0xF)]
            } else {
                output.append(byte)
            }
        }
        return output + [quote]
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
}

// MARK: - Parsing

extension JSONDocument {
    private mutating func parse() -> Bool {
        var position = 0
        var open = [Int]()
        func skipBlanks() {
            while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        }
        while true {
            skipBlanks()
            var key: Range<Int>?
            if let parent = open.last, entries[parent].kind == .object {
                guard let end = stringEnd(from: position) else { return false }
                key = position..<end
                position = end
                skipBlanks()
                guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return false }
                position += 1
                skipBlanks()
            }
            guard position < bytes.count else { return false }
            let index = entries.count
            var isOpen = false
            switch bytes[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                let isObject = bytes[position] == UInt8(ascii: "{")
                entries.append(
                    Entry(kind: isObject ? .object : .array, range: position..<position, key: key, next: index))
                guard open.count < ContentLimits.maximumJSONDepth else { return false }
                open.append(index)
                position += 1
                skipBlanks()
                let isEmpty = position < bytes.count && bytes[position] == UInt8(ascii: isObject ? "}" : "]")
                isOpen = !isEmpty
            case Self.quote:
                guard let end = stringEnd(from: position) else { return false }
                entries.append(Entry(kind: .string, range: position..<end, key: key, next: index + 1))
                position = end
            default:
                let number = numberEnd(from: position)
                guard let end = number ?? literalEnd(from: position) else { return false }
                let kind = number == nil ? Kind.literal : .number
                entries.append(Entry(kind: kind, range: position..<end, key: key, next: index + 1))
                position = end
            }
            if isOpen { continue }
            // After a value: close what ends here, then a comma, or the end of everything.
            while true {
                skipBlanks()
                guard let parent = open.last else { return position == bytes.count }
                guard position < bytes.count else { return false }
                if bytes[position] == UInt8(ascii: ","), entries.count > parent + 1 {
                    position += 1
                    break
                }
                guard bytes[position] == UInt8(ascii: entries[parent].kind == .object ? "}" : "]") else { return false }
                position += 1
                entries[parent].range = entries[parent].range.lowerBound..<position
                entries[parent].next = entries.count
                open.removeLast()
            }
        }
    }

    /// The place after the closing quote of the string that begins at `start`.
    private func stringEnd(from start: Int) -> Int? {
        guard start < bytes.count, bytes[start] == Self.quote else { return nil }
        var position = start + 1
        var isASCII = true
        while position < bytes.count {
            let byte = bytes[position]
            if byte == Self.quote {
                let content = bytes[start + 1..<position]
                guard isASCII || String(validating: content, as: UTF8.self) != nil else { return nil }
                return position + 1
            }
            guard byte >= 0x20 else { return nil }
            if byte >= 0x80 { isASCII = false }
            position += 1
            guard byte == Self.backslash else { continue }
            guard position < bytes.count else { return nil }
            let escape = bytes[position]
            position += 1
            if escape == UInt8(ascii: "u") {
                guard codeUnit(at: position) != nil else { return nil }
                position += 4
            } else if !"\"\\/bfnrt".utf8.contains(escape) {
                return nil
            }
        }
        return nil
    }

    private func numberEnd(from start: Int) -> Int? {
        var position = start
        func digits() -> Bool {
            let first = position
            while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
                position += 1
            }
            return position > first
        }
        func skip(_ characters: String) -> Bool {
            guard position < bytes.count, characters.utf8.contains(bytes[position]) else { return false }
            position += 1
            return true
        }
        _ = skip("-")
        if !skip("0"), !digits() { return nil }
        if skip("."), !digits() { return nil }
        if skip("eE") {
            _ = skip("+-")
            if !digits() { return nil }
        }
        return position
    }

    private func literalEnd(from start: Int) -> Int? {
        for literal in ["true", "false", "null"] where bytes[start...].starts(with: literal.utf8) {
            return start + literal.utf8.count
        }
        return nil
    }

    /// The UTF-16 code unit that four hexadecimal digits say.
    private func codeUnit(at position: Int) -> UInt16? {
        guard position + 4 <= bytes.count else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Hexadecimal.digit(byte) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// A string without its quotes and escapes; surrogates that stand alone are replaced by U+FFFD.
    private func text(_ range: Range<Int>) -> String? {
        let content = range.lowerBound + 1..<range.upperBound - 1
        guard bytes[content].contains(Self.backslash) else { return String(decoding: bytes[content], as: UTF8.self) }
        var text = ""
        var position = content.lowerBound
        while position < content.upperBound {
            let end = bytes[position..<content.upperBound].firstIndex(of: Self.backslash) ?? content.upperBound
            text += String(decoding: bytes[position..<end], as: UTF8.self)
            position = end
            // Escapes in a row are taken together: a character may need two of them.
            var units = [UInt16]()
            while position < content.upperBound, bytes[position] == Self.backslash {
                switch bytes[position + 1] {
                case UInt8(ascii: "b"): units.append(0x08)
                case UInt8(ascii: "f"): units.append(0x0C)
                case UInt8(ascii: "n"): units.append(0x0A)
                case UInt8(ascii: "r"): units.append(0x0D)
                case UInt8(ascii: "t"): units.append(0x09)
                case UInt8(ascii: "u"):
                    units.append(codeUnit(at: position + 2) ?? 0xFFFD)
                    position += 4
                default: units.append(UInt16(bytes[position + 1]))
                }
                position += 2
            }
            text += String(decoding: units, as: UTF16.self)
        }
        return text
    }
}
