/// The compact form of a container's ledger.
///
/// Layout, after one byte with the version of the form (1): the number of entries as a varint, then runs. A run is a
/// stretch of entries of one outcome whose keys are neighbours (same `high`, each `low` one more than the last):
///
///     varint   head: (length - 1) << 3 | outcome - 1 << 1 | 1 if `high` changes
///     varint   if it changes: `high` minus the last run's `high` (0 before the first)
///     8 bytes  if it changes: `low` of the first entry, little-endian
///     varint   otherwise: `low` of the first entry minus `low` of the last entry
///     8 bytes  the version of each entry, little-endian
///
/// So neighbours cost eight bytes each, the version, and nothing for the key; hashed keys cost about 26.
package enum LedgerCodec {
    private static let version: UInt8 = 1

    /// The entries in ascending order of key. Of several entries with one key the last in the given order counts.
    package static func encode(_ entries: [LedgerEntry]) -> [UInt8] {
        let entries = normalized(entries)
        var bytes = [UInt8]()
        // What hashed keys take. A guess too high costs addresses and no memory.
        bytes.reserveCapacity(16 + entries.count * 27)
        bytes.append(version)
        append(UInt64(entries.count), to: &bytes)
        var last = ItemKey(high: 0, low: 0)
        var start = 0
        while start < entries.count {
            let first = entries[start]
            var end = start + 1
            while end < entries.count, continues(entries[end - 1], entries[end]) { end += 1 }
            // The first run always spells its key, so that no key is mistaken for a repetition of nothing.
            let isNewHigh = start == 0 || first.key.high != last.high
            let head = UInt64(end - start - 1) << 3 | UInt64(first.outcome.rawValue - 1) << 1 | (isNewHigh ? 1 : 0)
            append(head, to: &bytes)
            if isNewHigh {
                append(first.key.high - last.high, to: &bytes)
                appendWord(first.key.low, to: &bytes)
            } else {
                append(first.key.low - last.low, to: &bytes)
            }
            for entry in entries[start..<end] { appendWord(entry.version.bits, to: &bytes) }
            last = entries[end - 1].key
            start = end
        }
        return bytes
    }

    /// The entries, ascending, one per key; `nil` for anything that `encode` did not make.
    package static func decode(_ bytes: [UInt8]) -> [LedgerEntry]? {
        var reader = Reader(bytes: bytes)
        guard reader.byte() == version, let count = reader.varint() else { return nil }
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

    /// A ledger after a batch: `changes` replace or add, `removed` go away even if they are also among the changes.
    /// Of several records of one key the last counts.
    /// - Returns: ascending, one entry per key.
    package static func merge(
        base: consuming [LedgerEntry], changes: consuming [LedgerEntry], removed: [ItemKey]
    ) -> [LedgerEntry] {
        let gone = Set(removed)
        // A first pass has a million changes and no base, a pass without much to do the reverse.
        if base.isEmpty {
            var changes = normalized(changes)
            if !gone.isEmpty { changes.removeAll { gone.contains($0.key) } }
            return changes
        }
        let base = normalized(base)
        let changes = normalized(changes)
        var merged = [LedgerEntry]()
        merged.reserveCapacity(base.count + changes.count)
        var next = 0
        for entry in base {
            while next < changes.count, changes[next].key < entry.key {
                merged.append(changes[next])
                next += 1
            }
            if next < changes.count, changes[next].key == entry.key { continue }
            merged.append(entry)
        }
        merged.append(contentsOf: changes[next...])
        if !gone.isEmpty { merged.removeAll { gone.contains($0.key) } }
        return merged
    }

    /// Ascending, one entry per key, the last one given. Costs one look when the entries are in order already, and no
    /// second array when nobody else holds the given one.
    private static func normalized(_ given: consuming [LedgerEntry]) -> [LedgerEntry] {
        var entries = given
        var isInOrder = true
        for index in entries.indices.dropFirst() where !(entries[index - 1].key < entries[index].key) {
            isInOrder = false
            break
        }
        if isInOrder { return entries }
        // Stable, by the promise of the standard library, so the last one given is the last of its key.
        entries.sort { $0.key < $1.key }
        var kept = 0
        for index in entries.indices {
            if kept > 0, entries[kept - 1].key == entries[index].key { kept -= 1 }
            entries[kept] = entries[index]
            kept += 1
        }
        entries.removeLast(entries.count - kept)
        return entries
    }

    private static func continues(_ one: LedgerEntry, _ next: LedgerEntry) -> Bool {
        one.outcome == next.outcome && one.key.high == next.key.high && next.key.low == one.key.low &+ 1
    }

    /// LEB128: seven bits per byte, lowest first, the top bit says that more follow.
    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private static func appendWord(_ word: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    /// Reads the parts of the form; every verb gives `nil` at the end of the bytes.
    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func byte() -> UInt8? {
            guard position < bytes.count else { return nil }
            position += 1
            return bytes[position - 1]
        }

        /// At most ten bytes and 64 bits.
        mutating func varint() -> UInt64? {
            var number: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                guard let byte = byte() else { return nil }
                if shift == 63, byte > 1 { return nil }
                number |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return number }
            }
            return nil
        }

        mutating func word() -> UInt64? {
            guard bytes.count - position >= 8 else { return nil }
            var word: UInt64 = 0
            for index in 0..<8 { word |= UInt64(bytes[position + index]) << UInt64(8 * index) }
            position += 8
            return word
        }

        /// The first key of a run, which must come after the last key of the run before.
        mutating func key(isNewHigh: Bool, after last: ItemKey, isFirst: Bool) -> ItemKey? {
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
}
