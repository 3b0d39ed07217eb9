import FerryConnector
import FerryCore
import FerryFormats

/// How chats lie on disk: a directory per room with the room's state, its timeline and its media.
///
/// ```
/// ROOT/LOGIN/ROOM/state.json       JSON array of Matrix state events
///                 timeline.jsonl   one Matrix event per line, in the order of the room
///                 media/NAME       files that events refer to
/// ```
enum RoomLayout {
    static let state = FileName(constant: "state.json")
    static let timeline = FileName(constant: "timeline.jsonl")
    static let media = FileName(constant: "media")
    /// Before the names of media items.
    static let mediaPrefix = "media/"

    /// The directory that a source's room gets in a target: of the same name where that is safe, else of one made from
    /// its hash (`!abc:contoso.example` is safe).
    static func directory(for container: Container) -> FileName {
        if let name = ContainerName.directory(container.name), !name.hasPrefix("."), !Markers.mayBeMarker(name) {
            return name
        }
        guard let name = FileName("room-" + ContentDigest(hashing: container.name.utf8).hexadecimal.prefix(32)) else {
            preconditionFailure("Hexadecimal digits make a name.")
        }
        return name
    }

    /// Which event a line is: the one of its id, or of its octets where it has none.
    ///
    /// Without an id, the line is another event as soon as an address in it is rewritten; so such lines, which Matrix
    /// itself never has, cannot be matched across tenants.
    static func key(of event: MatrixEvent, line: [UInt8]) -> ItemKey {
        event.id.map { ItemKey(name: $0) } ?? ItemKey(hashing: line)
    }

    static func version(of line: [UInt8]) -> ItemVersion {
        var hasher = VersionHasher()
        hasher.combine(line)
        return hasher.finish()
    }

    static func version(of status: FileStatus) -> ItemVersion {
        var hasher = VersionHasher()
        hasher.combine(status.size)
        hasher.combine(status.modified.seconds)
        hasher.combine(status.modified.nanoseconds)
        return hasher.finish()
    }
}
