/// One budget, kept by the generic cell rate algorithm (ITU-T I.371, annex A): all that is remembered of a caller is the
/// instant at which the bucket will be full again.
struct Quota: Sendable, Hashable {
    /// Nanoseconds in which an empty bucket fills up.
    static let window: Int64 = 60_000_000_000

    /// Requests in a full bucket.
    let size: Int
    /// Nanoseconds until one more request is there.
    private let interval: Int64

    /// `nil` for no limit.
    init?(perMinute: Int?) {
        guard let perMinute, perMinute > 0 else { return nil }
        size = perMinute
        interval = max(1, Self.window / Int64(perMinute))
    }

    /// When a bucket that is full at `full` will be full again once a request is taken from it.
    private func next(_ full: Int64, now: Int64) -> Int64 { max(full, now) + interval }

    /// The bucket's `full` after a request was taken from it, or `nil` when there is none in it.
    func take(_ full: Int64, now: Int64) -> Int64? {
        let next = next(full, now: now)
        return next - now <= Self.window ? next : nil
    }

    /// Requests that are in the bucket now.
    func remaining(_ full: Int64, now: Int64) -> Int {
        Int((Self.window - max(0, full - now)) / interval)
    }

    /// Whole seconds until a request is in the bucket, at least 1.
    func secondsToNext(_ full: Int64, now: Int64) -> Int {
        max(1, Self.wholeSeconds(next(full, now: now) - now - Self.window))
    }

    /// Whole seconds until the bucket is full.
    func secondsToFull(_ full: Int64, now: Int64) -> Int { Self.wholeSeconds(max(0, full - now)) }

    private static func wholeSeconds(_ nanoseconds: Int64) -> Int { Int((nanoseconds + 999_999_999) / 1_000_000_000) }
}

/// When whose bucket is full again. Whoever is absent has a full one.
///
/// Bounded by two generations: the older one is dropped when the younger is full. A caller is forgotten too early only
/// when that many others came since, and then has a full bucket.
struct Buckets<Key: Hashable & Sendable>: Sendable {
    private var young: [Key: Int64] = [:]
    private var old: [Key: Int64] = [:]
    private let capacity: Int

    /// - Parameter capacity: callers in one generation.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    subscript(key: Key) -> Int64 {
        get { young[key] ?? old[key] ?? .min }
        set {
            if young.count >= capacity, young[key] == nil {
                old = young
                young = [:]
            }
            young[key] = newValue
        }
    }

    /// Callers that are remembered; those in both generations count twice.
    var count: Int { young.count + old.count }

    mutating func removeAll() {
        young = [:]
        old = [:]
    }
}
