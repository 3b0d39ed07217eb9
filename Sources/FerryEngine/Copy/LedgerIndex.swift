import FerryConnector
import FerryCore

/// The ledger of one container while a listing, or what a source says of changes, is held against it: what is new, what
/// has changed, what is gone.
///
/// Takes the ledger's compact form and a bit per known item. Of the entries one block is spelled out at a time where keys
/// are neighbours, and so come in their order; all that were asked for where keys are hashes: 40 bytes each.
struct LedgerIndex: Sendable {
    /// What the listing says about one item.
    enum Finding: Sendable, Hashable {
        /// Up to date; nothing to do. With what became of it when it was looked at last.
        case unchanged(ItemOutcome)
        /// To be moved; `previous` is `nil` for an item that was never seen.
        case due(previous: ItemOutcome?)
    }

    private var entries: LedgerEntries.Lookup
    private var isSeen: [UInt64]
    /// Items that were seen and are not in the ledger.
    private(set) var newcomers = 0
    /// Every item is due, whatever its version: it was rewritten under rules that have changed.
    private let treatsAllAsChanged: Bool

    init(_ entries: LedgerEntries, treatingAllAsChanged: Bool) {
        self.entries = LedgerEntries.Lookup(entries)
        isSeen = Array(repeating: 0, count: (entries.count + 63) / 64)
        treatsAllAsChanged = treatingAllAsChanged
    }

    var count: Int { entries.all.count }

    /// The items that were not copied: a pass looks at them again, whether they have changed or not.
    var unsettled: [ItemKey] {
        entries.all.tally.copied == count ? [] : entries.all.lazy.filter { $0.outcome != .copied }.map(\.key)
    }

    /// What became of the item when it was looked at last.
    mutating func outcome(of key: ItemKey) -> ItemOutcome? { entries.find(key)?.entry.outcome }

    /// Where the target has the item's copy, if it said so.
    mutating func place(of key: ItemKey) -> ItemPlace? { entries.find(key)?.entry.place }

    /// Notes that the source lists the item.
    mutating func see(_ key: ItemKey, _ version: ItemVersion) -> Finding {
        guard let (position, entry) = entries.find(key) else {
            newcomers += 1
            return .due(previous: nil)
        }
        isSeen[position / 64] |= 1 << UInt64(position % 64)
        switch entry.outcome {
        case .skipped, .failed:
            // Tried again in every pass: what was in the way may be gone, and the pass reports anew what still is.
            return .due(previous: entry.outcome)
        case .copied, .elsewhere:
            return entry.version == version && !treatsAllAsChanged
                ? .unchanged(entry.outcome) : .due(previous: entry.outcome)
        }
    }

    /// Entries that the source did not list.
    var unseen: [LedgerEntry] {
        entries.all.enumerated().lazy.filter { !isSeen(at: $0.offset) }.map(\.element)
    }

    /// Entries in the ranges, but for those that were seen nevertheless. Costs nothing for the entries between them.
    func unseen(in ranges: [ClosedRange<ItemKey>]) -> [LedgerEntry] {
        var found: [LedgerEntry] = []
        var next = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            entries.all.forEach(in: range) { position, entry in
                // Ranges may overlap.
                guard position >= next else { return }
                next = position + 1
                if !isSeen(at: position) { found.append(entry) }
            }
        }
        return found
    }

    private func isSeen(at position: Int) -> Bool { isSeen[position / 64] & 1 << UInt64(position % 64) != 0 }
}
