import FerryCore
import Synchronization

/// What this process is at. A piece of work is leased again while its last worker is still at it when all leases have run
/// out at once: the machine was asleep, or its clock was set forward. The new worker then waits until the old one has
/// noticed, so that no two ever write for one person at the same time.
final class Hands: Sendable {
    /// Who waits for the work, in the order in which they came.
    private let busy = Mutex<[WorkKey: [CheckedContinuation<Void, Never>]]>([:])

    /// Waits until nobody else in this process is at it.
    func take(_ key: WorkKey) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isFree = busy.withLock { busy in
                guard busy[key] != nil else {
                    busy[key] = []
                    return true
                }
                busy[key]?.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func give(_ key: WorkKey) {
        let next = busy.withLock { busy -> CheckedContinuation<Void, Never>? in
            guard let waiting = busy[key], !waiting.isEmpty else {
                busy[key] = nil
                return nil
            }
            return busy[key]?.removeFirst()
        }
        next?.resume()
    }
}
