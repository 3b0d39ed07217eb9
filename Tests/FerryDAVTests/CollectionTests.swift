import FerryConnector
import FerryCore
import FerryTestKit
import Foundation
import NIOCore
import Testing

@testable import FerryDAV

@Suite struct CollectionTests {
    private static let work = Container(
        name: "work", path: ["work"], details: .calendar(displayName: "Work", color: "#00ff7f"))

    private static func event(_ uid: String, _ summary: String) -> [UInt8] {
        Array(
            """
            BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ferry//Test//EN\r\nBEGIN:VEVENT\r\nUID:\(uid)\r
            DTSTAMP:20240101T000000Z\r\nDTSTART:20240101T100000Z\r\nDURATION:PT1H\r\nSUMMARY:\(summary)\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n
            """.utf8)
    }

    private static func item(_ name: String, _ body: [UInt8]) -> SeedItem {
        SeedItem(name: name, body: body, metadata: .calendarObject)
    }

    /// Writes objects into the person's calendar "work".
    private static func write(_ items: [SeedItem], _ server: CollectionServer) async throws -> [WriteReceipt] {
        let session = try await server.connector(.calendars).target(for: server.account())
        let container = try await session.ensure(work)
        let receipts = try await session.write(
            items.map(\.header), bodies: ListBodyReader(items.map { .success($0.body) }), in: container)
        await session.close()
        return receipts
    }

    @Test(arguments: CollectionServer.Kind.allCases)
    func `The server says where a person's calendars and address books are`(
        _ kind: CollectionServer.Kind
    ) async throws {
        let server = try await CollectionServer.person(kind)
        for what in [CollectionKind.calendars, .addressBooks] {
            try await server.make("found", what, name: "Found", color: "#112233")
            let session = try await server.discovering(what).source(for: server.account())
            #expect(try await session.containers().contains { $0.path == ["found"] }, "\(what)")
            await session.close()
        }
    }

    @Test(arguments: CollectionServer.Kind.allCases)
    func `A collection gets its name and color, and new ones when they change`(
        _ kind: CollectionServer.Kind
    ) async throws {
        let server = try await CollectionServer.person(kind)
        let session = try await server.connector(.calendars).target(for: server.account())
        for (name, color) in [("Müller & <Söhne>", "#00ff7f"), ("Later ☂", "#102030")] {
            let details = ContainerDetails.calendar(displayName: name, color: color)
            let made = try await session.ensure(Container(name: "x", path: ["x"], details: details))
            #expect(made.details == details)
            #expect(made.path == ["x"])
        }
        await session.close()
    }

    private static let berlin = CollectionTraits(
        description: "Größer & <besser>", order: "7",
        timeZone: [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Ferry//Test//EN", "BEGIN:VTIMEZONE", "TZID:Europe/Berlin",
            "BEGIN:STANDARD", "DTSTART:19701025T030000", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
            "TZOFFSETFROM:+0200",
            "TZOFFSETTO:+0100", "END:STANDARD", "BEGIN:DAYLIGHT", "DTSTART:19700329T020000",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "END:DAYLIGHT",
            "END:VTIMEZONE", "END:VCALENDAR", "",
        ].joined(separator: "\r\n"), components: ["VTODO"])

    @Test(arguments: CollectionServer.Kind.allCases)
    func `A calendar gets the description, order, time zone and components of the source`(
        _ kind: CollectionServer.Kind
    ) async throws {
        let server = try await CollectionServer.person(kind)
        let session = try await server.connector(.calendars).target(for: server.account())
        func ensure(_ traits: CollectionTraits) async throws -> CollectionTraits {
            try await session.ensure(
                Container(
                    name: "tasks", path: ["tasks"],
                    details: .calendar(displayName: "Tasks", color: "#112233", traits: traits))
            ).details.traits
        }
        #expect(Self.berlin.missing(in: try await ensure(Self.berlin)) == CollectionTraits())
        var later = Self.berlin
        (later.description, later.order) = ("Später", "-2")
        #expect(later.missing(in: try await ensure(later)) == CollectionTraits())
        await session.close()
        // As a source it says the same again.
        let reader = try await server.connector(.calendars).source(for: server.account())
        let found = try #require(try await reader.containers().first { $0.path == ["tasks"] })
        #expect(later.missing(in: found.details.traits) == CollectionTraits())
        await reader.close()
    }

    @Test(arguments: CollectionServer.Kind.allCases)
    func `An address book gets the description of the source`(_ kind: CollectionServer.Kind) async throws {
        let server = try await CollectionServer.person(kind)
        let session = try await server.connector(.addressBooks).target(for: server.account())
        let traits = CollectionTraits(description: "Freunde ☂")
        for name in ["Friends", "Later"] {
            let made = try await session.ensure(
                Container(
                    name: "friends", path: ["friends"],
                    details: .addressBook(displayName: name, color: nil, traits: traits)))
            #expect(made.details.traits == traits)
        }
        await session.close()
    }

