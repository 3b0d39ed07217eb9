import FerryFormats
import Testing

@Suite struct ContentMeaningTests {
    private static let event = """
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//one//EN
        BEGIN:VEVENT
        UID:1@x
        DTSTART;VALUE=DATE-TIME:20240101T100000Z
        SUMMARY:Tea, and cake\\; all
        ATTENDEE;CN="A, B";PARTSTAT=ACCEPTED:mailto:a@b
        CATEGORIES:One,Two\\, three
        RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=20
        GEO:52.5;-13
        BEGIN:VALARM
        TRIGGER:-PT5M
        UID:alarm
        END:VALARM
        END:VEVENT
        END:VCALENDAR
        """

    private func bytes(_ text: String) -> [UInt8] { Array(text.replacing("\n", with: "\r\n").utf8) }

    private func same(_ one: String, _ other: String) -> Bool {
        ContentMeaning.digest(of: bytes(one)) == ContentMeaning.digest(of: bytes(other))
    }

    /// What is replaced in the event, and by what, without changing what it says.
    @Test(arguments: [
        ("PRODID:-//one//EN", "PRODID:-//other//EN"), (";VALUE=DATE-TIME", ""),
        ("Tea, and cake\\; all", "Tea\\, and cake; all"), ("UID:1@x\n", "uid:1@x\n"),
        ("CN=\"A, B\";PARTSTAT=ACCEPTED", "PARTSTAT=ACCEPTED;SCHEDULE-STATUS=1.1;CN=\"A, B\""),
        ("CATEGORIES:One,Two\\, three", "CATEGORIES:Two\\, three\nCATEGORIES:One"), ("Tea, and", "Tea\n , and"),
        ("TRIGGER:-PT5M\nUID:alarm", "UID:alarm\nTRIGGER:-PT5M"),
        ("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=20", "COUNT=20;FREQ=WEEKLY;BYDAY=MO,WE"),
        ("GEO:52.5;-13", "GEO:52.500000;-13.000000"),
    ])
    func `is the same however it is written`(here: String, there: String) {
        #expect(Self.event.contains(here))
        #expect(same(Self.event, Self.event.replacing(here, with: there)))
        #expect(
            ContentMeaning.digest(of: Array(Self.event.utf8)) == ContentMeaning.digest(of: bytes(Self.event)),
            "line ends")
    }

    @Test(arguments: [
        ("UID:1@x", "UID:2@x"), ("CN=\"A, B\";", ""), ("One,Two\\, three", "One,Two,three"), ("Tea, and", "Tea"),
        ("TRIGGER:-PT5M\n", ""), ("SUMMARY:", "DESCRIPTION:"), ("BEGIN:VALARM\n", ""), ("-PT5M", "PT5M"),
        ("COUNT=20", "COUNT=2"), ("52.5;-13", "52;-13"), ("52.5;-13", "52.5;13"),
    ])
    func `is another when something is lost or changed`(here: String, there: String) {
        #expect(Self.event.contains(here))
        #expect(!same(Self.event, Self.event.replacing(here, with: there)))
    }

    @Test func `of a contact does not depend on the spelling of types and empty parts`() {
        let card = "BEGIN:VCARD\nVERSION:3.0\nN:Okafor;Ada;;;\nitem1.EMAIL;TYPE=INTERNET;TYPE=home:a@b\nEND:VCARD\n"
        #expect(same(card, card.replacing("TYPE=INTERNET;TYPE=home", with: "type=HOME,internet")))
        #expect(same(card, card.replacing("Ada;;;", with: "Ada")))
        #expect(!same(card, card.replacing("item1.", with: "item2.")))
        #expect(!same(card, card.replacing("Okafor;Ada", with: "Okafor\\;Ada")))
    }

    @Test func `knows the UID of the object and not of its alarms`() {
        #expect(ContentMeaning.uid(of: bytes(Self.event)) == "1@x")
        #expect(ContentMeaning.component(of: bytes(Self.event)) == "VEVENT")
        #expect(ContentMeaning.uid(of: bytes("BEGIN:VCALENDAR\nEND:VCALENDAR")) == nil)
        #expect(ContentMeaning.component(of: []) == nil)
    }

    @Test func `can be taken of anything`() {
        var generator = SeededGenerator(seed: 11)
        let words = ["BEGIN:VEVENT", "END:VEVENT", "\r\n", "\n ", ":", ";", "\"", "\\", ",", "=", "N", "é", "\u{0}"]
        for _ in 0..<500 {
            let text = (0..<40).map { _ in words.randomElement(using: &generator) ?? "" }.joined()
            _ = ContentMeaning.digest(of: Array(text.utf8))
            _ = ContentMeaning.uid(of: Array(text.utf8))
            _ = ContentMeaning.component(of: Array(text.utf8))
        }
    }
}
