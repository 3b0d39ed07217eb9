import AsyncHTTPClient
package import NIOCore
import NIOHTTP1
import Synchronization

/// An answer that is being received whether or not somebody waits for it, up to a quarter of a mebibyte ahead; then the
/// server is held back. Used by one task at a time; ends with its last reference.
package final class Download: Sendable {
    private let receiver: Receiver
    private let task: HTTPClient.Task<Void>

    init(_ request: HTTPClient.Request, _ client: HTTPClient, host: String) {
        receiver = Receiver(host: host)
        task = client.execute(request: request, delegate: receiver)
    }

    deinit { task.cancel() }

    /// The beginning of the answer, once it is there.
    package func head() async throws(HTTPFailure) -> HTTPReplyHead {
        while true {
            if let head = receiver.head { return head }
            if let outcome = receiver.outcome { try outcome.get() }
            try await wait()
        }
    }

    /// What has come since the last call, waiting for it if nothing has; `nil` after the end.
    package func next() async throws(HTTPFailure) -> [ByteBuffer]? {
        while true {
            let pieces = receiver.take()
            if !pieces.isEmpty { return pieces }
            if let outcome = receiver.outcome {
                // What arrived between the two looks.
                let last = receiver.take()
                if !last.isEmpty { return last }
                try outcome.get()
                return nil
            }
            try await wait()
        }
    }

    /// Whether `head` or `next` would have to wait.
    package var isReady: Bool { receiver.isReady }

    private func wait() async throws(HTTPFailure) {
        await withTaskCancellationHandler {
            await withCheckedContinuation { receiver.wait($0) }
        } onCancel: {
            task.cancel()
        }
        if Task.isCancelled { throw HTTPFailure(.cancelled, "The request was cancelled.") }
    }
}

/// What the connection's event loop hands over.
private final class Receiver: HTTPClientResponseDelegate {
    private static let limit = 256 << 10

    private struct State {
        var head: HTTPReplyHead?
        var pieces: [ByteBuffer] = []
        var bytes = 0
        var outcome: Result<Void, HTTPFailure>?
        /// Something has come since the waiting task looked last.
        var hasNews = false
        var waiting: CheckedContinuation<Void, Never>?
        /// Kept back until there is room again.
        var held: EventLoopPromise<Void>?
    }

    private let host: String
    private let state = Mutex(State())

    init(host: String) { self.host = host }

    var head: HTTPReplyHead? { state.withLock { $0.head } }
    var outcome: Result<Void, HTTPFailure>? { state.withLock { $0.outcome } }
    var isReady: Bool { state.withLock { !$0.pieces.isEmpty || $0.outcome != nil } }

    func take() -> [ByteBuffer] {
        let (pieces, held) = state.withLock { state in
            defer { (state.pieces, state.bytes, state.held) = ([], 0, nil) }
            return (state.pieces, state.held)
        }
        held?.succeed()
        return pieces
    }

    func wait(_ continuation: CheckedContinuation<Void, Never>) {
        let isLate = state.withLock { state in
            if state.hasNews {
                state.hasNews = false
                return true
            }
            state.waiting = continuation
            return false
        }
        if isLate { continuation.resume() }
    }

    private func note(_ change: (inout sending State) -> Void) {
        let waiting: CheckedContinuation<Void, Never>? = state.withLock { state in
            change(&state)
            guard let waiting = state.waiting else {
                state.hasNews = true
                return nil
            }
            state.waiting = nil
            return waiting
        }
        waiting?.resume()
    }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        note { $0.head = HTTPReplyHead(status: head.status, headers: head.headers) }
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        var held: EventLoopFuture<Void>?
        note { state in
            state.pieces.append(buffer)
            state.bytes += buffer.readableBytes
            if state.bytes >= Self.limit {
                let promise = task.eventLoop.makePromise(of: Void.self)
                state.held = promise
                held = promise.futureResult
            }
        }
        return held ?? task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveError(task: HTTPClient.Task<Void>, _ error: any Error) {
        finish(.failure(HTTPFailure(error, host: host)))
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) throws { finish(.success(())) }

    private func finish(_ outcome: Result<Void, HTTPFailure>) {
        var held: EventLoopPromise<Void>?
        note { state in
            if state.outcome == nil { state.outcome = outcome }
            held = state.held
            state.held = nil
        }
        held?.succeed()
    }
}
