import NIOCore
import Synchronization

/// Pieces on their way from the task that has them to the request that sends them: one waits at a time. One sender, one
/// receiver; either may give up.
final class PieceChannel: AsyncSequence, Sendable {
    /// The sender has no more and is not at the end: the request must break.
    struct Broken: Error {}

    private struct State {
        var piece: ByteBuffer?
        var end: Result<Void, Broken>?
        var isGivenUp = false
        var sender: CheckedContinuation<Void, Never>?
        var receiver: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// Returns once the piece before has been taken; `false` when nobody takes any more.
    func send(_ piece: ByteBuffer) async -> Bool {
        while true {
            let (isDone, receiver): (Bool?, CheckedContinuation<Void, Never>?) = state.withLock { state in
                if state.isGivenUp { return (false, nil) }
                guard state.piece == nil else { return (nil, nil) }
                state.piece = piece
                defer { state.receiver = nil }
                return (true, state.receiver)
            }
            receiver?.resume()
            if let isDone { return isDone }
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    if state.piece == nil || state.isGivenUp { return true }
                    state.sender = continuation
                    return false
                }
                if isLate { continuation.resume() }
            }
        }
    }

    /// Nothing comes any more; `isComplete` says whether that is as it should be.
    func finish(isComplete: Bool) {
        let receiver = state.withLock { state in
            state.end = isComplete ? .success(()) : .failure(Broken())
            defer { state.receiver = nil }
            return state.receiver
        }
        receiver?.resume()
    }

    /// Nobody takes any more.
    func giveUp() {
        let (sender, receiver) = state.withLock { state in
            state.isGivenUp = true
            defer { (state.sender, state.receiver) = (nil, nil) }
            return (state.sender, state.receiver)
        }
        sender?.resume()
        receiver?.resume()
    }

    func makeAsyncIterator() -> Iterator { Iterator(channel: self) }

    struct Iterator: AsyncIteratorProtocol {
        let channel: PieceChannel

        mutating func next() async throws -> ByteBuffer? { try await channel.take() }
    }

    private func take() async throws -> ByteBuffer? {
        while true {
            let (found, sender) = try state.withLock { state in
                if let piece = state.piece {
                    defer { (state.piece, state.sender) = (nil, nil) }
                    return (Optional(Optional(piece)), state.sender)
                }
                if state.isGivenUp { throw CancellationError() }
                guard let end = state.end else { return (Optional<ByteBuffer?>.none, nil) }
                try end.get()
                return (.some(nil), nil)
            }
            sender?.resume()
            if let found { return found }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isLate = state.withLock { state in
                        if state.piece != nil || state.end != nil || state.isGivenUp { return true }
                        state.receiver = continuation
                        return false
                    }
                    if isLate { continuation.resume() }
                }
            } onCancel: {
                giveUp()
            }
        }
    }
}
