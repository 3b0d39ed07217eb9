import FerryConnector
import FerryCore
import FerryFolder
import FerryTestKit
import Foundation
import Synchronization
import Testing

/// Whether file modes bind this process at all.
private let isRoot = geteuid() == 0

@Suite struct `A folder whose disk makes trouble` {
    @Test(.enabled(if: !isRoot, "Running as root, whom modes do not bind."))
    func `fails the run for a folder that may not be read, and skips a message`() async throws {
        let tenant = try FolderTenant(.mail)
        for part in ["cur", ".A/cur"] { try tenant.folder.makeDirectory("source/ada/" + part) }
        try tenant.folder.write("one", "source/ada/cur/1.a:2,")
        chmod(tenant.folder.path + "/source/ada/cur/1.a:2,", 0)
        chmod(tenant.folder.path + "/source/ada/.A/cur", 0)
        defer { chmod(tenant.folder.path + "/source/ada/.A/cur", 0o700) }
        await #expect { try await tenant.listing(["A"]) } throws: {
            ($0 as? ConnectorError)?.code == .sourceForbidden && ($0 as? ConnectorError)?.disposition == .failRun
        }
        let session = try await tenant.source.source(for: tenant.account)
        let inbox = try await session.containers()[0]
        let headers = try await session.items(in: inbox, after: nil).headers
        let last = try #require(await session.bodies(of: headers, in: inbox).next()?.last)
        guard case .failed(let error) = last else {
            Issue.record("A file without rights was read.")
            return
        }
        #expect(error.code == .sourceForbidden && error.disposition == .skip)
    }

    @Test(.enabled(if: SmallDisk.isPossible, "Mounting a small file system needs root."))
    func `holds the run when the disk is full, and leaves no part of the batch`() async throws {
        let tenant = try FolderTenant(.mail)
        let disk = try SmallDisk(at: tenant.folder.path + "/target", bytes: 1 << 20)
        defer { disk.unmount() }
        let fixture = try MailFixture()
        let items = (0..<30).map { fixture.item($0, bytes: 100_000) }
        let session = try await tenant.target.target(for: tenant.account)
        let inbox = try await session.ensure(fixture.home)
        await #expect {
            try await session.write(
                items.map(\.header), bodies: ListBodyReader(items.map { .success($0.body) }), in: inbox)
        } throws: {
            ($0 as? ConnectorError)?.code == .targetFull && ($0 as? ConnectorError)?.disposition == .hold
        }
        #expect(try tenant.folder.names("target/ada/cur").isEmpty)
        #expect(try tenant.folder.names("target/ada/tmp").isEmpty)
        // Room again: the same session goes on with less.
        let receipts = try await session.write(
            items[..<3].map(\.header), bodies: ListBodyReader(items[..<3].map { .success($0.body) }), in: inbox)
        #expect(receipts.count == 3)
        #expect(try tenant.folder.names("target/ada/cur").count == 3)
    }

    @Test func `shows no message before its whole batch is complete`() async throws {
        let fixture = try MailFixture()
        let folder = fixture.tenant.folder
        let items = (0..<5).map { fixture.item($0, bytes: 1000) }
        let session = try await fixture.target.target(for: fixture.targetAccount)
        let inbox = try await session.ensure(fixture.home)
        let bodies = WatchedBodies(ListBodyReader(items.map { .success($0.body) })) {
            (try? folder.names("target/ada/cur").count) ?? -1
        }
        _ = try await session.write(items.map(\.header), bodies: bodies, in: inbox)
        #expect(bodies.observed.allSatisfy { $0 == 0 })
        #expect(try folder.names("target/ada/cur").count == 5)
        #expect(try folder.names("target/ada/tmp").isEmpty)
    }

    @Test func `probes rights, room and emptiness without changing anything`() async throws {
        let tenant = try FolderTenant(.mail)
        let facts = try await tenant.target.probe(tenant.account, as: .target)
        #expect(!facts.exists && facts.isWritable && facts.isEmpty && (facts.roomBytes ?? 0) > 0)
        #expect(try tenant.folder.names("target").isEmpty)
        try tenant.folder.remove("target")
        let gone = try await tenant.target.probe(tenant.account, as: .target)
        #expect(!gone.exists && !gone.isWritable && gone.remark.contains("cannot be opened"))
        await #expect { try await tenant.target.target(for: tenant.account) } throws: {
            ($0 as? ConnectorError)?.disposition == .hold
        }
    }
}

/// Notes what `look` sees each time more bodies are asked for.
private final class WatchedBodies: BodyReader {
    private let bodies: ListBodyReader
    private let look: @Sendable () -> Int
    private let seen = Mutex<[Int]>([])
    var observed: [Int] { seen.withLock { $0 } }

    init(_ bodies: ListBodyReader, look: @escaping @Sendable () -> Int) {
        self.bodies = bodies
        self.look = look
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        let count = look()
        seen.withLock { $0.append(count) }
        return try await bodies.next()
    }
}

/// A file system in memory with little room.
private struct SmallDisk {
    static let isPossible: Bool = {
        guard isRoot, let folder = try? TemporaryFolder(), let disk = try? SmallDisk(at: folder.path, bytes: 1 << 20)
        else { return false }
        disk.unmount()
        return true
    }()

    private let path: String

    init(at path: String, bytes: Int) throws {
        self.path = path
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(bytes)") == 0 else { throw CocoaError(.fileWriteNoPermission) }
    }

    func unmount() { umount2(path, CInt(MNT_DETACH)) }
}
