import FerryConnector
import FerryCore
import FerryFormats
import NIOCore

/// Cuts the events of a body reader into digests, or into whole contents where those have to be looked at.
struct DigestReader {
    enum Value {
        case digest(ContentDigest)
        case object([UInt8])
        case failed(ConnectorError)
    }

    private let reader: any BodyReader
    private let objectLimit: Int64
    private var events: ArraySlice<BodyEvent> = []

    init(_ reader: any BodyReader, _ objectLimit: Int64) {
        self.reader = reader
        self.objectLimit = objectLimit
    }

    /// The next item; `nil` when the reader ends before it. Objects beyond the limit come as a digest, as they were
    /// never rewritten.
    mutating func next(keepingContent keeps: Bool) async throws(ConnectorError) -> (value: Value, size: Int64)? {
        var hasher = ContentHasher()
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
                hasher.update(buffer.readableBytesView)
                if keeps, size <= objectLimit { content.append(contentsOf: buffer.readableBytesView) }
            case .end:
                return (keeps && size <= objectLimit ? .object(content) : .digest(hasher.finish()), size)
            case .failed(let error):
                return (.failed(error), size)
            }
        }
    }
}
