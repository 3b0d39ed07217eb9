import Synchronization

/// Hands on the hint that there is new work, to any number of listeners. A hint that nobody has taken yet swallows the
/// next one.
final class WorkSignals: Sendable {
    private struct State {
        var listeners: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
        var isFinished = false
    }

    private let state = Mutex(State())

    func makeStream() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let key = state.withLock { state -> Int? in
            if state.isFinished { return nil }
            state.next += 1
            state.listeners[state.next] = continuation
            return state.next
        }
        if let key {
            continuation.onTermination = { [weak self] _ in self?.remove(key) }
        } else {
            continuation.finish()
        }
        return stream
    }

    func signal() {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener.yield() }
    }

    /// Ends all streams, present and future.
    func finish() {
        let listeners = state.withLock { state in
            state.isFinished = true
            defer { state.listeners = [:] }
            return Array(state.listeners.values)
        }
        for listener in listeners { listener.finish() }
    }

    private func remove(_ key: Int) {
        state.withLock { $0.listeners[key] = nil }
    }
}
