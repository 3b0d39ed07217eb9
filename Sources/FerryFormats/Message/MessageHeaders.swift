package import FerryCore

/// The header fields of a mail message: RFC 5322 section 2.2, read from bytes as they are found.
///
/// Reads at most `ContentLimits.maximumHeaderBytes`. Lines end with CRLF or bare LF; lines that are no fields (an mbox
/// `From ` line, garbage) are passed over. Never fails: a message without fields has no fields.
package struct MessageHeaders: Sendable, Hashable {
    package struct Field: Sendable, Hashable {
        /// As written; compare without case.
        package var name: String
        /// Unfolded (section 2.2.3), without blanks at the ends. Whatever charset the sender used.
        package var value: [UInt8]
    }

    /// In the order of the message.
    package private(set) var fields: [Field]
    /// Where the body begins; `nil` when the end of the header was not seen.
    package private(set) var bodyOffset: Int?

    package static func parse(_ bytes: [UInt8]) -> MessageHeaders {
        var headers = MessageHeaders(fields: [], bodyOffset: nil)
        let limit = min(bytes.count, ContentLimits.maximumHeaderBytes)
        var position = 0
        // A fold belongs to the field before it, but not when the line before it was no field.
        var isInField = false
        while position < limit {
            let newline = bytes[position..<limit].firstIndex(of: 0x0A)
            if newline == nil, limit < bytes.count { break }
            let next = newline.map { $0 + 1 } ?? limit
            var end = newline ?? limit
            if end > position, bytes[end - 1] == 0x0D { end -= 1 }
            if end == position {
                headers.bodyOffset = next
                break
            }
            if ASCII.isBlank(bytes[position]) {
                if isInField { headers.fields[headers.fields.count - 1].value += bytes[position..<end] }
            } else if let field = field(bytes[position..<end]) {
                headers.fields.append(field)
                isInField = true
            } else {
                isInField = false
            }
            position = next
        }
        for index in headers.fields.indices {
            let value = headers.fields[index].value
            headers.fields[index].value = Array(value[ASCII.trimmed(0..<value.count, of: value)])
        }
        return headers
    }

    /// The value of the first field of that name; compared without case.
    package func first(_ name: StaticString) -> [UInt8]? {
        let wanted = name.description.lowercased()
        return fields.first { $0.name.lowercased() == wanted }?.value
    }

    /// As it stands: encoded words (RFC 2047) are not decoded, octets that are not UTF-8 are replaced.
    package var subject: String? { text("subject") }
    package var from: String? { text("from") }

    /// What the sender's `Date` field says.
    package var date: Instant? { first("date").flatMap { InternetDate.parse($0) } }

    /// With its angle brackets.
    package var messageID: String? { text("message-id") }

    private func text(_ name: StaticString) -> String? { first(name).map { String(decoding: $0, as: UTF8.self) } }

    /// A name of printable ASCII but the colon, then a colon; blanks before the colon are the obsolete form.
    private static func field(_ line: ArraySlice<UInt8>) -> Field? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var name = line[..<colon]
        while let last = name.last, ASCII.isBlank(last) { name.removeLast() }
        guard !name.isEmpty, name.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        return Field(name: String(decoding: name, as: UTF8.self), value: Array(line[(colon + 1)...]))
    }
}
