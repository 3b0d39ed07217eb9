import FerryCore
import Testing

struct LedgerEntriesTests {
    private func entry(_ high: UInt64, _ low: UInt64, _ version: UInt64 = 7, _ outcome: ItemOutcome = .copied)
        -> LedgerEntry
    {
        LedgerEntry(key: ItemKey(high: high, low: low), version: ItemVersion(version), outcome: outcome)
    }

    /// What comes back from the store.
    private func stored(_ entries: [LedgerEntry]) -> [LedgerEntry]? {
        let ledger = LedgerEntries(entries)
        let read = LedgerEntries(stored: ledger.stored)
        // The same value, and not only the same entries.
        #expect(read == ledger)
        return read.map(Array.init)
    }

    @Test func `what is stored is read`() {
        let edges: [LedgerEntry] = [
            entry(0, 0), entry(0, 1), entry(0, 2, 9, .failed), entry(0, 3, 9, .skipped),
            entry(0, .max, .max, .elsewhere),
            entry(1, 0), entry(1, 5), entry(.max, 0), entry(.max, .max - 1), entry(.max, .max),
        ]
        #expect(stored(edges) == edges)
        #expect(stored([]) == [])
        #expect(stored([entry(0, 0)]) == [entry(0, 0)])
        #expect(stored([entry(0, .max), entry(1, 0)]) == [entry(0, .max), entry(1, 0)])
    }

    private func random(_ count: Int, _ random: inout SplitMix64) -> [LedgerEntry] {
        (0..<count).map { _ in
            let high = Bool.random(using: &random) ? UInt64.random(in: 0...3, using: &random) : random.next()
            let low = Bool.random(using: &random) ? UInt64.random(in: 0...200, using: &random) : random.next()
            // Few versions and places in a row beside ones that nothing connects.
            let version = Bool.random(using: &random) ? UInt64.random(in: 0...2, using: &random) : random.next()
            var one = entry(high, low, version, ItemOutcome.allCases.randomElement(using: &random) ?? .copied)
            switch Int.random(in: 0...3, using: &random) {
            case 0: break
            case 1: one.place = ItemPlace(random.next())
            default: one.place = ItemPlace(low &+ 7)
            }
            return one
        }
    }

    private func sorted(_ entries: [LedgerEntry]) -> [LedgerEntry] {
        var last = [ItemKey: LedgerEntry]()
        for entry in entries { last[entry.key] = entry }
        return last.values.sorted { $0.key < $1.key }
    }

    /// Random ledgers; the seed is in the arguments. One in ten has more than one block.
    @Test(arguments: 1...40)
    func `random ledgers survive`(seed: Int) {
        var dice = SplitMix64(seed: UInt64(seed))
        let entries = random(seed % 10 == 0 ? 20_000 : Int.random(in: 0...400, using: &dice), &dice)
        let expected = sorted(entries)
        #expect(stored(entries) == expected)
        let ledger = LedgerEntries(entries)
        #expect(ledger.count == expected.count)
        for outcome in ItemOutcome.allCases {
            let counted =
                switch outcome {
                case .copied: ledger.tally.copied
                case .elsewhere: ledger.tally.elsewhere
                case .skipped: ledger.tally.skipped
                case .failed: ledger.tally.failed
                }
            #expect(counted == expected.count { $0.outcome == outcome })
        }
    }

    /// Flags that nothing orders, over many blocks: the states are packed.
    @Test(arguments: [1, 2, 3, 5, 200, 4096])
    func `messages with so many kinds of flags survive`(kinds: UInt64) {
        var random = SplitMix64(seed: kinds)
        let entries = (1...UInt64(3 * LedgerEntries.blockSize + 17)).map { uid in
            LedgerEntry(
                key: ItemKey(high: 4711, low: uid), version: ItemVersion(random.next() % kinds), outcome: .copied,
                place: ItemPlace(9 << 32 | uid))
        }
        #expect(stored(entries) == entries)
    }

