import FerryCore
import Synchronization

/// Tokens that were verified, by their whole text. Bounded: two generations, the older one goes when the younger is full.
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

    subscript(token: String) -> Entry? {
        generations.withLock { generations in
            if let entry = generations.young[token] { return entry }
            guard let entry = generations.old[token] else { return nil }
            insert(entry, for: token, into: &generations)
            return entry
        }
    }

    func insert(_ entry: Entry, for token: String) {
        generations.withLock { insert(entry, for: token, into: &$0) }
    }

    func remove(_ token: String) {
        generations.withLock { generations in
            generations.young[token] = nil
            generations.old[token] = nil
        }
    }

    /// Tokens that are remembered now.
    var count: Int { generations.withLock { Set($0.young.keys).union($0.old.keys).count } }

    private func insert(_ entry: Entry, for token: String, into generations: inout Generations) {
        if generations.young.count >= capacity, generations.young[token] == nil {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[token] = entry
    }
}
