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
