import FerryConnector
import FerryCore
import FerryFolder
import FerrySQLite
import FerryTestKit
import Foundation
import Testing

@testable import FerryIMAP

/// What a dry run says of real stores; none of them is changed by it.
@Suite struct `A dry run` {
    private func withScene(
        _ source: any Connector, _ sourceLogin: String, to target: any Connector, _ targetLogin: String,
        _ body: (ForecastScene) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ferry-forecast-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let clock = VirtualClock()
        let store = try await SQLiteStore.open(path: folder.appending(path: "ferry.sqlite").path) { clock.instant }
        try await body(ForecastScene(from: source, sourceLogin, to: target, targetLogin, store: store))
        await store.close()
    }

    /// A folder tenant's root that goes with the test.
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "ferry-tenant-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        try await body(root)
    }

    private func folder(_ service: ServiceKind, _ root: String) -> FolderConnector {
        FolderConnector(service: service, tenant: "Contoso", root: root, now: { Instant(seconds: 1_700_000_000) })
    }

    private func put(_ content: String, _ path: String) throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(content.utf8).write(to: URL(filePath: path))
    }

    @Test func `of a mailbox for Dovecot tells what is over its quota and its APPENDLIMIT`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(
            .dovecot, ["--quota", "*:storage=300K", "--append-limit", "100000"])
        let small = (0..<5).map { TestMessage("Subject: \($0)\r\n\r\nSmall.\r\n") }
        let middling = (0..<8).map { number in
            TestMessage("Subject: m\(number)\r\n\r\n" + String(repeating: "0123456789abcdef\r\n", count: 4_000))
        }
        let large = TestMessage("Subject: large\r\n\r\n" + String(repeating: "0123456789abcdef\r\n", count: 6_000))
        try await source.acting { _ = try await $0.put(small + middling + [large]) }
        try await withScene(source.connector, source.login, to: target.connector, target.login) { scene in
            let forecast = try await scene.forecast(.mailbox)
            let share = try #require(forecast.shares.first)
            #expect(share.listed.items == 14 && share.due.items == 13 && share.skipped.items == 1)
            #expect(share.skipped.bytes == Int64(large.body.count))
            #expect(forecast.skips.map(\.code) == [.targetItemTooLarge])
            #expect(forecast.places.first?.item == "UID 14" && forecast.places.first?.container == "INBOX")
            #expect(share.roomBytes == 307_200)
            #expect(
                forecast.findings.map(\.reason) == ["overQuota"]
                    && forecast.findings.map(\.code) == [.mailboxProbeFailed])
            #expect(forecast.parallel == 2 && forecast.seconds ?? 0 > 0.1)
        }
        #expect(try await target.acting { try await $0.counts()["INBOX"] } == 0)
    }

    @Test func `of a folder tenant's mail for Dovecot tells which folders would be called otherwise`() async throws {
        let target = try await MailServer.person(.dovecot)
        try await withFolder { root in
            for name in [".", ".a*b", ".50%", ".Plain"] {
                for part in ["cur", "new", "tmp"] { try put("", "\(root)/ada/\(name)/\(part)/.keep") }
                try put("Subject: x\r\n\r\nX\r\n", "\(root)/ada/\(name)/cur/1600000000.M1\(name.count).host:2,S")
            }
            try await withScene(folder(.mail, root), "ada", to: target.connector, target.login) { scene in
                let before = try await target.acting { try await $0.counts() }
                let forecast = try await scene.forecast(.mailbox)
                #expect(forecast.total(\.due).items == 4 && forecast.skips.isEmpty)
                #expect(Set(forecast.renamings.map { "\($0.container) \($0.target)" }) == ["a*b a＊b", "50% 50％"])
                #expect(forecast.renamed == 2)
                #expect(try await target.acting { try await $0.counts() } == before)
            }
        }
    }

    @Test func `of files between folder tenants counts them, and what the ledger knows`() async throws {
        try await withFolder { root in
            try FileManager.default.createDirectory(atPath: "\(root)/target", withIntermediateDirectories: true)
            try put("one", "\(root)/source/ada/docs/one.txt")
            try put("three", "\(root)/source/ada/three.txt")
            try FileManager.default.createSymbolicLink(
                atPath: "\(root)/source/ada/link", withDestinationPath: "three.txt")
            try await withScene(
                folder(.files, root + "/source"), "ada", to: folder(.files, root + "/target"), "ada"
            ) { scene in
                let forecast = try await scene.forecast(.files)
                #expect(forecast.total(\.due) == Forecast.Amount(items: 3, bytes: 8))
                #expect(forecast.total(\.skipped).items == 1 && forecast.places.map(\.item) == ["link"])
                #expect(forecast.shares.first?.roomBytes ?? 0 > 0)
                #expect(try FileManager.default.contentsOfDirectory(atPath: root + "/target").isEmpty)
            }
        }
    }

    @Test func `tells of a folder whose name the target cannot have, with all that is in it`() async throws {
        let tenant = FakeTenant()
        let long = [String(repeating: "x", count: 200), String(repeating: "y", count: 100)]
        let mail = ItemMetadata.message(MessageMetadata(flags: [], internalDate: Instant(seconds: 1)))
        tenant.edit(.init(.mail, "ada")) { holdings in
            for number in 0..<12 { holdings[long].add("m\(number)", Array("Subject: x\r\n\r\n".utf8), mail) }
            holdings[["INBOX"]].add("m", Array("Subject: y\r\n\r\n".utf8), mail)
        }
        try await withFolder { root in
            try await withScene(tenant.connector(.mail), "ada", to: folder(.mail, root), "ada") { scene in
                let forecast = try await scene.forecast(.mailbox)
                #expect(forecast.total(\.due).items == 1 && forecast.total(\.skipped).items == 12)
                #expect(forecast.places.map(\.item) == [""] && forecast.places[0].code == .targetNameRefused)
                #expect(forecast.places[0].container == long.joined(separator: "/"))
                #expect(forecast.verdict(for: .mailbox).grade == .poor)
            }
        }
    }
}
