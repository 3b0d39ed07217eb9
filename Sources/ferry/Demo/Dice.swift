import FerryCore

/// Chance with words of its own. Uses no algorithm of the standard library, so that the same seed gives the same
/// tenants with every version of it.
struct Dice {
    private var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    private init(_ generator: SplitMix64) { self.generator = generator }

    /// Dice of its own for one subject, so that more content in one place changes nothing in another.
    func fork(_ subject: String) -> Dice { Dice(generator.fork(subject)) }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(generator.next() % UInt64(range.count))
    }

    /// True in `percent` of 100 cases.
    mutating func chance(_ percent: Int) -> Bool { number(1...100) <= percent }

    /// One of the elements, which must not be empty.
    mutating func pick<Element>(_ elements: [Element]) -> Element {
        precondition(!elements.isEmpty, "There is something to pick from.")
        return elements[number(0...(elements.count - 1))]
    }

    /// Up to `count` different elements in a random order.
    mutating func pick<Element>(_ count: Int, of elements: [Element]) -> [Element] {
        var rest = elements
        var picked: [Element] = []
        while picked.count < count, !rest.isEmpty { picked.append(rest.remove(at: number(0...(rest.count - 1)))) }
        return picked
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            let word = generator.next()
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Lower-case hexadecimal digits.
    mutating func hex(_ count: Int) -> String {
        String(decoding: (0..<count).map { _ in Hexadecimal.character(UInt8(number(0...15))) }, as: UTF8.self)
    }

    mutating func guid() -> GUID {
        GUID(
            high: generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000,
            low: generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }
}
