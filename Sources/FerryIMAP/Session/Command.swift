import NIOCore
import Synchronization

/// A command in flight. Made and used on the connection's event loop alone.
class Command {
    /// What is sent after the tag, piece by piece.
    let pieces: [ByteBuffer]
    /// For messages, as `UID FETCH`; no arguments.
    let name: String
    /// Set when it is sent.
    var tag = ""
    var nextPiece = 0
    /// Answer to a `+` that comes when all pieces are sent: SASL's "go on, and fail".
    var lastWord: ByteBuffer?

    init(_ name: String, _ pieces: [ByteBuffer]) {
        self.name = name
        self.pieces = pieces
    }

    /// After it the server speaks of another mailbox: commands behind it get no data until it is answered.
    var isSelection: Bool { false }

    /// Takes untagged data that belongs to this command; `false` when it does not.
    func absorb(_ response: Response, in connection: Connection) -> Bool { false }

    /// Takes the body that begins; its bytes follow then, and `bodyEnded`. The response itself comes to `absorb`.
    func beginBody(
        of message: FetchedMessage, section: FetchedBody.Section, size: UInt64, in connection: Connection
    ) -> Bool { false }
    func bodyBytes(_ bytes: ByteBuffer, in connection: Connection) {}
    func endBody(in connection: Connection) {}

    /// The server asked for more (`+`) while this command holds the way out.
    func proceed(in connection: Connection) { connection.sendNextPiece(of: self) }

    /// It is this command's turn to send, and nobody else's until `Connection.finishSending`.
    func transmit(in connection: Connection) { connection.sendNextPiece(of: self) }

    /// The tagged answer, or why there is none. Called once.
    func finish(_ outcome: Result<StatusText, IMAPError>, in connection: Connection) {}
}

/// What a command collected, and the tagged answer, which may be NO.
struct Answer<Value: Sendable>: Sendable {
    var value: Value
    var status: StatusText
}

/// A command that collects a value from untagged data.
final class Collecting<Value: Sendable>: Command {
    private var value: Value
    private let take: @Sendable (inout Value, Response, _ tag: String) -> Bool
    private let isSelecting: Bool
    private let done: @Sendable (Result<Answer<Value>, IMAPError>) -> Void

    init(
        _ name: String, _ pieces: [ByteBuffer], into value: Value, isSelection: Bool = false,
        take: @escaping @Sendable (inout Value, Response, _ tag: String) -> Bool,
        done: @escaping @Sendable (Result<Answer<Value>, IMAPError>) -> Void
    ) {
        self.value = value
        self.take = take
        self.done = done
        isSelecting = isSelection
        super.init(name, pieces)
    }

    override var isSelection: Bool { isSelecting }

    override func absorb(_ response: Response, in connection: Connection) -> Bool { take(&value, response, tag) }

    override func finish(_ outcome: Result<StatusText, IMAPError>, in connection: Connection) {
        let value = value
        done(outcome.map { Answer(value: value, status: $0) })
    }
}

/// The results of several commands, awaited as one; or of the cancellation of the task that waits.
final class Outcomes<Value: Sendable>: Sendable {
    private struct State: Sendable {
        var results: [Result<Value, IMAPError>?]
        var missing: Int
        var isCancelled = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>

    init(count: Int) { state = Mutex(State(results: Array(repeating: nil, count: count), missing: count)) }

    func set(_ result: Result<Value, IMAPError>, at index: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.results[index] == nil else { return nil }
            state.results[index] = result
            state.missing -= 1
            guard state.missing == 0 else { return nil }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// All results in order, once the last is there. Throws `cancelled` when the task is cancelled before.
    func all() async throws(IMAPError) -> [Result<Value, IMAPError>] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.missing == 0 || state.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.isCancelled = true
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
        let results = state.withLock { $0.missing == 0 ? $0.results.compactMap { $0 } : nil }
        guard let results else { throw .cancelled }
        return results
    }
}

extension IMAPError {
    static let cancelled = IMAPError(.cancelled, "The work was told to stop.")
}
