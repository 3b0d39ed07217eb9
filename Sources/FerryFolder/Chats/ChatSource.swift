import FerryConnector
import FerryCore
import FerryFormats
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A person's chats, opened for reading: a container per room.
final class ChatSource: SourceSession {
    let custody: (any SourceCustody)?
    private let root: Directory
    private let place: String
    private let now: @Sendable () -> Instant
    /// The room that is being listed, with its timeline open, so that a listing and its bodies are of one file.
    private let current = Mutex<OpenRoom?>(nil)

    /// `place` is the root in words, for messages; `now` is the wall clock.
    init(root: Directory, place: String, now: @escaping @Sendable () -> Instant) {
        self.root = root
        self.place = place
        self.now = now
        custody = FolderCustody(root: root, place: place, markers: .collections)
    }

    /// Directories below the person's folder, in byte order of their names. Links that stand where one could be are
    /// listed as well, and refused as soon as they are looked at, so that they show up in the report.
    func containers() async throws(ConnectorError) -> [Container] {
        try await Disk.run { [root, place] () throws(ConnectorError) in
            try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in
                var rooms = [Container]()
                for name in try root.names().sorted() where !Markers.isMarker(name) {
                    let kind = try root.statusIfPresent(of: name)?.kind
                    guard kind == .directory || kind == .symbolicLink else { continue }
                    // A state that cannot be read is reported when the room itself is looked at.
                    let state = try? Self.state(of: root.directory(name))
                    let text = ContainerName.make(name)
                    rooms.append(
                        Container(
                            name: text, path: [state.flatMap { RoomState.parse($0)?.name } ?? text],
                            details: .room(state: state ?? Array("[]".utf8))))
                }
                return rooms
            }
        }
    }

    // MARK: changes

    func state(of container: Container) async throws(ConnectorError) -> Cursor {
        try await fingerprint(of: container).cursor(takenAt: now())
    }

    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        try await fingerprint(of: container).matches(cursor)
    }

    /// Of the state, the timeline and all media.
    private func fingerprint(of container: Container) async throws(ConnectorError) -> Fingerprint {
        try await Disk.run { [root] () throws(ConnectorError) in
            let room = try Self.directory(of: container, below: root)
            return try translating({ .sourceContainer($0, Self.place(container)) }) { () throws(SystemError) in
                var fingerprint = Fingerprint()
                fingerprint.combine(try room.statusIfPresent(of: RoomLayout.state))
                fingerprint.combine(try room.statusIfPresent(of: RoomLayout.timeline))
                guard let media = try room.mediaIfPresent() else { return fingerprint }
                for name in try media.names().sorted() where !StagingName.isStaging(name) {
                    fingerprint.combine(name)
                    fingerprint.combine(try media.statusIfPresent(of: name))
                }
                return fingerprint
            }
        }
    }

    // MARK: items

    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        let room = try await room(container, reopening: cursor == nil)
        return try await Disk.run { () throws(ConnectorError) in
            try translating({ .sourceContainer($0, Self.place(container)) }) { () throws(SystemError) in
                try room.page(after: cursor)
            }
        }
    }

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        ChatBodies(headers, room: try await room(container, reopening: false))
    }

    func close() async { current.withLock { $0 = nil } }

    private func room(_ container: Container, reopening: Bool) async throws(ConnectorError) -> OpenRoom {
        if !reopening, let room = current.withLock({ $0 }), room.name == container.name { return room }
        let room = try await Disk.run { [root] () throws(ConnectorError) in
            let directory = try Self.directory(of: container, below: root)
            return try translating({ .sourceContainer($0, Self.place(container)) }) { () throws(SystemError) in
                try OpenRoom(name: container.name, directory: directory)
            }
        }
        current.withLock { $0 = room }
        return room
    }

    /// `nil` when there is none.
    private static func state(of room: Directory) throws(SystemError) -> [UInt8]? {
        try room.content(of: RoomLayout.state, limit: ContentLimits.maximumObjectBytes)
    }

    /// Opens the room's directory. Refuses the whole room when its state is not what it should be: without it the
    /// timeline has no members.
    private static func directory(of container: Container, below root: Directory) throws(ConnectorError) -> Directory {
        guard let name = ContainerName.directory(container.name) else {
            throw .unknownContainer(container, .sourceNotFound)
        }
        do throws(SystemError) {
            let room = try root.directory(name)
            if let state = try state(of: room), RoomState.parse(state) == nil {
                throw SystemError(EILSEQ, "read")
            }
            return room
        } catch {
            switch error.number {
            case ELOOP:
                throw ConnectorError(
                    .sourceItemUnsupported, .skip,
                    "\(place(container)) or its '\(RoomLayout.state)' is a symbolic link. Links are not followed; put "
                        + "the directory or file itself there.", underlying: error)
            case EILSEQ, EFBIG:
                throw ConnectorError(
                    .sourceItemMalformed, .skip,
                    "'\(RoomLayout.state)' of \(place(container)) is not a JSON array of state events, or has more "
                        + "than \(ContentLimits.maximumObjectBytes) bytes. Mend or remove it; the room waits.",
                    underlying: error)
            default: throw .sourceContainer(error, place(container))
            }
        }
    }

    private static func place(_ container: Container) -> String { "the room '\(container.name.prefix(120))'" }
}

extension Directory {
    /// The open timeline of a room; `nil` when it has none.
    func timeline() throws(SystemError) -> File? {
        do throws(SystemError) { return try file(RoomLayout.timeline) } catch  where error.isAbsence { return nil }
    }

    /// The media directory of a room; `nil` when it has none.
    func mediaIfPresent() throws(SystemError) -> Directory? {
        do throws(SystemError) { return try directory(RoomLayout.media) } catch  where error.isAbsence { return nil }
    }
}
