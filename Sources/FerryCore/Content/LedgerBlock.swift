/// Up to `LedgerEntries.blockSize` entries of a ledger, column by column:
///
///     varint   number of entries
///     keys     16 bytes: the first key, `high` and `low` little-endian. Then runs of neighbours (same `high`, each `low`
///              one more than the last): varint (length - 1) << 1 | isNewHigh. Before each run but the first: varint `high`
///              minus the last, and 8 bytes `low`, if isNewHigh; otherwise varint `low` minus the last `low` minus 1
///     places   runs: varint (length - 1) << 1 | isPlaced; then, if isPlaced, varint zigzag of the first place minus the
///              neighbour of the last place before (0 at first); the others are its neighbours
///     states   outcome and version of each entry; a byte says how:
///              0, 1: varint number of different states, then of each: a byte outcome, 8 bytes version; then
///              0: runs: varint length - 1, varint index of the state
///              1: index of each entry's state, in as many bits as the largest needs, lowest bits first
///              2: runs of outcomes: varint (length - 1) << 2 | outcome - 1; then the version of each entry, 8 bytes
///
/// So messages with UIDs in a row cost nothing for their keys and places, and for their flags a few bits each at most.
enum LedgerBlock {
    private struct State: Hashable {
        var version: ItemVersion
        var outcome: ItemOutcome
    }

    /// - Parameter entries: ascending, one per key, 1 ... `LedgerEntries.blockSize`.
    static func encode(_ entries: [LedgerEntry], to bytes: inout [UInt8]) {
        var writer = OctetWriter(bytes: bytes)
        // No second copy of what is there already.
        bytes = []
        writer.varint(UInt64(entries.count))
        encodeKeys(entries, &writer)
        encodePlaces(entries, &writer)
        encodeStates(entries, &writer)
        bytes = writer.bytes
    }

    /// `nil` for anything that `encode` does not make.
    static func decode(_ bytes: ArraySlice<UInt8>) -> [LedgerEntry]? {
        var reader = OctetReader(bytes)
        guard let number = reader.varint(), (1...UInt64(LedgerEntries.blockSize)).contains(number) else { return nil }
        var entries: [LedgerEntry] = []
        entries.reserveCapacity(Int(number))
        guard decodeKeys(Int(number), &reader, &entries), decodePlaces(&reader, &entries),
            decodeStates(&reader, &entries), reader.isAtEnd
        else { return nil }
        return entries
    }

    // MARK: keys

    private static func encodeKeys(_ entries: [LedgerEntry], _ writer: inout OctetWriter) {
        writer.word(entries[0].key.high)
        writer.word(entries[0].key.low)
        var start = 0
        while start < entries.count {
            let first = entries[start].key
            var end = start + 1
            while end < entries.count, entries[end].key.isNeighbour(of: entries[end - 1].key) { end += 1 }
            if start == 0 {
                writer.varint(UInt64(end - start - 1) << 1)
            } else {
                let last = entries[start - 1].key
                let isNewHigh = first.high != last.high
                writer.varint(UInt64(end - start - 1) << 1 | (isNewHigh ? 1 : 0))
                if isNewHigh {
                    writer.varint(first.high - last.high)
                    writer.word(first.low)
                } else {
                    writer.varint(first.low - last.low - 1)
                }
            }
            start = end
        }
    }

    private static func decodeKeys(_ number: Int, _ reader: inout OctetReader, _ entries: inout [LedgerEntry]) -> Bool {
        guard var high = reader.word(), var low = reader.word() else { return false }
        while entries.count < number {
            guard let head = reader.varint() else { return false }
            if entries.isEmpty {
                guard head & 1 == 0 else { return false }
            } else if head & 1 == 1 {
                guard let step = reader.varint(), step > 0, let first = reader.word() else { return false }
                let (sum, overflow) = high.addingReportingOverflow(step)
                guard !overflow else { return false }
                (high, low) = (sum, first)
            } else {
                guard let step = reader.varint() else { return false }
                let (sum, overflow) = low.addingReportingOverflow(step)
                // The low part of the last key was left one too high.
                guard !overflow, low != 0 else { return false }
                low = sum
            }
            guard head >> 1 < UInt64(number - entries.count) else { return false }
            let (last, overflow) = low.addingReportingOverflow(head >> 1)
            guard !overflow else { return false }
            for low in low...last {
                entries.append(
                    LedgerEntry(key: ItemKey(high: high, low: low), version: ItemVersion(0), outcome: .copied))
            }
            // 0 after the largest there is: nothing of the same `high` can follow.
            low = last &+ 1
        }
        return true
    }

