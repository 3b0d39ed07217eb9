/// What the ledger remembers of the items of one container: ascending by key, one entry per key, in compact form.
///
/// Kept as blocks of up to `blockSize` entries, of which only one is ever spelled out while they are gone through. So a
/// mailbox of a million messages with UIDs in a row takes some 300 KB, in the store as in memory; hashed keys take about 26
/// bytes each.
///
/// The stored form, after one byte with its version (3):
///
///     varint   number of blocks, then of each: varint number of octets, the octets (see `LedgerBlock`)
///     4 bytes  FNV-1a of everything before, little-endian
package struct LedgerEntries: Sendable, Hashable {
    /// Where a block is and what is in it.
    private struct Block: Sendable, Hashable {
        var octets: Range<Int>
        /// Of its entries among all.
        var positions: Range<Int>
        var keys: ClosedRange<ItemKey>
    }

    /// How many entries have which outcome.
    package struct Tally: Sendable, Hashable {
        package fileprivate(set) var copied = 0
        package fileprivate(set) var elsewhere = 0
        package fileprivate(set) var skipped = 0
        package fileprivate(set) var failed = 0

        fileprivate mutating func add(_ outcome: ItemOutcome) {
            switch outcome {
            case .copied: copied += 1
            case .elsewhere: elsewhere += 1
            case .skipped: skipped += 1
            case .failed: failed += 1
            }
        }
    }

    package static let blockSize = 4096
    private static let form: UInt8 = 3

    /// The blocks one after another.
    private var octets: [UInt8] = []
    private var blocks: [Block] = []
    package private(set) var tally = Tally()

    package init() {}

    /// Entries in any order; of several with one key the last counts.
    package init(_ entries: some Sequence<LedgerEntry>) {
        var writer = Writer()
        for entry in Self.normalized(Array(entries)) { writer.append(entry) }
        self = writer.finish()
    }

    package var count: Int { blocks.last?.positions.upperBound ?? 0 }
    package var isEmpty: Bool { blocks.isEmpty }

    fileprivate func block(_ index: Int) -> [LedgerEntry] {
        // Every block was read once when the value was made.
        LedgerBlock.decode(octets[blocks[index].octets]) ?? []
    }

    /// The first block that ends with the key or after it; the number of blocks where none does.
    private func firstBlock(reaching key: ItemKey) -> Int {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].keys.upperBound < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// These after a batch: `changes` replace or add, `removed` go away even if they are also among the changes.
    package func merged(with changes: LedgerEntries, removing removed: Set<ItemKey> = []) -> LedgerEntries {
        if removed.isEmpty {
            if changes.isEmpty { return self }
            if isEmpty { return changes }
        }
        var writer = Writer()
        var (left, right) = (makeIterator(), changes.makeIterator())
        var (old, new) = (left.next(), right.next())
        func keep(_ entry: LedgerEntry) {
            if removed.isEmpty || !removed.contains(entry.key) { writer.append(entry) }
        }
        while let known = old {
            guard let change = new, change.key <= known.key else {
                keep(known)
                old = left.next()
                continue
            }
            keep(change)
            if change.key == known.key { old = left.next() }
            new = right.next()
        }
        while let change = new {
            keep(change)
            new = right.next()
        }
        return writer.finish()
    }

    /// Ascending, one entry per key, the last one given. Costs one look when the entries are in order already.
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

    /// Takes entries in ascending order of key.
    private struct Writer {
        private var result = LedgerEntries()
        private var pending: [LedgerEntry] = []

        mutating func append(_ entry: LedgerEntry) {
            if pending.count == LedgerEntries.blockSize { flush() }
            pending.append(entry)
        }

        mutating func finish() -> LedgerEntries {
            flush()
            return result
        }

        private mutating func flush() {
            guard let first = pending.first, let last = pending.last else { return }
            let start = result.octets.count
            LedgerBlock.encode(pending, to: &result.octets)
            result.note(pending, first.key...last.key, start..<result.octets.count)
            pending.removeAll(keepingCapacity: true)
        }
    }

    private mutating func note(_ entries: [LedgerEntry], _ keys: ClosedRange<ItemKey>, _ octets: Range<Int>) {
        blocks.append(Block(octets: octets, positions: count..<count + entries.count, keys: keys))
        for entry in entries { tally.add(entry.outcome) }
    }
}

