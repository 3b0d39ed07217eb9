package import FerryConnector
import NIOCore
import Synchronization

/// Bodies from memory, in bunches of one event each, so that a target sees every boundary there can be.
package final class ListBodyReader: BodyReader {
    /// The bytes of one event, at most.
    private static let pieceBytes = 64 << 10

    private let events: Mutex<[Result<BodyEvent, ConnectorError>]>

    /// A failed body comes with `before`: bytes that are handed out until it fails. With `stop`, the reader throws it
    /// after the last body instead of ending.
    package init(
        _ bodies: [Result<[UInt8], ConnectorError>], before: [UInt8] = [], stop: ConnectorError? = nil
    ) {
        var events = [Result<BodyEvent, ConnectorError>]()
        func append(_ body: [UInt8]) {
            var rest = body[...]
            while !rest.isEmpty {
                events.append(.success(.bytes(ByteBuffer(bytes: rest.prefix(Self.pieceBytes)))))
                rest = rest.dropFirst(Self.pieceBytes)
            }
        }
        for body in bodies {
            switch body {
            case .success(let bytes):
                append(bytes)
                events.append(.success(.end))
            case .failure(let error):
                append(before)
                events.append(.success(.failed(error)))
            }
        }
        if let stop { events.append(.failure(stop)) }
        self.events = Mutex(events.reversed())
    }

    package func next() async throws(ConnectorError) -> [BodyEvent]? {
        guard let event = events.withLock({ $0.popLast() }) else { return nil }
        return [try event.get()]
    }
}
