import FerryCore
import Testing

@testable import FerryFormats

@Suite struct MessageHeadersTests {
    /// RFC 5322 appendix A.5, and what mailboxes have beside it.
    private static let message = """
        Received: by x
        From: Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>
        Date: Thu,
              13
                Feb
                  1969
              23:32
                       -0330 (Newfoundland Time)
        SUBJECT : =?utf-8?q?caf=C3=A9?=
        \twith a fold\u{20}
        Message-Id:  <testabcd.1234@silly.test>
        Subject: second

        From: body@x.example

        """

    @Test(arguments: [crlf(message), Array(message.utf8)])
    func `Fields are read with either line end`(bytes: [UInt8]) {
        let headers = MessageHeaders.parse(bytes)
        #expect(headers.fields.map(\.name) == ["Received", "From", "Date", "SUBJECT", "Message-Id", "Subject"])
        #expect(headers.subject == "=?utf-8?q?caf=C3=A9?=\twith a fold")
        #expect(headers.messageID == "<testabcd.1234@silly.test>")
        #expect(headers.date.map(RFC3339.format) == "1969-02-14T03:02:00Z")
        #expect(headers.from?.hasPrefix("Pete(A nice") == true)
        #expect(headers.bodyOffset.map { text(Array(bytes[$0...])).hasPrefix("From: body") } == true)
    }

    @Test func `Lines that are no fields are passed over with their folds`() {
        let headers = MessageHeaders.parse(
            Array("From x Mon Jan  1\n folded garbage\n: no name\na b: c\nTo: d\n e\n".utf8))
        #expect(headers.fields == [.init(name: "To", value: Array("d e".utf8))])
        #expect(headers.bodyOffset == nil)
        #expect(MessageHeaders.parse([]).fields.isEmpty)
        #expect(MessageHeaders.parse(Array("\r\nbody".utf8)).bodyOffset == 2)
    }

    @Test func `No more than the limit is read`() {
        let filler = Array("X: \(String(repeating: "y", count: 1_000))\n".utf8)
        let bytes = Array("A: 1\n".utf8) + Array(repeating: filler, count: 100).joined() + Array("Z: 2\n\nbody".utf8)
        let headers = MessageHeaders.parse(bytes)
        #expect(headers.first("a") == Array("1".utf8))
        #expect(headers.first("z") == nil)
        #expect(headers.bodyOffset == nil)
        #expect(headers.fields.count == 1 + (ContentLimits.maximumHeaderBytes - 5) / filler.count)
    }

    @Test func `Any bytes are survived`() {
        var mutator = Mutator(
            seed: 822, fixtures: [Array(Self.message.utf8), crlf(Self.message)],
            tokens: ["\r\n", "\n ", ":", "\0", "\r"])
        for _ in 0..<10_000 {
            let bytes = mutator.next()
            let headers = MessageHeaders.parse(bytes)
            _ = headers.date
            #expect(headers.fields.allSatisfy { !$0.name.isEmpty && !$0.value.contains(0x0A) })
            if let offset = headers.bodyOffset { #expect(offset <= bytes.count) }
        }
    }
}
