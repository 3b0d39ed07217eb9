import FerryCore
import FerryIMAP
import FerryTestKit
import NIOCore
import Testing

@Suite struct ResponseReaderTests {
    // MARK: what responses mean

    private func one(_ text: String) throws -> Response {
        let reading = Transcripts.read(Array(text.utf8), cutAt: [])
        #expect(reading.failure == nil)
        guard case .response(let response)? = reading.events.last else { throw Missing() }
        return response
    }

    private struct Missing: Error {}

    @Test func `every response of the transcript is understood`() {
        let reading = Transcripts.read(Transcripts.whole, cutAt: [])
        #expect(reading.failure == nil)
        let count = reading.events.count { if case .response = $0 { true } else { false } }
        // All but the empty line.
        #expect(count == Transcripts.responses.count - 1)
        let unknown = reading.events.compactMap { event -> String? in
            if case .response(.unknown(let name)) = event { name } else { nil }
        }
        #expect(unknown == ["XYZZY", "XYZZY"])
    }

    @Test func `mailboxes of LIST carry attributes, separator and the name as the server spells it`() throws {
        #expect(
            try one("* LIST (\\HasNoChildren \\Subscribed \\Sent) \"/\" \"a \\\"b\\\" \\\\c\"\r\n")
                == .list(
                    ListedMailbox(
                        name: MailboxName(wire: Array(#"a "b" \c"#.utf8)), separator: UInt8(ascii: "/"),
                        attributes: [.hasNoChildren, .subscribed, .sent])))
        #expect(
            try one("* LIST (\\Noselect \\Gone) NIL {4}\r\nNIL \r\n")
                == .list(
                    ListedMailbox(name: MailboxName(wire: Array("NIL ".utf8)), separator: nil, attributes: .noSelect))
        )
        guard case .list(let inbox) = try one("* LIST () \".\" iNbOx\r\n") else { throw Missing() }
        #expect(inbox.name == .inbox)
    }

    @Test func `a status has what was told and nothing else`() throws {
        guard
            case .mailboxStatus(let name, let status) = try one(
                "* STATUS \"Sent Items\" (MESSAGES 17 UIDNEXT 4392 HIGHESTMODSEQ 7011231777 SIZE 44421 APPENDLIMIT NIL)\r\n"
            )
        else { throw Missing() }
        var expected = MailboxStatus()
        expected.messages = 17
        expected.uidNext = 4_392
        expected.highestModSeq = 7_011_231_777
        expected.size = 44_421
        #expect(status == expected)
        #expect(name.text(utf8: false) == "Sent Items")
    }

