package import FerryCore

/// What Ferry reads of a Matrix event, as the Client-Server API writes it ("Room event format").
package struct MatrixEvent: Sendable, Hashable {
    /// `$…`; `nil` in exports that leave it out.
    package var id: String?
    package var type: String
    package var sender: String?
    /// Present in state events, often empty.
    package var stateKey: String?
    /// `origin_server_ts`.
    package var sent: Instant?
    /// Everything that the content refers to by `mxc://`: files, their thumbnails, avatars. Each once, in order.
    package var media: [MediaReference]

    /// `nil` when the octets are not a JSON object with a `type`.
    package static func parse(_ bytes: [UInt8]) -> MatrixEvent? {
        JSONDocument(bytes).flatMap { MatrixEvent($0, $0.root) }
    }

    init?(_ document: JSONDocument, _ node: JSONDocument.Node) {
        func string(_ name: String) -> String? { document[node, name].flatMap(document.string) }
        guard let type = string("type") else { return nil }
        self.type = type
        id = string("event_id")
        sender = string("sender")
        stateKey = string("state_key")
        sent = document[node, "origin_server_ts"].flatMap(document.integer).flatMap { milliseconds in
            let (microseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000)
            return overflow ? nil : Instant(microseconds: microseconds)
        }
        media = []
        for path in Self.mediaPaths {
            var found = document[node, "content"]
            for name in path { found = found.flatMap { document[$0, name] } }
            if let text = found.flatMap(document.string), let reference = MediaReference(text),
                !media.contains(reference)
            {
                media.append(reference)
            }
        }
    }

    /// Below `content`: of plain files, of encrypted ones (`EncryptedFile`), of their thumbnails, of avatars.
    private static let mediaPaths = [
        ["url"], ["file", "url"], ["info", "thumbnail_url"], ["info", "thumbnail_file", "url"], ["avatar_url"],
    ]
}

/// The address of a file on a homeserver: `mxc://server/identifier` (Client-Server API, "Matrix Content URIs").
package struct MediaReference: Sendable, Hashable {
    package var server: String
    package var identifier: String

    /// `nil` unless the text is an `mxc` URI whose identifier has only the characters that the specification allows
    /// (letters, digits, `_`, `-`), so that it is safe as a file's name.
    package init?(_ text: String) {
        guard text.utf8.starts(with: "mxc://".utf8) else { return nil }
        let parts = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, parts[1].utf8.count <= 255,
            parts[1].utf8.allSatisfy({ byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(ASCII.lowercased(byte))
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: "-")
            })
        else { return nil }
        server = String(parts[0])
        identifier = String(parts[1])
    }

    package var text: String { "mxc://\(server)/\(identifier)" }
}
