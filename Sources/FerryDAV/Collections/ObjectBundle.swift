import FerryConnector
import FerryCore
import FerryFormats
import NIOCore

/// Objects of one collection in one document, for servers that take a collection as a whole and give each object the name
/// of its UID (Radicale).
///
/// Only what comes out of that as it went in is taken: an object whose name is its UID already and that has nothing beside
/// its components, since a time zone or a property of the calendar would be shared with the others.
struct ObjectBundle {
    private let kind: CollectionKind
    private(set) var content = ByteBuffer()
    /// Places of the objects in the batch, by their names.
    private(set) var places: [String: Int] = [:]

    init(_ kind: CollectionKind) {
        self.kind = kind
        if kind == .calendars { content.writeBytes(Self.head.utf8) }
    }

    /// What makes the collection, empty or not.
    var document: ByteBuffer {
        var document = content
        if kind == .calendars { document.writeBytes(Self.tail.utf8) }
        return document
    }

    private static let head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ferry//Ferry//EN\r\n"
    private static let tail = "END:VCALENDAR\r\n"

    /// Takes an object in; `false` where it has to go by itself.
    mutating func add(_ bytes: [UInt8], named name: String, at place: Int) -> Bool {
        guard let object = Object(bytes, kind), name == object.uid + kind.suffix, places[name] == nil else {
            return false
        }
        places[name] = place
        content.writeBytes(object.components)
        return true
    }

    /// An object, taken apart line by line.
    private struct Object {
        var uid = ""
        var components: [UInt8] = []

        /// `nil` for what is not as simple as it has to be.
        init?(_ bytes: [UInt8], _ kind: CollectionKind) {
            let outer = kind == .calendars ? "VCALENDAR" : "VCARD"
            var depth = 0
            var hasEnded = false
            for line in bytes.split(separator: 0x0A) {
                let text = line.last == 0x0D ? line.dropLast() : line
                guard !hasEnded, let first = text.first else { return nil }
                let isFolded = first == 0x20 || first == 0x09
                let name = isFolded ? "" : Self.upper(text.prefix { $0 != 0x3A && $0 != 0x3B })
                let value = text.dropFirst(name.utf8.count + 1)
                let level = depth
                switch name {
                case "BEGIN":
                    if level == 0, Self.upper(value) != outer { return nil }
                    if level == 1, kind == .calendars, !Self.taken.contains(Self.upper(value)) { return nil }
                    depth += 1
                case "END":
                    depth -= 1
                    hasEnded = depth == 0
                case "UID" where level == (kind == .calendars ? 2 : 1):
                    guard text.dropFirst(3).first == 0x3A, let found = String(validating: value, as: UTF8.self),
                        !found.isEmpty, uid.isEmpty || found == uid, !found.contains("\\")
                    else { return nil }
                    uid = found
                case "VERSION", "PRODID": break
                default:
                    // A property of the calendar, or the second line of one, belongs to no component.
                    if level == 1, kind == .calendars { return nil }
                }
                guard depth >= 0, level > 0 || name == "BEGIN" else { return nil }
                let isInside = kind == .addressBooks || level > 1 || depth > 1
                if isInside { components += Array(text) + [0x0D, 0x0A] }
            }
            guard hasEnded, !uid.isEmpty else { return nil }
        }

        private static let taken: Set<String> = ["VEVENT", "VTODO", "VJOURNAL"]

        private static func upper(_ bytes: some Collection<UInt8>) -> String {
            String(decoding: bytes, as: UTF8.self).uppercased()
        }
    }
}
