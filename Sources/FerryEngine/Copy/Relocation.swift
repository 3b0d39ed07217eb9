import FerryConnector
import FerryCore
import FerryStore

/// Finds the copies of one container again after the target has made it anew, before anything is written into it.
///
/// The ledger's places mean nothing then. What is there is compared with what the source has; the places that are found
/// are durable before the pass goes on, page by page, so that a crash on the way costs only the page. Copies that are
/// not there any more are forgotten, and so are written again.
struct Relocation: Sendable {
    let container: Container
    let leg: LegContext
    let journal: Journal
    let session: any TargetSession
    let there: Container

    /// Puts the places right; `true` when the ledger was changed.
    func run(_ ledger: ContainerLedger, _ tally: PassTally) async throws(WorkError) -> Bool {
        var lost = try await misplaced(ledger.entries)
        guard !lost.isEmpty else { return false }
        let ledger = try await journal.distrust(ledger, tally.current)
        var taken = ledger.entries.compactMap { lost[$0.key] == nil ? $0.place : nil }
        var hasGaps = false
        try await forEachPage(&hasGaps) { headers throws(WorkError) in
            let wanted = headers.filter { lost[$0.key] != nil }
            guard !wanted.isEmpty else { return }
            let found = try await find(wanted, besides: taken)
            var checkpoint = journal.checkpoint(tally.current)
            checkpoint.intent = ledger.intent
            for header in wanted {
                let outcome = lost.removeValue(forKey: header.key)
                guard let place = found[header.key] else {
                    checkpoint.removed.append(header.key)
                    tally.count(from: outcome, to: nil, bytes: header.size)
                    continue
                }
                taken.append(place)
                checkpoint.entries.append(Self.entry(header, at: place))
            }
            try await commit(checkpoint, tally)
        }
        // What a listing with gaps does not show may still be there; the next pass looks again.
        if !hasGaps, !lost.isEmpty { try await settle(lost, besides: taken, ledger, tally) }
        return true
    }

    /// The copies of items that the source has no more cannot be compared with anything, so they stay, and the finding
    /// says so. But for those that the source has under a new name (its own mailbox may have been made anew, too):
    /// these are found by content and become the new item's copies.
    private func settle(
        _ lost: [ItemKey: ItemOutcome], besides taken: [ItemPlace], _ ledger: ContainerLedger,
        _ tally: PassTally
    ) async throws(WorkError) {
        var taken = taken
        var left = lost.count
        let known = Set(ledger.entries.map(\.key)).union(ledger.intent?.keys ?? [])
        var hasGaps = false
        try await forEachPage(&hasGaps) { headers throws(WorkError) in
            let new = headers.filter { !known.contains($0.key) }
            guard left > 0, !new.isEmpty else { return }
            let found = try await find(new, besides: taken)
            var checkpoint = journal.checkpoint(tally.current)
            checkpoint.intent = ledger.intent
            for header in new {
                // Never more than Ferry has put there: the rest is other people's.
                guard left > 0, let place = found[header.key] else { continue }
                left -= 1
                taken.append(place)
                checkpoint.entries.append(Self.entry(header, at: place))
                tally.count(from: nil, to: .copied, bytes: header.size)
            }
            try await commit(checkpoint, tally)
        }
        var checkpoint = journal.checkpoint(tally.current)
        checkpoint.intent = ledger.intent
        for (key, outcome) in lost {
            checkpoint.removed.append(key)
            tally.count(from: outcome, to: nil, bytes: 0)
        }
        if left > 0 { checkpoint.findings = [leftBehind(left)] }
        try await commit(checkpoint, tally)
    }

