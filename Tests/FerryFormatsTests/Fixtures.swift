import FerryCore

/// Text with CRLF line ends.
func crlf(_ text: String) -> [UInt8] { text.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] } }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

extension AddressBook {
    /// Ada and Grace of Contoso become people of Fabrikam, by mail and by chat handle.
    static let fixture: AddressBook = {
        func person(_ low: UInt64, _ mail: String, _ aliases: [String] = []) -> Person {
            Person(
                id: PersonID(GUID(high: 0, low: low)), userPrincipalName: mail, displayName: mail, mail: mail,
                aliases: aliases)
        }
        var book = AddressBook()
        book.map(
            person(1, "ada@contoso.example", ["countess@contoso.example"]), to: person(2, "ada.l@fabrikam.example"))
        book.map(person(3, "grace@contoso.example"), to: person(4, "grace@fabrikam.example"))
        book.map(handle: "@ada:contoso.example", to: "@ada.l:fabrikam.example", displayName: "Ada")
        book.map(handle: "@grace:contoso.example", to: "@grace:fabrikam.example", displayName: "Grace")
        return book
    }()

    /// Somebody who is in no fixture.
    static let stranger: AddressBook = {
        var book = AddressBook()
        book.map(handle: "nobody@nowhere.example", to: "somebody@else.example", displayName: "Nobody")
        book.map(handle: "@nobody:nowhere.example", to: "@somebody:else.example", displayName: "Nobody")
        return book
    }()
}

enum Fixture {
    static let series = crlf(
        """
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//Example//EN
        X-WR-CALNAME:Work
        BEGIN:VEVENT
        UID:1@contoso.example
        DTSTAMP:20240501T100000Z
        DTSTART:20240502T100000Z
        RRULE:FREQ=WEEKLY
        SEQUENCE:4
        SUMMARY:Planning with ada@contoso.example
        ORGANIZER;CN="Lovelace, Ada";SENT-BY="mailto:grace@contoso.example":MAILTO:Ada@Contoso.example
        ATTENDEE;PARTSTAT=ACCEPTED;CN=Grace;EMAIL=grace@contoso.example;MEMBER="mailto:x@y
         .example","mailto:countess@contoso.example":mailto:grace@contoso.example
        ATTENDEE;PARTSTAT=TENTATIVE:mailto:guest@elsewhere.example
        LOCATION:Room 4 / https://meet.contoso.example/abc\\, upstairs
        CONFERENCE;VALUE=URI;FEATURE=AUDIO:https://meet.contoso.example/abc
        X-JOIN:https://meet.contoso.example/abc
        DESCRIPTION:See https://meet.contoso.example/abc
        BEGIN:VALARM
        ACTION:EMAIL
        ATTENDEE:mailto:ada@contoso.example
        TRIGGER:-PT15M
        END:VALARM
        END:VEVENT
        BEGIN:VEVENT
        UID:1@contoso.example
        RECURRENCE-ID:20240509T100000Z
        DTSTAMP:20240501T100000Z
        DTSTART:20240509T110000Z
        ORGANIZER:mailto:ada@contoso.example
        END:VEVENT
        END:VCALENDAR

        """)

    static let contact4 = crlf(
        """
        BEGIN:VCARD
        VERSION:4.0
        FN:Ada Lovelace
        EMAIL;TYPE=work;PREF=1:ada@contoso.example
        item1.EMAIL:Countess@Contoso.example
        item1.X-ABLabel:_$!<Other>!$_
        RELATED;TYPE=friend:mailto:grace@contoso.example
        RELATED;TYPE=contact:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6
        MEMBER:mailto:grace@contoso.example
        NOTE:write to ada@contoso.example
        END:VCARD

        """)

    static let contact3 = Array(
        "BEGIN:VCARD\nVERSION:3.0\nN:Hopper;Grace\nemail;internet;pref:grace@contoso.example\nEND:VCARD\n".utf8)

    static let event = Array(
        #"""
        {"type": "m.room.message",  "sender":"@Ada:contoso.example","origin_server_ts":1.0e3, "event_id":"$1",
        "content":{"body":"@ada:contoso.example hi","m.mentions":{"user_ids":["@grace:contoso.example","@x:y"]},
        "url":"mxc://contoso.example/abc_-1","info":{"thumbnail_url":"mxc://contoso.example/../x"}}}
        """#.utf8)
}
