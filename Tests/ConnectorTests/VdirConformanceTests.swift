import FerryConnector
import FerryCore
import FerryTestKit
import Testing

@Suite struct `A vdir` {
    @Test(arguments: ConnectorConformance.checks)
    func `of calendars passes as a connector`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(try VdirFixture(.calendar))
    }

    @Test(arguments: ConnectorConformance.checks)
    func `of address books passes as a connector`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(try VdirFixture(.contacts))
    }
}

struct VdirFixture: ConnectorFixture {
    let tenant: FolderTenant
    let service: ServiceKind
    let canUpdate = false
    let takesAnyName = true

    init(_ service: ServiceKind) throws {
        self.service = service
        tenant = try FolderTenant(service)
        try tenant.folder.makeDirectory("source/ada/work")
        try tenant.folder.write("Work ☂\n", "source/ada/work/displayname")
        try tenant.folder.write("#00ff7F", "source/ada/work/color")
    }

    var source: any Connector { tenant.source }
    var target: any Connector { tenant.target }
    var targetReader: any Connector { tenant.target }
    var sourceAccount: Account { tenant.account }
    var targetAccount: Account { tenant.account }
    var strangerAccount: Account { FolderTenant.account("nobody") }

    var home: Container { container(["work"], "Work ☂", "#00ff7F") }

    var oddContainers: [Container] {
        [
            container(["Übung 日本 🚢"], nil, nil), container([".."], "dots", nil), container(["a", "b"], nil, "#000000"),
            container(["a/b"], nil, nil), container([".hidden"], nil, nil), container(["nul\u{0}"], nil, nil),
            container(["MOVED"], nil, nil), container(["ferry-x"], nil, nil),
            container([String(repeating: "x", count: 300)], nil, nil),
        ]
    }

    private func container(_ path: [String], _ name: String?, _ color: String?) -> Container {
        Container(
            name: path.joined(separator: "/"), path: path,
            details: service == .calendar
                ? .calendar(displayName: name, color: color) : .addressBook(displayName: name, color: color))
    }

    func item(_ number: Int, bytes: Int) -> SeedItem {
        let isCalendar = service == .calendar
        let kind = isCalendar ? "VCALENDAR" : "VCARD"
        var body = Array("BEGIN:\(kind)\r\nUID:\(number)\r\n".utf8)
        let filling = Array(repeatElement("NOTE:Filling of number \(number).\r\n".utf8, count: 40).joined())
        while body.count < bytes { body += filling.prefix(bytes - body.count) }
        return SeedItem(
            name: "item-\(number).\(isCalendar ? "ics" : "vcf")", body: body + "END:\(kind)\r\n".utf8,
            metadata: isCalendar ? .calendarObject : .contact)
    }

    func put(_ items: [SeedItem]) async throws {
        // In place, as an editor would: the directory's own time does not change.
        for item in items { try tenant.folder.writeInPlace(item.body, "source/ada/work/" + item.name) }
    }

    func delete(_ item: SeedItem) async throws { try tenant.folder.remove("source/ada/work/" + item.name) }

    func settle() async throws { try tenant.folder.age("source/ada/work") }

    func isOutsideUntouched() async throws -> Bool { try tenant.isOutsideUntouched() }
}