    @Test func `A property that a server refuses does not take the others along, and is known to be missing`()
        async throws
    {
        func multistatus(_ inner: String) -> String {
            let body =
                #"<?xml version="1.0"?><D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">\#(inner)"#
                + "</D:multistatus>"
            return "HTTP/1.1 207 Multi-Status\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body
        }
        func properties(_ inner: String, _ status: String) -> String {
            "<D:propstat><D:prop>\(inner)</D:prop><D:status>HTTP/1.1 \(status)</D:status></D:propstat>"
        }
        func listed(_ inner: String) -> String {
            multistatus(
                "<D:response><D:href>/place/x/</D:href>"
                    + properties("<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>" + inner, "200 OK")
                    + "</D:response>")
        }
        func patched(_ status: String) -> String {
            multistatus("<D:response><D:href>/place/x/</D:href>\(properties("<D:displayname/>", status))</D:response>")
        }
        let kept = "<D:displayname>X</D:displayname><C:calendar-description>About</C:calendar-description>"
        let answers = [
            listed(""), patched("424 Failed Dependency"), patched("200 OK"), patched("200 OK"),
            patched("403 Forbidden"), listed(kept),
        ]
        let wanted = CollectionTraits(description: "About", order: "1")
        let (made, asked) = try await SaidByAServer.play(answers) { session in
            try await DAVObjectTarget(
                session, .calendars, home: DAVPath(["place"]), ServerManners(sendsMany: false)
            ).ensure(
                Container(
                    name: "x", path: ["x"], details: .calendar(displayName: "X", color: nil, traits: wanted)))
        }
        #expect(wanted.missing(in: made.details.traits) == CollectionTraits(order: "1"))
        #expect(asked.count == 6)
    }

    @Test(arguments: CollectionServer.Kind.allCases)
    func `An object that was renamed at the source gets its new name`(_ kind: CollectionServer.Kind) async throws {
        let server = try await CollectionServer.person(kind)
        let body = Self.event("renamed-\(server.number)", "The same")
        _ = try await Self.write([Self.item("before.ics", body)], server)
        let receipts = try await Self.write([Self.item("after.ics", body)], server)
        guard case .written = receipts[0] else {
            Issue.record("\(receipts)")
            return
        }
        #expect(try await server.content("after.ics", in: "work", .calendars) != nil)
        #expect(try await server.content("before.ics", in: "work", .calendars) == nil)
    }

    @Test(arguments: CollectionServer.Kind.allCases)
    func `An object of somebody else with the same UID stays as it is, and ours is skipped`(
        _ kind: CollectionServer.Kind
    ) async throws {
        let server = try await CollectionServer.person(kind)
        let uid = "taken-\(server.number)"
        _ = try await Self.write([Self.item("theirs.ics", Self.event(uid, "Theirs"))], server)
        let receipts = try await Self.write(
            [Self.item("ours.ics", Self.event(uid, "Ours")), Self.item("other.ics", Self.event(uid + "-2", "Other"))],
            server)
        guard case .failure(let error) = receipts[0], case .written = receipts[1] else {
            Issue.record("\(receipts)")
            return
        }
        #expect(error.code == .targetConflict)
        #expect(error.disposition == .skip)
        let theirs = try await server.content("theirs.ics", in: "work", .calendars) ?? []
        #expect(String(decoding: theirs, as: UTF8.self).contains("SUMMARY:Theirs"))
        #expect(try await server.content("ours.ics", in: "work", .calendars) == nil)
    }

    @Test(arguments: CollectionServer.Kind.allCases)
    func `What no calendar can be is skipped with the server's reason`(_ kind: CollectionServer.Kind) async throws {
        let server = try await CollectionServer.person(kind)
        let receipts = try await Self.write(
            [
                Self.item("bad.ics", Array("this is no calendar".utf8)),
                Self.item("good.ics", Self.event("good-\(server.number)", "Good, and whole")),
            ], server)
        guard case .failure(let error) = receipts[0], case .written = receipts[1] else {
            Issue.record("\(receipts)")
            return
        }
        #expect(error.code == .targetItemRefused)
        let good = try await server.content("good.ics", in: "work", .calendars) ?? []
        #expect(String(decoding: good, as: UTF8.self).contains("Good\\, and whole"), "nothing is cut at a comma")
    }

    // MARK: many at once

