import Synchronization

/// Counts requests without a good token by the address that they came from.
///
/// Costs one lock and a comparison as long as nobody failed lately, which is nearly always.
final class FailureMeter: Sendable {
    private struct State {
        var buckets = Buckets<PeerAddress>(capacity: FailureMeter.capacity)
        /// When the last bucket is full again; until then there is somebody to look for.
        var busyUntil = Int64.min
    }

    /// Addresses that one generation remembers.
    static let capacity = 8_192

    private let quota: Quota?
    private let uptime: @Sendable () -> Int64
    private let state = Mutex(State())

    /// - Parameter uptime: nanoseconds by a monotonic clock.
    init(_ limits: RateLimits, uptime: @escaping @Sendable () -> Int64) {
        quota = Quota(perMinute: limits.failedAuthentications)
        self.uptime = uptime
    }

    /// Whether there is anybody at all whom `secondsToWait` could hold back.
    var isQuiet: Bool {
        guard quota != nil else { return true }
        let now = uptime()
        return state.withLock { state in
            guard now >= state.busyUntil else { return false }
            if state.buckets.count > 0 { state.buckets.removeAll() }
            return true
        }
    }

    /// Whole seconds that the address has to wait before it is heard again; `nil`: it is heard now.
    func secondsToWait(_ address: PeerAddress) -> Int? {
        guard let quota else { return nil }
        let now = uptime()
        let full = state.withLock { $0.buckets[address.network] }
        return quota.take(full, now: now) == nil ? quota.secondsToNext(full, now: now) : nil
    }

    /// A request from there had no good token.
    func failed(_ address: PeerAddress) {
        guard let quota else { return }
        let now = uptime()
        state.withLock { state in
            guard let full = quota.take(state.buckets[address.network], now: now) else { return }
            state.buckets[address.network] = full
            state.busyUntil = max(state.busyUntil, full)
        }
    }
}
