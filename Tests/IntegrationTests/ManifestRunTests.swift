import ArgumentParser
import FerryCore
import FerryEngine
import FerryFormats
import FerryStore
import FerryTestKit
import Foundation
import Glibc
import Testing

@testable import ferry

/// Manifests of folder tenants: made by the whole program, checked by `ferry verify --manifest`, changed on the disk.
struct ManifestRunTests {
    private struct Site {
        var folder: String
        var manifest: String
        var key: String { "\(folder)/manifest.key.pub" }
        var configuration: String { "\(folder)/ferry.yaml" }
    }

    /// A demo that has run, and goes with the test.
    private func withSite(people: Int, _ body: (Site) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-manifest-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let demo = try DemoCommand.parse(["--directory", folder, "--people", "\(people)"])
        try await demo.run()
        let names = try #require(try LocalFile.names(in: "\(folder)/manifests"))
        // The records went into the manifest, and are gone.
        #expect(names.count == 1 && names.allSatisfy { $0.hasSuffix(".jsonl") }, "\(names)")
        try await body(Site(folder: folder, manifest: "\(folder)/manifests/\(names[0])"))
    }

    private func verify(_ arguments: [String]) async throws {
        let command = try VerifyCommand.parse(arguments)
        try await command.run()
    }

    /// What differs between the manifest and the tenants: places as `ferry verify` spells them, without the people.
    private func differences(_ site: Site, _ comparison: ManifestChecker.Comparison) async throws -> [String] {
        let reader = try #require(try FileReader(site.manifest))
        let file = try await ManifestFile(
            ManifestFileInput(file: reader), key: try ManifestKeyFile.publicKey(site.key))
        let configuration = try ConfigurationFile.load(site.configuration)
        let checker = ManifestChecker(
            directory: ConfiguredDirectory(configuration),
            connections: ConnectionTable(configuration, now: SystemEffects.now), differenceLimit: 10_000)
        var found: [String] = []
        for section in file.sections {
            guard case .compared(let result) = try await checker.compare(section, of: file, comparison) else {
                Issue.record("A run was not compared")
                continue
            }
            found += result.differences.map { "\($0.service) \(($0.path + [$0.item]).joined(separator: "/"))" }
        }
        return found.sorted()
    }

