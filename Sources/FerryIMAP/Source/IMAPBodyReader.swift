import FerryConnector
import FerryCore
import NIOCore
import Synchronization

/// The contents of messages, from one or several connections.
///
/// With several, stretches of messages are dealt out in turn; each connection reads ahead in its own, and the stretches
/// are handed over in order.
final class IMAPBodyReader: BodyReader {
    /// Messages of one stretch: enough that a connection is busy while another's are taken.
    static let segmentItems = 64
    /// Bytes of one bunch.
    private static let bunchBytes = 1 << 20

    private struct Lane: Sendable {
        let link: IMAPLink
        /// In the order in which the lane reads them.
        var uids: [UID] = []
        var fetch: BodyFetch?
        /// Left over from the last bunch: it belongs to a later stretch.
        var events: CircularBuffer<FetchEvent> = []
    }

    private struct State: Sendable {
        var lanes: [Lane]
        /// Index of the next item.
        var next = 0
        var isCancelled = false
        /// For messages that have to be asked for alone, while the lanes are busy.
        var spare: IMAPLink?
    }

    private let headers: [ItemHeader]
    private let name: MailboxName
    private let segment: Int
    private let state: Mutex<State>

    /// `uids` are those of the headers, in the same order. The first link has the mailbox open.
    init(_ headers: [ItemHeader], _ uids: [UID], in name: MailboxName, _ links: [IMAPLink]) {
        self.headers = headers
        self.name = name
        segment = links.count == 1 ? max(1, uids.count) : Self.segmentItems
        var lanes = links.map { Lane(link: $0) }
        for (index, uid) in uids.enumerated() { lanes[index / segment % lanes.count].uids.append(uid) }
        state = Mutex(State(lanes: lanes))
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        var bunch: [BodyEvent] = []
        var bytes = 0
        while bytes < Self.bunchBytes, bunch.count < 1024 {
            let (index, isCancelled) = state.withLock { ($0.next, $0.isCancelled) }
            if isCancelled { throw .cancelled }
            guard index < headers.count else { break }
            let number = state.withLock { index / segment % $0.lanes.count }
            guard let event = state.withLock({ $0.lanes[number].events.popFirst() }) else {
                // What is there goes first: nobody waits for bytes that are in hand.
                if !bunch.isEmpty { break }
                try await fill(number)
                continue
            }
            switch event {
            case .began: break
            case .bytes(let buffer):
                bytes += buffer.readableBytes
                bunch.append(.bytes(buffer))
            case .ended:
                bunch.append(.end)
                state.withLock { $0.next += 1 }
            case .absent:
                bunch.append(.failed(Self.vanished(headers[index])))
                state.withLock { $0.next += 1 }
            case .unreadable(let uid, let refusal):
                let alone = try await readAlone(uid, headers[index])
                for event in alone ?? [.failed(unreadable(headers[index], refusal))] {
                    if case .bytes(let buffer) = event { bytes += buffer.readableBytes }
                    bunch.append(event)
                }
                state.withLock { $0.next += 1 }
            }
        }
        return bunch.isEmpty ? nil : bunch
    }

    private static func vanished(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(.sourceItemVanished, .skip, "The message \(header.name) was deleted before it was read.")
    }

    private func unreadable(_ header: ItemHeader, _ refusal: Refusal?) -> ConnectorError {
        let said = refusal.map { "; it said: \($0.text)" } ?? ""
        return ConnectorError(
            .sourceItemUnreadable, .retry(after: nil),
            "The server lists the message \(header.name) and does not hand it out\(said). Repair the mailbox there.")
    }

    /// A server that refuses a command or gives NIL (Dovecot, when a message is gone) may mean one message of many: asked for alone, the others come. `nil` when it
    /// does not, or when it is too large to be held, or no connection is left for it.
    private func readAlone(
        _ uid: UID, _ header: ItemHeader
    ) async throws(ConnectorError) -> [BodyEvent]? {
        if state.withLock({ $0.spare == nil }) {
            let sibling = state.withLock { $0.lanes[0].link }.sibling()
            state.withLock { $0.spare = sibling }
        }
        guard let spare = state.withLock({ $0.spare }) else { return nil }
        let (session, mailbox) = try await spare.select(name, readOnly: true)
        guard headers.first?.key.uid(in: mailbox.uidValidity ?? 0) != nil else { return nil }
        do throws(IMAPError) {
            let fetch = try await session.bodies(of: [uid])
            var found: [BodyEvent] = []
            var size = 0
            while let events = try await fetch.next() {
                for event in events {
                    switch event {
                    case .began: break
                    case .bytes(let buffer):
                        size += buffer.readableBytes
                        found.append(.bytes(buffer))
                    case .ended: found.append(.end)
                    case .absent: return [.failed(Self.vanished(header))]
                    case .unreadable: return nil
                    }
                }
                guard size <= 4 * Self.bunchBytes else {
                    await fetch.cancel()
                    return nil
                }
            }
            return found
        } catch {
            throw IMAPSide.source.container(error, name)
        }
    }

    /// Waits for more from a lane; starts it, and with the first all others, if it has not been.
    private func fill(_ number: Int) async throws(ConnectorError) {
        try await start()
        guard let fetch = state.withLock({ $0.lanes[number].fetch }) else { throw .cancelled }
        do throws(IMAPError) {
            guard let events = try await fetch.next() else {
                throw IMAPError(
                    .protocolViolation, "The server answered with fewer messages than were asked for.")
            }
            state.withLock { $0.lanes[number].events.append(contentsOf: events) }
        } catch {
            throw IMAPSide.source.container(error, name)
        }
    }

    private func start() async throws(ConnectorError) {
        let count = state.withLock { $0.lanes.count }
        for number in 0..<count {
            let lane = state.withLock { $0.lanes[number] }
            guard lane.fetch == nil, !lane.uids.isEmpty else { continue }
            let (session, mailbox) = try await lane.link.select(name, readOnly: true)
            guard let first = headers.first, first.key.uid(in: mailbox.uidValidity ?? 0) != nil else {
                throw ConnectorError(
                    .sourceChangedIdentity, .retry(after: nil),
                    "The folder '\(name.printable)' was replaced since it was listed (UIDVALIDITY).")
            }
            do throws(IMAPError) {
                let fetch = try await session.bodies(of: lane.uids)
                state.withLock { $0.lanes[number].fetch = fetch }
            } catch {
                throw IMAPSide.source.container(error, name)
            }
        }
    }

    /// Gives up what was not read. Idempotent.
    func cancel() async {
        let (fetches, spare) = state.withLock { state in
            defer {
                for index in state.lanes.indices { state.lanes[index].fetch = nil }
                state.isCancelled = state.next < headers.count
                state.spare = nil
            }
            return (state.lanes.compactMap(\.fetch), state.spare)
        }
        for fetch in fetches { await fetch.cancel() }
        await spare?.close()
    }
}
