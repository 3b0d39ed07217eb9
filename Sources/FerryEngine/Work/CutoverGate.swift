import FerryCore
import Synchronization

/// Cuts people over in waves: lets so many at once through each endpoint (`EngineSettings.cutoversAtOnce`), the others wait
/// in the order in which they came, with their last pass before the freeze behind them.
final class CutoverGate: Sendable {
    private struct Waiter {
        var id: Int
        var endpoints: [String]
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var inside: [String: Int] = [:]
        var waiting: [Waiter] = []
        var lastID = 0
        /// Were cancelled before they began to wait.
        var cancelled: Set<Int> = []

        mutating func admit(_ endpoints: [String], limit: Int) -> Bool {
            guard endpoints.allSatisfy({ inside[$0, default: 0] < limit }) else { return false }
            for name in endpoints { inside[name, default: 0] += 1 }
            return true
        }
    }

    private let limit: Int?
    private let state = Mutex(State())

    /// - Parameter limit: cutovers at once per endpoint; `nil`: as many as there are places in the lanes.
    init(limit: Int?) { self.limit = limit.map { max(1, $0) } }

    /// Waits for a place at every endpoint of the lane. Throws `CancellationError`, and then no place is taken.
    /// - Parameter isUrgent: takes a place whether there is one or not.
    func enter(_ lane: LaneID, isUrgent: Bool) async throws {
        guard let limit else { return }
        let endpoints = Lane(lane).endpoints
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let fate = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if state.admit(endpoints, limit: isUrgent ? .max : limit) { return .success(()) }
                    state.waiting.append(Waiter(id: id, endpoints: endpoints, continuation: continuation))
                    return nil
                }
                if let fate { continuation.resume(with: fate) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
                    state.cancelled.insert(id)
                    return nil
                }
                return state.waiting.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
        state.withLock { _ = $0.cancelled.remove(id) }
    }

    /// Gives the places back, and lets those in for whom there is room now.
    func leave(_ lane: LaneID) {
        guard let limit else { return }
        let admitted = state.withLock { state -> [Waiter] in
            for name in Lane(lane).endpoints { state.inside[name, default: 1] -= 1 }
            var admitted: [Waiter] = []
            var waiting: [Waiter] = []
            // One who waits for another endpoint holds up nobody behind.
            for waiter in state.waiting {
                if state.admit(waiter.endpoints, limit: limit) {
                    admitted.append(waiter)
                } else {
                    waiting.append(waiter)
                }
            }
            state.waiting = waiting
            return admitted
        }
        for waiter in admitted { waiter.continuation.resume() }
    }
}
