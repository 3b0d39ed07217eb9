/// FETCH data (RFC 9051 section 7.5.2).
extension ResponseParser {
    /// A body whose bytes follow the line that was given.
    struct BodyLiteral {
        var section: FetchedBody.Section
        var origin: UInt64?
        var bytes: UInt64
    }

    /// Reads attributes, inside the parentheses, up to the closing one; or up to a body whose literal begins where the
    /// bytes end, and gives that.
    mutating func fetchAttributes(into message: inout FetchedMessage) throws(WireError) -> BodyLiteral? {
        while true {
            scanner.skipSpaces()
            if scanner.take(UInt8(ascii: ")")) { return nil }
            guard let (name, section) = try attributeName() else { throw scanner.malformed("')' after the attributes") }
            if let section {
                if let literal = try body(section, into: &message) { return literal }
                continue
            }
            scanner.skipSpaces()
            if scanner.matches(name, "UID") {
                let uid = try scanner.number32()
                guard uid > 0 else { throw scanner.malformed("a UID above 0") }
                message.uid = uid
            } else if scanner.matches(name, "FLAGS") {
                message.flags = try flags()
            } else if scanner.matches(name, "INTERNALDATE") {
                message.internalDate = try scanner.nilString().flatMap { DateTime.instant($0) }
            } else if scanner.matches(name, "RFC822.SIZE") {
                message.size = scanner.lenientNumber()
            } else if scanner.matches(name, "MODSEQ") {
                message.modSeq = try modSeq()
            } else {
                try scanner.skipValue()
            }
        }
    }

    /// The name up to a space or bracket, and which content it names, if it does. `nil` at the end of the bytes.
    private mutating func attributeName() throws(WireError) -> (Range<Int>, FetchedBody.Section?)? {
        let start = scanner.position
        while let byte = scanner.next, byte != 0x20, byte != UInt8(ascii: "["), byte != UInt8(ascii: "("),
            byte != UInt8(ascii: ")")
        { scanner.advance() }
        let name = start..<scanner.position
        guard !name.isEmpty else { return nil }
        guard scanner.next == UInt8(ascii: "[") else {
            if scanner.matches(name, "RFC822") { return (name, .full) }
            if scanner.matches(name, "RFC822.HEADER") { return (name, .header) }
            return (name, scanner.matches(name, "RFC822.TEXT") ? .other : nil)
        }
        let section = try scanner.section()
        // Other bracketed names (BINARY.SIZE[1]) have plain values.
        guard scanner.matches(name, "BODY") else {
            return (name, scanner.matches(name, "BINARY") ? .other : nil)
        }
        if section.isEmpty { return (name, .full) }
        let isHeader =
            scanner.matches(section, "HEADER")
            || section.count > 14 && scanner.matches(section.prefix(14), "HEADER.FIELDS ")
        return (name, isHeader ? .header : .other)
    }

    private mutating func body(
        _ section: FetchedBody.Section, into message: inout FetchedMessage
    ) throws(WireError) -> BodyLiteral? {
        var origin: UInt64?
        if scanner.take(UInt8(ascii: "<")) {
            origin = try scanner.number()
            try scanner.expect(UInt8(ascii: ">"), "'>' after the origin")
        }
        scanner.skipSpaces()
        if scanner.takeNil() {
            message.bodies.append(FetchedBody(section: section, origin: origin, content: .missing))
            return nil
        }
        if let bytes = announcedAtEnd() { return BodyLiteral(section: section, origin: origin, bytes: bytes) }
        let content = FetchedBody.Content.inline(try scanner.string())
        message.bodies.append(FetchedBody(section: section, origin: origin, content: content))
        return nil
    }

    /// The size in `{size}` or `~{size}` when the bytes end right after it; else nothing is taken.
    private mutating func announcedAtEnd() -> UInt64? {
        var ahead = scanner
        _ = ahead.take(UInt8(ascii: "~"))
        guard ahead.take(UInt8(ascii: "{")), let size = try? ahead.number() else { return nil }
        _ = ahead.take(UInt8(ascii: "+"))
        guard ahead.take(UInt8(ascii: "}")), ahead.isAtEnd else { return nil }
        scanner = ahead
        return size
    }

    private mutating func modSeq() throws(WireError) -> UInt64? {
        guard scanner.take(UInt8(ascii: "(")) else { return scanner.lenientNumber() }
        let value = try scanner.number()
        try scanner.expect(UInt8(ascii: ")"), "')' after MODSEQ")
        return value
    }
}
