import FerryConnector
import FerryCore
import FerryFolder
import Foundation
import Synchronization

/// Two folder tenants below a temporary directory of their own, which goes away with the last reference.
final class TreeScratch: Sendable {
    let service: ServiceKind
    let directory: String
    /// How far the connectors' clock is ahead of the real one.
    private let lead = Mutex(Duration.zero)

    init(_ service: ServiceKind) throws {
        self.service = service
        let template = URL(fileURLWithPath: NSTemporaryDirectory()).appendingPathComponent("ferry-tree-XXXXXX").path
        var bytes = Array(template.utf8CString)
        guard mkdtemp(&bytes) != nil else { throw CocoaError(.fileWriteUnknown) }
        directory = String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for side in ["source/ada", "target"] {
            try FileManager.default.createDirectory(atPath: path(side), withIntermediateDirectories: true)
        }
        try Data("outside".utf8).write(to: URL(fileURLWithPath: path("outside")))
    }

    deinit {
        _ = try? FileManager.default.removeItem(atPath: directory)
    }

    func path(_ relative: String) -> String { directory + "/" + relative }

    func connector(_ side: String) -> FolderConnector {
        FolderConnector(service: service, tenant: side, root: path(side)) { [self] in
            Instant(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) + lead.withLock { $0 }
        }
    }

    func account(_ login: String = "ada") -> Account {
        let person = Person(
            id: PersonID(GUID(high: 0, low: 1)), userPrincipalName: login, displayName: login, mail: login)
        return Account(tenant: TenantID(GUID(high: 1, low: 1)), person: person, login: login)
    }

    /// Lets the connectors' clock run ahead, so that all changes so far are old.
    func settle() { lead.withLock { $0 += .seconds(60) } }

    /// Writes a file below the source person's folder, with the folders on the way.
    @discardableResult
    func put(_ name: String, _ body: [UInt8], modified: Instant? = nil) throws -> String {
        let file = path("source/ada/\(name)")
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: file).deletingLastPathComponent().path, withIntermediateDirectories: true)
        try Data(body).write(to: URL(fileURLWithPath: file))
        if let modified { try setModified(modified, file) }
        return file
    }

    func setModified(_ instant: Instant, _ path: String) throws {
        let microseconds = instant.microseconds - instant.seconds * 1_000_000
        let times = [
            timespec(tv_sec: 0, tv_nsec: Int(omittedTime)),
            timespec(tv_sec: Int(instant.seconds), tv_nsec: Int(microseconds) * 1_000),
        ]
        guard utimensat(AT_FDCWD, path, times, 0) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func content(_ relative: String) -> [UInt8]? {
        FileManager.default.contents(atPath: path(relative)).map { Array($0) }
    }

    /// The target person's folder, everything in it, sorted.
    func targetTree() -> [String] {
        (FileManager.default.enumerator(atPath: path("target/ada"))?.compactMap { $0 as? String } ?? []).sorted()
    }

    func isOutsideUntouched() -> Bool {
        let names = try? FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        let people = try? FileManager.default.contentsOfDirectory(atPath: path("target"))
        return names == ["outside", "source", "target"] && people?.allSatisfy { $0 == "ada" } == true
            && content("outside") == Array("outside".utf8)
    }

    /// Everything that a listing gives.
    func list(_ session: any SourceSession, _ container: Container) async throws -> ItemPage {
        var all = ItemPage(headers: [], next: nil)
        var cursor: Cursor?
        repeat {
            let page = try await session.items(in: container, after: cursor)
            all.headers += page.headers
            all.problems += page.problems
            cursor = page.next
        } while cursor != nil
        return all
    }

    /// The simplest copier there can be: everything of one container; the receipts.
    @discardableResult
    func copy(_ name: String? = nil, batch: Int = 100) async throws -> [WriteReceipt] {
        let source = try await connector("source").source(for: account())
        let target = try await connector("target").target(for: account())
        var receipts = [WriteReceipt]()
        for container in try await source.containers() where name == nil || name == container.name {
            let there = try await target.ensure(container)
            var rest = try await list(source, container).headers[...]
            while !rest.isEmpty {
                let headers = Array(rest.prefix(batch))
                rest = rest.dropFirst(batch)
                let bodies = try await source.bodies(of: headers, in: container)
                receipts += try await target.write(headers, bodies: bodies, in: there)
            }
            try await target.finish(there)
        }
        await source.close()
        await target.close()
        return receipts
    }
}

/// `UTIME_OMIT`, a macro that Swift does not import.
private let omittedTime = (1 << 30) - 2
