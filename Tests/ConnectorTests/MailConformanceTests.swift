import FerryConnector
import FerryCore
import FerryTestKit
import Foundation
import Testing

@Suite struct `A Maildir` {
    @Test(arguments: ConnectorConformance.checks)
    func `passes as a connector`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(try MailFixture())
    }
}

struct MailFixture: ConnectorFixture {
    private static let letters: [(Character, MessageMetadata.Flags)] = [
        ("D", .draft), ("F", .flagged), ("P", .forwarded), ("R", .answered), ("S", .seen), ("T", .deleted),
    ]
    private static let keywords = ["$Junk", "Later", "Straße"]

    let tenant: FolderTenant
    let home = Container(name: "INBOX", path: ["INBOX"], details: .mailFolder(isSubscribed: true))
    let canUpdate = true
    let takesAnyName = true

    init() throws {
        tenant = try FolderTenant(.mail)
        for part in ["cur", "new", "tmp"] { try tenant.folder.makeDirectory("source/ada/" + part) }
        let lines = Self.keywords.enumerated().map { "\($0) \($1)\n" }.joined()
        try tenant.folder.write(lines, "source/ada/dovecot-keywords")
        try tenant.folder.write("INBOX\n", "source/ada/subscriptions")
    }

    var source: any Connector { tenant.source }
    var target: any Connector { tenant.target }
    var targetReader: any Connector { tenant.target }
    var sourceAccount: Account { tenant.account }
    var targetAccount: Account { tenant.account }
    var strangerAccount: Account { FolderTenant.account("nobody") }

    var oddContainers: [Container] {
        [
            ["Projects"], ["Projects", "2024"], ["Übung", "日本 語", "🚢"], ["a.b/c"], ["..", ".."], ["nul\u{0}", "x"],
            ["&", "-"], ["&AC4-"], ["inbox", "x"], ["INBOX", "Sub"], ["forward"], ["cur"], ["ferry-tmp", "x"],
            ["~", "*"],
        ].map { Container(name: $0.joined(separator: "/"), path: $0, details: .mailFolder(isSubscribed: false)) }
    }

    func item(_ number: Int, bytes: Int) -> SeedItem {
        let flags = MessageMetadata.Flags(rawValue: UInt8(number % 64))
        let keywords = Self.keywords.enumerated().filter { number >> $0.offset & 1 == 1 }.map(\.element).sorted()
        var body = Array("Subject: \(number)\r\n\r\n".utf8)
        let filling = Array(repeatElement("NOTE:Filling of number \(number).\r\n".utf8, count: 40).joined())
        while body.count < bytes { body += filling.prefix(bytes - body.count) }
        return SeedItem(
            name: "\(1_700_000_000 + number).M\(number)P1.host", body: bytes == 0 ? [] : body,
            metadata: .message(
                MessageMetadata(
                    flags: flags, keywords: keywords, internalDate: Instant(seconds: 1_600_000_000 + Int64(number)))))
    }

    func put(_ items: [SeedItem]) async throws {
        let present = Set(try tenant.folder.names("source/ada/cur").map { $0.prefix { $0 != ":" } })
        for item in items {
            guard case .message(let message) = item.metadata else { throw ConformanceFailure("Not a message.") }
            if present.contains(item.name[...]) { try await delete(item) }
            let flags = String(Self.letters.filter { message.flags.contains($0.1) }.map(\.0))
            let keywords = Self.keywords.enumerated().filter { message.keywords.contains($0.element) }
                .map { String(UnicodeScalar(UInt8(97 + $0.offset))) }.joined()
            let file = "source/ada/cur/\(item.name):2,\(flags)\(keywords)"
            try tenant.folder.write(item.body, file)
            tenant.folder.setModified(Int(message.internalDate.seconds), file)
        }
    }

    func delete(_ item: SeedItem) async throws {
        for name in try tenant.folder.names("source/ada/cur") where name.hasPrefix(item.name + ":") {
            try tenant.folder.remove("source/ada/cur/" + name)
        }
    }

    func settle() async throws {
        for part in ["cur", "new"] { tenant.folder.setModified(1_500_000_000, "source/ada/" + part) }
        tenant.folder.setModified(1_500_000_000, "source/ada/dovecot-keywords")
    }

    func isOutsideUntouched() async throws -> Bool { try tenant.isOutsideUntouched() }
}
