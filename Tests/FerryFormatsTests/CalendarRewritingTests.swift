import FerryCore
import Testing

@testable import FerryFormats

@Suite struct CalendarRewritingTests {
    @Test func `Mapped people get their new addresses, and nothing else changes`() {
        let changes = [
            (
                "SENT-BY=\"mailto:grace@contoso.example\":MAILTO:Ada@Contoso.example\r\n",
                "SENT-BY=\"mailto:grace@fabrikam.example\":MAILTO\r\n :ada.l@fabrikam.example\r\n"
            ),
            (
                "EMAIL=grace@contoso.example;MEMBER=\"mailto:x@y\r\n .example\",\"mailto:countess@contoso.example\""
                    + ":mailto:grace@contoso.example\r\n",
                "EMAIL=grace@fabrikam.example;MEMBER=\"ma\r\n ilto:x@y.example\",\"mailto:ada.l@fabrikam.example\""
                    + ":mailto:grace@fabrikam.ex\r\n ample\r\n"
            ),
            ("ATTENDEE:mailto:ada@contoso.example\r\n", "ATTENDEE:mailto:ada.l@fabrikam.example\r\n"),
            ("ORGANIZER:mailto:ada@contoso.example\r\n", "ORGANIZER:mailto:ada.l@fabrikam.example\r\n"),
        ]
        var expected = text(Fixture.series)
        for (old, new) in changes { expected = expected.replacing(old, with: new) }
        #expect(text(CalendarRewriting.rewrite(Fixture.series, addresses: .fixture)) == expected)
    }

    @Test(arguments: [Fixture.series, Fixture.contact3, Fixture.contact4, Fixture.event, []])
    func `Objects without mapped people keep every octet`(bytes: [UInt8]) {
        #expect(CalendarRewriting.rewrite(bytes, addresses: AddressBook()) == bytes)
        #expect(CalendarRewriting.rewrite(bytes, addresses: .stranger) == bytes)
        #expect(ContactRewriting.rewrite(bytes, addresses: AddressBook()) == bytes)
        #expect(ContactRewriting.rewrite(bytes, addresses: .stranger) == bytes)
    }

    @Test(arguments: [
        ("ATTENDEE: mailto: ada@contoso.example \n", "ATTENDEE: mailto: ada.l@fabrikam.example \n"),
        ("ATTENDEE:mailto:ada%40contoso.example\n", "ATTENDEE:mailto:ada.l@fabrikam.example\n"),
        ("ATTENDEE:mailto:ada@contoso.example?subject=x\n", "ATTENDEE:mailto:ada.l@fabrikam.example?subject=x\n"),
        ("attendee:ada@contoso.example", "attendee:ada.l@fabrikam.example"),
        (
            "ATTENDEE;DELEGATED-FROM=\"mailto:ada@contoso.example\":mailto:a@b\n",
            "ATTENDEE;DELEGATED-FROM=\"mailto:ada.l@fabrikam.example\":mailto:a@b\n"
        ),
        ("ATTENDEE;EMAIL= ada@contoso.example :urn:x\n", "ATTENDEE;EMAIL= ada.l@fabrikam.example :urn:x\n"),
        ("ATTENDEE;X-OTHER=ada@contoso.example:mailto:a@b\n", "ATTENDEE;X-OTHER=ada@contoso.example:mailto:a@b\n"),
        ("ATTENDEE:mailto:bada@contoso.example\n", "ATTENDEE:mailto:bada@contoso.example\n"),
        ("ATT\n ENDEE:mailto:ada@contoso.example\n", "ATTENDEE:mailto:ada.l@fabrikam.example\n"),
        ("COMMENT:mailto:ada@contoso.example\n", "COMMENT:mailto:ada@contoso.example\n"),
        ("ATTENDEE;CN=\"open:mailto:ada@contoso.example\n", "ATTENDEE;CN=\"open:mailto:ada@contoso.example\n"),
    ])
    func `Addresses are found as programs write them`(old: String, new: String) {
        #expect(text(CalendarRewriting.rewrite(Array(old.utf8), addresses: .fixture)) == new)
    }

