import FerryIMAP
import FerryTestKit
import NIOCore

/// What servers really say, one response each, and readers that take it in pieces.
enum Transcripts {
    /// Responses as Dovecot, Cyrus, Exchange, Gmail and Courier send them, and as the RFCs show them.
    static let responses: [String] = [
        "* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN] Dovecot ready.\r\n",
        "* CAPABILITY IMAP4rev1 LITERAL+ ID ENABLE ACL RIGHTS=kxten QUOTA NAMESPACE UIDPLUS\r\n",
        "F1 OK [CAPABILITY IMAP4rev1 CONDSTORE QRESYNC] Logged in\r\n",
        "* ID (\"name\" \"Cyrus IMAPD\" \"version\" \"3.6.1-Debian\" \"vendor\" NIL)\r\n",
        "* ENABLED QRESYNC CONDSTORE\r\n",
        "* NAMESPACE ((\"INBOX.\" \".\")) ((\"user.\" \".\" \"TRANSLATION\" (\"x{5}\"))) ((\"\" \".\"))\r\n",
        "* LIST (\\HasNoChildren \\UnMarked \\Subscribed \\Drafts) \"/\" Drafts\r\n",
        "* LIST (\\Noselect) \"\\\\\" \"a \\\"quoted\\\" \\\\ name\"\r\n",
        "* LIST (\\HasChildren) NIL {7}\r\nPr&APw-\r\n",
        "* LIST (\\NonExistent) \"/\" \"inbox\" (\"CHILDINFO\" (\"SUBSCRIBED\") \"OLDNAME\" (\"was\"))\r\n",
        "* LSUB () \".\" INBOX.Sent\r\n",
        "* STATUS \"Sent Items\" (MESSAGES 17 UIDNEXT 4392 UIDVALIDITY 1 HIGHESTMODSEQ 7011231777 SIZE 44421 "
            + "APPENDLIMIT NIL MAILBOXID (F2-1))\r\n",
        "* STATUS {3}\r\na b (UNSEEN 3 RECENT 1)\r\n",
        "* SEARCH 2 84 882 (MODSEQ 917162500)\r\n",
        "* SEARCH\r\n",
        "* ESEARCH (TAG \"F12\") UID MIN 1 COUNT 5 ALL 1:3,9,7 MODSEQ 3\r\n",
        "* ESEARCH UID\r\n",
        "* VANISHED (EARLIER) 41,43:116,118,300:200\r\n",
        "* VANISHED 5\r\n",
        "* 23 EXISTS\r\n", "* 5 RECENT\r\n", "* 44 EXPUNGE\r\n",
        "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen $Forwarded)\r\n",
        "* OK [PERMANENTFLAGS (\\Answered \\Seen [odd] $Label1 \\*)] Flags permitted.\r\n",
        "* OK [UIDVALIDITY 3857529045] UIDs valid\r\n", "* OK [UIDNEXT 4392] Predicted next UID\r\n",
        "* OK [HIGHESTMODSEQ 715194045007]\r\n", "* OK [NOMODSEQ] Sorry\r\n", "* OK [CLOSED] Previous mailbox.\r\n",
        "* 23 FETCH (FLAGS (\\Seen $Forwarded NonJunk) UID 4827313 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
            + "RFC822.SIZE 4286 MODSEQ (65402))\r\n",
        "* 1 FETCH (UID 7 BODYSTRUCTURE ((\"TEXT\" \"PLAIN\" (\"CHARSET\" {8}\r\nUS-ASCII) NIL NIL \"7BIT\" 1152 23) "
            + "(\"APPLICATION\" \"X\" (\"NAME\" \"a)b\\\"{9}\") \"<x@y>\" NIL \"BASE64\" 554) \"MIXED\") FLAGS ())\r\n",
        "* 2 FETCH (ENVELOPE (\"Wed\" \"BODY[] {3}\" ((\"A]\" NIL \"a\" {1}\r\nb)) NIL NIL NIL NIL NIL NIL NIL) UID 8)\r\n",
        "* 3 FETCH (UID 9 BODY[] {12}\r\nab)\r\n* BAD\r\n FLAGS (\\Seen))\r\n",
        "* 4 FETCH (BODY[HEADER.FIELDS (\"MESSAGE-ID\" DATE)] {6}\r\nx: y\r\n UID 10 RFC822.SIZE 99)\r\n",
        "* 5 FETCH (UID 11 BODY[TEXT]<0> ~{4}\r\n\0\r\n\0 BODY[]<5> \"quoted\" BINARY.SIZE[1] 55 BODY[1.2] NIL)\r\n",
        "* 6 FETCH (RFC822.HEADER {0}\r\n RFC822.TEXT {1}\r\n! UID 12 X-GM-LABELS (\"\\\\Inbox\" a) PREVIEW NIL)\r\n",
        "* QUOTA \"\" (STORAGE 10 512 MESSAGE 3 100)\r\n", "* QUOTA \"User quota\" ()\r\n",
        "* QUOTAROOT INBOX \"\" \"Shared quota\"\r\n",
        "* ACL INBOX u1 lrswi anyone \"\"\r\n", "* MYRIGHTS INBOX lrswipkxtecda\r\n",
        "* METADATA \"INBOX\" (/private/comment \"My own comment\" /shared/x NIL /private/y ~{3}\r\n\0)\0)\r\n",
        "* METADATA \"\" /shared/comment\r\n",
        "* OK Still here {5}\r\n", "* NO [ALERT] disk {2} almost full\r\n", "* BAD what?\r\n",
        "* XYZZY (something \"new\" {2}\r\n)( 5)\r\n", "* 7 XYZZY\r\n",
        "+ \r\n", "+ Ready for literal data {3}\r\n", "+\r\n",
        "F2 NO [OVERQUOTA] Quota exceeded (mailbox for user is full)\r\n",
        "F3 OK [APPENDUID 38505 3955:3957] APPEND completed\r\n",
        "F4 OK [COPYUID 38505 304,319:320 3956:3958] Done\r\n", "F5 OK [MODIFIED 7,9] Conditional STORE failed\r\n",
        "F6 BAD Error in IMAP command FOO: Unknown command (0.001 + 0.000 secs).\r\n",
        "F7 NO [TRYCREATE broken\r\n", "F8 OK [] odd\r\n", "F9 NO [X [nested] text] rest\r\n",
        "\r\n", "* BYE [UNAVAILABLE] Too busy\r\n",
    ]

