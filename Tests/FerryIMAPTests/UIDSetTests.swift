import FerryIMAP
import FerryTestKit
import Testing

@Suite struct UIDSetTests {
    @Test func `ranges that touch or overlap become one`() {
        var set = UIDSet([5, 1, 2, 9, 3, 4, 4])
        #expect(set.description == "1:5,9")
        set.insert(6...8)
        #expect(set.ranges == [1...9])
        set.insert(4_294_967_295)
        set.insert(4_294_967_294)
        #expect(set.description == "1:9,4294967294:4294967295")
        #expect(set.count == 11)
    }

    @Test func `a set behaves as the set of its numbers, whatever order they come in`() {
        var generator = SeededRandom(seed: RunSeed.value)
        for _ in 0..<300 {
            var set = UIDSet()
            var model = Set<UID>()
            for _ in 0..<40 {
                let lower = UID.random(in: 1...60, using: &generator)
                let upper = lower + UID.random(in: 0...6, using: &generator)
                set.insert(lower...upper)
                model.formUnion(lower...upper)
                #expect(Array(set.uids) == model.sorted())
            }
            let other = Set((0..<20).map { _ in UID.random(in: 1...70, using: &generator) })
            #expect(Array(set.subtracting(UIDSet(other)).uids) == model.subtracting(other).sorted())
            #expect((1...70).allSatisfy { set.contains($0) == model.contains($0) })
        }
    }

    @Test func `a set is split into parts that are short enough and lose nothing`() {
        var random = SeededRandom(seed: RunSeed.value)
        for _ in 0..<200 {
            let set = UIDSet((0..<300).map { _ in UID.random(in: 1...2_000, using: &random) })
            let parts = set.split(bytes: 60, count: 40)
            #expect(parts.flatMap { Array($0.uids) } == Array(set.uids))
            #expect(parts.allSatisfy { $0.description.utf8.count <= 60 && $0.count <= 40 })
        }
        #expect(UIDSet(1...4_294_967_295).split(bytes: 100).map(\.description) == ["1:4294967295"])
        #expect(UIDSet().split(bytes: 100).isEmpty)
    }
}
