/// A collection segment, with or without a key in parentheses: `users`, `users('…')`, `users(id='…')`,
/// `crossTenantMigrationJobs(displayName='…')`.
enum KeyedSegment: Equatable {
    case collection
    case key(String)
    case alternateKey(String)

    /// `nil` when the segment is not that collection. Throws `Failure.badRequest` for a key that cannot be read.
    init?(_ segment: String, collection: String, alternateKey: String?) throws(Failure) {
        guard let rest = ASCII.drop(collection, from: segment) else { return nil }
        if rest.isEmpty {
            self = .collection
            return
        }
        guard rest.utf8.first == UInt8(ascii: "(") else { return nil }
        let quote = UInt8(ascii: "'")
        // The literal runs from the first quote to the last `')`: the Python SDK does not double a quote inside a name,
        // OData does, and both must be read (reference 7.3).
        guard let open = rest.utf8.firstIndex(of: quote), rest.utf8.last == UInt8(ascii: ")") else {
            throw Self.unreadable(collection)
        }
        let close = rest.utf8.index(rest.endIndex, offsetBy: -2)
        guard open < close, rest.utf8[close] == quote else { throw Self.unreadable(collection) }
        let literal = ODataText.unquoted(rest[rest.utf8.index(after: open)..<close])
        let name = rest[rest.utf8.index(after: rest.startIndex)..<open]
        if name.isEmpty || ASCII.equalFoldingCase(name, "id=") {
            self = .key(literal)
        } else if let alternateKey, ASCII.equalFoldingCase(name, alternateKey + "=") {
            self = .alternateKey(literal)
        } else {
            throw .badRequest("'\(name.prefix(32))' is not a key of \(collection).", target: nil)
        }
    }

    private static func unreadable(_ collection: String) -> Failure {
        .badRequest("The key of \(collection) must be a text in single quotes inside parentheses.", target: nil)
    }
}

/// Texts as OData writes them: in single quotes, a quote inside doubled.
enum ODataText {
    /// What stands between the quotes, doubled ones made single.
    static func unquoted(_ inner: some StringProtocol) -> String {
        var bytes = [UInt8]()
        var pending = false
        for byte in inner.utf8 {
            if byte == UInt8(ascii: "'") {
                pending.toggle()
                if !pending { continue }
            } else {
                pending = false
            }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "'")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "'") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "'"))
        return String(decoding: bytes, as: UTF8.self)
    }
}
