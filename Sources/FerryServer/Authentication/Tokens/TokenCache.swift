import FerryCore
import Synchronization

/// Tokens that were verified, by the whole header that brought them, so that nobody even looks into a known one. Bounded:
/// two generations, the older one goes when the younger is full.
///
/// What is found here still has to be in its lifetime, and signed with a key that still exists; the caller checks both
/// on every use.
final class TokenCache: Sendable {
    struct Entry: Sendable {
        var principal: Principal
        var lifetime: TokenClaims.Lifetime
        /// The issuer's keys, and as which generation of them the token was verified.
        var keys: KeyRing
        var generation: Int
    }

    private struct Generations {
        var young: [String: Entry] = [:]
        var old: [String: Entry] = [:]
    }

    private let generations = Mutex(Generations())
    private let capacity: Int

    /// Remembers at most `capacity` tokens, at least the younger half of them.
    init(capacity: Int) { self.capacity = max(1, capacity / 2) }

    subscript(header: String) -> Entry? {
        generations.withLock { generations in
            if let entry = generations.young[header] { return entry }
            guard let entry = generations.old[header] else { return nil }
            insert(entry, for: header, into: &generations)
            return entry
        }
    }

    func insert(_ entry: Entry, for header: String) {
        generations.withLock { insert(entry, for: header, into: &$0) }
    }

    func remove(_ header: String) {
        generations.withLock { generations in
            generations.young[header] = nil
            generations.old[header] = nil
        }
    }

    /// Tokens that are remembered now.
    var count: Int { generations.withLock { Set($0.young.keys).union($0.old.keys).count } }

    private func insert(_ entry: Entry, for header: String, into generations: inout Generations) {
        if generations.young.count >= capacity, generations.young[header] == nil {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[header] = entry
    }
}
