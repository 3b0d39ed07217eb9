import FerryConnector
import FerryCore
import FerryTestKit
import Foundation
import Testing

@testable import FerryDAV

@Suite struct `A WebDAV tree` {
    @Test(arguments: ConnectorConformance.checks)
    func `on Apache passes as a connector`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(try await DAVFixture(.apache))
    }

    @Test(arguments: ConnectorConformance.checks)
    func `on rclone passes as a connector`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(try await DAVFixture(.rclone))
    }
}

/// A person who has a folder, one who gets one, and one whose files are to stay as they are.
final class DAVFixture: ConnectorFixture {
    private static let old = Instant(seconds: 1_600_000_000)

    private let owner: FileServer
    private let reader: FileServer
    private let bystander: FileServer
    let source: any Connector
    let home = Container(name: "files", path: [], details: .fileTree)
    let oddContainers: [Container] = []
    let canUpdate = false
    let takesAnyName = true

    init(_ kind: FileServer.Kind) async throws {
        owner = try await .person(kind)
        reader = try await .person(kind)
        bystander = try await .person(kind)
        source = owner.connector
        try owner.makeFolder("")
        try bystander.put("kept", [1, 2, 3])
        try await owner.refresh()
    }

    var target: any Connector { source }
    var targetReader: any Connector { source }
    var sourceAccount: Account { owner.account() }
    var targetAccount: Account { reader.account() }
    var strangerAccount: Account { owner.account("stranger") }

    func kept(_ metadata: ItemMetadata) -> ItemMetadata {
        guard case .file(var file) = metadata else { return metadata }
        file.modified = Self.old
        if owner.kind == .rclone { file.isExecutable = false }
        return .file(file)
    }

    func item(_ number: Int, bytes: Int) -> SeedItem {
        let body = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
        let folder = ["", "Docs/", "Docs/Größe 日本 #&%/", "z/y/x/"][number % 4]
        return SeedItem(
            name: "\(folder)file \(number).bin", body: body,
            metadata: .file(
                FileMetadata(
                    modified: Self.old + .seconds(number),
                    isExecutable: owner.kind == .apache && number.isMultiple(of: 3))))
    }

    func put(_ items: [SeedItem]) async throws {
        for item in items {
            guard case .file(let metadata) = item.metadata else { continue }
            try owner.put(item.name, item.body, modified: metadata.modified, isExecutable: metadata.isExecutable)
        }
        try await owner.refresh()
    }

    func delete(_ item: SeedItem) async throws {
        try FileManager.default.removeItem(atPath: "\(owner.folder)/\(item.name)")
        try await owner.refresh()
    }

    /// Both servers' tags have finer times than any test could hit twice.
    func settle() async throws {}

    func isOutsideUntouched() async throws -> Bool {
        let escaped = ["escape", "../escape"].contains { name in
            FileManager.default.fileExists(atPath: "\(owner.process.directory)/files/\(name)")
        }
        return bystander.tree == ["kept"] && bystander.content("kept") == [1, 2, 3] && !escaped
    }
}