    @Test func `An address that would break the line is not written`() {
        for target in ["a\r\nATTENDEE:x@y", "a\"b@c", ""] {
            var book = AddressBook()
            book.map(handle: "a@b", to: target, displayName: "")
            #expect(
                text(CalendarRewriting.rewrite(Array("ATTENDEE;EMAIL=a@b:x\n".utf8), addresses: book))
                    == "ATTENDEE;EMAIL=a@b:x\n")
        }
        var book = AddressBook()
        book.map(handle: "a@b", to: "x;y@z", displayName: "")
        #expect(
            text(CalendarRewriting.rewrite(Array("ATTENDEE;EMAIL=a@b:x\n".utf8), addresses: book))
                == "ATTENDEE;EMAIL=\"x;y@z\":x\n", "quotes where the grammar wants them")
    }

    @Test func `A meeting is raised in every event and its links move`() {
        let links = [(old: "https://meet.contoso.example/", new: "https://meet.fabrikam.example/")]
        let meeting = text(CalendarRewriting.meeting(Fixture.series, addresses: .fixture, joinLinks: links))
        var expected = text(CalendarRewriting.rewrite(Fixture.series, addresses: .fixture))
            .replacing("SEQUENCE:4\r\n", with: "SEQUENCE:5\r\n")
        for property in ["LOCATION:Room 4 / ", "CONFERENCE;VALUE=URI;FEATURE=AUDIO:", "X-JOIN:", "DESCRIPTION:See "] {
            expected = expected.replacing(
                property + "https://meet.contoso.example/", with: property + "https://meet.fabrikam.example/")
        }
        let override = "BEGIN:VEVENT\r\nUID:1@contoso.example\r\nRECURRENCE-ID"
        expected = expected.replacing(
            override, with: "BEGIN:VEVENT\r\nSEQUENCE:1\r\nUID:1@contoso.example\r\nRECURRENCE-ID")
        #expect(meeting == expected)
        #expect(meeting.contains("PARTSTAT=ACCEPTED"))
    }

    @Test(arguments: [
        ("SEQUENCE:0", "SEQUENCE:1"), ("SEQUENCE;X=1: 7 ", "SEQUENCE;X=1: 8 "), ("SEQUENCE:x", "SEQUENCE:x"),
        ("SEQUENCE:2147483647", "SEQUENCE:2147483647"), ("SEQUENCE:99999999999", "SEQUENCE:99999999999"),
    ])
    func `A sequence number is raised where it is one`(old: String, new: String) {
        let object = { (line: String) in Array("BEGIN:VEVENT\n\(line)\nEND:VEVENT\n".utf8) }
        #expect(CalendarRewriting.meeting(object(old), addresses: AddressBook()) == object(new))
    }

    @Test func `The sequence of an alarm or a task is not an event's`() {
        let object = Array(
            "BEGIN:VTODO\nSEQUENCE:1\nEND:VTODO\nBEGIN:VEVENT\nBEGIN:VALARM\nSEQUENCE:3\nEND:VALARM\nEND:VEVENT".utf8)
        #expect(
            text(CalendarRewriting.meeting(object, addresses: AddressBook()))
                == "BEGIN:VTODO\nSEQUENCE:1\nEND:VTODO\nBEGIN:VEVENT\nSEQUENCE:1\nBEGIN:VALARM\nSEQUENCE:3\nEND:VALARM\nEND:VEVENT"
        )
    }

    @Test func `The organizer is the first event's, and makes a meeting together with an attendee`() {
        #expect(CalendarRewriting.organizer(of: Fixture.series) == "ada@contoso.example")
        #expect(CalendarRewriting.isMeeting(organizedBy: ["x@y", "ADA@contoso.example"], Fixture.series))
        #expect(!CalendarRewriting.isMeeting(organizedBy: ["grace@contoso.example"], Fixture.series))
        let alone = Array(
            "BEGIN:VEVENT\nORGANIZER:mailto:a@b\nBEGIN:VALARM\nATTENDEE:mailto:c@d\nEND:VALARM\nEND:VEVENT\n".utf8)
        #expect(CalendarRewriting.organizer(of: alone) == "a@b")
        #expect(!CalendarRewriting.isMeeting(organizedBy: ["a@b"], alone))
        let second = Array("BEGIN:VEVENT\nEND:VEVENT\nBEGIN:VEVENT\nORGANIZER:mailto:a@b\nEND:VEVENT\n".utf8)
        #expect(CalendarRewriting.organizer(of: second) == nil)
        #expect(CalendarRewriting.organizer(of: Fixture.contact4) == nil)
    }

    @Test func `Any bytes are survived, and strangers change none of them`() {
        var mutator = Mutator(
            seed: 77, fixtures: [Fixture.series, Fixture.contact3, Fixture.contact4],
            tokens: [
                "BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "\r\n ", "\"", ";", "mailto:ada@contoso.example", "%4", "\n",
            ])
        let links = [(old: "https://meet.contoso.example/", new: "https://m.example/")]
        for _ in 0..<5_000 {
            let bytes = mutator.next()
            #expect(CalendarRewriting.rewrite(bytes, addresses: .stranger) == bytes)
            #expect(ContactRewriting.rewrite(bytes, addresses: .stranger) == bytes)
            let once = CalendarRewriting.rewrite(bytes, addresses: .fixture)
            #expect(CalendarRewriting.rewrite(once, addresses: .fixture) == once, "nothing is left to map")
            let card = ContactRewriting.rewrite(bytes, addresses: .fixture)
            #expect(ContactRewriting.rewrite(card, addresses: .fixture) == card)
            let meeting = CalendarRewriting.meeting(bytes, addresses: .stranger, joinLinks: links)
            #expect(ContentLines(meeting).reduce(0) { $0 + $1.range.count } == meeting.count)
        }
    }
}

@Suite struct ContactRewritingTests {
    @Test func `Addresses of mapped people change, notes and other relations do not`() {
        let expected = text(Fixture.contact4)
            .replacing("PREF=1:ada@contoso.example", with: "PREF=1:ada.l@fabrikam.example")
            .replacing("item1.EMAIL:Countess@Contoso.example", with: "item1.EMAIL:ada.l@fabrikam.example")
            .replacing("mailto:grace@contoso.example", with: "mailto:grace@fabrikam.example")
        #expect(text(ContactRewriting.rewrite(Fixture.contact4, addresses: .fixture)) == expected)
        #expect(expected.contains("NOTE:write to ada@contoso.example"))
    }

    @Test func `Version 3 with bare words and bare line feeds keeps its ways`() {
        #expect(
            text(ContactRewriting.rewrite(Fixture.contact3, addresses: .fixture))
                == text(Fixture.contact3).replacing("grace@contoso", with: "grace@fabrikam"))
    }
}
