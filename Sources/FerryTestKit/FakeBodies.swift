import FerryConnector
import FerryCore
import NIOCore
import Synchronization

/// Bodies from memory, in small pieces, with whatever goes wrong on the way.
final class FakeBodyReader: BodyReader {
    private struct State {
        var headers: ArraySlice<ItemHeader>
        /// What is left of the current item; `nil` between two items.
        var rest: ArraySlice<UInt8>?
        var room: Int
    }

    private let tenant: FakeTenant
    private let place: FakeTenant.Place
    private let path: [String]
    private let fault: Fault?
    private let state: Mutex<State>

    init(tenant: FakeTenant, place: FakeTenant.Place, path: [String], headers: [ItemHeader], fault: Fault?) {
        self.tenant = tenant
        self.place = place
        self.path = path
        self.fault = fault
        var room = Int.max
        if case .cut(let bytes, _) = fault { room = bytes }
        state = Mutex(State(headers: headers[...], room: room))
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        if Task.isCancelled { throw .cancelled }
        let items = Dictionary(tenant[place][path].items.map { ($0.key, $0) }, uniquingKeysWith: { _, last in last })
        let (events, isCut) = state.withLock { state -> ([BodyEvent], Bool) in
            var events: [BodyEvent] = []
            while events.count < tenant.settings.bunchEvents, let header = state.headers.first {
                if state.rest == nil {
                    guard let item = items[header.key] else {
                        events.append(
                            .failed(ConnectorError(.sourceItemVanished, .skip, "The item was deleted meanwhile.")))
                        state.headers.removeFirst()
                        continue
                    }
                    if case .spoil(let names, let error) = fault, names.contains(item.name) {
                        events += [.bytes(ByteBuffer(bytes: item.content.prefix(3))), .failed(error)]
                        state.headers.removeFirst()
                        continue
                    }
                    state.rest = item.content[...]
                }
                guard let rest = state.rest, !rest.isEmpty else {
                    events.append(.end)
                    state.rest = nil
                    state.headers.removeFirst()
                    continue
                }
                let piece = rest.prefix(min(tenant.settings.pieceBytes, state.room))
                if piece.isEmpty { return (events, true) }
                events.append(.bytes(ByteBuffer(bytes: piece)))
                state.rest = rest.dropFirst(piece.count)
                state.room -= piece.count
                tenant.count(read: piece.count)
            }
            return (events, false)
        }
        if isCut, events.isEmpty, case .cut(_, let error) = fault { throw error }
        return events.isEmpty ? nil : events
    }
}

/// Puts a target's view of a body reader back together, item by item.
struct BodyAssembler {
    enum Content {
        case whole([UInt8])
        case failed(ConnectorError)
    }

    private let reader: any BodyReader
    private var events: ArraySlice<BodyEvent> = []
    /// What has arrived of the item that was not finished.
    private(set) var fragment: [UInt8] = []

    init(_ reader: any BodyReader) { self.reader = reader }

    mutating func next() async throws(ConnectorError) -> Content {
        fragment = []
        while true {
            guard let event = events.popFirst() else {
                guard let bunch = try await reader.next() else {
                    throw ConnectorError(.internalFault, .failRun, "The contents ended before the last item.")
                }
                events = bunch[...]
                continue
            }
            switch event {
            case .bytes(let buffer): fragment.append(contentsOf: buffer.readableBytesView)
            case .end:
                defer { fragment = [] }
                return .whole(fragment)
            case .failed(let error):
                fragment = []
                return .failed(error)
            }
        }
    }
}
