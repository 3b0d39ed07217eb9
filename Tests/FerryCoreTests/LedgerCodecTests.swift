import FerryCore
import Testing

struct LedgerCodecTests {
    private func entry(_ high: UInt64, _ low: UInt64, _ version: UInt64 = 7, _ outcome: ItemOutcome = .copied)
        -> LedgerEntry
    {
        LedgerEntry(key: ItemKey(high: high, low: low), version: ItemVersion(version), outcome: outcome)
    }

    @Test func `what is encoded is decoded`() {
        let edges: [LedgerEntry] = [
            entry(0, 0), entry(0, 1), entry(0, 2, 9, .failed), entry(0, 3, 9, .skipped),
            entry(0, .max, .max, .elsewhere),
            entry(1, 0), entry(1, 5), entry(.max, 0), entry(.max, .max - 1), entry(.max, .max),
        ]
        #expect(LedgerCodec.decode(LedgerCodec.encode(edges)) == edges)
        #expect(LedgerCodec.decode(LedgerCodec.encode([])) == [])
        #expect(LedgerCodec.decode(LedgerCodec.encode([entry(0, 0)])) == [entry(0, 0)])
    }

    /// Random ledgers; the seed is in the arguments.
    @Test(arguments: 1...40)
    func `random ledgers survive`(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var entries = [LedgerEntry]()
        for _ in 0..<Int.random(in: 0...400, using: &random) {
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
            entries.append(one)
        }
        var expected = [ItemKey: LedgerEntry]()
        for entry in entries { expected[entry.key] = entry }
        let decoded = LedgerCodec.decode(LedgerCodec.encode(entries))
        #expect(decoded == expected.values.sorted { $0.key < $1.key })
    }

    @Test func `the last record of a key counts and the order does not matter`() {
        let bytes = LedgerCodec.encode([entry(0, 2, 1), entry(0, 1, 1), entry(0, 2, 5, .failed)])
        #expect(LedgerCodec.decode(bytes) == [entry(0, 1, 1), entry(0, 2, 5, .failed)])
    }

    @Test func `neighbours cost their version and little more`() {
        var random = SplitMix64(seed: 1)
        let numbered = (1...10_000).map { entry(0, UInt64($0), random.next()) }
        #expect(LedgerCodec.encode(numbered).count <= 10_000 * 8 + 32)
        let gaps = (1...10_000).map { entry(4711, UInt64($0) * 3, random.next()) }
        #expect(LedgerCodec.encode(gaps).count <= 10_000 * 10 + 32)
    }

    /// A million contiguous messages in less than 1 MB, with the UID that each has at the target; a tenth of them here.
    @Test func `a mailbox with UIDs in a row costs less than a byte a message`() {
        var random = SplitMix64(seed: 3)
        func mailbox(unreadOneIn: UInt64) -> [LedgerEntry] {
            (1...100_000).map { uid in
                LedgerEntry(
                    key: ItemKey(high: 4711, low: uid),
                    version: ItemVersion(
                        random.next() % unreadOneIn == 0 ? 0xA1B2_C3D4_E5F6_0718 : 0x1122_3344_5566_7788),
                    outcome: .copied, place: ItemPlace(815 << 32 | uid))
            }
        }
        let read = LedgerCodec.encode(mailbox(unreadOneIn: .max))
        #expect(read.count < 64, "\(read.count)")
        let mixed = mailbox(unreadOneIn: 8)
        let bytes = LedgerCodec.encode(mixed)
        #expect(bytes.count < 100_000, "\(bytes.count)")
        #expect(LedgerCodec.decode(bytes) == mixed)
    }

    @Test func `a ledger of the first form is still read`() {
        let word: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0]
        // Two neighbours of high part 0, copied, beginning at low 5.
        #expect(LedgerCodec.decode([1, 2, 9, 0] + word + word + word) == [entry(0, 5, 5), entry(0, 6, 5)])
    }

    @Test func `hashed keys cost about 26 bytes`() {
        var random = SplitMix64(seed: 2)
        let hashed = (0..<10_000).map { _ in entry(random.next(), random.next(), random.next()) }
        #expect(LedgerCodec.encode(hashed).count <= 10_000 * 26)
    }

    @Test func `a form cut off anywhere is not decoded`() {
        let bytes = LedgerCodec.encode([entry(0, 1), entry(0, 2), entry(9, 9, 3, .skipped), entry(9, 12)])
        for length in 0..<bytes.count { #expect(LedgerCodec.decode(Array(bytes[..<length])) == nil, "\(length)") }
        #expect(LedgerCodec.decode(bytes + [0]) == nil)
        #expect(LedgerCodec.decode([3] + bytes.dropFirst()) == nil)
        #expect(LedgerCodec.decode([1] + bytes.dropFirst()) == nil)
    }

    /// Whatever is decoded at all is in order and encodes to something that decodes to the same.
    @Test(arguments: 1...20)
    func `damaged bytes are refused or read as a sound ledger`(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        let good = LedgerCodec.encode((1...50).map { entry(UInt64($0 / 10), UInt64($0), random.next()) })
        for _ in 0..<500 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            check(bytes)
            check(
                [1]
                    + (0..<Int.random(in: 0...60, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random)
                    })
        }
        // A count that would need all the memory of the world.
        #expect(LedgerCodec.decode([1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0, 0]) == nil)
    }

    private func check(_ bytes: [UInt8], sourceLocation: SourceLocation = #_sourceLocation) {
        guard let entries = LedgerCodec.decode(bytes) else { return }
        #expect(
            zip(entries, entries.dropFirst()).allSatisfy { $0.key < $1.key }
                && LedgerCodec.decode(LedgerCodec.encode(entries)) == entries, sourceLocation: sourceLocation)
    }

    @Test func `keys out of order are refused`() {
        let word: [UInt8] = [5, 0, 0, 0, 0, 0, 0, 0]
        let first: [UInt8] = [1, 2, 1, 0] + word + word
        // The same high part again, with its own spelling or as a step of nothing.
        #expect(LedgerCodec.decode(first + [1, 0] + word + word) == nil)
        #expect(LedgerCodec.decode(first + [0, 0] + word) == nil)
        #expect(LedgerCodec.decode(first + [0, 1] + word)?.map(\.key.low) == [5, 6])
    }

    @Test func `a merge replaces, adds and removes`() {
        let base = [entry(0, 1), entry(0, 2), entry(0, 3)]
        let merged = LedgerCodec.merge(
            base: base, changes: [entry(0, 9, 1), entry(0, 2, 5), entry(0, 0, 1), entry(0, 9, 2)],
            removed: [ItemKey(high: 0, low: 3), ItemKey(high: 8, low: 8)])
        #expect(merged == [entry(0, 0, 1), entry(0, 1), entry(0, 2, 5), entry(0, 9, 2)])
        #expect(LedgerCodec.merge(base: [], changes: [], removed: []) == [])
        // What was removed at the target stays away, even if the same batch also wrote it.
        #expect(
            LedgerCodec.merge(base: base, changes: [entry(0, 1, 8)], removed: [ItemKey(high: 0, low: 1)])
                == Array(base[1...]))
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
            LedgerCodec.merge(base: base, changes: changes, removed: removed)
                == expected.values.sorted { $0.key < $1.key })
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
