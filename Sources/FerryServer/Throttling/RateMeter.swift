import FerryCore
import HTTPTypes
import Synchronization

/// Counts the requests of principals and tenants, and says who has to wait.
///
/// A decision is one lock of a shard and at most four look-ups. A tenant and its principals live in the same shard, so
/// that both budgets are spent together or not at all.
final class RateMeter: Sendable {
    /// How a request was judged, by the budget that is closer to its end.
    struct Verdict: Sendable, Hashable {
        /// Whole seconds to wait; `nil`: the request is let through.
        var retryAfterSeconds: Int?
        /// Requests in the full bucket.
        var limit: Int
        var remaining: Int
        /// Whole seconds until the bucket is full again.
        var resetSeconds: Int

        /// Callers are told once four fifths are spent, as Graph does, and whenever they have to wait.
        var isWorthTelling: Bool { retryAfterSeconds != nil || remaining < limit / 5 }

        /// The three fields that Graph sends (draft-ietf-httpapi-ratelimit-headers-03), in requests and seconds.
        var headers: [(HTTPField.Name, String)] {
            [
                (.rateLimitLimit, "\(limit)"), (.rateLimitRemaining, "\(remaining)"),
                (.rateLimitReset, "\(resetSeconds)"),
            ]
        }
    }

    /// Whose budget; the subject is `nil` for the tenant as a whole.
    private struct Key: Hashable {
        var tenant: TenantID
        var subject: String?
        var isWrite: Bool
    }

    /// Principals and tenants that one generation of a shard remembers.
    static let capacity = 4_096
    private static let shardCount = 16

    /// A lock of its own per shard: a class, because a mutex cannot lie in an array.
    private final class Shard: Sendable {
        let buckets = Mutex(Buckets<Key>(capacity: RateMeter.capacity))
    }

    private let reads: (principal: Quota?, tenant: Quota?)
    private let writes: (principal: Quota?, tenant: Quota?)
    private let uptime: @Sendable () -> Int64
    private let shards: [Shard]

    /// - Parameter uptime: nanoseconds by a monotonic clock.
    init(_ limits: RateLimits, uptime: @escaping @Sendable () -> Int64) {
        reads = (Quota(perMinute: limits.principalReads), Quota(perMinute: limits.tenantReads))
        writes = (Quota(perMinute: limits.principalWrites), Quota(perMinute: limits.tenantWrites))
        self.uptime = uptime
        shards = (0..<Self.shardCount).map { _ in Shard() }
    }

    /// Spends one request of the caller's budgets, or says how long to wait and spends nothing. `nil`: no limit.
    func admit(_ principal: Principal, isWrite: Bool) -> Verdict? {
        let (own, shared) = isWrite ? writes : reads
        if own == nil, shared == nil { return nil }
        let tenant = principal.tenant
        let ownKey = Key(tenant: tenant, subject: principal.subject, isWrite: isWrite)
        let sharedKey = Key(tenant: tenant, subject: nil, isWrite: isWrite)
        let now = uptime()
        let shard = shards[Int(truncatingIfNeeded: UInt(truncatingIfNeeded: tenant.hashValue)) & (Self.shardCount - 1)]
        return shard.buckets.withLock { buckets in
            var budgets: [(key: Key, quota: Quota, full: Int64)] = []
            if let own { budgets.append((ownKey, own, buckets[ownKey])) }
            if let shared { budgets.append((sharedKey, shared, buckets[sharedKey])) }
            for (_, quota, full) in budgets where quota.take(full, now: now) == nil {
                return Verdict(
                    retryAfterSeconds: quota.secondsToNext(full, now: now), limit: quota.size, remaining: 0,
                    resetSeconds: quota.secondsToFull(full, now: now))
            }
            var tightest: Verdict?
            for (key, quota, full) in budgets {
                let next = quota.take(full, now: now) ?? full
                buckets[key] = next
                let verdict = Verdict(
                    limit: quota.size, remaining: quota.remaining(next, now: now),
                    resetSeconds: quota.secondsToFull(next, now: now))
                if let other = tightest, other.remaining <= verdict.remaining { continue }
                tightest = verdict
            }
            return tightest
        }
    }
}
