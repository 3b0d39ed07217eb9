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
    ///
    /// Mail (`isMail`) is hashed with CRLF for every line end: files of a Maildir have LF alone, no server does.
    mutating func next(
        keepingContent keeps: Bool, isMail: Bool = false
    ) async throws(ConnectorError) -> (value: Value, size: Int64)? {
        var hasher = ContentHasher()
        var last: UInt8 = 0
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
                if isMail {
                    Self.update(&hasher, buffer.readableBytesView, after: &last)
                } else {
                    hasher.update(buffer.readableBytesView)
                }
                if keeps, size <= objectLimit { content.append(contentsOf: buffer.readableBytesView) }
            case .end:
                return (keeps && size <= objectLimit ? .object(content) : .digest(hasher.finish()), size)
            case .failed(let error):
                return (.failed(error), size)
            }
        }
    }

    private static func update(_ hasher: inout ContentHasher, _ bytes: ByteBufferView, after last: inout UInt8) {
        var start = bytes.startIndex
        for index in bytes.indices {
            if bytes[index] == 0x0A, last != 0x0D {
                hasher.update(bytes[start..<index])
                hasher.update([0x0D])
                start = index
            }
            last = bytes[index]
        }
        hasher.update(bytes[start...])
    }
}
