import FerryConnector
import FerryCore
import FerryFolder
import FerryFormats
import FerryTestKit
import Foundation
import Testing

@Suite struct FilesTests {
    private static let old = Instant(microseconds: 1_600_000_000_123_456)

    private struct Fixture: ConnectorFixture {
        let scratch: TreeScratch
        init() throws { scratch = try TreeScratch(.files) }

        var source: any Connector { scratch.connector("source") }
        var sourceAccount: Account { scratch.account() }
        var strangerAccount: Account { scratch.account("stranger") }
        var target: any Connector { scratch.connector("target") }
        var targetAccount: Account { scratch.account() }
        var targetReader: any Connector { scratch.connector("target") }
        var home: Container { Container(name: "files", path: [], details: .fileTree) }
        var oddContainers: [Container] { [] }
        var canUpdate: Bool { false }
        var takesAnyName: Bool { true }

        func item(_ number: Int, bytes: Int) -> SeedItem {
            let body = (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
            let folder = ["", "Docs/", "Docs/Größe 日本/", "z/y/x/"][number % 4]
            return SeedItem(
                name: "\(folder)file \(number).bin", body: body,
                metadata: .file(
                    FileMetadata(
                        modified: FilesTests.old + .milliseconds(number), isExecutable: number.isMultiple(of: 3))))
        }

        func put(_ items: [SeedItem]) async throws {
            for item in items {
                guard case .file(let metadata) = item.metadata else { continue }
                let file = try scratch.put(item.name, item.body)
                try FileManager.default.setAttributes(
                    [.posixPermissions: metadata.isExecutable ? 0o755 : 0o644], ofItemAtPath: file)
                try scratch.setModified(metadata.modified, file)
            }
        }

        func delete(_ item: SeedItem) async throws {
            try FileManager.default.removeItem(atPath: scratch.path("source/ada/\(item.name)"))
        }

        func settle() async throws { scratch.settle() }
        func isOutsideUntouched() async throws -> Bool { scratch.isOutsideUntouched() }
    }

    @Test(arguments: ConnectorConformance.checks)
    func `A file tree conforms`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(Fixture())
    }

    @Test func `Empty folders and the times of folders arrive`() async throws {
        let scratch = try TreeScratch(.files)
        for folder in ["empty/inner", "full/deep"] {
            try FileManager.default.createDirectory(
                atPath: scratch.path("source/ada/\(folder)"), withIntermediateDirectories: true)
        }
        for number in 0..<30 { try scratch.put("full/deep/\(number)", [1]) }
        for (offset, folder) in ["empty", "empty/inner", "full", "full/deep"].enumerated() {
            try scratch.setModified(Self.old + .seconds(offset), scratch.path("source/ada/\(folder)"))
        }
        try await scratch.copy(batch: 7)
        let reader = try await scratch.connector("target").source(for: scratch.account())
        let found = try await scratch.list(reader, Container(name: "files", path: [], details: .fileTree))
        #expect(
            found.headers.filter { $0.metadata.folderTime != nil }.map(\.name) == [
                "empty", "empty/inner", "full", "full/deep",
            ])
        #expect(found.headers.compactMap(\.metadata.folderTime) == (0..<4).map { Self.old + .seconds($0) })

