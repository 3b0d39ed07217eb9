import FerryConnector
import NIOCore

/// The contents of a batch, one event after the other. Used by one task.
final class Feed {
    private let bodies: any BodyReader
    /// Events that have come and are not taken, the next one last.
    private var events: [BodyEvent] = []

    init(_ bodies: any BodyReader) { self.bodies = bodies }

    func next() async throws(ConnectorError) -> BodyEvent {
        while true {
            if let event = events.popLast() { return event }
            guard let more = try await bodies.next() else {
                preconditionFailure("A body reader ended before the last body.")
            }
            events = more.reversed()
        }
    }

    /// The next item's content in one piece.
    func whole() async throws(ConnectorError) -> Result<ByteBuffer, ConnectorError> {
        var whole = ByteBuffer()
        while true {
            switch try await next() {
            case .bytes(var piece):
                if whole.readableBytes == 0 { whole = piece } else { whole.writeBuffer(&piece) }
            case .end: return .success(whole)
            case .failed(let error): return .failure(error)
            }
        }
    }

    /// Passes over the next item, or the rest of the present one; why it failed, if it did.
    func pass() async throws(ConnectorError) -> ConnectorError? {
        while true {
            switch try await next() {
            case .bytes: break
            case .end: return nil
            case .failed(let error): return error
            }
        }
    }
}
