import FerryConnector
import NIOPosix
import Synchronization

/// A value that a pool thread is making while its owner does something else. One owner, who waits at most once.
final class Deferred<Value: Sendable>: Sendable {
    private enum State {
        case making
        case awaited(CheckedContinuation<Result<Value, ConnectorError>, Never>)
        case made(Result<Value, ConnectorError>)
    }

    private let state = Mutex(State.making)

    /// Starts at once. `body` always runs to its end, even if nobody waits, so it has to be short.
    init(_ body: @escaping @Sendable () throws(ConnectorError) -> Value) {
        NIOThreadPool.singleton.submit { [self] item in
            guard case .active = item else { return fulfil(.failure(.cancelled)) }
            do throws(ConnectorError) { fulfil(.success(try body())) } catch { fulfil(.failure(error)) }
        }
    }

    var value: Value {
        get async throws(ConnectorError) {
            let result = await withCheckedContinuation { continuation in
                let ready: Result<Value, ConnectorError>? = state.withLock { state in
                    if case .made(let result) = state { return result }
                    state = .awaited(continuation)
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
            return try result.get()
        }
    }

    private func fulfil(_ result: Result<Value, ConnectorError>) {
        let waiting: CheckedContinuation<Result<Value, ConnectorError>, Never>? = state.withLock { state in
            defer { state = .made(result) }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume(returning: result)
    }
}