    // MARK: places

    private static func encodePlaces(_ entries: [LedgerEntry], _ writer: inout OctetWriter) {
        var next: UInt64 = 0
        var start = 0
        while start < entries.count {
            let first = entries[start].place
            var end = start + 1
            while end < entries.count,
                entries[end].place == first.map({ ItemPlace($0.number &+ UInt64(end - start)) })
            {
                end += 1
            }
            writer.varint(UInt64(end - start - 1) << 1 | (first == nil ? 0 : 1))
            if let first {
                writer.varint(zigzag(first.number &- next))
                next = first.number &+ UInt64(end - start)
            }
            start = end
        }
    }

    private static func decodePlaces(_ reader: inout OctetReader, _ entries: inout [LedgerEntry]) -> Bool {
        var next: UInt64 = 0
        var start = 0
        while start < entries.count {
            guard let head = reader.varint(), head >> 1 < UInt64(entries.count - start) else { return false }
            let end = start + Int(head >> 1) + 1
            if head & 1 == 1 {
                guard let step = reader.varint() else { return false }
                next = next &+ unzigzag(step)
                for index in start..<end {
                    // 0 stands for none.
                    guard next != 0 else { return false }
                    entries[index].place = ItemPlace(next)
                    next = next &+ 1
                }
            }
            start = end
        }
        return true
    }

    private static func zigzag(_ difference: UInt64) -> UInt64 {
        let signed = Int64(bitPattern: difference)
        return UInt64(bitPattern: signed << 1 ^ signed >> 63)
    }

    private static func unzigzag(_ number: UInt64) -> UInt64 { number >> 1 ^ (0 &- (number & 1)) }

    // MARK: states

    private static func encodeStates(_ entries: [LedgerEntry], _ writer: inout OctetWriter) {
        var numbers: [State: Int] = [:]
        var table: [State] = []
        var indices: [Int] = []
        indices.reserveCapacity(entries.count)
        var runs = 0
        for entry in entries {
            let state = State(version: entry.version, outcome: entry.outcome)
            let index: Int
            if let last = indices.last, table[last] == state {
                index = last
            } else {
                runs += 1
                if let known = numbers[state] {
                    index = known
                } else {
                    index = table.count
                    numbers[state] = index
                    table.append(state)
                }
            }
            indices.append(index)
        }
        let width = bits(for: table.count)
        let asRuns = 9 * table.count + 2 * runs
        let packed = 9 * table.count + (width * entries.count + 7) / 8
        let listed = 8 * entries.count + 2
        if listed < min(asRuns, packed) {
            writer.byte(2)
            list(entries, &writer)
            return
        }
        writer.byte(packed < asRuns ? 1 : 0)
        writer.varint(UInt64(table.count))
        for state in table {
            writer.byte(state.outcome.rawValue)
            writer.word(state.version.bits)
        }
        if packed < asRuns { pack(indices, width, &writer) } else { spell(indices, &writer) }
    }

    private static func list(_ entries: [LedgerEntry], _ writer: inout OctetWriter) {
        var start = 0
        while start < entries.count {
            let outcome = entries[start].outcome
            let end = entries[start...].firstIndex { $0.outcome != outcome } ?? entries.count
            writer.varint(UInt64(end - start - 1) << 2 | UInt64(outcome.rawValue - 1))
            start = end
        }
        for entry in entries { writer.word(entry.version.bits) }
    }

