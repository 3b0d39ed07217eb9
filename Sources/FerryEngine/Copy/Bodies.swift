import FerryConnector
import FerryCore
import NIOCore
import Synchronization

/// Contents on their way to a target.
protocol CopyBodies: BodyReader {
    /// Says that the target is through with the batch, whether it read everything or not.
    func discard()
}

/// The receiving end of a conduit of contents: what a target reads while the source side runs ahead.
final class BodyPipe: CopyBodies {
    let conduit: Conduit<[BodyEvent]>

    init(readAheadBytes: Int) { conduit = Conduit(limit: readAheadBytes) }

    func next() async throws(ConnectorError) -> [BodyEvent]? { try await conduit.next() }

    func discard() { conduit.discard() }

    /// Hands a bunch over; waits while the target is behind.
    func send(_ bunch: [BodyEvent]) async throws(ConnectorError) {
        // The constant stands for the memory that a bunch costs besides its bytes.
        let weight = bunch.reduce(512) { sum, event in
            if case .bytes(let buffer) = event { sum + buffer.readableBytes } else { sum + 32 }
        }
        try await conduit.send(bunch, weight: weight)
    }
}

/// Contents that are in memory already, because they had to be rewritten. One bunch of events per object.
final class BufferedBodies: CopyBodies {
    private let remaining: Mutex<CircularBuffer<[UInt8]>>

    init(_ contents: [[UInt8]]) { remaining = Mutex(CircularBuffer(contents)) }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        guard let content = remaining.withLock({ $0.popFirst() }) else { return nil }
        return content.isEmpty ? [.end] : [.bytes(ByteBuffer(bytes: content)), .end]
    }

    func discard() { remaining.withLock { $0.removeAll() } }
}

/// Cuts the events of a `BodyReader` into whole contents.
struct ContentCollector {
    enum Content {
        case whole([UInt8])
        /// More than the limit; the rest was read and dropped.
        case tooLarge
        case failed(ConnectorError)
    }

    private let reader: any BodyReader
    private let limit: Int64
    private var events: ArraySlice<BodyEvent> = []

    init(_ reader: any BodyReader, limit: Int64) {
        self.reader = reader
        self.limit = limit
    }

    /// The content of the next item; `nil` when the reader ends before it.
    mutating func next() async throws(ConnectorError) -> Content? {
        var content: [UInt8] = []
        var size: Int64 = 0
        while true {
            guard let event = events.popFirst() else {
                guard let bunch = try await reader.next() else { return nil }
                events = bunch[...]
                continue
            }
            switch event {
            case .bytes(let buffer):
                size += Int64(buffer.readableBytes)
                if size <= limit { content.append(contentsOf: buffer.readableBytesView) } else { content = [] }
            case .end:
                return size <= limit ? .whole(content) : .tooLarge
            case .failed(let error):
                return .failed(error)
            }
        }
    }
}
