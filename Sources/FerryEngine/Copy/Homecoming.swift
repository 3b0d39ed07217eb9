import FerryConnector
import FerryCore

/// A container of somebody who comes back to where Ferry once moved them from: what lies there still is what they had,
/// and must neither be doubled nor outlive what they have deleted since.
///
/// The ledger of the way there knows both ends of every copy. Turned round, it is the ledger that the way back begins
/// with: nothing of it counts as up to date, so whatever is still there is compared and brought up to date, and whatever
/// is gone is removed.
struct Homecoming: Sendable {
    let container: Container
    let there: Container
    let leg: LegContext
    let session: any TargetSession

    /// - Parameter outbound: entries of the way there, keys of the present target, places of the present source.
    func entries(_ outbound: LedgerEntries) async throws(WorkError) -> [LedgerEntry] {
        let copied = outbound.filter { $0.outcome == .copied }
        guard !copied.isEmpty else { return [] }
        // What is written under the same name replaces what was there; what had another name is removed by its own.
        guard !session.capabilities.isIdempotent else { return copied.map { Self.entry($0.key, $0.version, at: nil) } }
        do throws(ConnectorError) { return try await turned(copied) } catch { throw .connector(error) }
    }

    /// By place: the copies at the source say whose they were, and a listing of the target says where those lie.
    private func turned(_ outbound: [LedgerEntry]) async throws(ConnectorError) -> [LedgerEntry] {
        var copies: [ItemPlace: ItemHeader] = [:]
        var known: Set<ItemKey> = []
        try await Self.forEachHeader(in: container, of: leg.source) { header in
            known.insert(header.key)
            if let place = leg.source.place(of: header) { copies[place] = header }
        }
        var places: [ItemKey: ItemPlace] = [:]
        let target = try await leg.leg.target.source(for: leg.leg.targetAccount)
        let listed = await Self.attempt { () throws(ConnectorError) in
            var places: [ItemKey: ItemPlace] = [:]
            for container in try await target.containers() where container.path == there.path {
                try await Self.forEachHeader(in: container, of: target) { places[$0.key] = target.place(of: $0) }
            }
            return places
        }
        await target.close()
        places = try listed.get()
        var entries: [LedgerEntry] = []
        for entry in outbound {
            guard let place = places[entry.key] else { continue }
            if let header = entry.place.flatMap({ copies[$0] }) {
                entries.append(Self.entry(header.key, header.version, at: place))
            } else if entry.place != nil, !known.contains(entry.key) {
                // Deleted since then: under a key that the source does not have it will be found gone.
                entries.append(Self.entry(entry.key, entry.version, at: place))
            }
        }
        return entries
    }

    private static func forEachHeader(
        in container: Container, of session: any SourceSession, _ body: (ItemHeader) -> Void
    ) async throws(ConnectorError) {
        var cursor: Cursor?
        repeat {
            if Task.isCancelled { throw .cancelled }
            let page = try await session.items(in: container, after: cursor)
            for header in page.headers { body(header) }
            cursor = page.next
        } while cursor != nil
    }

    private static func attempt<R>(_ body: () async throws(ConnectorError) -> R) async -> Result<R, ConnectorError> {
        do throws(ConnectorError) { return .success(try await body()) } catch { return .failure(error) }
    }

    /// With a version that the source does not have, so that it is looked at.
    private static func entry(_ key: ItemKey, _ version: ItemVersion, at place: ItemPlace?) -> LedgerEntry {
        LedgerEntry(key: key, version: ItemVersion(~version.bits), outcome: .copied, place: place)
    }
}
