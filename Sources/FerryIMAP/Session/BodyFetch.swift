package import NIOCore
import Synchronization

/// For each UID asked for, in that order: `began`, any number of `bytes`, `ended`; or one of the others.
package enum FetchEvent: Sendable, Hashable {
    /// `size` is exactly how many bytes follow.
    case began(UID, size: UInt64)
    case bytes(ByteBuffer)
    case ended(UID)
    /// The server answered without it: expunged meanwhile.
    case absent(UID)
    /// The server cannot give it: NIL instead of a body, or NO to the command that asked for it and others. In the
    /// second case (there is a refusal) asking for it alone tells whose fault it is. Also for a body that came with
    /// another UID than expected; what came of it since `began` is worthless.
    case unreadable(UID, Refusal?)
}

/// The contents of messages, pulled in bunches in the order asked for. Used by one task at a time.
///
/// Commands are sent ahead, so bodies keep coming while the caller works; when `readAheadBytes` wait,
/// the socket is not read until the caller takes them. Other verbs of the same session then wait too: read to the end
/// or `cancel()` before waiting for something else on this session.
package final class BodyFetch: Sendable {
    fileprivate struct State: Sendable {
        var events: [FetchEvent] = []
        var bytes = 0
        var isComplete = false
        var failure: IMAPError?
        /// Nobody reads any more.
        var isCancelled = false
        /// The socket is not read because of this fetch.
        var holdsBack = false
        var waiter: CheckedContinuation<Void, Never>?

        var isReady: Bool { !events.isEmpty || isComplete || failure != nil || isCancelled }
    }

    fileprivate let state = Mutex(State())
    private let eventLoop: any EventLoop
    private let delivery: NIOLoopBound<BodyDelivery>

    /// Call on the connection's event loop.
    static func begin(_ uids: [UID], on connection: Connection, eventLoop: any EventLoop) -> BodyFetch {
        let fetch = BodyFetch(uids, connection, eventLoop)
        fetch.delivery.value.fetch = fetch
        fetch.delivery.value.begin()
        return fetch
    }

    private init(_ uids: [UID], _ connection: Connection, _ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        delivery = NIOLoopBound(BodyDelivery(uids, connection: connection), eventLoop: eventLoop)
    }

    deinit {
        if state.withLock({ $0.holdsBack }) { resumeReading() }
    }

    /// The next bunch of events, about `readAheadBytes` at most; `nil` after the last. Throws when the connection ended
    /// (after what came before) and `cancelled` after `cancel()`.
    package func next() async throws(IMAPError) -> [FetchEvent]? {
        while true {
            let (events, failure, isOver, mustResume) = state.withLock { state in
                let events = state.events
                state.events = []
                state.bytes = 0
                let mustResume = state.holdsBack && !events.isEmpty
                if mustResume { state.holdsBack = false }
                let failure = state.isCancelled ? IMAPError.cancelled : state.failure
                return (events, failure, state.isComplete, mustResume)
            }
            if mustResume { resumeReading() }
            if !events.isEmpty { return events }
            if let failure { throw failure }
            if isOver { return nil }
            if Task.isCancelled {
                giveUp()
                throw .cancelled
            }
            await untilReady()
        }
    }

    /// Gives up what was not read yet; what still comes is dropped as it arrives, after which the session is free for
    /// other work. Where much is outstanding closing the session is quicker.
    package func cancel() async { giveUp() }

    private func giveUp() {
        let mustResume = state.withLock { state in
            state.isCancelled = true
            state.events = []
            state.bytes = 0
            defer { state.holdsBack = false }
            return state.holdsBack
        }
        if mustResume { resumeReading() }
    }

    private func resumeReading() {
        eventLoop.execute { [delivery] in delivery.value.resume() }
    }

    private func untilReady() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isReady || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            takeWaiter()?.resume()
        }
    }

    private func takeWaiter() -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
    }
}

