import FerryConnector
import FerryCore
import FerryFormats
import FerryTestKit
import Foundation
import Testing

@testable import FerryDAV

@Suite struct `Calendars and address books` {
    @Test(arguments: CollectionServer.Kind.allCases, ConnectorConformance.checks)
    func `of CalDAV pass as a connector`(
        _ kind: CollectionServer.Kind, _ check: ConnectorConformance.Check
    ) async throws {
        try await Self.run(check, kind, .calendars)
    }

    @Test(arguments: CollectionServer.Kind.allCases, ConnectorConformance.checks)
    func `of CardDAV pass as a connector`(
        _ kind: CollectionServer.Kind, _ check: ConnectorConformance.Check
    ) async throws {
        try await Self.run(check, kind, .addressBooks)
    }

    private static func run(
        _ check: ConnectorConformance.Check, _ kind: CollectionServer.Kind, _ what: CollectionKind
    ) async throws {
        if kind == .radicale, check.description.contains("large item") {
            try Test.cancel("Radicale needs minutes to read an object of six mebibytes, and serves nobody meanwhile.")
        }
        try await check.run(try await CollectionFixture(kind, what))
    }
}

/// A person who has a collection, one who gets one, and one whose objects are to stay as they are.
final class CollectionFixture: ConnectorFixture {
    private let owner: CollectionServer
    private let reader: CollectionServer
    private let bystander: CollectionServer
    private let what: CollectionKind
    let home: Container
    let canUpdate = false
    let tellsChanges = true
    /// Servers read what they are given, and one object is one UID.
    let takesAnyName = false

    init(_ kind: CollectionServer.Kind, _ what: CollectionKind) async throws {
        self.what = what
        owner = try await .person(kind)
        reader = try await .person(kind)
        bystander = try await .person(kind)
        home = Self.container(["work"], "Work ☂", "#00ff7F", what)
        try await owner.make("work", what, name: "Work ☂", color: "#00ff7F")
        try await bystander.make("work", what, name: "Mine", color: "#000000")
        let kept = item(1, bytes: 100)
        try await bystander.put(kept.name, kept.body, in: "work", what)
    }

    private static func container(
        _ path: [String], _ name: String?, _ color: String?, _ what: CollectionKind
    ) -> Container {
        Container(
            name: path.joined(separator: "/"), path: path,
            details: what == .calendars
                ? .calendar(displayName: name, color: color) : .addressBook(displayName: name, color: color))
    }

    var oddContainers: [Container] {
        [
            (["Übung 日本"], nil), ([".."], "dots & <angles>"), (["a", "b"], "nested"), (["a/b"], nil),
            ([".hidden"], nil), (["nul\u{0}"], nil), (["ferry-x"], nil), ([String(repeating: "x", count: 300)], nil),
        ].map { Self.container($0.0, $0.1, "#123456", what) }
    }

    var source: any Connector { owner.connector(what) }
    /// Radicale writes its own PRODID into events of a whole calendar, and the checks compare every byte.
    var target: any Connector { reader.connector(what, sendsMany: what == .addressBooks) }
    var targetReader: any Connector { reader.connector(what) }
    var sourceAccount: Account { owner.account() }
    var targetAccount: Account { reader.account() }
    var strangerAccount: Account { owner.account("stranger") }

    /// As the server itself writes it, for both rewrite what they are given.
    func item(_ number: Int, bytes: Int) -> SeedItem {
        let filling = String(repeating: "abcdefghij", count: max(0, bytes - 200) / 10)
        let lines: [String]
        switch what {
        case .calendars:
            lines =
                [
                    "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Ferry//Test//EN", "BEGIN:VEVENT", "UID:item-\(number)",
                    "DTSTART:20240101T100000Z", "DTEND:20240101T110000Z",
                ] + folded("DESCRIPTION", filling) + [
                    "DTSTAMP:20240101T000000Z", "SUMMARY:Number \(number)", "END:VEVENT", "END:VCALENDAR",
                ]
        case .addressBooks:
            lines =
                [
                    "BEGIN:VCARD", "VERSION:3.0", "UID:item-\(number)", "FN:Number \(number)", "N:\(number);Number;;;",
                ] + folded("NOTE", filling) + ["END:VCARD"]
        }
        return SeedItem(
            name: "item-\(number)\(what.suffix)", body: Array(lines.map { $0 + "\r\n" }.joined().utf8),
            metadata: what.metadata)
    }

    /// A line as the server folds it.
    private func folded(_ name: String, _ value: String) -> [String] {
        guard !value.isEmpty else { return [] }
        let line = "\(name):\(value)"
        if line.utf8.count <= 75 { return [line] }
        var bytes = Array(line.utf8)[...]
        // libical keeps a word together as long as it can.
        var lines: [String] = []
        var room = owner.kind == .cyrus && what == .calendars ? name.utf8.count + 1 : 75
        while !bytes.isEmpty {
            lines.append((lines.isEmpty ? "" : " ") + String(decoding: bytes.prefix(room), as: UTF8.self))
            bytes = bytes.dropFirst(room)
            room = 74
        }
        return lines
    }

    func changed(_ item: SeedItem) -> SeedItem {
        var item = item
        let text = String(decoding: item.body, as: UTF8.self)
        item.body = Array(
            text.replacing(
                "\(what == .calendars ? "SUMMARY" : "FN"):Number",
                with: "\(what == .calendars ? "SUMMARY" : "FN"):Changed"
            )
            .utf8)
        return item
    }

    func put(_ items: [SeedItem]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { [owner, what] group in
            for (number, item) in items.enumerated() {
                if number >= 8 { try await group.next() }
                group.addTask { try await owner.put(item.name, item.body, in: "work", what) }
            }
            try await group.waitForAll()
        }
    }

    func delete(_ item: SeedItem) async throws { try await owner.delete(item.name, in: "work", what) }

    /// Entity tags are made of contents.
    func settle() async throws {}

    func isOutsideUntouched() async throws -> Bool {
        let kept = item(1, bytes: 100)
        return try await bystander.content(kept.name, in: "work", what) == kept.body
    }
}