    /// The same for ManageSieve, as Dovecot and Cyrus send it and as RFC 5804 shows it.
    static let sieve: [String] = [
        "\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SASL\" \"PLAIN LOGIN\"\r\n\"VERSION\" \"1.0\"\r\n",
        "\"SIEVE\" \"fileinto \\\"x\\\" \\\\\"\r\n", "\"STARTTLS\"\r\n", "{5}\r\na\r\n\"b ACTIVE\r\n",
        "OK (TAG {3}\r\nabc) \"Done.\"\r\n", "no (QUOTA/MAXSIZE) {3+}\r\n(\")\r\n", "\r\n",
        "NO (NONEXISTENT) \"There is no script by that name\"\r\n", "BYE (TRYLATER) \"come back\"\r\n",
        "OK (SASL \"cnNwYXV0aD0=\") \"in\"\r\n", "OK (WARNINGS) {12}\r\nline 8: odd!\r\n", "{0}\r\n\r\n",
    ]

    static let whole: [UInt8] = responses.flatMap { Array($0.utf8) }

    /// What a reader said, with the pieces of each body joined, and the error it ended with.
    struct Reading: Hashable {
        var events: [WireEvent] = []
        var failure: String?

        mutating func add(_ event: WireEvent) {
            if case .bytes(let more) = event, case .bytes(var bytes)? = events.last {
                bytes.writeImmutableBuffer(more)
                events[events.count - 1] = .bytes(bytes)
            } else {
                events.append(event)
            }
        }
    }

    /// Feeds the bytes cut at the places given.
    static func read(
        _ bytes: [UInt8], cutAt cuts: [Int], limits: WireLimits = WireLimits()
    ) -> Reading {
        var reader = ResponseReader(limits: limits)
        var reading = Reading()
        var start = 0
        for end in cuts.map({ min($0, bytes.count) }) + [bytes.count] {
            reader.feed(ByteBuffer(bytes: bytes[start..<end]))
            start = end
            do throws(WireError) {
                while let event = try reader.next() { reading.add(event) }
            } catch {
                reading.failure =
                    switch error {
                    case .tooLong: "too long"
                    case .tooDeep: "too deep"
                    case .malformed(let expected, _): expected
                    }
                return reading
            }
        }
        return reading
    }
}
