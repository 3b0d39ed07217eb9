import NIOCore
import Synchronization

/// What an appending task and its connection tell each other.
final class AppendGate: Sendable {
    struct State: Sendable {
        /// Nobody else sends now.
        var isOurTurn = false
        /// The server said `+` since `expectInvitation`.
        var isInvited = false
        /// Bytes that were handed over and are not with the system yet.
        var unsent = 0
        var answers: [Int: StatusText] = [:]
        /// Which message of a command the server refused.
        var culprits: [Int: Int] = [:]
        var failure: IMAPError?
        fileprivate var waiter: (condition: @Sendable (State) -> Bool, continuation: CheckedContinuation<Void, Never>)?

        fileprivate mutating func takeReady() -> CheckedContinuation<Void, Never>? {
            guard let waiter, failure != nil || waiter.condition(self) else { return nil }
            self.waiter = nil
            return waiter.continuation
        }
    }

    private let state = Mutex(State())

    func change(_ change: (inout State) -> Void) {
        let ready = state.withLock { state in
            change(&state)
            return state.takeReady()
        }
        ready?.resume()
    }

    /// Returns when the condition holds. Throws when the connection failed or the task was cancelled.
    func wait(until condition: @escaping @Sendable (State) -> Bool) async throws(IMAPError) {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    state.waiter = (condition, continuation)
                    return Task.isCancelled ? state.takeWaiter() : state.takeReady()
                }
                ready?.resume()
            }
        } onCancel: {
            state.withLock { $0.takeWaiter() }?.resume()
        }
        let (failure, isMet) = state.withLock { ($0.failure, condition($0)) }
        // What was asked for and came is worth more than the failure after it.
        if isMet { return }
        throw failure ?? .cancelled
    }

    var failure: IMAPError? { state.withLock { $0.failure } }
    var isInvited: Bool { state.withLock { $0.isInvited } }
    func isFull(_ limit: Int) -> Bool { state.withLock { $0.unsent > limit } }
    func hasEnded(_ command: Int) -> Bool { state.withLock { $0.answers[command] != nil } }
    func expectInvitation() { change { $0.isInvited = false } }
    func willSend(_ bytes: Int) { change { $0.unsent += bytes } }
    func blame(_ command: Int, message: Int) { change { $0.culprits[command] = message } }

    func answer(_ command: Int) -> (status: StatusText, culprit: Int?)? {
        state.withLock { state in state.answers[command].map { ($0, state.culprits[command]) } }
    }
}

extension AppendGate.State {
    fileprivate mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter?.continuation
    }
}

/// The event loop's side of a `MessageAppender`. Stands in the queue of senders like a command, and holds the way out
/// from its turn on until `.end`.
final class AppendSender: Command {
    /// Something to send, in order.
    enum Part: Sendable {
        /// The first words of APPEND number so and so; pieces after the first wait for the server.
        case command(Int, [ByteBuffer])
        case bytes(ByteBuffer)
        /// Nothing more follows; others may send.
        case end

        var bytes: Int { if case .bytes(let buffer) = self { buffer.readableBytes } else { 0 } }
    }

    private let gate: AppendGate
    private let connection: Connection
    private var parts = CircularBuffer<Part>()
    /// Pieces of a command's first words that wait for `+` (a mailbox name sent as a literal).
    private var heldPieces: [ByteBuffer] = []

    init(gate: AppendGate, connection: Connection) {
        self.gate = gate
        self.connection = connection
        super.init("APPEND", [])
    }

    func reserve() { connection.submit(self) }

    override func transmit(in connection: Connection) { gate.change { $0.isOurTurn = true } }

    func send(_ new: [Part]) {
        parts.append(contentsOf: new)
        sendParts()
    }

    private func sendParts() {
        var ready: [ByteBuffer] = []
        var bytes = 0
        var isLast = false
        while heldPieces.isEmpty, let part = parts.popFirst() {
            switch part {
            case .command(let number, let pieces):
                let command = AppendCommand(number, gate: gate, sender: self)
                command.tag = connection.shared.nextTag()
                connection.enter(command)
                ready.append(ByteBuffer(string: command.tag + " "))
                ready += pieces.prefix(1)
                heldPieces = Array(pieces.dropFirst())
            case .bytes(let buffer):
                bytes += buffer.readableBytes
                ready.append(buffer)
            case .end: isLast = true
            }
        }
        write(ready, counted: bytes)
        if isLast { connection.finishSending(self) }
    }

    private func write(_ buffers: [ByteBuffer], counted bytes: Int) {
        guard let last = buffers.last, let eventLoop = connection.context?.eventLoop else { return }
        for buffer in buffers.dropLast() { connection.write(buffer) }
        let sent = eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [gate, connection] result in
            if case .success = result { connection.noteProgress() }
            gate.change { $0.unsent -= bytes }
        }
        connection.write(last, sent: sent)
        connection.flush()
    }

    /// The server said `+`.
    override func proceed(in connection: Connection) {
        guard heldPieces.isEmpty else {
            write([heldPieces.removeFirst()], counted: 0)
            return sendParts()
        }
        gate.change { $0.isInvited = true }
    }

    /// A command was answered; what it still wanted to send is void.
    fileprivate func dropHeld() {
        guard !heldPieces.isEmpty else { return }
        heldPieces = []
        while let part = parts.first, case .bytes(let buffer) = part {
            gate.change { $0.unsent -= buffer.readableBytes }
            parts.removeFirst()
        }
        sendParts()
    }

    override func finish(_ outcome: Result<StatusText, IMAPError>, in connection: Connection) {
        if case .failure(let error) = outcome { gate.change { $0.failure = $0.failure ?? error } }
    }

    func abandon() {
        connection.fail(
            IMAPError(.cancelled, "A message was given up in the middle, so its connection was closed."))
    }
}

/// One APPEND that is being sent or waits for its answer.
private final class AppendCommand: Command {
    private let number: Int
    private let gate: AppendGate
    private weak var sender: AppendSender?

    init(_ number: Int, gate: AppendGate, sender: AppendSender) {
        self.number = number
        self.gate = gate
        self.sender = sender
        super.init("APPEND", [])
    }

    override func finish(_ outcome: Result<StatusText, IMAPError>, in connection: Connection) {
        let number = number
        gate.change { state in
            switch outcome {
            case .success(let status): state.answers[number] = status
            case .failure(let error): state.failure = state.failure ?? error
            }
        }
        sender?.dropHeld()
    }
}
