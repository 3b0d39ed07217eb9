package import FerryCore

/// One side of a move.
package enum ManifestSide: String, Sendable, Hashable, CaseIterable {
    case source, target
}

/// The line of a container; the items after it, up to the next such line, are what it held.
///
/// ```json
/// {"service":"mail","container":["INBOX"],"counterpart":["Posteingang"]}
/// ```
package struct ManifestContainer: Sendable, Hashable {
    package var service: ServiceKind
    /// Names from the top level down, on the side that the line is about.
    package var path: [String]
    /// On the source's side: where it is at the target, if that is another path.
    package var counterpart: [String]?

    package init(service: ServiceKind, path: [String], counterpart: [String]? = nil) {
        self.service = service
        self.path = path
        self.counterpart = counterpart == path ? nil : counterpart
    }

    /// Where it is at the target.
    package var targetPath: [String] { counterpart ?? path }
}

/// The line of an item: what it is called, the digest of its content, and what else a move has to keep.
///
/// ```json
/// {"kind":"message","name":"17.M1P2.mx1","size":2048,"content":"9f86…","date":1700000000,"flags":["seen"],"keywords":["work"]}
/// ```
package struct ManifestItem: Sendable, Hashable {
    /// What kind of item it is, with what such an item has besides its content.
    package enum Kind: Sendable, Hashable {
        /// `date` is when it arrived, in seconds since 1970; flags and keywords are sorted.
        case message(date: Int64, flags: [String], keywords: [String])
        case calendarObject
        case contact
        /// `date` is when it was modified, in seconds since 1970.
        case file(date: Int64, isExecutable: Bool)
        case fileFolder
        case event
        case media
        /// The side could not list or read it.
        case unreadable
    }

    package var kind: Kind
    /// What the side calls it, within its container.
    package var name: String
    /// What tells it from all others in its container, whatever happens to it: the side's own number; `nil` where that
    /// is the name.
    package var key: ItemKey?
    /// Of the content, in bytes as they were read.
    package var size: Int64
    /// Of the content in canonical form: mail with CRLF for every line end; calendar objects and contacts as unfolded
    /// lines in ascending order, each with LF (RFC 5545 section 3.1, RFC 6350 section 3.2); others as they are.
    package var content: ContentDigest
    /// On the source's side: the same of what the target is to have instead, because people's new addresses are in it;
    /// `nil` where the content is not changed on its way.
    package var moved: ContentDigest?
    /// Where the target has it, by the target's own numbers; `nil` where the target has none.
    package var place: ItemPlace?
    /// Why it need not be at the target: `skipped` or `elsewhere`; `nil` when it must.
    package var excuse: ItemOutcome?

    package init(
        kind: Kind, name: String, key: ItemKey? = nil, size: Int64, content: ContentDigest, moved: ContentDigest? = nil,
        place: ItemPlace? = nil, excuse: ItemOutcome? = nil
    ) {
        self.kind = kind
        self.name = name
        self.key = key == ItemKey(name: name) ? nil : key
        self.size = size
        self.content = content
        self.moved = moved == content ? nil : moved
        self.place = place
        self.excuse = excuse
    }

    /// What could not be read: nothing but its name.
    package static func unreadable(_ name: String, excuse: ItemOutcome?) -> ManifestItem {
        ManifestItem(kind: .unreadable, name: name, size: 0, content: ContentDigest(hashing: []), excuse: excuse)
    }
}

/// A line between the heads of two runs.
package enum ManifestLine: Sendable, Hashable {
    case container(ManifestContainer)
    case item(ManifestItem)

    /// The line without its end.
    package var bytes: [UInt8] {
        var line = ManifestLineWriter()
        switch self {
        case .container(let container):
            line.member("service", container.service.rawValue)
            line.member("container", container.path)
            if let counterpart = container.counterpart { line.member("counterpart", counterpart) }
        case .item(let item):
            line.member("kind", item.kind.name)
            line.member("name", item.name)
            if let key = item.key { line.member("key", key.hexadecimal) }
            if item.kind != .unreadable {
                line.member("size", item.size)
                line.member("content", item.content.hexadecimal)
            }
            if let moved = item.moved { line.member("moved", moved.hexadecimal) }
            switch item.kind {
            case .message(let date, let flags, let keywords):
                line.member("date", date)
                line.member("flags", flags)
                if !keywords.isEmpty { line.member("keywords", keywords) }
            case .file(let date, let isExecutable):
                line.member("date", date)
                if isExecutable { line.member("executable", true) }
            case .calendarObject, .contact, .fileFolder, .event, .media, .unreadable: break
            }
            if let place = item.place { line.member("place", "\(place.number)") }
            if let excuse = item.excuse.flatMap(Self.name) { line.member("excuse", excuse) }
        }
        return line.finish()
    }

    /// Throws `ManifestFlaw.malformed` for what is no such line.
    package init(parsing bytes: [UInt8]) throws(ManifestFlaw) {
        let line = try ManifestLineReader(bytes)
        guard line.has("kind") else {
            guard let service = ServiceKind(rawValue: try line.text("service")) else { throw .malformed }
            self = .container(
                ManifestContainer(
                    service: service, path: try line.texts("container"),
                    counterpart: line.has("counterpart") ? try line.texts("counterpart") : nil))
            return
        }
        let name = try line.text("name")
        let excuse: ItemOutcome? =
            switch line.has("excuse") ? try line.text("excuse") : nil {
            case nil: nil
            case "skipped"?: .skipped
            case "elsewhere"?: .elsewhere
            case _?: throw .malformed
            }
        let kind: ManifestItem.Kind =
            switch try line.text("kind") {
            case "message":
                .message(
                    date: try line.number("date"), flags: try line.texts("flags"),
                    keywords: line.has("keywords") ? try line.texts("keywords") : [])
            case "event-or-task": .calendarObject
            case "contact": .contact
            case "file": .file(date: try line.number("date"), isExecutable: line.has("executable"))
            case "folder": .fileFolder
            case "chat-event": .event
            case "chat-media": .media
            case "unreadable": .unreadable
            default: throw .malformed
            }
        var place: ItemPlace?
        if line.has("place") {
            guard let number = UInt64(try line.text("place")) else { throw .malformed }
            place = ItemPlace(number)
        }
        if kind == .unreadable {
            self = .item(.unreadable(name, excuse: excuse))
        } else {
            self = .item(
                ManifestItem(
                    kind: kind, name: name, key: line.has("key") ? try line.key("key") : nil,
                    size: try line.number("size"), content: try line.digest("content"),
                    moved: line.has("moved") ? try line.digest("moved") : nil, place: place, excuse: excuse))
        }
    }

    private static func name(_ excuse: ItemOutcome) -> String? {
        switch excuse {
        case .skipped: "skipped"
        case .elsewhere: "elsewhere"
        case .copied, .failed: nil
        }
    }
}

extension ManifestItem.Kind {
    fileprivate var name: String {
        switch self {
        case .message: "message"
        case .calendarObject: "event-or-task"
        case .contact: "contact"
        case .file: "file"
        case .fileFolder: "folder"
        case .event: "chat-event"
        case .media: "chat-media"
        case .unreadable: "unreadable"
        }
    }
}