        // A later change inside leaves the folder's time as the source has it.
        try scratch.put("full/deep/3", [1, 2])
        try scratch.setModified(Self.old + .seconds(3), scratch.path("source/ada/full/deep"))
        try await scratch.copy(batch: 7)
        let again = try await scratch.list(reader, Container(name: "files", path: [], details: .fileTree))
        #expect(again.headers.compactMap(\.metadata.folderTime) == (0..<4).map { Self.old + .seconds($0) })
        #expect(scratch.content("target/ada/full/deep/3") == [1, 2])
    }

    @Test func `A listing is in order, parents first, and goes on after any of its pages`() async throws {
        let scratch = try TreeScratch(.files)
        for number in 0..<1_500 { try scratch.put("f\(number % 7)/g\(number % 3)/\(number)", []) }
        try scratch.put("f1.txt", [])
        let container = Container(name: "files", path: [], details: .fileTree)
        let session = try await scratch.connector("source").source(for: scratch.account())
        let names = try await scratch.list(session, container).headers.map(\.name)
        #expect(names.count == 1_501 + 7 + 21)
        #expect(Set(names).count == names.count)
        for (index, name) in names.enumerated() {
            if let slash = name.lastIndex(of: "/") { #expect(names[..<index].contains(String(name[..<slash]))) }
        }
        let first = try await session.items(in: container, after: nil)
        let other = try await scratch.connector("source").source(for: scratch.account())
        #expect(first.next != nil)
        let rest = try await other.items(in: container, after: first.next)
        #expect(first.headers.map(\.name) + rest.headers.map(\.name) == names)
        #expect(rest.next == nil)
    }

    @Test func `Links, pipes and names that are not text are reported and not followed`() async throws {
        let scratch = try TreeScratch(.files)
        try scratch.put("good", [1])
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("source/ada/link"), withDestinationPath: scratch.path("outside"))
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("source/ada/loop"), withDestinationPath: ".")
        #expect(mkfifo(scratch.path("source/ada/pipe"), 0o600) == 0)
        let odd = Array(scratch.path("source/ada/odd").utf8CString.dropLast()) + [CChar(bitPattern: 0xFF), 0]
        #expect(mkdir(odd, 0o700) == 0)
        let session = try await scratch.connector("source").source(for: scratch.account())
        let found = try await scratch.list(session, Container(name: "files", path: [], details: .fileTree))
        #expect(found.headers.map(\.name) == ["good"])
        #expect(found.problems.map(\.name) == ["link", "loop", "odd\u{FFFD}", "pipe"])
        #expect(
            found.problems.map(\.error.code) == [
                .sourceItemUnsupported, .sourceItemUnsupported, .sourceNameUnusable, .sourceItemUnsupported,
            ])
        #expect(found.problems.allSatisfy { $0.error.disposition == .skip })
    }

    @Test func `A tree that is deeper than descriptors last is walked to its end`() async throws {
        let scratch = try TreeScratch(.files)
        let deep = Array(repeating: "d", count: 200).joined(separator: "/")
        try scratch.put("\(deep)/leaf", [7])
        try scratch.put("last", [8])
        #expect(try await scratch.copy(batch: 50).count == 202)
        #expect(scratch.content("target/ada/\(deep)/leaf") == [7])
    }

    @Test func `A sparse file arrives byte for byte and stays sparse`() async throws {
        let scratch = try TreeScratch(.files)
        let size = 96 << 20
        let file = try scratch.put("sparse", [])
        let handle = try #require(FileHandle(forWritingAtPath: file))
        for offset in [0, 5 << 20, (64 << 20) + 777] {
            try handle.seek(toOffset: UInt64(offset))
            try handle.write(contentsOf: Data(repeating: 7, count: 100_000))
        }
        try handle.truncate(atOffset: UInt64(size))
        try handle.close()
        let receipts = try await scratch.copy()
        guard case .written(Int64(size), _) = try #require(receipts.first) else {
            Issue.record("The receipt is \(receipts).")
            return
        }
        #expect(scratch.content("target/ada/sparse") == scratch.content("source/ada/sparse"))
        var status = stat()
        #expect(stat(scratch.path("target/ada/sparse"), &status) == 0)
        #expect(Int(status.st_blocks) * 512 < 4 << 20)
    }

    @Test func `A file that changes after it was listed is not read half old, half new`() async throws {
        let scratch = try TreeScratch(.files)
        for name in ["a", "b", "c"] { try scratch.put(name, Array("0123".utf8), modified: Self.old) }
        let container = Container(name: "files", path: [], details: .fileTree)
        let session = try await scratch.connector("source").source(for: scratch.account())
        let headers = try await scratch.list(session, container).headers
        // Same length, other content, and a time that says so.
        try scratch.put("b", Array("4567".utf8))
        let reader = try await session.bodies(of: headers, in: container)
        var outcomes = [String]()
        while let events = try await reader.next() {
            for event in events {
                switch event {
                case .bytes: break
                case .end: outcomes.append("end")
                case .failed(let error): outcomes.append("\(error.code.rawValue) \(error.disposition)")
                }
            }
        }
        #expect(outcomes == ["end", "source.item.unreadable retry(after: nil)", "end"])
    }

    @Test func `Removing takes files, then folders that are empty by then, and nothing else`() async throws {
        let scratch = try TreeScratch(.files)
        for name in ["a/b/c/1", "a/b/2", "a/3", "keep/4"] { try scratch.put(name, [1]) }
        try await scratch.copy()
        try Data([9]).write(to: URL(fileURLWithPath: scratch.path("target/ada/a/own")))
        let target = try await scratch.connector("target").target(for: scratch.account())
        let container = try await target.ensure(Container(name: "files", path: [], details: .fileTree))
        let gone = ["a", "a/b", "a/b/c", "a/b/c/1", "a/b/2", "a/3", "keep"].map { PlacedItem(key: ItemKey(name: $0)) }
        try await target.remove(gone, in: container)
        #expect(scratch.targetTree() == ["a", "a/own", "keep", "keep/4"])
    }

    @Test func `A file and a folder take each other's place`() async throws {
        let scratch = try TreeScratch(.files)
        try scratch.put("was file", [1])
        try FileManager.default.createDirectory(
            atPath: scratch.path("source/ada/was folder"), withIntermediateDirectories: true)
        try await scratch.copy()
        for name in ["was file", "was folder"] {
            try FileManager.default.removeItem(atPath: scratch.path("source/ada/\(name)"))
        }
        try scratch.put("was file/inside", [2])
        try scratch.put("was folder", [3])
        let receipts = try await scratch.copy()
        #expect(receipts.count == 3)
        #expect(receipts.allSatisfy { if case .written = $0 { true } else { false } })
        #expect(scratch.content("target/ada/was file/inside") == [2])
        #expect(scratch.content("target/ada/was folder") == [3])
    }

    @Test func `A link that waits at the target is replaced, not followed`() async throws {
        let scratch = try TreeScratch(.files)
        try scratch.put("folder/file", [1])
        try scratch.put("outside", [2])
        try FileManager.default.createDirectory(
            atPath: scratch.path("target/ada"), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("target/ada/folder"), withDestinationPath: scratch.directory)
        try FileManager.default.createSymbolicLink(
            atPath: scratch.path("target/ada/outside"), withDestinationPath: scratch.path("outside"))
        try await scratch.copy()
        #expect(scratch.isOutsideUntouched())
        #expect(scratch.content("target/ada/folder/file") == [1])
        #expect(scratch.content("target/ada/outside") == [2])
    }

    @Test func `Left-over unfinished files are removed, and are never items`() async throws {
        let scratch = try TreeScratch(.files)
        try scratch.put("a", [1])
        try scratch.put(".ferry-tmp.1.1", [2])
        try scratch.put(".ferry-frozen", [2])
        try scratch.put("sub/.ferry-mine", [3])
        try FileManager.default.createDirectory(atPath: scratch.path("target/ada"), withIntermediateDirectories: true)
        try Data([9]).write(to: URL(fileURLWithPath: scratch.path("target/ada/.ferry-tmp.7.7")))
        try await scratch.copy()
        #expect(scratch.targetTree() == ["a", "sub", "sub/.ferry-mine"])
    }
}

extension ItemMetadata {
    fileprivate var folderTime: Instant? {
        if case .fileFolder(let metadata) = self { metadata.modified } else { nil }
    }
}
