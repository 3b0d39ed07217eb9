import FerryConnector
import NIOCore
import Synchronization

/// A bounded hand-over from one task to another one: the sender waits while too much lies in it.
///
/// One sender, one receiver. When either of them is cancelled while it waits, both get `.cancelled`, for what they do
/// together cannot go on.
final class Conduit<Element: Sendable>: Sendable {
    private struct State {
        var elements = CircularBuffer<(element: Element, weight: Int)>()
        var weight = 0
        var isFinished = false
        var failure: ConnectorError?
        /// Nobody will ever receive what is sent from now on, and nobody minds.
        var isDiscarding = false
        var isCancelled = false
        var sender: CheckedContinuation<Void, Never>?
        var receiver: CheckedContinuation<Void, Never>?

        var hasRoom: Bool { elements.isEmpty || isDiscarding || isCancelled }
        var hasNews: Bool { !elements.isEmpty || isFinished || isCancelled }
    }

    private let state = Mutex(State())
    private let limit: Int

    /// `limit` is the weight that may lie in the conduit; one element always may.
    init(limit: Int) { self.limit = limit }

    /// Waits for room, then hands the element over.
    func send(_ element: Element, weight: Int = 1) async throws(ConnectorError) {
        await wait(in: \.sender) { [limit] state in state.hasRoom || state.weight + weight <= limit }
        let (receiver, isCancelled) = state.withLock { state -> (CheckedContinuation<Void, Never>?, Bool) in
            if state.isCancelled { return (nil, true) }
            if !state.isDiscarding {
                state.elements.append((element, weight))
                state.weight += weight
            }
            return (state.receiver.take(), false)
        }
        receiver?.resume()
        if isCancelled { throw .cancelled }
    }

    /// Why the sender gave up; `nil` while it has not.
    var failure: ConnectorError? { state.withLock { $0.failure } }

    /// Says that nothing more will come; with a failure, the receiver gets it after everything that was sent before.
    /// The first call counts.
    func finish(_ failure: ConnectorError? = nil) {
        let receiver = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if !state.isFinished {
                state.isFinished = true
                state.failure = failure
            }
            return state.receiver.take()
        }
        receiver?.resume()
    }

    /// Says that the receiver has had enough: what is sent from now on vanishes.
    func discard() {
        let sender = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isDiscarding = true
            state.elements.removeAll()
            state.weight = 0
            return state.sender.take()
        }
        sender?.resume()
    }

    /// Ends it for both sides at once.
    func cancel() {
        let waiting = state.withLock { state -> [CheckedContinuation<Void, Never>?] in
            state.isCancelled = true
            return [state.sender.take(), state.receiver.take()]
        }
        for continuation in waiting { continuation?.resume() }
    }

    /// The next element; `nil` after the last one.
    func next() async throws(ConnectorError) -> Element? {
        await wait(in: \.receiver) { $0.hasNews }
        if let element = take() { return element }
        let (failure, isCancelled) = state.withLock { ($0.failure, $0.isCancelled) }
        if let failure { throw failure }
        if isCancelled { throw .cancelled }
        return nil
    }

    /// An element that lies ready; `nil` when there is none yet, or none any more.
    func take() -> Element? {
        let (element, sender) = state.withLock { state -> (Element?, CheckedContinuation<Void, Never>?) in
            guard !state.isCancelled, let first = state.elements.popFirst() else { return (nil, nil) }
            state.weight -= first.weight
            return (first.element, state.sender.take())
        }
        sender?.resume()
        return element
    }

    /// Waits until `isReady`, asked under the lock each time the other side did something.
    private func wait(
        in slot: any WritableKeyPath<State, CheckedContinuation<Void, Never>?> & Sendable,
        until isReady: @Sendable (borrowing State) -> Bool
    ) async {
        while !state.withLock({ isReady($0) || $0.isCancelled }) {
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let goesOn = state.withLock { state -> Bool in
                        if isReady(state) || state.isCancelled { return true }
                        state[keyPath: slot] = continuation
                        return false
                    }
                    if goesOn { continuation.resume() }
                }
            } onCancel: {
                cancel()
            }
        }
    }
}