    @Test(.timeLimit(.minutes(10)))
    func `a manifest of the demo holds, alone and against both tenants, and OpenSSL says so, too`() async throws {
        try await withSite(people: 2) { site in
            try await verify(["--manifest", site.manifest, "--key", site.key])
            try await verify(["--manifest", site.manifest, "--config", site.configuration])
            try await verify(["--manifest", site.manifest, "--config", site.configuration, "--json"])

            var status = stat()
            #expect(stat(site.manifest, &status) == 0 && status.st_mode & 0o777 == 0o600)
            #expect(stat("\(site.folder)/manifest.key", &status) == 0 && status.st_mode & 0o777 == 0o600)

            let lines = try LocalFile.contents(of: site.manifest).split(separator: 0x0A, maxSplits: 2)
            let signature = try ManifestSignature(parsing: Array(lines[1]))
            try LocalFile.write(Array(lines[0]), to: "\(site.folder)/statement")
            try LocalFile.write(signature.signature, to: "\(site.folder)/signature")
            let arguments = [
                "openssl", "pkeyutl", "-verify", "-pubin", "-inkey", site.key, "-rawin", "-in",
                "\(site.folder)/statement", "-sigfile", "\(site.folder)/signature",
            ]
            let code = try await onThread { try Program(arguments, isOurs: false).waitForExit() }
            #expect(code == 0)

            // Somebody else's key, a changed line, no file at all.
            _ = try ManifestKeyFile.open("\(site.folder)/other.key")
            let other = await #expect(throws: Complaint.self) {
                try await verify(["--manifest", site.manifest, "--key", "\(site.folder)/other.key.pub"])
            }
            #expect(other?.lines[0].contains("another key") == true)
            let text = String(decoding: try LocalFile.contents(of: site.manifest), as: UTF8.self)
            try LocalFile.write(
                Array(text.replacing("\"seen\"", with: "\"junk\"", maxReplacements: 1).utf8), to: site.manifest)
            let altered = await #expect(throws: Complaint.self) {
                try await verify(["--manifest", site.manifest, "--config", site.configuration])
            }
            #expect(altered?.lines[0].contains("changed after") == true)
            await #expect(throws: Complaint.self) {
                try await verify(["--manifest", "\(site.folder)/none", "--key", site.key])
            }
        }
    }

    @Test(.timeLimit(.minutes(10)))
    func `whatever happens to files of the target is named by the manifest, and nothing else`() async throws {
        try await withSite(people: 2) { site in
            #expect(try await differences(site, .target) == [])
            var random = SeededRandom(seed: RunSeed.value)
            var expected: [String] = []
            let root = "\(site.folder)/fabrikam"
            for login in try #require(try LocalFile.names(in: "\(root)/mail")) {
                for path in files(below: "\(root)/mail/\(login)") {
                    let parts = path.split(separator: "/").map(String.init)
                    guard let place = parts.firstIndex(where: { ["cur", "new"].contains($0) }), place == parts.count - 2
                    else { continue }
                    guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
                    let name = parts[place + 1]
                    let base = name.prefix { $0 != ":" }
                    let folder = place == 0 ? ["INBOX"] : parts[0].dropFirst().split(separator: ".").map(String.init)
                    expected.append("mail \((folder + [String(base)]).joined(separator: "/"))")
                    try spoil("\(root)/mail/\(login)/\(path)", using: &random)
                }
            }
            for (service, kind, end) in [
                ("calendars", "calendar", ".ics"), ("contacts", "contacts", ".vcf"), ("files", "files", ""),
            ] {
                for login in try #require(try LocalFile.names(in: "\(root)/\(service)")) {
                    for path in files(below: "\(root)/\(service)/\(login)")
                    where path.hasSuffix(end) && !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) {
                        guard Int.random(in: 0..<3, using: &random) == 0 else { continue }
                        let isEmpty = try LocalFile.contents(of: "\(root)/\(service)/\(login)/\(path)").isEmpty
                        expected.append("\(kind) \(path)")
                        try spoil("\(root)/\(service)/\(login)/\(path)", onlyDrops: isEmpty, using: &random)
                    }
                }
            }
            let found = try await differences(site, .target)
            #expect(expected.count > 20)
            #expect(found == expected.sorted(), "FERRY_SEED=\(RunSeed.value)")
            #expect(try await differences(site, .recorded) == [])
            let exit = await #expect(throws: ExitCode.self) {
                try await verify([
                    "--manifest", site.manifest, "--config", site.configuration, "--side", "target", "--allow-new",
                ])
            }
            #expect(exit?.rawValue == ExitReason.failed.rawValue)
        }
    }

    @Test func `records become a manifest once, survive a crash, and those of a retry take the place of older ones`()
        async throws
    {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-records-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try LocalFile.makeFolder(folder)
        let archive = ManifestFolder("\(folder)/manifests", makeID: SystemEffects.makeGUID)
        try archive.sweep()
        let job = JobID(GUID(high: 7, low: 7))
        func run(_ number: UInt64) -> RunID {
            RunID(job: job, person: PersonID(GUID(high: 1, low: number)), workload: .files)
        }
        func record(_ number: UInt64, _ text: String, at seconds: Int64) async throws {
            func side(_ side: ManifestSide) async throws -> (any ManifestDraft, ManifestRun.Side) {
                let draft = try await archive.draft(of: run(number), side)
                let line = ManifestLine.container(ManifestContainer(service: .files, path: [text, side.rawValue])).bytes
                try await draft.write(line + [0x0A])
                var tree = MerkleTree()
                tree.append(line)
                return (draft, ManifestRun.Side(items: 0, lines: 1, bytes: Int64(line.count) + 1, root: tree.root))
            }
            let (source, target) = (try await side(.source), try await side(.target))
            let head = ManifestRun(
                person: run(number).person, sourcePerson: run(number).person, workload: .files,
                compared: Instant(seconds: seconds), identical: 0, altered: 0, skipped: 0, elsewhere: 0,
                source: source.1, target: target.1)
            try await archive.keep(head, of: run(number), source: source.0, target: target.0)
        }
        let key = try ManifestKeyFile.open("\(folder)/manifest.key")
        func publish(_ numbers: [UInt64]) async throws -> ManifestFile {
            let records = try #require(try await archive.unfinished().first)
            try await archive.publish(records, runs: numbers.map(run)) { (heads) throws(StoreError) in
                var tree = MerkleTree()
                for head in heads { tree.append(head.bytes) }
                let statement = ManifestStatement(
                    job: job, displayName: "w", status: .completed, attempt: 1,
                    sourceTenant: TenantID(GUID(high: 1, low: 1)), targetTenant: TenantID(GUID(high: 2, low: 2)),
                    workloads: [.files], made: Instant(seconds: 0), runs: Int64(heads.count), unrecorded: 0,
                    root: tree.root)
                return statement.signed(by: key) ?? []
            }
            let input = try #require(try await archive.manifest(of: job))
            return try await ManifestFile(input, key: key.publicKey)
        }
        try await record(1, "first", at: 10)
        try await record(2, "second", at: 11)
        // A verification of the same run that came later, and one that was cut off in the middle by a crash.
        try await record(1, "first again", at: 12)
        let cut = try await archive.draft(of: run(3), .source)
        try await cut.write([0x0A])
        #expect(try await archive.unfinished().map(\.names.count) == [2])
        try ManifestFolder("\(folder)/manifests", makeID: SystemEffects.makeGUID).sweep()
        let names = try #require(try LocalFile.names(in: "\(folder)/manifests/\(job).records"))
        #expect(names.count == 6, "\(names)")

        let first = try await publish([1, 2, 3])
        #expect(first.sections.map(\.head.compared.seconds) == [12, 11])
        #expect(try await archive.unfinished() == [])
        #expect(try LocalFile.names(in: "\(folder)/manifests")?.count == 1)

        // The next attempt: one run anew, one for the first time, one as it was.
        try await record(2, "second again", at: 20)
        try await record(3, "third", at: 21)
        let second = try await publish([1, 2, 3])
        #expect(second.sections.map(\.head.compared.seconds) == [12, 20, 21])
        try await record(1, "useless", at: 30)
        try await archive.discard(try #require(try await archive.unfinished().first))
        #expect(try await archive.unfinished() == [])
    }

    // MARK: files

    /// Relative paths of all files, sorted.
    private func files(below root: String) -> [String] {
        (FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []).sorted().filter { path in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(root)/\(path)", isDirectory: &isFolder)
                && !isFolder.boolValue
        }
    }

    /// Removes the file or flips one of its bits; times stay as they were.
    private func spoil(_ path: String, onlyDrops: Bool = false, using random: inout SeededRandom) throws {
        guard !onlyDrops, Bool.random(using: &random) else {
            unlink(path)
            return
        }
        var status = stat()
        #expect(stat(path, &status) == 0)
        var bytes = try LocalFile.contents(of: path)
        let place = Int.random(in: 0..<bytes.count, using: &random)
        bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        try LocalFile.write(bytes, to: path)
        var times = [status.st_atim, status.st_mtim]
        #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
    }

    private func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
        }
    }
}
