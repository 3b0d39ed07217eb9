import Foundation

/// Inputs that were interesting once: each made a reader do something that no input before it had. They are kept in
/// `Tests/Support/noise`, one on a line, with `%XX` for what is no plain text; `script/fuzz-mail` and `script/fuzz-dav` add to them.
package struct NoiseCorpus {
    package private(set) var inputs: [[UInt8]]
    /// What is known to happen.
    private var seen: Set<String> = []
    private let file: URL
    private let known: Int

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Tests/Support/noise")
    /// Inputs are to be read by people, and by every run.
    private static let mostBytes = 400
    private static let mostInputs = 400

    package init(_ name: String, samples: [String]) throws {
        file = Self.folder.appending(path: "\(name).txt")
        let kept = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(Self.decode)
        inputs = samples.map { Array($0.utf8) } + kept
        known = inputs.count
    }

    /// Remembers what happens with what is there already.
    package mutating func recall(_ signs: ([UInt8]) -> [String]) {
        for input in inputs { seen.formUnion(signs(input)) }
    }

    /// Takes up an input that shows something new. `signs` names what happened.
    package mutating func learn(_ input: [UInt8], _ signs: [String]) {
        let isNew = signs.reduce(false) { isNew, sign in seen.insert(sign).inserted || isNew }
        if isNew, input.count <= Self.mostBytes, inputs.count < Self.mostInputs { inputs.append(input) }
    }

    /// Writes what is new into the file. `FERRY_NOISE_KEEP` asks for it.
    package func keep() throws {
        guard inputs.count > known, Fuzz.environment("FERRY_NOISE_KEEP") != nil else { return }
        let old = try String(contentsOf: file, encoding: .utf8)
        let lines = inputs[known...].map { Self.encode($0) + "\n" }
        try (old + lines.joined()).write(to: file, atomically: true, encoding: .utf8)
    }

    private static func encode(_ input: [UInt8]) -> String {
        input.map { byte in
            (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "%")
                ? String(UnicodeScalar(byte))
                : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    private static func decode(_ line: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = line.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? byte)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}

/// How long noise is made: so many rounds, or `FERRY_NOISE_SECONDS`. Every round has a seed of its own, so that one can be
/// repeated: `FERRY_SEED` and the number of the round.
package struct NoiseRounds {
    private let rounds: Int
    private let end: ContinuousClock.Instant?
    package private(set) var done = 0

    package init(_ usual: Int) {
        rounds = Fuzz.rounds(usual)
        end = Fuzz.environment("FERRY_NOISE_SECONDS").flatMap { Double($0) }.map { .now + .seconds($0) }
    }

    /// The seed of the next round; `nil` when it is enough.
    package mutating func next() -> UInt64? {
        if let end { guard .now < end else { return nil } } else if done == rounds { return nil }
        done += 1
        return RunSeed.value &* 0x1_0000_0001 &+ UInt64(done)
    }
}
