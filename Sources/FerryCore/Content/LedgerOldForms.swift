/// Reads ledgers that earlier versions of Ferry have stored; `LedgerEntries` is how they are written now.
///
/// The second form, after one byte with its number (2):
///
///     varint   number of entries
///     varint   number of versions in the table; then those, 8 bytes each, little-endian
///     runs     see below
///     4 bytes  FNV-1a of everything before, little-endian
///
/// A run is a stretch of entries of one outcome whose keys are neighbours (same `high`, each `low` one more than the
/// last), and whose places are neighbours too or all absent:
///
///     varint   head: (length - 1) << 6 | isNext << 5 | isListed << 4 | isPlaced << 3 | outcome - 1 << 1 | isNewHigh
///              isNext: key and place are the neighbours of the last entry before; the next parts are left out
///     varint   if isNewHigh: `high` minus the last run's `high` (0 before the first)
///     8 bytes  if isNewHigh: `low` of the first entry, little-endian
///     varint   otherwise: `low` of the first entry minus `low` of the last entry
///     varint   if isPlaced: zigzag of the first place minus the neighbour of the last place before
///     8 bytes  if isListed: the version of each entry, little-endian
///     varint   otherwise: index in the table of the version that all have
///
/// The first form is the number of entries, then runs with the head `(length - 1) << 3 | outcome - 1 << 1 | isNewHigh`, the
/// key as above, and the version of each entry.
enum LedgerOldForms {
    /// The entries, ascending, one per key; `nil` for anything else.
    static func decode(_ bytes: [UInt8]) -> [LedgerEntry]? {
        switch bytes.first {
        case 1: decodeFirstForm(bytes)
        case 2: decodeSecondForm(bytes)
        default: nil
        }
    }

    private static func decodeSecondForm(_ bytes: [UInt8]) -> [LedgerEntry]? {
        guard let end = OctetReader.checkedEnd(of: bytes) else { return nil }
        var reader = OctetReader(bytes[1..<end])
        guard let count = reader.varint(), let tableCount = reader.varint(),
            tableCount <= 4096
        else { return nil }
        var table = [ItemVersion]()
        for _ in 0..<tableCount {
            guard let bits = reader.word() else { return nil }
            table.append(ItemVersion(bits))
        }
        var entries = [LedgerEntry]()
        entries.reserveCapacity(Int(min(count, 1 << 20)))
        var last = ItemKey(high: 0, low: 0)
        var lastPlace: UInt64 = 0
        while UInt64(entries.count) < count {
            guard let head = reader.varint(), let outcome = ItemOutcome(rawValue: UInt8(head >> 1 & 3) + 1) else {
                return nil
            }
            let (isNewHigh, isPlaced) = (head & 1 == 1, head >> 3 & 1 == 1)
            let (isListed, isNext) = (head >> 4 & 1 == 1, head >> 5 & 1 == 1)
            let length = (head >> 6) + 1
            guard length <= count - UInt64(entries.count) else { return nil }
            let first: ItemKey
            if isNext {
                let (low, overflow) = last.low.addingReportingOverflow(1)
                guard !isNewHigh, !entries.isEmpty, !overflow else { return nil }
                first = ItemKey(high: last.high, low: low)
            } else {
                guard let key = reader.key(isNewHigh: isNewHigh, after: last, isFirst: entries.isEmpty) else {
                    return nil
                }
                first = key
            }
            let (lastLow, overflow) = first.low.addingReportingOverflow(length - 1)
            guard !overflow else { return nil }
            var place = lastPlace &+ 1
            if isPlaced, !isNext {
                guard let step = reader.varint() else { return nil }
                place = place &+ unzigzag(step)
            }
            var version = ItemVersion(0)
            if !isListed {
                guard let index = reader.varint(), index < UInt64(table.count) else { return nil }
                version = table[Int(index)]
            }
            for low in first.low...lastLow {
                if isListed {
                    guard let bits = reader.word() else { return nil }
                    version = ItemVersion(bits)
                }
                entries.append(
                    LedgerEntry(
                        key: ItemKey(high: first.high, low: low), version: version, outcome: outcome,
                        place: isPlaced ? ItemPlace(place) : nil))
                if isPlaced {
                    lastPlace = place
                    place = place &+ 1
                }
            }
            last = ItemKey(high: first.high, low: lastLow)
        }
        return reader.isAtEnd ? entries : nil
    }

    private static func decodeFirstForm(_ bytes: [UInt8]) -> [LedgerEntry]? {
        var reader = OctetReader(bytes[1...])
        guard let count = reader.varint() else { return nil }
        // Each entry takes eight bytes at least: a damaged count cannot ask for memory.
        guard count <= UInt64(bytes.count / 8) else { return nil }
        var entries = [LedgerEntry]()
        entries.reserveCapacity(Int(count))
        var last = ItemKey(high: 0, low: 0)
        while entries.count < Int(count) {
            guard let head = reader.varint(), let outcome = ItemOutcome(rawValue: UInt8(head >> 1 & 3) + 1) else {
                return nil
            }
            let length = (head >> 3) + 1
            guard length <= count - UInt64(entries.count) else { return nil }
            guard let first = reader.key(isNewHigh: head & 1 == 1, after: last, isFirst: entries.isEmpty) else {
                return nil
            }
            let (end, overflow) = first.low.addingReportingOverflow(length - 1)
            guard !overflow else { return nil }
            for low in first.low...end {
                guard let bits = reader.word() else { return nil }
                entries.append(
                    LedgerEntry(key: ItemKey(high: first.high, low: low), version: ItemVersion(bits), outcome: outcome))
            }
            last = ItemKey(high: first.high, low: end)
        }
        return reader.isAtEnd ? entries : nil
    }

    private static func unzigzag(_ number: UInt64) -> UInt64 { number >> 1 ^ (0 &- (number & 1)) }
}

extension OctetReader {
    /// The first key of a run, which must come after the last key of the run before.
    fileprivate mutating func key(isNewHigh: Bool, after last: ItemKey, isFirst: Bool) -> ItemKey? {
        guard let delta = varint() else { return nil }
        if isNewHigh {
            let (high, overflow) = last.high.addingReportingOverflow(delta)
            guard !overflow, isFirst || delta > 0, let low = word() else { return nil }
            return ItemKey(high: high, low: low)
        }
        let (low, overflow) = last.low.addingReportingOverflow(delta)
        guard !isFirst, !overflow, delta > 0 else { return nil }
        return ItemKey(high: last.high, low: low)
    }
}
