/// The compact form of a container's ledger: ranges where the source numbers its items.
///
/// Layout, after one byte with the version of the form (2):
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
/// So a mailbox with UIDs in a row costs a few bytes per change of flags along it; hashed keys cost about 26 bytes each.
package enum LedgerCodec {
    private static let form: UInt8 = 2
    /// Slots for finding versions that occur often, 2 to the 12th; bounds the work and memory, not what can be encoded.
    private static let slots = 4096

    /// The entries in ascending order of key. Of several entries with one key the last in the given order counts.
    package static func encode(_ entries: [LedgerEntry]) -> [UInt8] {
        let entries = normalized(entries)
        let table = frequentVersions(entries)
        let indices = Dictionary(table.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var bytes = [UInt8]()
        // What hashed keys take. A guess too high costs addresses and no memory.
        bytes.reserveCapacity(64 + table.count * 8 + entries.count * 27)
        bytes.append(form)
        append(UInt64(entries.count), to: &bytes)
        append(UInt64(table.count), to: &bytes)
        for version in table { appendWord(version, to: &bytes) }
        var last = ItemKey(high: 0, low: 0)
        var lastPlace: UInt64 = 0
        var start = 0
        while start < entries.count {
            let first = entries[start]
            let index = indices[first.version.bits]
            var end = start + 1
            while end < entries.count, continues(entries[end - 1], entries[end]),
                index == nil
                    ? indices[entries[end].version.bits] == nil : entries[end].version == first.version
            {
                end += 1
            }
            // The first run always spells its key, so that no key is mistaken for a repetition of nothing.
            let isNewHigh = start == 0 || first.key.high != last.high
            let isNext =
                !isNewHigh && first.key.low == last.low &+ 1
                && (first.place.map { $0.number == lastPlace &+ 1 } ?? true)
            var head = UInt64(end - start - 1) << 6 | UInt64(first.outcome.rawValue - 1) << 1
            if isNewHigh { head |= 1 }
            if first.place != nil { head |= 1 << 3 }
            if index == nil { head |= 1 << 4 }
            if isNext { head |= 1 << 5 }
            append(head, to: &bytes)
            if isNewHigh {
                append(first.key.high - last.high, to: &bytes)
                appendWord(first.key.low, to: &bytes)
            } else if !isNext {
                append(first.key.low - last.low, to: &bytes)
            }
            if let place = first.place, !isNext { append(zigzag(place.number &- lastPlace &- 1), to: &bytes) }
            if let index {
                append(UInt64(index), to: &bytes)
            } else {
                for entry in entries[start..<end] { appendWord(entry.version.bits, to: &bytes) }
            }
            last = entries[end - 1].key
            if let place = entries[end - 1].place { lastPlace = place.number }
            start = end
        }
        appendCheck(checksum(bytes[...]), to: &bytes)
        return bytes
    }

    /// The entries, ascending, one per key; `nil` for anything that `encode` did not make.
    package static func decode(_ bytes: [UInt8]) -> [LedgerEntry]? {
        switch bytes.first {
        case 1: decodeFirstForm(bytes)
        case form: decodeRanges(bytes)
        default: nil
        }
    }

    private static func decodeRanges(_ bytes: [UInt8]) -> [LedgerEntry]? {
        guard bytes.count >= 5 else { return nil }
        let end = bytes.count - 4
        let stored = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[end + $1]) << UInt32(8 * $1) }
        // Before anything is believed: a damaged length of a run could ask for all the memory there is.
        guard stored == checksum(bytes[..<end]) else { return nil }
        var reader = Reader(bytes: bytes, end: end)
        guard reader.byte() == form, let count = reader.varint(), let tableCount = reader.varint(),
            tableCount <= UInt64(slots)
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

    /// The form before places and ranges of versions: the number of entries, then runs with the head
    /// `(length - 1) << 3 | outcome - 1 << 1 | isNewHigh`, the key as now, and the version of each entry.
    private static func decodeFirstForm(_ bytes: [UInt8]) -> [LedgerEntry]? {
        var reader = Reader(bytes: bytes, end: bytes.count)
        guard reader.byte() == 1, let count = reader.varint() else { return nil }
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

    /// Versions that many entries share, the most frequent first. Counts in a table of fixed size, where a rare version
    /// has to make way for a frequent one; so some that are shared by few may be missed.
    private static func frequentVersions(_ entries: [LedgerEntry]) -> [UInt64] {
        guard entries.count > 2 else { return [] }
        var counted = [(version: UInt64, count: Int)](repeating: (0, 0), count: slots)
        for entry in entries {
            let bits = entry.version.bits
            // Knuth's multiplicative hashing; the upper twelve bits are the slot.
            let slot = Int((bits &* 0x9E37_79B9_7F4A_7C15) >> 52)
            if counted[slot].count == 0 {
                counted[slot] = (bits, 1)
            } else {
                counted[slot].count += counted[slot].version == bits ? 1 : -1
            }
        }
        return counted.filter { $0.count > 2 }.sorted { ($1.count, $0.version) < ($0.count, $1.version) }.map(\.version)
    }

    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0x811C_9DC5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
    }

    private static func zigzag(_ difference: UInt64) -> UInt64 {
        let signed = Int64(bitPattern: difference)
        return UInt64(bitPattern: signed << 1 ^ signed >> 63)
    }

    private static func unzigzag(_ number: UInt64) -> UInt64 { number >> 1 ^ (0 &- (number & 1)) }

    private static func appendCheck(_ word: UInt32, to bytes: inout [UInt8]) {
        for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
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
            && next.place == one.place.map { ItemPlace($0.number &+ 1) }
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
        let end: Int
        var position = 0

        init(bytes: [UInt8], end: Int) {
            self.bytes = bytes
            self.end = end
        }

        var isAtEnd: Bool { position == end }

        mutating func byte() -> UInt8? {
            guard position < end else { return nil }
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
            guard end - position >= 8 else { return nil }
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