// Looking for keys.
extension LedgerEntries {
    /// Calls with each entry whose key is in the range, and its position among all entries.
    package func forEach(in range: ClosedRange<ItemKey>, _ body: (Int, LedgerEntry) -> Void) {
        var index = firstBlock(reaching: range.lowerBound)
        while index < blocks.count, blocks[index].keys.lowerBound <= range.upperBound {
            let start = blocks[index].positions.lowerBound
            for (offset, entry) in block(index).enumerated() where range.contains(entry.key) {
                body(start + offset, entry)
            }
            index += 1
        }
    }

    /// Finds entries by key, and is quick where keys are asked for in their order.
    package struct Lookup: Sendable {
        package let all: LedgerEntries
        /// A few octets per entry, so that spelling a block out again is cheaper than keeping it.
        private let isDense: Bool
        private var spelled: [Int: [LedgerEntry]] = [:]
        private var current: (index: Int, entries: [LedgerEntry])?
        /// Offset after the entry found last.
        private var expected = 0

        package init(_ entries: LedgerEntries) {
            all = entries
            isDense = entries.octets.count < 8 * entries.count
        }

        /// The entry with the key, and its position among all.
        package mutating func find(_ key: ItemKey) -> (position: Int, entry: LedgerEntry)? {
            if current.map({ !all.blocks[$0.index].keys.contains(key) }) ?? true { turn(to: key) }
            guard let current, let offset = offset(of: key, in: current.entries) else { return nil }
            expected = offset + 1
            return (all.blocks[current.index].positions.lowerBound + offset, current.entries[offset])
        }

        private mutating func turn(to key: ItemKey) {
            let index = all.firstBlock(reaching: key)
            guard index < all.blocks.count, all.blocks[index].keys.contains(key) else { return }
            expected = 0
            if isDense {
                current = (index, all.block(index))
            } else {
                let entries = spelled[index] ?? all.block(index)
                spelled[index] = entries
                current = (index, entries)
            }
        }

        private func offset(of key: ItemKey, in entries: [LedgerEntry]) -> Int? {
            if expected < entries.count, entries[expected].key == key { return expected }
            var low = 0
            var high = entries.count
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].key < key { low = middle + 1 } else { high = middle }
            }
            return low < entries.count && entries[low].key == key ? low : nil
        }
    }
}

extension LedgerEntries: Sequence {
    /// Spells out one block after the other.
    package struct Iterator: IteratorProtocol {
        private let entries: LedgerEntries
        private var nextBlock = 0
        private var current: [LedgerEntry] = []
        private var position = 0

        fileprivate init(_ entries: LedgerEntries) { self.entries = entries }

        package mutating func next() -> LedgerEntry? {
            if position == current.count {
                guard nextBlock < entries.blocks.count else { return nil }
                current = entries.block(nextBlock)
                nextBlock += 1
                position = 0
            }
            defer { position += 1 }
            return current[position]
        }
    }

    /// The entries some thousand at a time.
    package var inBlocks: some Sequence<[LedgerEntry]> { blocks.indices.lazy.map { block($0) } }

    package func makeIterator() -> Iterator { Iterator(self) }
    package var underestimatedCount: Int { count }
}

extension LedgerEntries: ExpressibleByArrayLiteral {
    package init(arrayLiteral elements: LedgerEntry...) { self.init(elements) }
}

// The stored form.
extension LedgerEntries {
    package var stored: [UInt8] {
        var writer = OctetWriter()
        writer.bytes.reserveCapacity(octets.count + 4 * blocks.count + 16)
        writer.byte(Self.form)
        writer.varint(UInt64(blocks.count))
        for block in blocks {
            writer.varint(UInt64(block.octets.count))
            writer.bytes.append(contentsOf: octets[block.octets])
        }
        writer.checksum()
        return writer.bytes
    }

    /// `nil` for anything that `stored`, of this version of Ferry or an earlier one, did not make.
    package init?(stored bytes: [UInt8]) {
        guard bytes.first == Self.form else {
            guard let entries = LedgerOldForms.decode(bytes) else { return nil }
            self.init(entries)
            return
        }
        self.init()
        // Before anything is believed: a damaged length of a run could ask for all the memory there is.
        guard let end = OctetReader.checkedEnd(of: bytes) else { return nil }
        var reader = OctetReader(bytes[1..<end])
        guard let number = reader.varint() else { return nil }
        octets.reserveCapacity(bytes.count)
        for _ in 0..<number {
            guard let length = reader.varint(), let field = reader.octets(length),
                let entries = LedgerBlock.decode(field), let first = entries.first, let last = entries.last,
                blocks.last.map({ $0.keys.upperBound < first.key }) ?? true
            else { return nil }
            let start = octets.count
            octets.append(contentsOf: field)
            note(entries, first.key...last.key, start..<octets.count)
        }
        guard reader.isAtEnd else { return nil }
    }
}
