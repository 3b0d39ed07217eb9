import FerryConnector
import FerryCore
import FerryTestKit
import Testing

@testable import FerryEngine

@Suite struct CopierPartsTests {
    @Test func `Batches grow while they are quick and shrink when they are slow`() {
        var settings = CopySettings()
        settings.batchTime = .seconds(1)
        var sizer = BatchSizer(TargetCapabilities(isIdempotent: true, batchItems: 100, batchBytes: 1 << 20), settings)
        sizer.learn(items: 100, bytes: 1000, took: .milliseconds(10))
        #expect(sizer.items == 200)
        sizer.learn(items: 50, bytes: 1000, took: .milliseconds(10))
        #expect(sizer.items == 200, "a batch that was not full says nothing")
        sizer.learn(items: 200, bytes: 1000, took: .milliseconds(1600))
        #expect(sizer.items == 125)
        for _ in 0..<20 { sizer.learn(items: sizer.items, bytes: 1000, took: .seconds(60)) }
        #expect(sizer.items == 1)
        for _ in 0..<40 { sizer.learn(items: sizer.items, bytes: sizer.bytes, took: .zero) }
        #expect(sizer.items == settings.largestBatchItems)
        #expect(sizer.bytes == settings.largestBatchBytes)
    }

    @Test func `The index tells new, changed, unchanged and gone items apart in any order`() {
        var random = SeededRandom(seed: 3)
        let entries = (0..<500).map { number in
            LedgerEntry(
                key: ItemKey(high: 1, low: UInt64(number * 2)), version: ItemVersion(UInt64(number)),
                outcome: ItemOutcome.allCases[number % 4])
        }
        var index = LedgerIndex(LedgerEntries(entries), treatingAllAsChanged: false)
        let seen = entries.shuffled(using: &random).prefix(400)
        for entry in seen {
            switch entry.outcome {
            case .copied, .elsewhere:
                #expect(index.see(entry.key, entry.version) == .unchanged(entry.outcome))
                #expect(index.see(entry.key, ItemVersion(~entry.version.bits)) == .due(previous: entry.outcome))
            case .skipped, .failed:
                #expect(index.see(entry.key, entry.version) == .due(previous: entry.outcome))
            }
            #expect(index.see(ItemKey(high: 1, low: entry.key.low + 1), entry.version) == .due(previous: nil))
        }
        #expect(Set(index.unseen) == Set(entries).subtracting(seen))
        var strict = LedgerIndex(LedgerEntries(entries), treatingAllAsChanged: true)
        #expect(strict.see(entries[0].key, entries[0].version) == .due(previous: entries[0].outcome))
    }

    @Test func `The index counts newcomers, and finds those that are gone in ranges`() {
        let entries = [1, 2, 3, 7, 9, 20].map { number in
            LedgerEntry(
                key: ItemKey(high: 1, low: number), version: ItemVersion(number),
                outcome: number == 7 ? .skipped : number == 9 ? .elsewhere : .copied)
        }
        func range(_ lower: UInt64, _ upper: UInt64) -> ClosedRange<ItemKey> {
            ItemKey(high: 1, low: lower)...ItemKey(high: 1, low: upper)
        }
        var index = LedgerIndex(LedgerEntries(entries), treatingAllAsChanged: false)
        #expect(index.count == 6)
        #expect(index.unsettled == [ItemKey(high: 1, low: 7), ItemKey(high: 1, low: 9)])
        #expect(index.see(ItemKey(high: 1, low: 3), ItemVersion(3)) == .unchanged(.copied))
        _ = index.see(ItemKey(high: 1, low: 21), ItemVersion(0))
        #expect(index.newcomers == 1)
        #expect(index.unseen(in: []) == [])
        #expect(index.unseen(in: [range(4, 6), range(10, 19), range(30, 40)]) == [])
        #expect(index.unseen(in: [range(8, 9), range(2, 7), range(7, 7)]).map(\.key.low) == [2, 7, 9])
        #expect(index.unseen(in: [range(0, .max)]).map(\.key.low) == [1, 2, 7, 9, 20])
        #expect(LedgerIndex([], treatingAllAsChanged: false).unseen(in: [range(0, .max)]) == [])
    }

    static let containers = [
        Container(name: "INBOX", path: ["INBOX"], details: .mailFolder(isSubscribed: false)),
        Container(name: "Gesendet", path: ["Gesendet"], details: .mailFolder(isSubscribed: true, use: .sent)),
        Container(name: "c/1", path: ["Größe", "2"], details: .calendar(displayName: nil, color: "#FFFFFF")),
        Container(name: "", path: [], details: .addressBook(displayName: "", color: nil)),
        Container(
            name: "t", path: ["t"],
            details: .calendar(
                displayName: "Tasks", color: nil,
                traits: CollectionTraits(
                    description: "", order: "-1.5", timeZone: "BEGIN:VCALENDAR\r\n", components: ["VJOURNAL", "VTODO"]))
        ),
        Container(
            name: "b", path: ["b"],
            details: .addressBook(displayName: nil, color: nil, traits: CollectionTraits(description: "Größe"))),
        Container(name: "files", path: ["Files"], details: .fileTree),
        Container(name: "!r", path: ["Room"], details: .room(state: [91, 0, 255, 93])),
    ]

    @Test(arguments: containers)
    func `A container memo reads back as it was written, and nothing else reads`(container: Container) {
        var memo = ContainerMemo(container: container, rules: .max - 1)
        memo.copiedBytes = 1 << 40
        memo.expectedBytes = -1
        #expect(ContainerMemo(memo.bytes) == memo)
        memo.cursor = Cursor([1, 2, 3])
        #expect(ContainerMemo(memo.bytes) == memo)
        for length in 0..<memo.bytes.count { #expect(ContainerMemo(Array(memo.bytes.prefix(length))) == nil) }
        #expect(ContainerMemo([2] + memo.bytes.dropFirst()) == nil)
        #expect(ContainerMemo(nil) == nil)
    }

    @Test func `A conduit holds no more than its limit and keeps the order`() async throws {
        let conduit = Conduit<Int>(limit: 4)
        let received = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                for number in 0..<1000 { try await conduit.send(number, weight: number % 5) }
                conduit.finish()
            }
            var numbers: [Int] = []
            while let number = try await conduit.next() { numbers.append(number) }
            try await group.waitForAll()
            return numbers
        }
        #expect(received == Array(0..<1000))
    }

    @Test func `A cancelled side of a conduit ends the other side too`() async throws {
        let conduit = Conduit<Int>(limit: 1)
        try await conduit.send(1)
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await conduit.send(2)) == nil }
            group.cancelAll()
            #expect(await group.next() == true)
        }
        await #expect(throws: ConnectorError.self) { try await conduit.next() }
    }

    @Test func `A failure reaches the receiver after everything that came before it`() async throws {
        let conduit = Conduit<Int>(limit: 3)
        try await conduit.send(1)
        conduit.finish(Fault.disconnected)
        #expect(try await conduit.next() == 1)
        await #expect(throws: ConnectorError.self) { try await conduit.next() }
    }

    @Test func `A sender is not held up by a receiver that has had enough`() async throws {
        let conduit = Conduit<Int>(limit: 1)
        conduit.discard()
        for number in 0..<100 { try await conduit.send(number) }
        #expect(conduit.take() == nil)
    }
}
