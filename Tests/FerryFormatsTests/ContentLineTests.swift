import Testing

@testable import FerryFormats

@Suite struct ContentLineTests {
    @Test func `The lines of an object together are the object, whatever is in it`() {
        var mutator = Mutator(
            seed: 5545, fixtures: [Fixture.series, Fixture.contact3, Fixture.contact4],
            tokens: ["\r\n ", "\n\t", "\r", "\n", ":", ";", "\"", "\0", "\u{E9}"])
        for _ in 0..<5_000 {
            let bytes = mutator.next()
            var joined = [UInt8]()
            for location in ContentLines(bytes) {
                #expect(location.range.lowerBound == joined.count && !location.range.isEmpty)
                joined += bytes[location.range]
            }
            #expect(joined == bytes)
        }
    }

    @Test func `Folds are taken out, in the middle of characters as well`() throws {
        // RFC 5545 section 3.1
        let bytes = crlf("DESCRIPTION:This is a lo\n ng description\n\t that exists on a long line.\nX:y")
        let lines = ContentLines(bytes)
        let locations = Array(lines)
        #expect(locations.count == 2)
        let line = try #require(lines.line(at: locations[0]))
        #expect(text(Array(line.valueOctets)) == "This is a long description that exists on a long line.")
        let split = Array("FN:\u{E9}".utf8.prefix(4)) + Array("\r\n ".utf8) + Array("\u{E9}\r\n".utf8.dropFirst())
        let other = ContentLines(split)
        let whole = try #require(Array(other).first)
        #expect(other.line(at: whole)?.octets == Array("FN:\u{E9}".utf8))
    }

    @Test func `A line is taken apart with group, quoted and listed values, and bare words`() throws {
        let octets = Array(#"Item1.attendee;Member="mailto:a:b;c","d",e;INTERNET;CN=;X="q"z:mailto:x@y;z"#.utf8)
        let line = try #require(ContentLine(unfolded: octets))
        #expect(line.name == "ATTENDEE")
        #expect(line.group == "Item1")
        #expect(line.parameters.map(\.name) == ["MEMBER", "INTERNET", "CN", "X"])
        #expect(
            line.parameters.map { $0.values.map { text(Array(octets[$0])) } } == [
                ["mailto:a:b;c", "d", "e"], [], [""], ["q"],
            ])
        #expect(text(Array(line.valueOctets)) == "mailto:x@y;z")
    }

    @Test(arguments: [
        "", "NAME", ":value", ";X=1:v", "NAME;X=1", "NAME;X=\"open:v", "NAME;X=\"a\"", "NAME;", "NAME;X=a,",
    ])
    func `What is no property is no line`(unfolded: String) {
        #expect(ContentLine(unfolded: Array(unfolded.utf8)) == nil)
    }

    @Test(arguments: ["\r\n", "\n", ""])
    func `A changed line is folded after 75 octets with the line end it had`(lineEnd: String) throws {
        let bytes = Array(("BEGIN:X" + (lineEnd.isEmpty ? "\n" : lineEnd) + "N:v" + lineEnd).utf8)
        let lines = ContentLines(bytes)
        let location = try #require(Array(lines).last)
        for value in [String(repeating: "a", count: 300), String(repeating: "\u{1F600}", count: 80), "", "short"] {
            let octets = Array("N:\(value)".utf8)
            let folded = lines.folded(octets, insteadOf: location)
            let separator: UInt8 = 0x0A
            for row in folded.split(separator: separator) {
                #expect(row.filter { $0 != 0x0D }.count <= 75)
                #expect(String(validating: row, as: UTF8.self) != nil, "folds lie between characters")
            }
            #expect(folded.contains(0x0D) == (lineEnd == "\r\n"))
            #expect(text(folded).hasSuffix(lineEnd))
            let again = ContentLines(folded)
            let refolded = try #require(Array(again).first)
            #expect(again.line(at: refolded)?.octets == octets)
        }
    }

    @Test func `Octets that are no UTF-8 are folded as well`() throws {
        let lines = ContentLines(Array("N:v\n".utf8))
        let octets = Array("N:".utf8) + [UInt8](repeating: 0x80, count: 500)
        let folded = lines.folded(octets, insteadOf: try #require(Array(lines).first))
        let again = ContentLines(folded)
        let refolded = try #require(Array(again).first)
        #expect(again.line(at: refolded)?.octets == octets)
    }
}