    @Test func `sets come in any order and direction`() throws {
        #expect(try one("* SEARCH 9 3 4 2\r\n") == .search(UIDSet([2, 3, 4, 9])))
        #expect(
            try one("* ESEARCH (TAG \"F12\") UID COUNT 5 ALL 1:3,9,7\r\n")
                == .extendedSearch(tag: "F12", UIDSet([1, 2, 3, 7, 9])))
        #expect(
            try one("* VANISHED (EARLIER) 41,300:298\r\n") == .vanished(earlier: true, UIDSet([41, 298, 299, 300])))
    }

    @Test func `codes carry their arguments, and a broken one is text`() throws {
        #expect(
            try one("F3 OK [APPENDUID 38505 3955:3957] done\r\n")
                == .tagged(
                    tag: "F3",
                    StatusText(.ok, code: .appendUID(uidValidity: 38_505, UIDSet(3_955...3_957)), text: "done")))
        #expect(
            try one("* OK [PERMANENTFLAGS (\\Seen [odd] \\*)] x\r\n")
                == .status(
                    StatusText(
                        .ok, code: .permanentFlags(MessageFlags(.seen, keywords: ["[odd]", "\\*"])), text: "x")))
        #expect(
            try one("F2 NO [overquota] full\r\n")
                == .tagged(tag: "F2", StatusText(.no, code: .named("OVERQUOTA"), text: "full")))
        #expect(
            try one("F2 NO [TRYCREATE full\r\n") == .tagged(tag: "F2", StatusText(.no, text: "[TRYCREATE full")))
        #expect(
            try one("F2 OK [APPENDUID x] done\r\n")
                == .tagged(tag: "F2", StatusText(.ok, code: .named("APPENDUID"), text: "done")))
    }

    @Test func `a body streams with its length known ahead, whatever it contains`() {
        let text = "* 3 FETCH (UID 9 BODY[] {12}\r\nab)\r\n* BAD\r\n FLAGS (\\Seen))\r\nF1 OK x\r\n"
        let events = Transcripts.read(Array(text.utf8), cutAt: [30, 34]).events
        var begun = FetchedMessage(sequence: 3)
        begun.uid = 9
        var complete = begun
        complete.flags = MessageFlags(.seen)
        complete.bodies = [FetchedBody(section: .full, content: .streamed(bytes: 12))]
        #expect(
            events == [
                .bodyBegan(begun, section: .full, origin: nil, size: 12),
                .bytes(ByteBuffer(string: "ab)\r\n* BAD\r\n")),
                .bodyEnded, .response(.fetch(complete)),
                .response(.tagged(tag: "F1", StatusText(.ok, text: "x"))),
            ])
    }

    @Test func `strings that look like the beginning of a body are none`() {
        let reading = Transcripts.read(
            Array("* 2 FETCH (ENVELOPE (\"BODY[] {3}\" ((\"A]\" NIL \"x]\" {1}\r\nb))) UID 8)\r\n".utf8), cutAt: [])
        var message = FetchedMessage(sequence: 2)
        message.uid = 8
        #expect(reading == Transcripts.Reading(events: [.response(.fetch(message))]))
    }

    // MARK: pieces

    @Test func `the transcript cut at every byte gives the same result`() {
        let whole = Transcripts.read(Transcripts.whole, cutAt: [])
        for cut in 0...Transcripts.whole.count {
            #expect(Transcripts.read(Transcripts.whole, cutAt: [cut]) == whole, "cut at \(cut)")
        }
        #expect(Transcripts.read(Transcripts.whole, cutAt: Array(1..<Transcripts.whole.count)) == whole)
    }

    @Test func `a literal of many megabytes passes through without being collected`() throws {
        let piece = ByteBuffer(repeating: 0x78, count: 1 << 20)
        var reader = ResponseReader(limits: WireLimits())
        reader.feed(ByteBuffer(string: "* 1 FETCH (UID 1 BODY[] {104857600}\r\n"))
        guard case .bodyBegan(_, _, _, let size)? = try reader.next() else { throw Missing() }
        #expect(size == 100 << 20)
        for _ in 0..<100 {
            reader.feed(piece)
            guard case .bytes(let slice)? = try reader.next() else { throw Missing() }
            // A slice of what was fed, not a copy: same place in memory.
            let isSame = slice.withUnsafeReadableBytes { slice in
                piece.withUnsafeReadableBytes { $0.baseAddress == slice.baseAddress && $0.count == slice.count }
            }
            #expect(isSame)
        }
        #expect(try reader.next() == .bodyEnded)
        reader.feed(ByteBuffer(string: ")\r\n"))
        guard case .response(.fetch(let message))? = try reader.next() else { throw Missing() }
        #expect(message.bodies == [FetchedBody(section: .full, content: .streamed(bytes: 100 << 20))])
    }

    // MARK: limits

    @Test func `what is too deep, too long or no IMAP is refused with a reason and without contents`() {
        let deep = "* 1 FETCH (BODYSTRUCTURE " + String(repeating: "(", count: 100_000)
        #expect(Transcripts.read(Array((deep + "\r\n").utf8), cutAt: []).failure == "too deep")
        var limits = WireLimits()
        limits.responseBytes = 1_000
        for text in [
            String(repeating: "x", count: 2_000), "* LIST () NIL {5000}\r\n", "* LIST () NIL {999999999999}\r\n",
        ] {
            #expect(Transcripts.read(Array(text.utf8), cutAt: [700], limits: limits).failure == "too long")
        }
        for text in [
            "* 99999999999 EXISTS\r\n", "hello\r\n", "* LIST (\r\n", "* 1 FETCH (UID 0)\r\n",
            "* 1 FETCH (UID 99999999999999999999999)\r\n", "* VANISHED 0\r\n", "* STATUS x MESSAGES\r\n",
            "F1 MAYBE so\r\n", "* 1 FETCH (FLAGS (\\Seen) UID 4\r\n", "* 1 FETCH (UID 1 BODY[] \"open\r\n",
        ] {
            #expect(Transcripts.read(Array(text.utf8), cutAt: []).failure != nil, "\(text)")
        }
        var reader = ResponseReader()
        reader.feed(ByteBuffer(string: "* 5 FETCH (ENVELOPE (\"secret subject\" \"open\r\n"))
        do throws(WireError) {
            _ = try reader.next()
            Issue.record("no error")
        } catch {
            #expect(error.message.contains("5 FETCH"))
            #expect(!error.message.contains("secret"))
        }
    }

    @Test func `literals that pretend to be bodies cost no quadratic time`() {
        // Each looks like the begin of a body and is inside a list, so it must be looked at from the start.
        let text = "* 1 FETCH (X (" + String(repeating: "a] {1}\r\nb ", count: 60_000) + ") UID 3)\r\n"
        let clock = ContinuousClock()
        let time = clock.measure {
            var message = FetchedMessage(sequence: 1)
            message.uid = 3
            #expect(Transcripts.read(Array(text.utf8), cutAt: []).events == [.response(.fetch(message))])
        }
        #expect(time < .seconds(20))
    }

    // MARK: noise

    @Test func `no noise crashes the reader, and none is read differently in pieces`() {
        var random = SeededRandom(seed: RunSeed.value)
        for _ in 0..<Fuzz.rounds(4_000) {
            let bytes = Fuzz.mutated(Transcripts.responses, &random)
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            var limits = WireLimits()
            limits.responseBytes = 4_000
            let whole = Transcripts.read(bytes, cutAt: [], limits: limits)
            let pieces = Transcripts.read(bytes, cutAt: cuts, limits: limits)
            #expect(whole == pieces, "\(String(decoding: bytes, as: UTF8.self).debugDescription) cut at \(cuts)")
        }
    }
}
