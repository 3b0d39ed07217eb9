package import FerryCore

/// A mailbox folder, a calendar, an address book, a file tree or a chat room.
package struct Container: Sendable, Hashable {
    /// The connector's own name, unique within the account and stable across passes.
    package var name: String
    /// Names from the top level down, as people see them (decoded, not escaped). Mail: `["INBOX"]`, `["Projects", "2024"]`.
    package var path: [String]
    package var details: ContainerDetails

    package init(name: String, path: [String], details: ContainerDetails) {
        self.name = name
        self.path = path
        self.details = details
    }
}

/// What a container is beside its items.
package enum ContainerDetails: Sendable, Hashable {
    /// `use`: what the folder is for, where the source says so.
    case mailFolder(isSubscribed: Bool, use: MailFolderUse? = nil)
    /// `color` is `#RRGGBB`; both as people see them, `nil` when not set.
    case calendar(displayName: String?, color: String?, traits: CollectionTraits = CollectionTraits())
    case addressBook(displayName: String?, color: String?, traits: CollectionTraits = CollectionTraits())
    case fileTree
    /// A chat room; `state` is the room's state: Matrix state events as one JSON array in UTF-8.
    case room(state: [UInt8])
}

extension ContainerDetails {
    /// Of a calendar or address book; none of anything else.
    package var traits: CollectionTraits {
        switch self {
        case .calendar(_, _, let traits), .addressBook(_, _, let traits): traits
        case .mailFolder, .fileTree, .room: CollectionTraits()
        }
    }
}

/// What a calendar or address book has beside its name and color; `nil` or empty where it is not set.
package struct CollectionTraits: Sendable, Hashable {
    package var description: String?
    /// Its place in a client's list, a decimal number.
    package var order: String?
    /// That of times without one: an iCalendar object with one VTIMEZONE (RFC 4791 section 5.2.2), its lines ended by CRLF.
    package var timeZone: String?
    /// What a calendar is for, sorted: of VEVENT, VTODO and VJOURNAL; empty where it is for all of them.
    package var components: [String]

    package init(
        description: String? = nil, order: String? = nil, timeZone: String? = nil, components: [String] = []
    ) {
        self.description = description
        self.order = order
        self.timeZone = timeZone
        self.components = components
    }

    /// Those that `other` has not, or has otherwise. Of a time zone only the name counts, for servers have rules of their own
    /// for it.
    package func missing(in other: CollectionTraits) -> CollectionTraits {
        CollectionTraits(
            description: description == other.description ? nil : description,
            order: order == other.order ? nil : order,
            timeZone: Self.zone(timeZone) == Self.zone(other.timeZone) ? nil : timeZone,
            components: components == other.components ? [] : components)
    }

    /// Names of what is set, for messages.
    package var names: [String] {
        [
            description.map { _ in "description" }, order.map { _ in "order" }, timeZone.map { _ in "time zone" },
            components.isEmpty ? nil : "kinds of components (\(components.joined(separator: ", ")))",
        ].compactMap(\.self)
    }

    /// TZID of the first VTIMEZONE.
    private static func zone(_ text: String?) -> Substring? {
        text?.split(whereSeparator: \.isNewline).first { $0.uppercased().hasPrefix("TZID") }
            .map { $0.drop { $0 != ":" } }
    }
}

/// What a mail folder is for (RFC 6154 section 2), whatever it is called.
package enum MailFolderUse: UInt8, Sendable, Hashable, CaseIterable {
    case archive = 1
    case drafts, junk, sent, trash
}

/// An item without its content.
package struct ItemHeader: Sendable, Hashable {
    package var key: ItemKey
    package var version: ItemVersion
    /// The source's natural name in its container: a Maildir base name, `x.ics`, a relative path with `/`, an event id.
    /// Comes from outside: a target must not trust it.
    package var name: String
    /// Content bytes; exact unless `sizeIsHint`.
    package var size: Int64
    package var sizeIsHint: Bool
    package var metadata: ItemMetadata
    /// Where the target has its copy, as its receipt said when it was written; sources leave it `nil`.
    package var place: ItemPlace?

    package init(
        key: ItemKey, version: ItemVersion, name: String, size: Int64, sizeIsHint: Bool = false, metadata: ItemMetadata
    ) {
        self.key = key
        self.version = version
        self.name = name
        self.size = size
        self.sizeIsHint = sizeIsHint
        self.metadata = metadata
    }
}

/// What belongs to an item and is not in its content.
package enum ItemMetadata: Sendable, Hashable {
    case message(MessageMetadata)
    /// An iCalendar object (one UID, all its overrides).
    case calendarObject
    case contact
    case file(FileMetadata)
    /// A folder of a file tree, so that empty ones and their times move too. Has no content.
    case fileFolder(FileMetadata)
    /// One event of a room's timeline: a JSON object without a line break.
    case event
    /// A media file of a room.
    case media
}

package struct MessageMetadata: Sendable, Hashable {
    package struct Flags: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let seen = Flags(rawValue: 1)
        package static let answered = Flags(rawValue: 2)
        package static let flagged = Flags(rawValue: 4)
        package static let deleted = Flags(rawValue: 8)
        package static let draft = Flags(rawValue: 16)
        /// Maildir's `P` (passed): forwarded, redirected or bounced; IMAP's `$Forwarded`.
        package static let forwarded = Flags(rawValue: 32)
    }

    package var flags: Flags
    /// IMAP keywords, sorted.
    package var keywords: [String]
    /// When the message arrived; whole seconds.
    package var internalDate: Instant

    package init(flags: Flags, keywords: [String] = [], internalDate: Instant) {
        self.flags = flags
        self.keywords = keywords
        self.internalDate = internalDate
    }
}

package struct FileMetadata: Sendable, Hashable {
    package var modified: Instant
    /// Owner may execute.
    package var isExecutable: Bool

    package init(modified: Instant, isExecutable: Bool = false) {
        self.modified = modified
        self.isExecutable = isExecutable
    }
}

/// A page of a listing.
package struct Page<Element: Sendable>: Sendable {
    package var elements: [Element]
    /// Give it back for the next page; `nil` on the last one.
    package var next: Cursor?
    package init(_ elements: [Element], next: Cursor?) {
        self.elements = elements
        self.next = next
    }
}

/// A place in a listing or in the life of a container. The first byte is the version of its form; only the connector
/// that made it reads it.
package struct Cursor: Sendable, Hashable {
    package let bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}
