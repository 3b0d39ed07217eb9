import FerryConnector
import FerryCore
import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Contents of events and media of one room.
final class ChatBodies: BodyReader {
    /// Bytes and items after which a bunch is full.
    private static let bunchBytes = 1 << 20
    private static let bunchItems = 256
    private static let pieceBytes: Int64 = 256 << 10

    private struct Position: Sendable {
        var index = 0
        /// The media file that is being read, and how much of it has been.
        var open: (extent: OpenRoom.Extent, done: Int64)?
    }

    private let headers: [ItemHeader]
    private let room: OpenRoom
    private let position = Mutex(Position())

    init(_ headers: [ItemHeader], room: OpenRoom) {
        self.headers = headers
        self.room = room
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        let start = position.withLock { $0 }
        guard start.index < headers.count else { return nil }
        let (events, next) = try await Disk.run { [headers, room] () throws(ConnectorError) in
            Self.read(headers, room, from: start)
        }
        position.withLock { $0 = next }
        return events
    }

    private static func read(
        _ headers: [ItemHeader], _ room: OpenRoom, from start: Position
    ) -> ([BodyEvent], Position) {
        var position = start
        var events = [BodyEvent]()
        var bytes = 0
        while position.index < headers.count, bytes < bunchBytes, position.index - start.index < bunchItems {
            let header = headers[position.index]
            do throws(ConnectorError) {
                let extent: OpenRoom.Extent
                if let open = position.open { extent = open.extent } else { extent = try room.content(of: header) }
                var done = position.open?.done ?? 0
                let isLine = if case .event = header.metadata { true } else { false }
                // A line is one piece, however long: it is whole in memory anyway before it goes anywhere.
                let wanted = isLine ? extent.length : min(pieceBytes, extent.length - done)
                let piece = try translating({ .sourceItem($0, header.place) }) { () throws(SystemError) in
                    try extent.file.read(at: extent.offset + done, Int(wanted))
                }
                done += Int64(piece.count)
                bytes += piece.count
                let isShort = piece.count < Int(wanted)
                if isLine || isShort || done == extent.length {
                    try room.confirm(header, extent, line: isLine ? piece : nil)
                    if isShort { throw .sourceItem(SystemError(EIO, "read"), header.place) }
                    if !piece.isEmpty { events.append(.bytes(ByteBuffer(bytes: piece))) }
                    events.append(.end)
                    position = Position(index: position.index + 1)
                } else {
                    events.append(.bytes(ByteBuffer(bytes: piece)))
                    position.open = (extent, done)
                }
            } catch {
                events.append(.failed(error))
                position = Position(index: position.index + 1)
            }
        }
        return (events, position)
    }
}
