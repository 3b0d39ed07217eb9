import FerryTestKit
import NIOCore
import Testing

@testable import FerryIMAP

@Suite struct `What a ManageSieve server says` {
    private static let transcript =
        "\"SIEVE\" \"fileinto \\\"x\\\" \\\\\"\r\n\"STARTTLS\"\r\n{5}\r\na\r\n\"b ACTIVE\r\n"
        + "OK (TAG {3}\r\nabc) \"Done.\"\r\nno (QUOTA/MAXSIZE) {3+}\r\n(\")\r\n\r\n"
    private static let lines: [[SieveWord]] = [
        [.string(Array("SIEVE".utf8)), .string(Array("fileinto \"x\" \\".utf8))], [.string(Array("STARTTLS".utf8))],
        [.string(Array("a\r\n\"b".utf8)), .atom("ACTIVE")],
        [
            .atom("OK"), .open, .atom("TAG"), .string(Array("abc".utf8)), .close,
            .string(Array("Done.".utf8)),
        ],
        [.atom("no"), .open, .atom("QUOTA/MAXSIZE"), .close, .string(Array("(\")".utf8))], [],
    ]

    @Test func `is the same wherever it is cut`() throws {
        let bytes = Array(Self.transcript.utf8)
        for cut in bytes.indices {
            var reader = SieveReader()
            var found: [[SieveWord]] = []
            for part in [bytes[..<cut], bytes[cut...]] {
                reader.append(ByteBuffer(bytes: part))
                while let line = try reader.next() { found.append(line) }
            }
            #expect(found == Self.lines, "cut at \(cut)")
            #expect(reader.isEmpty)
        }
    }

    @Test(arguments: ["a\rb\r\n", "\"a\r\n\"\r\n", "{x}\r\n", "{3}abc\r\n", "\u{1}\r\n", "{99999999999999999999}\r\n"])
    func `is refused where it breaks the grammar`(_ text: String) {
        var reader = SieveReader()
        reader.append(ByteBuffer(string: text))
        #expect(throws: SieveReader.Trouble.self) { while try reader.next() != nil {} }
    }

    @Test func `may be anything without a crash`() {
        var random = SeededRandom(seed: RunSeed.value)
        for _ in 0..<Fuzz.rounds(5_000) {
            let mutated = Fuzz.mutated([Self.transcript], &random)
            var reader = SieveReader()
            reader.append(ByteBuffer(bytes: mutated))
            // Ends, and holds no more than it was given.
            var lines = 0
            while (try? reader.next()) ?? nil != nil { lines += 1 }
            #expect(lines <= mutated.count)
        }
    }
}