/// The event loop's side of a `BodyFetch`: sends its commands and gathers what they bring.
///
/// The next command goes out when the last body of the one before begins to arrive, not earlier: Dovecot 2.3 works on
/// several commands at once as soon as its output is held up, and then sends bodies of the later one first. A literal
/// that has begun nothing can overtake. (To see it: two UID FETCH at once, a body of 3 MB in the first, a slow reader.)
final class BodyDelivery {
    weak var fetch: BodyFetch?
    private let connection: Connection
    /// UIDs of the commands that were not sent yet, last one first.
    private var later: [[UID]]
    private var inFlight: [BodyCommand] = []
    private var events: [FetchEvent] = []
    private var bytes = 0
    private var failure: IMAPError?

    private static let messagesPerCommand = 1_000

    init(_ uids: [UID], connection: Connection) {
        self.connection = connection
        later = []
        var run: [UID] = []
        var commandBytes = 0
        for uid in uids {
            // Twelve bytes are the longest UID and its comma; runs of neighbours take less.
            if let last = run.last,
                uid <= last || run.count == Self.messagesPerCommand
                    || commandBytes + 12 > connection.options.commandLineBytes
            {
                later.append(run)
                run = []
                commandBytes = 0
            }
            run.append(uid)
            commandBytes += 12
        }
        if !run.isEmpty { later.append(run) }
        later.reverse()
    }

    /// Sends the first commands. Nothing may be there to read, then the reader is told here.
    func begin() {
        sendMore()
        _ = publish()
    }

    private func sendMore() {
        if inFlight.allSatisfy(\.isAtItsLast), !isAbandoned, let uids = later.popLast() {
            let command = BodyCommand(uids, for: self)
            inFlight.append(command)
            connection.submit(command)
        }
        if inFlight.isEmpty { connection.touch(self) }
    }

    /// Nobody will read what comes.
    private var isAbandoned: Bool { fetch?.state.withLock { $0.isCancelled } ?? true }

    func append(_ event: FetchEvent) {
        if case .bytes(let buffer) = event { bytes += buffer.readableBytes } else { bytes += 64 }
        events.append(event)
        connection.touch(self)
    }

    func finished(_ command: BodyCommand, _ failure: IMAPError?) {
        inFlight.removeAll { $0 === command }
        if let failure {
            self.failure = failure
            later = []
            connection.touch(self)
        } else {
            sendMore()
        }
    }

    /// The last body of a command begins to arrive.
    func reachedLast() { sendMore() }

    /// Bodies must come in the order of the commands, or the reader would get them in disorder.
    func isFirst(_ command: BodyCommand) -> Bool { inFlight.first === command }

    /// Hands over what was gathered; `true` when the reader is behind and the socket must not be read.
    func publish() -> Bool {
        let (events, bytes, failure) = (events, bytes, failure)
        self.events = []
        self.bytes = 0
        let isComplete = inFlight.isEmpty && (later.isEmpty || isAbandoned)
        let limit = connection.options.readAheadBytes
        guard let fetch else { return false }
        let (waiter, holdsBack) = fetch.state.withLock { state -> (CheckedContinuation<Void, Never>?, Bool) in
            if !state.isCancelled {
                if state.events.isEmpty { state.events = events } else { state.events += events }
                state.bytes += bytes
            }
            state.isComplete = state.isComplete || isComplete
            state.failure = state.failure ?? failure
            state.holdsBack = state.bytes >= limit && failure == nil
            guard state.isReady else { return (nil, state.holdsBack) }
            defer { state.waiter = nil }
            return (state.waiter, state.holdsBack)
        }
        waiter?.resume()
        return holdsBack
    }

    func resume() { connection.resume(self) }
}

/// One UID FETCH of full contents.
final class BodyCommand: Command {
    /// Ascending.
    private let uids: [UID]
    /// The first that was not told about yet.
    private var cursor = 0
    private let delivery: BodyDelivery
    /// Nothing of it is to come but the rest of its last body and its answer.
    var isAtItsLast: Bool { cursor == uids.count }
    private enum Body { case none, known(UID), assumed(UID) }
    /// The body that is being received, or was and whose response goes on.
    private var body = Body.none