    @Test func `the last record of a key counts and the order does not matter`() {
        #expect(
            stored([entry(0, 2, 1), entry(0, 1, 1), entry(0, 2, 5, .failed)])
                == [entry(0, 1, 1), entry(0, 2, 5, .failed)])
    }

    @Test func `keys are found in any order`() {
        var random = SplitMix64(seed: 5)
        for isDense in [true, false] {
            let entries = (0..<UInt64(3 * LedgerEntries.blockSize)).map { number in
                isDense ? entry(1, 10 + number * 2, 1) : entry(number, random.next(), random.next())
            }
            var lookup = LedgerEntries.Lookup(LedgerEntries(entries))
            for position in Array(entries.indices).shuffled(using: &random).prefix(500) + Array(5_000..<6_000) {
                let found = lookup.find(entries[position].key)
                #expect(found?.position == position && found?.entry == entries[position])
            }
            for missing in [ItemKey(high: 0, low: 0), ItemKey(high: 1, low: 11), ItemKey(high: .max, low: 3)]
            where !entries.contains(where: { $0.key == missing }) {
                #expect(lookup.find(missing) == nil)
            }
            let range = entries[100].key...entries[9_000].key
            var found: [Int] = []
            LedgerEntries(entries).forEach(in: range) { position, entry in
                #expect(entry == entries[position])
                found.append(position)
            }
            #expect(found == Array(100...9_000))
        }
    }

    @Test func `neighbours cost their version and little more`() {
        var random = SplitMix64(seed: 1)
        let numbered = (1...10_000).map { entry(0, UInt64($0), random.next()) }
        #expect(LedgerEntries(numbered).stored.count <= 10_000 * 8 + 128)
        let gaps = (1...10_000).map { entry(4711, UInt64($0) * 3, random.next()) }
        #expect(LedgerEntries(gaps).stored.count <= 10_000 * 10 + 128)
    }

    /// A million contiguous messages in less than 1 MB, with the UID that each has at the target; a tenth of them here.
    @Test func `a mailbox with UIDs in a row costs a few bits a message`() {
        var random = SplitMix64(seed: 3)
        func mailbox(kinds: UInt64) -> LedgerEntries {
            LedgerEntries(
                (1...100_000).map { uid in
                    LedgerEntry(
                        key: ItemKey(high: 4711, low: uid),
                        version: ItemVersion(random.next() % kinds &* 0x1122_3344_5566_7788),
                        outcome: .copied, place: ItemPlace(815 << 32 | uid))
                })
        }
        let same = mailbox(kinds: 1).stored.count
        #expect(same < 1500, "\(same)")
        // Four kinds of flags with no order at all: two bits each.
        let mixed = mailbox(kinds: 4).stored.count
        #expect(mixed < 30_000, "\(mixed)")
    }

    @Test func `ledgers of earlier forms are still read`() {
        let word: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0]
        func read(_ bytes: [UInt8]) -> [LedgerEntry]? { LedgerEntries(stored: bytes).map(Array.init) }
        // Two neighbours of high part 0, copied, beginning at low 5.
        let first: [UInt8] = [1, 2, 9, 0] + word + word + word
        #expect(read(first) == [entry(0, 5, 5), entry(0, 6, 5)])
        for length in 0..<first.count { #expect(read(Array(first[..<length])) == nil, "\(length)") }
        // A count that would need all the memory of the world.
        #expect(read([1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0, 0]) == nil)
        // Three messages with places, the last with other flags: the table of one version, a run of two, one listed.
        var second: [UInt8] = [2, 3, 1] + word
        second += [0b1_001001, 0] + word + [4, 0]
        second += [0b0_111000 | 0b0_100000] + [9, 0, 0, 0, 0, 0, 0, 0]
        var sum: UInt32 = 0x811C_9DC5
        for byte in second { sum = (sum ^ UInt32(byte)) &* 0x0100_0193 }
        let check = [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: sum >> UInt32($0)) }
        func placed(_ low: UInt64, _ version: UInt64, _ place: UInt64) -> LedgerEntry {
            LedgerEntry(
                key: ItemKey(high: 0, low: low), version: ItemVersion(version), outcome: .copied,
                place: ItemPlace(place))
        }
        #expect(read(second + check) == [placed(5, 5, 3), placed(6, 5, 4), placed(7, 9, 5)])
        #expect(read(second + [check[0] ^ 1] + check[1...]) == nil)
        // The same high part again, with its own spelling or as a step of nothing.
        let one: [UInt8] = [1, 2, 1, 0] + word + word
        #expect(read(one + [1, 0] + word + word) == nil)
        #expect(read(one + [0, 0] + word) == nil)
        #expect(read(one + [0, 1] + word)?.map(\.key.low) == [5, 6])
    }

    @Test func `hashed keys cost about 26 bytes`() {
        var random = SplitMix64(seed: 2)
        let hashed = (0..<10_000).map { _ in entry(random.next(), random.next(), random.next()) }
        #expect(LedgerEntries(hashed).stored.count <= 10_000 * 27)
    }

    @Test func `a form cut off anywhere is not read`() {
        let bytes = LedgerEntries([entry(0, 1), entry(0, 2), entry(9, 9, 3, .skipped), entry(9, 12)]).stored
        for length in 0..<bytes.count { #expect(LedgerEntries(stored: Array(bytes[..<length])) == nil, "\(length)") }
        #expect(LedgerEntries(stored: bytes + [0]) == nil)
        for form in [0, 1, 2, 4] as [UInt8] { #expect(LedgerEntries(stored: [form] + bytes.dropFirst()) == nil) }
    }

    /// Whatever is read at all is in order and comes back the same, also where the checksum says nothing.
    @Test(arguments: 1...20)
    func `damaged bytes are refused or read as a sound ledger`(seed: Int) {
        var dice = SplitMix64(seed: UInt64(seed))
        let good = [
            LedgerEntries((1...50).map { entry(UInt64($0 / 10), UInt64($0), dice.next()) }).stored,
            LedgerEntries(random(60, &dice)).stored, LedgerEntries((1...90).map { entry(1, $0, $0 % 3) }).stored,
        ]
        var read = 0
        for round in 0..<600 {
            var bytes = Array(good[round % good.count].dropLast(4))
            for _ in 0..<Int.random(in: 1...3, using: &dice) {
                bytes[Int.random(in: 1..<bytes.count, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            }
            #expect(LedgerEntries(stored: bytes + [0, 0, 0, 0]) == nil)
            var sum: UInt32 = 0x811C_9DC5
            for byte in bytes { sum = (sum ^ UInt32(byte)) &* 0x0100_0193 }
            read += check(bytes + [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: sum >> UInt32($0)) }) ? 1 : 0
            let noise = (0..<Int.random(in: 0...60, using: &dice)).map { _ in UInt8.random(in: 0...255, using: &dice) }
            _ = check([UInt8.random(in: 1...3, using: &dice)] + noise)
        }
        #expect(read > 0)
    }

    private func check(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) -> Bool {
        guard let ledger = LedgerEntries(stored: bytes) else { return false }
        let entries = Array(ledger)
        #expect(
            entries.count == ledger.count && zip(entries, entries.dropFirst()).allSatisfy { $0.key < $1.key }
                && stored(entries) == entries, sourceLocation: sourceLocation)
        return true
    }

    @Test func `a merge replaces, adds and removes`() {
        let base: LedgerEntries = [entry(0, 1), entry(0, 2), entry(0, 3)]
        let merged = base.merged(
            with: [entry(0, 9, 1), entry(0, 2, 5), entry(0, 0, 1), entry(0, 9, 2)],
            removing: [ItemKey(high: 0, low: 3), ItemKey(high: 8, low: 8)])
        #expect(merged == [entry(0, 0, 1), entry(0, 1), entry(0, 2, 5), entry(0, 9, 2)])
        #expect(LedgerEntries().merged(with: []) == [])
        #expect(base.merged(with: []) == base)
        #expect(LedgerEntries().merged(with: base) == base)
        // What was removed at the target stays away, even if the same batch also wrote it.
        #expect(
            base.merged(with: [entry(0, 1, 8)], removing: [ItemKey(high: 0, low: 1)]) == [entry(0, 2), entry(0, 3)])
    }

    @Test(arguments: 1...20)
    func `a merge is the same as writing records one after another`(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        func some(_ count: Int) -> [LedgerEntry] {
            (0..<count).map { _ in entry(0, UInt64.random(in: 0...60, using: &random), random.next()) }
        }
        let (base, changes, removed) = (some(40), some(30), some(10).map(\.key))
        var expected = [ItemKey: LedgerEntry]()
        for entry in base + changes { expected[entry.key] = entry }
        for key in removed { expected[key] = nil }
        #expect(
            LedgerEntries(base).merged(with: LedgerEntries(changes), removing: Set(removed))
                == LedgerEntries(expected.values))
    }
}

/// A generator with a seed, so that a failure can be repeated (Steele, Lea, Flood: SplitMix).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
