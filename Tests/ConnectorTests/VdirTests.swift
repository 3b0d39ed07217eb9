import FerryConnector
import FerryCore
import FerryFolder
import FerryTestKit
import Foundation
import Testing

@Suite struct `A vdir in detail` {
    let tenant: FolderTenant
    var folder: TemporaryFolder { tenant.folder }

    init() throws {
        tenant = try FolderTenant(.calendar)
        try folder.makeDirectory("source/ada/work")
    }

    @Test func `reads names and colors, and leaves out colors that are none`() async throws {
        try folder.write(" Work plan \n", "source/ada/work/displayname")
        try folder.write("red; background: url(x)", "source/ada/work/color")
        let containers = try await tenant.source.source(for: tenant.account).containers()
        #expect(containers.map(\.details) == [.calendar(displayName: "Work plan", color: nil)])
    }

    @Test func `reports what lies in a collection and is no item`() async throws {
        for name in ["a.ics", "B.ICS", "notes.txt", ".hidden.ics", "a.ics.tmp", "displayname", "color", "order"] {
            try folder.write("x", "source/ada/work/" + name)
        }
        try folder.makeDirectory("source/ada/work/nested.ics")
        symlink("/etc/passwd", folder.path + "/source/ada/work/link.ics")
        let (headers, problems) = try await tenant.listing(["work"])
        #expect(headers.map(\.name) == ["B.ICS", "a.ics"])
        #expect(Set(problems.map(\.name)) == ["nested.ics", "link.ics", "notes.txt"])
        #expect(problems.allSatisfy { $0.error.disposition == .skip })
    }

    @Test func `writes the name and color, and items under names that lead back to their keys`() async throws {
        let session = try await tenant.target.target(for: tenant.account)
        let made = try await session.ensure(
            Container(name: "x", path: ["a/b"], details: .calendar(displayName: nil, color: "#12AbCf")))
        #expect(made.details == .calendar(displayName: "a/b", color: "#12AbCf"))
        let items = ["keep me.ics", "../x.ics", "no suffix"].map {
            SeedItem(name: $0, body: Array($0.utf8), metadata: .calendarObject)
        }
        _ = try await session.write(
            items.map(\.header), bodies: ListBodyReader(items.map { .success($0.body) }), in: made)
        let path = try "target/ada/" + #require(try folder.names("target/ada").first)
        var names = try folder.names(path)
        #expect(names.count == 5 && names.contains("keep me.ics") && names.count { $0.hasPrefix("ferry-") } == 2)
        try await session.remove(items.map { PlacedItem(key: $0.header.key) }, in: made)
        names = try folder.names(path)
        #expect(names == ["color", "displayname"])
    }
}