    private static let many = (0..<40).map { item("many-\($0)@x.ics", event("many-\($0)@x", "Number \($0)")) }
    private static let zoned = Array(
        """
        BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Ferry//Test//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Somewhere\r\nBEGIN:STANDARD\r
        DTSTART:19700101T000000\r\nTZOFFSETFROM:+0130\r\nTZOFFSETTO:+0130\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r
        UID:zoned@x\r\nDTSTAMP:20240101T000000Z\r\nDTSTART;TZID=Somewhere:20240101T100000\r\nDURATION:PT1H\r\nEND:VEVENT\r
        END:VCALENDAR\r\n
        """.utf8)

    @Test(arguments: CollectionServer.Kind.allCases)
    func `A new collection is filled at once where the server takes that, and nothing is lost by it`(
        _ kind: CollectionServer.Kind
    ) async throws {
        let server = try await CollectionServer.person(kind)
        let session = try await server.connector(.calendars).target(for: server.account())
        let container = try await session.ensure(Self.work)
        #expect(session.capabilities.batchItems == (kind == .radicale ? 4_096 : 256))
        let odd = Self.item("odd.ics", Self.event("another@x", "Has not its UID for a name"))
        let items = Self.many + [odd, Self.item("zoned@x.ics", Self.zoned), Self.item("bad.ics", Array("x".utf8))]
        let receipts = try await session.write(
            items.map(\.header), bodies: ListBodyReader(items.map { .success($0.body) }), in: container)
        for (item, receipt) in zip(items.dropLast(), receipts) {
            guard case .written = receipt else {
                Issue.record("\(item.name): \(receipt)")
                continue
            }
        }
        guard case .failure = receipts.last else {
            Issue.record("\(receipts)")
            return
        }
        await session.close()
        let reader = try await server.connector(.calendars).source(for: server.account())
        let listed = try await reader.containers().filter { $0.path == ["work"] }
        #expect(listed.first?.details == Self.work.details)
        var names: [String] = []
        for container in listed { names += try await reader.items(in: container, after: nil).headers.map(\.name) }
        #expect(Set(names) == Set(items.dropLast().map(\.name)))
        #expect(names.count == items.count - 1)
        await reader.close()
        let zoned = try await server.content("zoned@x.ics", in: "work", .calendars) ?? []
        #expect(String(decoding: zoned, as: UTF8.self).contains("TZOFFSETTO:+0130"))
    }

    @Test(arguments: CollectionServer.Kind.allCases)
    func `What somebody puts into a new collection meanwhile stays there`(_ kind: CollectionServer.Kind) async throws {
        let server = try await CollectionServer.person(kind)
        let session = try await server.connector(.calendars).target(for: server.account())
        let container = try await session.ensure(Self.work)
        try await server.put("theirs.ics", Self.event("theirs@x", "Theirs"), in: "work", .calendars)
        let receipts = try await session.write(
            Self.many.map(\.header), bodies: ListBodyReader(Self.many.map { .success($0.body) }), in: container)
        #expect(receipts.allSatisfy { if case .written = $0 { true } else { false } })
        await session.close()
        #expect(try await server.content("theirs.ics", in: "work", .calendars) != nil)
        #expect(try await server.content("many-7@x.ics", in: "work", .calendars) != nil)
    }

