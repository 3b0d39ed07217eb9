/// SplitMix64: a test that fails fails again with the same seed.
struct SeededGenerator: RandomNumberGenerator {
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

/// Copies of the fixtures with bytes changed, cut, doubled, moved and spliced.
struct Mutator {
    private var random: SeededGenerator
    private let seeds: [[UInt8]]
    private let tokens: [[UInt8]]

    init(seed: UInt64, fixtures: [[UInt8]], tokens: [String]) {
        random = SeededGenerator(seed: seed)
        seeds = fixtures
        self.tokens = tokens.map { Array($0.utf8) }
    }

    mutating func next() -> [UInt8] {
        var bytes = seeds.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let start = Int.random(in: 0...bytes.count, using: &random)
            let end = Swift.min(bytes.count, start + Int.random(in: 0...20, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes.replaceSubrange(start..<end, with: [])
            case 1: bytes.insert(contentsOf: bytes[start..<end], at: start)
            case 2: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: start)
            case 3: bytes = Array(bytes[..<start])
            case 4: bytes.insert(contentsOf: tokens.randomElement(using: &random) ?? [], at: start)
            default:
                let other = seeds.randomElement(using: &random) ?? []
                let cut = Int.random(in: 0...other.count, using: &random)
                bytes = Array(bytes[..<start]) + Array(other[cut...])
            }
        }
        return bytes
    }
}
