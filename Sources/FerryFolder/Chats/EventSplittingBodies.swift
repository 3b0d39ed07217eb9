import FerryConnector
import FerryCore
import FerryFormats
import NIOCore
import Synchronization

/// The bodies of the media files among a batch's items, while the events are collected: they are small, and go to the
/// timeline together once the media they refer to are safe.
final class EventSplittingBodies: BodyReader {
    /// Headers of the items that are not events, in order.
    let media: [ItemHeader]
    private let headers: [ItemHeader]
    private let bodies: any BodyReader

    private struct State: Sendable {
        var index = 0
        var line: [UInt8] = []
        /// One per event that has ended.
        var events: [Result<[UInt8], ConnectorError>] = []
    }
    private let state = Mutex(State())

    init(_ headers: [ItemHeader], _ bodies: any BodyReader) {
        self.headers = headers
        media = headers.filter { !Self.isEvent($0) }
        self.bodies = bodies
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        guard let events = try await bodies.next() else { return nil }
        return state.withLock { state in events.filter { !collect($0, &state) } }
    }

    /// Lines of the events in the order of their headers, or why they are missing.
    func takeEvents() -> [Result<[UInt8], ConnectorError>] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }

    /// Whether it belonged to an event.
    private func collect(_ event: BodyEvent, _ state: inout State) -> Bool {
        guard state.index < headers.count else { return false }
        let isEvent = Self.isEvent(headers[state.index])
        switch event {
        case .bytes(let bytes):
            // One octet over the limit is enough to see that it is.
            let room = ContentLimits.maximumObjectBytes + 1 - state.line.count
            if isEvent { state.line += bytes.readableBytesView.prefix(room) }
        case .end:
            if isEvent { state.events.append(.success(state.line)) }
            state.line = []
            state.index += 1
        case .failed(let error):
            if isEvent { state.events.append(.failure(error)) }
            state.line = []
            state.index += 1
        }
        return isEvent
    }

    private static func isEvent(_ header: ItemHeader) -> Bool {
        if case .event = header.metadata { true } else { false }
    }
}
