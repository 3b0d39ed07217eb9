import FerryCore
import FerryIMAP
import NIOCore
import Testing

@Suite struct CommandTextTests {
    private func pieces(_ literals: LiteralStyle, _ bytes: [UInt8]) -> [String] {
        var text = CommandText("X", literals: literals)
        text.string(bytes)
        return text.sealed.map { String(decoding: $0.readableBytesView, as: UTF8.self) }
    }

    @Test(arguments: [
        ("INBOX", "X INBOX\r\n"), ("", "X \"\"\r\n"), ("a b", "X \"a b\"\r\n"), ("nil", "X \"nil\"\r\n"),
        ("a\"b\\c", "X \"a\\\"b\\\\c\"\r\n"), ("100%", "X \"100%\"\r\n"), ("a&AOQ-", "X \"a&AOQ-\"\r\n"),
    ])
    func `a string is an atom where possible and quoted where not`(text: String, expected: String) {
        #expect(pieces(.synchronizing, Array(text.utf8)) == [expected])
    }

    @Test func `other strings are literals, which wait where the server wants it`() {
        let eight: [UInt8] = [0xC3, 0xA4]
        #expect(pieces(.plus, eight) == ["X {2+}\r\nä\r\n"])
        #expect(pieces(.minus, eight) == ["X {2+}\r\nä\r\n"])
        #expect(pieces(.synchronizing, eight) == ["X {2}\r\n", "ä\r\n"])
        let long = [UInt8](repeating: 0xFF, count: 4_097)
        #expect(pieces(.minus, long).count == 2)
        #expect(pieces(.plus, long).count == 1)
    }

    @Test func `a line break in a name cannot become a command`() {
        let evil = Array("x\r\nA DELETE INBOX".utf8)
        #expect(pieces(.plus, evil) == ["X {17+}\r\nx\r\nA DELETE INBOX\r\n"])
    }

    @Test func `flags are sent as atoms, and what is none is left out`() {
        let flags = MessageFlags([.seen, .draft, .recent], keywords: ["$Forwarded", "a b", "x]", "\\Weird", "", "ok"])
        #expect(flags.commandText == "(\\Seen \\Draft $Forwarded ok)")
    }

    @Test func `INBOX is one mailbox in any case, and names decode as the session has it`() {
        #expect(MailboxName("inbox", utf8: false) == .inbox)
        #expect(MailboxName("INBOX.a", utf8: false) != MailboxName("inbox.a", utf8: false))
        #expect(MailboxName("Prüfung", utf8: false).bytes == Array("Pr&APw-fung".utf8))
        #expect(MailboxName("Prüfung", utf8: true).text(utf8: true) == "Prüfung")
        #expect(MailboxName(wire: [0x61, 0xFF]).text(utf8: false) == nil)
    }
}