    /// What is to be removed at the target of a container that the source has no more: entries with places that mean
    /// something, and what an interrupted batch may have left.
    func lastPlaces(of ledger: ContainerLedger, _ tally: PassTally) async throws(WorkError) -> [LedgerEntry] {
        guard !session.capabilities.isIdempotent else { return Array(ledger.entries) }
        let lost = try await misplaced(ledger.entries)
        var entries = ledger.entries.filter { lost[$0.key] == nil }
        if let intent = ledger.intent {
            let search = CopySearch(
                [], batch: CopySearch.Batch(keys: intent.keys, mark: intent.mark), besides: entries.compactMap(\.place))
            for (key, place) in try await find(search) {
                entries.append(LedgerEntry(key: key, version: ItemVersion(0), outcome: .copied, place: place))
            }
        }
        if !lost.isEmpty {
            var checkpoint = journal.checkpoint(tally.current)
            checkpoint.intent = ledger.intent
            checkpoint.findings = [leftBehind(lost.count)]
            try await commit(checkpoint, tally)
        }
        return entries
    }

    /// Keys of the entries whose places mean nothing, with what the ledger says of them.
    private func misplaced(_ entries: LedgerEntries) async throws(WorkError) -> [ItemKey: ItemOutcome] {
        var lost: [ItemKey: ItemOutcome] = [:]
        // In bits, so that a large ledger is never spelled out as a whole.
        for block in entries.inBlocks {
            let placed = block.filter { $0.place != nil }
            guard !placed.isEmpty else { continue }
            let keys: Set<ItemKey>
            do throws(ConnectorError) {
                let items = placed.map { PlacedItem(key: $0.key, place: $0.place) }
                keys = Set(try await session.misplaced(items, in: there).map(\.key))
            } catch {
                throw .connector(error)
            }
            for entry in placed where keys.contains(entry.key) { lost[entry.key] = entry.outcome }
        }
        return lost
    }

    private func forEachPage(
        _ hasGaps: inout Bool, _ body: ([ItemHeader]) async throws(WorkError) -> Void
    ) async throws(WorkError) {
        var cursor: Cursor?
        repeat {
            if Task.isCancelled { throw .connector(.cancelled) }
            let page: ItemPage
            do throws(ConnectorError) { page = try await leg.source.items(in: container, after: cursor) } catch {
                throw WorkError.connector(error)
            }
            hasGaps = hasGaps || !page.problems.isEmpty
            try await body(
                page.headers.map { header in
                    var header = header
                    header.sizeIsHint = header.sizeIsHint || leg.rewriter.rewrites(header.metadata)
                    return header
                })
            cursor = page.next
        } while cursor != nil
    }

    private func find(
        _ headers: [ItemHeader], besides taken: [ItemPlace]
    ) async throws(WorkError) -> [ItemKey: ItemPlace] {
        try await find(CopySearch(headers, besides: taken))
    }

    private func find(_ search: CopySearch) async throws(WorkError) -> [ItemKey: ItemPlace] {
        let (source, container) = (leg.source, container)
        do throws(ConnectorError) {
            let found = try await session.find(search, in: there) { (some) throws(ConnectorError) in
                try await source.bodies(of: some, in: container)
            }
            return Dictionary(
                found.compactMap { item in item.place.map { (item.key, $0) } }, uniquingKeysWith: { first, _ in first })
        } catch {
            throw .connector(error)
        }
    }

    /// Recorded with a version that the source does not have: among equal messages nobody knows whose flags are whose,
    /// and a target that was restored may have old ones. The listing finds it changed, and its flags are put right.
    private static func entry(_ header: ItemHeader, at place: ItemPlace) -> LedgerEntry {
        LedgerEntry(key: header.key, version: ItemVersion(~header.version.bits), outcome: .copied, place: place)
    }

    private func leftBehind(_ count: Int) -> ItemFinding {
        journal.finding(
            container.path.joined(separator: "/"), .copied,
            ConnectorError(
                .targetConflict, .skip,
                "The folder was made anew at the target, and \(count) of its items are gone from the source. If their"
                    + " copies are still in the target's folder, they stay there, since nothing tells them from what"
                    + " others put there. Delete them by hand where they are not wanted."))
    }

    private func commit(_ checkpoint: Checkpoint, _ tally: PassTally) async throws(WorkError) {
        var checkpoint = checkpoint
        checkpoint.progress = tally.current
        do throws(StoreError) { try await journal.commit(checkpoint).get() } catch { throw .store(error) }
    }
}
