import FerryConnector
import FerryCore
import FerryFormats
import Synchronization

/// A person's chats, opened for writing. An event is known by its id, so writing again does no harm.
///
/// Events are never taken out of a timeline: in Matrix they do not go away either, they are redacted. Media are.
final class ChatTarget: TargetSession {
    let capabilities = TargetCapabilities(
        isIdempotent: true, largestItemBytes: nil, batchItems: 1_024, batchBytes: 16 << 20)

    private let root: Directory
    /// Timelines of the rooms written so far.
    private let timelines = Mutex<[String: Timeline]>([:])

    init(root: Directory) { self.root = root }

    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        guard case .room(let state) = container.details else {
            throw ConnectorError(.targetItemRefused, .skip, "Only chat rooms can be written here.")
        }
        let name = RoomLayout.directory(for: container)
        try await Disk.run { [root] () throws(ConnectorError) in
            try translating({ .target($0, Self.place(container)) }) { () throws(SystemError) in
                let room = try root.directory(creating: name)
                try room.removeLeftovers()
                try room.mediaIfPresent()?.removeLeftovers()
                let present = try? room.content(of: RoomLayout.state, limit: ContentLimits.maximumObjectBytes)
                if present != state { try room.replaceContent(of: RoomLayout.state, with: state) }
            }
        }
        return Container(name: ContainerName.make(name), path: container.path, details: container.details)
    }

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let room = try await room(container)
        let split = EventSplittingBodies(headers, bodies)
        let media = try await Disk.run { [needsMedia = !split.media.isEmpty] () throws(ConnectorError) in
            try translating({ .target($0, Self.place(container)) }) { () throws(SystemError) in
                needsMedia ? try room.directory(creating: RoomLayout.media) : room
            }
        }
        let batch = FileBatch(home: room) { (header) throws(ConnectorError) in
            Placement(staging: media, directory: media, name: try Self.mediaName(header))
        }
        var mediaReceipts = try await batch.write(split.media, bodies: split).makeIterator()
        let timeline = try await timeline(container, room)
        var eventReceipts = try await Disk.run { () throws(ConnectorError) in
            try timeline.append(split.takeEvents())
        }.makeIterator()
        return headers.map { header in
            let receipt = if case .event = header.metadata { eventReceipts.next() } else { mediaReceipts.next() }
            guard let receipt else { preconditionFailure("Every item has its receipt.") }
            return receipt
        }
    }

    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        let keys = Set(items.map(\.key))
        let room = try await room(container)
        try await Disk.run { () throws(ConnectorError) in
            try translating({ .target($0, Self.place(container)) }) { () throws(SystemError) in
                guard let media = try room.mediaIfPresent() else { return }
                var hasRemoved = false
                for name in try media.names() {
                    guard let text = name.text, keys.contains(ItemKey(name: RoomLayout.mediaPrefix + text)) else {
                        continue
                    }
                    hasRemoved = try media.remove(name) || hasRemoved
                }
                if hasRemoved { try media.sync() }
            }
        }
    }

    func close() async { timelines.withLock { $0 = [:] } }

    private func room(_ container: Container) async throws(ConnectorError) -> Directory {
        guard let name = ContainerName.directory(container.name) else {
            throw .unknownContainer(container, .targetConflict)
        }
        return try await Disk.run { [root] () throws(ConnectorError) in
            try translating({ .target($0, Self.place(container)) }) { () throws(SystemError) in
                try root.directory(name)
            }
        }
    }

    private func timeline(_ container: Container, _ room: Directory) async throws(ConnectorError) -> Timeline {
        if let known = timelines.withLock({ $0[container.name] }) { return known }
        let timeline = try await Disk.run { () throws(ConnectorError) in
            try translating({ .target($0, Self.place(container)) }) { () throws(SystemError) in try Timeline(room) }
        }
        timelines.withLock { $0[container.name] = timeline }
        return timeline
    }

    private static func mediaName(_ header: ItemHeader) throws(ConnectorError) -> FileName {
        guard case .media = header.metadata, header.name.hasPrefix(RoomLayout.mediaPrefix),
            let name = FileName(header.name.dropFirst(RoomLayout.mediaPrefix.count)), !StagingName.isStaging(name)
        else {
            throw ConnectorError(
                .targetNameRefused, .skip,
                "\(header.place) cannot be a media file here: its name has to be 'media/' and one safe file name.")
        }
        return name
    }

    private static func place(_ container: Container) -> String { "the room '\(container.name.prefix(120))'" }
}