    init(_ uids: [UID], for delivery: BodyDelivery) {
        self.uids = uids
        self.delivery = delivery
        var text = CommandText("UID FETCH")
        text.word(UIDSet(uids).description)
        text.word("(UID BODY.PEEK[])")
        super.init("UID FETCH", text.sealed)
    }

    override func beginBody(
        of message: FetchedMessage, section: FetchedBody.Section, size: UInt64, in connection: Connection
    ) -> Bool {
        guard section == .full, cursor < uids.count else { return false }
        if let uid = message.uid {
            guard advance(to: uid, in: connection) else { return false }
            body = .known(uid)
        } else {
            body = .assumed(uids[cursor])
            cursor += 1
        }
        delivery.append(.began(uids[cursor - 1], size: size))
        if isAtItsLast { delivery.reachedLast() }
        return true
    }

    /// Reports those before `uid` as absent and takes it; `false` when it is none of what is left.
    private func advance(to uid: UID, in connection: Connection) -> Bool {
        guard let index = index(of: uid) else { return false }
        guard delivery.isFirst(self) else {
            connection.fail(
                IMAPError(.protocolViolation, "The server answers UID FETCH commands in another order than asked."))
            return false
        }
        for missing in uids[cursor..<index] { delivery.append(.absent(missing)) }
        cursor = index + 1
        return true
    }

    private func index(of uid: UID) -> Int? {
        var low = cursor
        var high = uids.count
        while low < high {
            let middle = (low + high) / 2
            if uids[middle] < uid { low = middle + 1 } else { high = middle }
        }
        return low < uids.count && uids[low] == uid ? low : nil
    }

    override func bodyBytes(_ bytes: ByteBuffer, in connection: Connection) { delivery.append(.bytes(bytes)) }

    override func endBody(in connection: Connection) {
        guard case .known(let uid) = body else { return }
        delivery.append(.ended(uid))
        body = .none
    }

    override func absorb(_ response: Response, in connection: Connection) -> Bool {
        guard case .fetch(let message) = response, let content = message.bodies.first(where: { $0.section == .full })
        else { return false }
        switch content.content {
        case .streamed:
            // The UID came after the body, if at all.
            guard case .assumed(let assumed) = body else { return false }
            body = .none
            if message.uid == assumed {
                delivery.append(.ended(assumed))
            } else {
                delivery.append(.unreadable(assumed, nil))
                skip(to: message.uid)
            }
            return true
        case .missing:
            guard let uid = message.uid, advance(to: uid, in: connection) else { return false }
            delivery.append(.unreadable(uid, nil))
            return true
        case .inline(let bytes):
            guard let uid = message.uid, advance(to: uid, in: connection) else { return false }
            delivery.append(.began(uid, size: UInt64(bytes.count)))
            if !bytes.isEmpty { delivery.append(.bytes(ByteBuffer(bytes: bytes))) }
            delivery.append(.ended(uid))
            return true
        }
    }

    /// A body was taken for another one's: both are lost to this fetch, those between are gone.
    private func skip(to uid: UID?) {
        guard let uid, let index = index(of: uid) else { return }
        for missing in uids[cursor..<index] { delivery.append(.absent(missing)) }
        delivery.append(.unreadable(uid, nil))
        cursor = index + 1
    }

    override func finish(_ outcome: Result<StatusText, IMAPError>, in connection: Connection) {
        switch outcome {
        case .success(let status):
            let refusal = status.condition == .ok ? nil : Refusal(status)
            for uid in uids[cursor...] {
                delivery.append(refusal.map { .unreadable(uid, $0) } ?? .absent(uid))
            }
            cursor = uids.count
            delivery.finished(self, nil)
        case .failure(let error): delivery.finished(self, error)
        }
    }
}
