import FerryConnector
import FerryCore
import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The bodies of items that are one file each.
///
/// A hop to a pool thread costs as much as reading several small files, so each hop makes a whole bunch, and while the
/// caller consumes one bunch the next one is being read: two bunches, 2 MiB, are the most that is in memory.
final class FileBodyReader: BodyReader {
    /// Bytes after which a bunch is full.
    static let bunchBytes = 1 << 20
    /// Files after which a bunch is full, so that many tiny ones do not delay the first.
    static let bunchFiles = 128
    /// Bytes per event of a file that is read in pieces; a file that is no larger is read with one call.
    static let pieceBytes = 256 << 10

    /// Opens an item's file, `nil` for an item without content. Called on a pool thread, in the order of the headers.
    typealias Opening = @Sendable (ItemHeader) throws(ConnectorError) -> File?

    private struct Position: Sendable {
        var index = 0
        /// The file that is being read in pieces, and what of it is still expected.
        var current: (file: File, rest: Int64)?
    }

    private struct Bunch: Sendable {
        var events: [BodyEvent]
        var next: Position
    }

    private let headers: [ItemHeader]
    private let opening: Opening
    private let ahead: Mutex<Deferred<Bunch>?>

    init(_ headers: [ItemHeader], opening: @escaping Opening) {
        self.headers = headers
        self.opening = opening
        ahead = Mutex(nil)
        start(from: Position())
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        guard let bunch = ahead.withLock({ $0 }) else { return nil }
        // The pool does not know of the task, so a stop is looked for here.
        if Task.isCancelled { throw .cancelled }
        let result = try await bunch.value
        start(from: result.next)
        return result.events
    }

    private func start(from position: Position) {
        let bunch =
            position.index < headers.count
            ? Deferred<Bunch> { [headers, opening] () throws(ConnectorError) in
                Self.read(headers, from: position, opening)
            } : nil
        ahead.withLock { $0 = bunch }
    }

    private static func read(_ headers: [ItemHeader], from start: Position, _ opening: Opening) -> Bunch {
        var position = start
        var events = [BodyEvent]()
        events.reserveCapacity(2 * min(bunchFiles, headers.count - start.index))
        var bytes = 0
        var files = 0
        while position.index < headers.count, bytes < bunchBytes, files < bunchFiles {
            let header = headers[position.index]
            do throws(ConnectorError) {
                if position.current == nil {
                    guard let file = try opening(header) else {
                        events.append(.end)
                        position.index += 1
                        continue
                    }
                    position.current = (file, header.size)
                }
                guard let (file, rest) = position.current else { continue }
                // One byte more than expected: so a whole file takes a single read, which also shows that it ends.
                let wanted = Int(min(rest + 1, Int64(pieceBytes)))
                let piece = try Self.piece(of: file, wanted, header)
                bytes += piece.readableBytes
                let left = rest - Int64(piece.readableBytes)
                if piece.readableBytes > 0 { events.append(.bytes(piece)) }
                if piece.readableBytes < wanted || left < 0 {
                    events.append(left == 0 ? .end : .failed(.changedWhileRead(header)))
                    position.current = nil
                    position.index += 1
                    files += 1
                } else {
                    position.current = (file, left)
                }
            } catch {
                events.append(.failed(error))
                position.current = nil
                position.index += 1
                files += 1
            }
        }
        return Bunch(events: events, next: position)
    }

    private static func piece(of file: File, _ count: Int, _ header: ItemHeader) throws(ConnectorError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        try translating({ .sourceItem($0, header.place) }) { () throws(SystemError) in
            var failure: SystemError?
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
                do throws(SystemError) {
                    return try file.read(into: UnsafeMutableRawBufferPointer(rebasing: space[..<count]))
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
        }
        return buffer
    }
}

extension ItemHeader {
    /// For messages to people: the name comes from outside, so it is cut and made printable.
    var place: String {
        var text = String.UnicodeScalarView()
        for scalar in name.unicodeScalars.prefix(120) {
            text.append(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : scalar)
        }
        return "'\(String(text))'"
    }
}

extension ConnectorError {
    fileprivate static func changedWhileRead(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(
            .sourceItemUnreadable, .retry(after: nil),
            "\(header.place) was not as long as it was when it was listed; it is being changed.")
    }
}
