import FerryCore
import FerryFormats
import FerryTestKit
import NIOCore
import Testing

@testable import FerryDAV

/// What outside bytes can do: nothing but end in a value or an error, soon. `script/fuzz-dav` runs each for a long time.
@Suite(.timeLimit(.minutes(30))) struct DAVNoiseTests {
    // MARK: multistatus

    private static let markup = [
        "<", ">", "/>", "</D:response>", "<D:response>", "<D:href>/a/b</D:href>", "<D:propstat>", "<D:prop>",
        "</D:prop>",
        "<D:status>HTTP/1.1 507 No</D:status>", "<D:sync-token>x</D:sync-token>", "&amp;", "&#0;", "&#x10FFFF;", "&lt",
        "<![CDATA[", "]]>", "<!--", "-->", "<?xml version=\"1.0\"?>", "<!DOCTYPE a [<!ENTITY b 'c'>]>", "%2F", "%C3",
        "..",
        " xmlns:D=\"X:\"", "<D:error><D:valid-sync-token/></D:error>", "\0", "\u{FF}", "<a><a><a><a><a><a><a><a>", "\"",
        "'",
    ]

    private static let refusal =
        #"<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict><D:href>/a/b.ics</D:href>"#
        + "</C:no-uid-conflict></D:error>"

    private struct Reading: Equatable {
        var responses: [DAVResponse] = []
        var token: String?
        var isBroken = false
    }

    private static func read(_ bytes: [UInt8], cutAt cuts: [Int]) -> Reading {
        let parser = MultistatusParser(limits: MultistatusParser.Limits(text: 2_000, elements: 40))
        var reading = Reading()
        var start = 0
        do throws(XMLFailure) {
            for end in cuts + [bytes.count] {
                reading.responses += try parser.feed(ByteBuffer(bytes: bytes[start..<end]))
                start = end
            }
            try parser.finish()
            reading.token = parser.syncToken
        } catch {
            // How much came before the failure depends on the pieces.
            return Reading(isBroken: true)
        }
        return reading
    }

    @Test func `the reader of a multistatus survives noise, and reads it the same in pieces`() throws {
        var corpus = try NoiseCorpus("multistatus", samples: [`A multistatus`.apache, Self.refusal])
        corpus.recall { Self.signs(of: Self.read($0, cutAt: [])) }
        var rounds = NoiseRounds(2_000)
        var whole = 0
        while let seed = rounds.next() {
            var random = SeededRandom(seed: seed)
            // Several documents after one another are none; most rounds want one that begins well.
            let samples =
                Int.random(in: 0..<4, using: &random) == 0
                ? corpus.inputs : [corpus.inputs.randomElement(using: &random) ?? []]
            var bytes =
                samples.count == 1
                ? Self.changed(samples[0], &random) : Fuzz.mutated(samples, with: Self.markup, &random)
            if bytes.isEmpty { bytes = [0x3C] }
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let reading = Self.read(bytes, cutAt: [])
            #expect(
                reading == Self.read(bytes, cutAt: cuts),
                "\(String(decoding: bytes, as: UTF8.self).debugDescription) cut at \(cuts)")
            for response in reading.responses {
                #expect(response.properties.count + response.conditions.count <= 40)
                guard let path = try? DAVPath(href: response.href) else { continue }
                #expect((try? DAVPath(href: path.encoded(isCollection: false))) == path)
                _ = FoundObject.tag(response)
                _ = FileEntry(response, name: path.names.last ?? "")
                for kind in [CollectionKind.calendars, .addressBooks] { _ = FoundCollection(response, at: path, kind) }
            }
            let refusal = ConditionReader.refusal(in: ByteBuffer(bytes: bytes))
            #expect(refusal.conditions.count <= 32)
            if !reading.isBroken { whole += 1 }
            corpus.learn(bytes, Self.signs(of: reading))
        }
        try corpus.keep()
        print(
            "noise: multistatus, seed \(RunSeed.value), \(rounds.done) rounds, \(whole) readable, \(corpus.inputs.count) inputs"
        )
    }

    /// One document with a few changes, each within it, so that many stay readable.
    private static func changed(_ sample: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var bytes = sample
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let start = Int.random(in: 0...bytes.count, using: &random)
            if Bool.random(using: &random) {
                bytes.insert(contentsOf: (markup.randomElement(using: &random) ?? "").utf8, at: start)
            } else if start < bytes.count {
                bytes[start] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
        }
        return bytes
    }

    private static func signs(of reading: Reading) -> [String] {
        if reading.isBroken { return ["broken"] }
        return reading.responses.prefix(4).map { response in
            "\(response.status ?? 0) \(response.conditions.count) \(response.properties.map { "\($0.status)\($0.children.count)" })"
        } + ["\(min(reading.responses.count, 5)) \(reading.token == nil)"]
    }

    // MARK: objects

    private static let people: AddressBook = {
        var book = AddressBook()
        for number in 1...2 { book.map(StaticDirectory.sourcePerson(number), to: StaticDirectory.targetPerson(number)) }
        return book
    }()
    private static let links = [(old: "https://meet.north.example/", new: "https://meet.south.example/")]

    private static let lines = [
        "BEGIN:VEVENT\r\n", "END:VEVENT\r\n", "BEGIN:VCALENDAR\r\n", "END:VCALENDAR\r\n", "BEGIN:VALARM\r\n",
        "UID:a@b\r\n",
        "BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\n", "\r\n ", "\n\t", "\r", ";", ":", ",", "\"", "\\", "\\n",
        "\\,",
        "ORGANIZER;CN=A:mailto:person1@north.example\r\n",
        "ATTENDEE;PARTSTAT=ACCEPTED;SENT-BY=\"mailto:person2@north.example\":",
        "mailto:person1@north.example", "SEQUENCE:99999999999999999999\r\n", "SEQUENCE:-1\r\n",
        "RECURRENCE-ID:20240101T000000Z\r\n",
        "RRULE:FREQ=DAILY\r\n", "X-A;B=\"c;d:e\":f\r\n", "https://meet.north.example/j/1?p=2", "é", "\u{FF}", "\0", "🚢",
        "BEGIN:VCARD\r\n", "END:VCARD\r\n", "VERSION:4.0\r\n", "item1.EMAIL;TYPE=a,b:person1@north.example\r\n",
        "PHOTO:data:image/png;base64,AAAA\r\n", "MEMBER:mailto:person2@north.example\r\n", "N:;;;;\r\n",
    ]

    private static let calendar = """
        BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ferry//Test//EN\r\nBEGIN:VEVENT\r\nUID:item-1\r\nSEQUENCE:2\r
        DTSTAMP:20240101T000000Z\r\nDTSTART:20240101T100000Z\r\nDURATION:PT1H\r\nSUMMARY:Eins\\, zwei; drei\r
        ORGANIZER;CN="One, Person":mailto:person1@north.example\r
        ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-TO="mailto:person2@north.example":MAILTO:Per\r\n son1@north.example\r
        X-MEETING:https://meet.north.example/j/1\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n
        """
    private static let card = """
        BEGIN:VCARD\r\nVERSION:4.0\r\nUID:card-1\r\nFN:Person\r\nN:Person;;;;\r\nitem1.EMAIL;TYPE=work:person1@north.example\r
        NOTE:Eins, zwei\\nDrei\r\nPHOTO:data:image/png;base64,AAAA\r\nMEMBER:mailto:person2@north.example\r\nEND:VCARD\r\n
        """

    @Test func `whatever reads and rewrites iCalendar survives noise`() throws {
        try Self.rewrite("calendar", Self.calendar, .calendars) { bytes in
            let meeting = CalendarRewriting.meeting(bytes, addresses: Self.people, joinLinks: Self.links)
            // Once rewritten, nobody of the source is left to be rewritten.
            let again = CalendarRewriting.rewrite(meeting, addresses: Self.people)
            #expect(again == meeting)
            _ = CalendarRewriting.isMeeting(organizedBy: ["person1@north.example"], bytes)
            _ = ContentMeaning.component(of: bytes)
            return [CalendarRewriting.rewrite(bytes, addresses: Self.people), meeting]
        }
    }

    @Test func `whatever reads and rewrites vCards survives noise`() throws {
        try Self.rewrite("card", Self.card, .addressBooks) { bytes in
            [ContactRewriting.rewrite(bytes, addresses: Self.people)]
        }
    }

    /// - Parameter body: gives what rewriting makes of some bytes.
    private static func rewrite(
        _ name: String, _ sample: String, _ kind: CollectionKind, _ body: ([UInt8]) -> [[UInt8]]
    ) throws {
        var corpus = try NoiseCorpus(name, samples: [sample])
        corpus.recall { signs(of: $0, body($0), kind) }
        var rounds = NoiseRounds(2_000)
        var bundled = 0
        while let seed = rounds.next() {
            var random = SeededRandom(seed: seed)
            let bytes = Fuzz.mutated(corpus.inputs, with: lines, &random)
            let shown = String(decoding: bytes, as: UTF8.self).debugDescription
            let rewritten = body(bytes)
            #expect(rewritten.allSatisfy { $0.count < 3 * bytes.count + 1_000 }, "\(shown) grows")
            let repaired = TextEscaping.repair(bytes)
            #expect(TextEscaping.repair(repaired) == repaired, "\(shown) is repaired twice")
            #expect(ContentMeaning.digest(of: bytes) == ContentMeaning.digest(of: bytes))
            if let uid = ContentMeaning.uid(of: bytes) {
                var bundle = ObjectBundle(kind)
                if bundle.add(bytes, named: uid + kind.suffix, at: 0) {
                    bundled += 1
                    #expect(
                        ContentMeaning.uid(of: Array(bundle.document.readableBytesView)) == uid,
                        "\(shown) changes its UID")
                }
            }
            corpus.learn(bytes, signs(of: bytes, rewritten, kind))
        }
        try corpus.keep()
        print(
            "noise: \(name), seed \(RunSeed.value), \(rounds.done) rounds, \(bundled) bundled, \(corpus.inputs.count) inputs"
        )
    }

    private static func signs(of bytes: [UInt8], _ rewritten: [[UInt8]], _ kind: CollectionKind) -> [String] {
        var bundle = ObjectBundle(kind)
        let uid = ContentMeaning.uid(of: bytes)
        let isSimple = bundle.add(bytes, named: (uid ?? "") + kind.suffix, at: 0)
        return rewritten.enumerated().map { "\($0) \(($1.count - bytes.count) / 8)" }
            + ["\(uid == nil) \(isSimple) \((TextEscaping.repair(bytes).count - bytes.count) / 4)"]
    }
}