    @Test func `Only objects that come out of a bundle as they went in are bundled`() {
        var bundle = ObjectBundle(.calendars)
        func takes(_ text: String, _ name: String = "a.ics") -> Bool {
            bundle.add(Array(text.replacing("\n", with: "\r\n").utf8), named: name, at: 0)
        }
        func object(_ inner: String) -> String { "BEGIN:VCALENDAR\nVERSION:2.0\n\(inner)END:VCALENDAR\n" }
        let plain = "BEGIN:VEVENT\nUID:a\nSUMMARY:x\n y\nEND:VEVENT\n"
        #expect(!takes(object(plain), "b.ics"), "another name")
        #expect(!takes(object("X-WR-CALNAME:c\n" + plain)), "a property of the calendar")
        #expect(!takes(object("PRODID:x\n y\n" + plain)), "a folded one")
        #expect(!takes(object("BEGIN:VTIMEZONE\nTZID:Z\nEND:VTIMEZONE\n" + plain)), "a time zone")
        #expect(!takes(object(plain + "BEGIN:VEVENT\nUID:b\nEND:VEVENT\n")), "two UIDs")
        #expect(!takes(object("BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n")), "no UID")
        #expect(!takes(object("BEGIN:VEVENT\nUID;X=1:a\nEND:VEVENT\n")), "a UID with parameters")
        #expect(!takes(object(plain) + object(plain)), "two objects")
        #expect(!takes("BEGIN:VCALENDAR\n" + plain), "no end")
        #expect(!takes(plain), "no calendar")
        #expect(bundle.places.isEmpty)
        #expect(takes(object(plain + "BEGIN:VEVENT\nUID:a\nRECURRENCE-ID:20240101T000000Z\nEND:VEVENT\n")))
        #expect(!takes(object(plain)), "once only")
        let document = String(decoding: bundle.document.readableBytesView, as: UTF8.self)
        #expect(
            document.hasSuffix(
                "SUMMARY:x\r\n y\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:a\r\nRECURRENCE-ID:20240101T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
            ))
        var cards = ObjectBundle(.addressBooks)
        let isTaken = cards.add(
            Array("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nEND:VCARD\r\n".utf8), named: "c.vcf", at: 1)
        #expect(isTaken)
        #expect(
            String(decoding: cards.document.readableBytesView, as: UTF8.self)
                == "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nEND:VCARD\r\n")
    }

    // MARK: changes

    @Test(arguments: CollectionServer.Kind.allCases)
    func `A token that the server does not know leads to a listing`(_ kind: CollectionServer.Kind) async throws {
        let server = try await CollectionServer.person(kind)
        try await server.make("work", .calendars, name: "Work", color: "#102030")
        let session = try await server.connector(.calendars).source(for: server.account())
        let container = try #require(try await session.containers().first { $0.path == ["work"] })
        for cursor in [Array("\u{2}thttp://radicale.org/ns/sync/nonsense".utf8), Array("\u{2}c17".utf8), [3, 1], []] {
            #expect(try await session.changes(in: container, since: Cursor(cursor), and: []) == nil)
        }
        await session.close()
    }

    @Test func `Changes that come in several answers are put together, and the last word counts`() async throws {
        let head = "HTTP/1.1 207 Multi-Status\r\nContent-Type: application/xml\r\n"
        func answer(_ inner: String) -> String {
            let body = #"<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">\#(inner)</D:multistatus>"#
            return head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
        }
        func member(_ name: String, _ tag: String) -> String {
            "<D:response><D:href>/c/\(name)</D:href><D:propstat><D:prop><D:getetag>\(tag)</D:getetag></D:prop>"
                + "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        }
        func gone(_ name: String) -> String {
            "<D:response><D:href>/c/\(name)</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>"
        }
        let cut = "<D:response><D:href>/c/</D:href><D:status>HTTP/1.1 507 Insufficient Storage</D:status></D:response>"
        let answers = [
            answer(
                member("a.ics", "1") + member("b.ics", "1") + gone("c.ics") + cut + "<D:sync-token>t2</D:sync-token>"),
            answer(gone("a.ics") + member("c.ics", "2") + cut + "<D:sync-token>t3</D:sync-token>"),
            answer(member("b.ics", "9") + gone("d.ics") + "<D:sync-token>t4</D:sync-token>"),
        ]
        let (changes, asked) = try await SaidByAServer.play(answers) { session in
            try await session.changes(in: DAVPath(["c"]), since: "t<1")
        }
        #expect(changes?.listing.objects.map(\.name) == ["b.ics", "c.ics"])
        #expect(changes?.listing.objects.map(\.tag) == ["9", "2"])
        #expect(changes?.gone == ["a.ics", "d.ics"])
        #expect(asked.count == 3)
        #expect(zip(asked, ["t&lt;1", "t2", "t3"]).allSatisfy { $0.contains("<D:sync-token>\($1)</D:sync-token>") })
        // A server that does not get on is not asked forever.
        let stuck = answer(cut + "<D:sync-token>t1</D:sync-token>")
        let (none, _) = try await SaidByAServer.play([stuck]) { try await $0.changes(in: DAVPath(["c"]), since: "t1") }
        #expect(none == nil)
    }

    @Test func `A refusal is read as far as it says something`() {
        let text =
            #"<?xml version="1.0"?><D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">"#
            + "<C:unique-scheduling-object-resource><D:href>/a/b.ics</D:href></C:unique-scheduling-object-resource></D:error>"
        let refusal = ConditionReader.refusal(in: ByteBuffer(string: text))
        #expect(refusal.isUIDConflict)
        #expect(refusal.href == "/a/b.ics")
        #expect(refusal.text == "unique-scheduling-object-resource")
        for other in [
            "", "Bad Request", "<html/>", "<D:error xmlns:D=\"DAV:\">", "<!DOCTYPE x [<!ENTITY y 'z'>]><x>&y;</x>",
        ] {
            let refusal = ConditionReader.refusal(in: ByteBuffer(string: other))
            #expect(!refusal.isUIDConflict && refusal.href == nil)
        }
    }
}