    private static func pack(_ indices: [Int], _ width: Int, _ writer: inout OctetWriter) {
        var (held, heldBits) = (0, 0)
        for index in indices {
            held |= index << heldBits
            heldBits += width
            while heldBits >= 8 {
                writer.byte(UInt8(truncatingIfNeeded: held))
                held >>= 8
                heldBits -= 8
            }
        }
        if heldBits > 0 { writer.byte(UInt8(truncatingIfNeeded: held)) }
    }

    private static func spell(_ indices: [Int], _ writer: inout OctetWriter) {
        var start = 0
        while start < indices.count {
            let index = indices[start]
            let end = indices[start...].firstIndex { $0 != index } ?? indices.count
            writer.varint(UInt64(end - start - 1))
            writer.varint(UInt64(index))
            start = end
        }
    }

    private static func decodeStates(_ reader: inout OctetReader, _ entries: inout [LedgerEntry]) -> Bool {
        switch reader.byte() {
        case 0:
            guard let table = states(&reader, entries.count) else { return false }
            return unspell(table, &reader, &entries)
        case 1:
            guard let table = states(&reader, entries.count) else { return false }
            return unpack(table, &reader, &entries)
        case 2:
            return unlist(&reader, &entries)
        default:
            return false
        }
    }

    private static func states(_ reader: inout OctetReader, _ most: Int) -> [State]? {
        guard let number = reader.varint(), number <= UInt64(most) else { return nil }
        var table: [State] = []
        table.reserveCapacity(Int(number))
        for _ in 0..<number {
            guard let outcome = reader.byte().flatMap(ItemOutcome.init(rawValue:)), let version = reader.word() else {
                return nil
            }
            table.append(State(version: ItemVersion(version), outcome: outcome))
        }
        return table
    }

    private static func unspell(_ table: [State], _ reader: inout OctetReader, _ entries: inout [LedgerEntry]) -> Bool {
        var start = 0
        while start < entries.count {
            guard let more = reader.varint(), more < UInt64(entries.count - start), let index = reader.varint(),
                index < UInt64(table.count)
            else { return false }
            let state = table[Int(index)]
            let end = start + Int(more) + 1
            for position in start..<end {
                (entries[position].version, entries[position].outcome) = (state.version, state.outcome)
            }
            start = end
        }
        return true
    }

    private static func unpack(_ table: [State], _ reader: inout OctetReader, _ entries: inout [LedgerEntry]) -> Bool {
        let width = bits(for: table.count)
        var (held, heldBits) = (0, 0)
        for position in entries.indices {
            while heldBits < width {
                guard let byte = reader.byte() else { return false }
                held |= Int(byte) << heldBits
                heldBits += 8
            }
            let index = held & (1 << width - 1)
            held >>= width
            heldBits -= width
            guard index < table.count else { return false }
            (entries[position].version, entries[position].outcome) = (table[index].version, table[index].outcome)
        }
        return held == 0
    }

    private static func unlist(_ reader: inout OctetReader, _ entries: inout [LedgerEntry]) -> Bool {
        var start = 0
        while start < entries.count {
            guard let head = reader.varint(), head >> 2 < UInt64(entries.count - start),
                let outcome = ItemOutcome(rawValue: UInt8(head & 3) + 1)
            else { return false }
            let end = start + Int(head >> 2) + 1
            for position in start..<end { entries[position].outcome = outcome }
            start = end
        }
        for position in entries.indices {
            guard let version = reader.word() else { return false }
            entries[position].version = ItemVersion(version)
        }
        return true
    }

    /// Bits that hold the numbers below `count`.
    private static func bits(for count: Int) -> Int { count <= 1 ? 0 : Int.bitWidth - (count - 1).leadingZeroBitCount }
}

extension ItemKey {
    fileprivate func isNeighbour(of last: ItemKey) -> Bool { high == last.high && low == last.low &+ 1 && low != 0 }
}
