import FerryConnector
import FerryCore

/// The ledger of one container while a listing, or what a source says of changes, is held against it: what is new, what
/// has changed, what is gone.
///
/// 40 bytes and a bit per known item; nothing per new one.
struct LedgerIndex: Sendable {
    /// What the listing says about one item.
    enum Finding: Sendable, Hashable {
        /// Up to date; nothing to do. With what became of it when it was looked at last.
        case unchanged(ItemOutcome)
        /// To be moved; `previous` is `nil` for an item that was never seen.
        case due(previous: ItemOutcome?)
    }

    /// Ascending by key.
    private let entries: [LedgerEntry]
    private var isSeen: [UInt64]
    /// Items that were seen and are not in the ledger.
    private(set) var newcomers = 0
    /// Index after the entry found last. Listings often come in the order of keys; then no search is needed.
    private var expected = 0
    /// Every item is due, whatever its version: it was rewritten under rules that have changed.
    private let treatsAllAsChanged: Bool

    init(_ entries: [LedgerEntry], treatingAllAsChanged: Bool) {
        self.entries = entries
        isSeen = Array(repeating: 0, count: (entries.count + 63) / 64)
        treatsAllAsChanged = treatingAllAsChanged
    }

    var count: Int { entries.count }

    /// The items that were not copied: a pass looks at them again, whether they have changed or not.
    var unsettled: [ItemKey] { entries.lazy.filter { $0.outcome != .copied }.map(\.key) }

    /// What became of the item when it was looked at last.
    func outcome(of key: ItemKey) -> ItemOutcome? { position(of: key).map { entries[$0].outcome } }

    /// Where the target has the item's copy, if it said so.
    func place(of key: ItemKey) -> ItemPlace? { position(of: key).flatMap { entries[$0].place } }

    /// Notes that the source lists the item.
    mutating func see(_ key: ItemKey, _ version: ItemVersion) -> Finding {
        guard let position = position(of: key) else {
            newcomers += 1
            return .due(previous: nil)
        }
        expected = position + 1
        isSeen[position / 64] |= 1 << UInt64(position % 64)
        let entry = entries[position]
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
        entries.indices.lazy.filter { isSeen[$0 / 64] & 1 << UInt64($0 % 64) == 0 }.map { entries[$0] }
    }

    /// Entries in the ranges, but for those that were seen nevertheless. Costs nothing for the entries between them.
    func unseen(in ranges: [ClosedRange<ItemKey>]) -> [LedgerEntry] {
        var found: [LedgerEntry] = []
        var next = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            next = max(next, firstPosition(from: range.lowerBound))
            while next < entries.count, entries[next].key <= range.upperBound {
                if isSeen[next / 64] & 1 << UInt64(next % 64) == 0 { found.append(entries[next]) }
                next += 1
            }
        }
        return found
    }

    private func position(of key: ItemKey) -> Int? {
        if expected < entries.count, entries[expected].key == key { return expected }
        let position = firstPosition(from: key)
        return position < entries.count && entries[position].key == key ? position : nil
    }

    /// The first entry that does not come before the key.
    private func firstPosition(from key: ItemKey) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
