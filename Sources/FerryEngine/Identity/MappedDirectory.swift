package import FerryCore
import FerryStore
import Synchronization

/// The directory with the identity maps that administrators have built: what is stored of a person replaces what the
/// configuration says of them.
///
/// Answers from memory. Whoever is about to rely on a map renews it first, which costs one read of a number while nothing
/// has changed.
package final class MappedDirectory: Directory {
    private struct View: Sendable {
        var revision: Int64
        var generation: Int
        var map: IdentityMap
        var book: AddressBook
        /// Target person → the source person who has their address; made when somebody asks.
        var counterparts: [PersonID: PersonID]?
    }

    private let inner: any Directory
    private let views = Mutex<[TenantPair: View]>([:])

    package init(_ inner: any Directory) { self.inner = inner }

    /// Looks whether the stored map has changed.
    func renew(_ pair: TenantPair, from reader: any StoreReader) async throws(StoreError) {
        let generation = inner.generation
        let revision = try await reader.mapRevision(of: pair)
        let isCurrent = views.withLock { $0[pair].map { ($0.revision, $0.generation) == (revision, generation) } }
        if isCurrent == true { return }
        let stored = revision == 0 ? StoredMap() : try await reader.map(of: pair)
        let configured = inner.identityMap(from: pair.source, to: pair.target)
        let map = stored.entries.isEmpty ? configured : IdentityMap(configured, replacing: stored.entries)
        let book =
            stored.entries.isEmpty
            ? inner.addressBook(from: pair.source, to: pair.target)
            : inner.addressBook(of: map, from: pair.source, to: pair.target)
        let view = View(revision: stored.revision, generation: generation, map: map, book: book)
        views.withLock { views in
            // Somebody else may have seen a newer one meanwhile.
            if let known = views[pair], known.generation == generation, known.revision > stored.revision { return }
            views[pair] = view
        }
    }

    /// The source person with the target person's address, whatever the map says.
    func counterpart(of target: PersonID, in pair: TenantPair) -> PersonID? {
        if let known = views.withLock({ $0[pair]?.counterparts }) { return known[target] }
        guard let from = tenant(pair.source), let to = tenant(pair.target) else { return nil }
        let pairs = AddressMatch.pairs(people(in: pair.source), of: from, to: people(in: pair.target), of: to)
        let found = Dictionary(pairs.map { ($0.target, $0.source) }, uniquingKeysWith: min)
        views.withLock { $0[pair]?.counterparts = found }
        return found[target]
    }

    package var generation: Int { inner.generation }
    package func tenant(_ id: TenantID) -> Tenant? { inner.tenant(id) }
    package func person(_ id: PersonID, in tenant: TenantID) -> Person? { inner.person(id, in: tenant) }
    package func people(in tenant: TenantID) -> [Person] { inner.people(in: tenant) }
    package func trusts(to target: TenantID) -> [Trust] { inner.trusts(to: target) }
    package func trust(from source: TenantID, to target: TenantID) -> Trust? { inner.trust(from: source, to: target) }

    package func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap {
        views.withLock { $0[TenantPair(source: source, target: target)]?.map }
            ?? inner.identityMap(from: source, to: target)
    }

    package func addressBook(from source: TenantID, to target: TenantID) -> AddressBook {
        views.withLock { $0[TenantPair(source: source, target: target)]?.book }
            ?? inner.addressBook(from: source, to: target)
    }

    package func addressBook(of map: IdentityMap, from source: TenantID, to target: TenantID) -> AddressBook {
        inner.addressBook(of: map, from: source, to: target)
    }
}
