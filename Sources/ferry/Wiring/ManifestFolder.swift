import FerryCore
import FerryEngine
import FerryFormats
import FerryStore
import Glibc
import NIOPosix
import Synchronization

/// Manifests and records in a folder: `JOB.jsonl` is a manifest, `JOB.records/` has what it is made of.
///
/// A record is three files, `PERSON.WORKLOAD.NUMBER` with `.source`, `.target` and `.head`; the head is renamed to its
/// place last, so where it stands the others are whole. Every write is synced before a name points to it. The names of
/// people's items are in there, so only the owner may look.
struct ManifestFolder: ManifestArchive {
    private let folder: String
    private let makeID: @Sendable () -> GUID
    private let threads = NIOThreadPool.singleton

    init(_ folder: String, makeID: @escaping @Sendable () -> GUID) {
        self.folder = folder
        self.makeID = makeID
    }

    /// Removes what an earlier process did not bring to its end. For the one process that writes, before it begins.
    func sweep() throws(SystemFailure) {
        for name in try LocalFile.names(in: folder) ?? [] {
            if name.hasSuffix(".jsonl.new") { unlink("\(folder)/\(name)") }
            guard let job = Self.job(ofRecords: name) else { continue }
            let place = records(of: job)
            let names = try LocalFile.names(in: place) ?? []
            let whole = Set(names.map(Self.stem)).filter { stem in
                [".head", ".source", ".target"].allSatisfy { names.contains(stem + $0) }
            }
            for name in names where !whole.contains(Self.stem(name)) || name.hasSuffix(".new") {
                unlink("\(place)/\(name)")
            }
            rmdir(place)
        }
    }

    // MARK: records

    func draft(of run: RunID, _ side: ManifestSide) async throws(StoreError) -> any ManifestDraft {
        let stem = "\(run.person).\(run.workload.rawValue).\(makeID())"
        let place = records(of: run.job)
        return try await blocking { [folder] () throws(SystemFailure) in
            for path in [folder, place] where mkdir(path, 0o700) != 0 && errno != EEXIST {
                if errno == ENOENT { try LocalFile.makeFolder(path) } else { throw SystemFailure(about: path) }
            }
            let path = "\(place)/\(stem).\(side.rawValue)"
            let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw SystemFailure(about: path) }
            return FileDraft(path: path, descriptor: descriptor, threads: threads)
        }
    }

    func keep(
        _ head: ManifestRun, of run: RunID, source: any ManifestDraft, target: any ManifestDraft
    ) async throws(StoreError) {
        guard let source = source as? FileDraft, let target = target as? FileDraft else {
            throw .unusable("A record was begun in another archive.")
        }
        let place = records(of: run.job)
        let line = head.bytes + [0x0A]
        try await blocking { () throws(SystemFailure) in
            try source.close()
            try target.close()
            // Both sides have the source's stem, which never comes back.
            let stem = "\(place)/\(Self.stem(source.name))"
            guard rename(target.path, "\(stem).target") == 0 else { throw SystemFailure(about: target.path) }
            try LocalFile.write(line, to: "\(stem).head.new", mode: 0o600)
            try synchronize("\(stem).head.new")
            guard rename("\(stem).head.new", "\(stem).head") == 0 else { throw SystemFailure(about: stem) }
            try synchronize(place)
            try synchronize(folder)
            let older = "\(run.person).\(run.workload.rawValue)."
            for name in try LocalFile.names(in: place) ?? []
            where name.hasPrefix(older) && name.hasSuffix(".head") && Self.stem(name) != Self.stem(source.name) {
                remove(Self.stem(name), in: place)
            }
        }
        source.isKept.withLock { $0 = true }
        target.isKept.withLock { $0 = true }
    }

    func unfinished() async throws(StoreError) -> [ManifestRecords] {
        try await blocking { () throws(SystemFailure) in
            var found: [ManifestRecords] = []
            for name in try LocalFile.names(in: folder) ?? [] {
                guard let job = Self.job(ofRecords: name) else { continue }
                let names = (try LocalFile.names(in: records(of: job)) ?? [])
                    .filter { $0.hasSuffix(".head") }.map(Self.stem)
                if !names.isEmpty { found.append(ManifestRecords(job: job, names: names)) }
            }
            return found
        }
    }

    func discard(_ records: ManifestRecords) async throws(StoreError) {
        try await blocking { () throws(SystemFailure) in
            let place = self.records(of: records.job)
            for name in records.names { remove(name, in: place) }
            // Fails while somebody begins another record, and is right to.
            rmdir(place)
        }
    }

    // MARK: manifests

    func publish(
        _ records: ManifestRecords, runs: [RunID], seal: @Sendable ([ManifestRun]) throws(StoreError) -> [UInt8]
    ) async throws(StoreError) {
        let older = try await sections(of: records.job)
        let sections = try await blocking { () throws(SystemFailure) in
            var latest = older
            for name in records.names {
                let place = "\(self.records(of: records.job))/\(name)"
                let bytes = try LocalFile.contents(of: "\(place).head")
                // One that is no head was not written by us.
                guard let head = try? ManifestRun(parsing: Array(bytes.prefix { $0 != 0x0A })) else { continue }
                let run = RunID(job: records.job, person: head.person, workload: head.workload)
                if let other = latest[run], other.isRecord, other.head.compared > head.compared { continue }
                latest[run] = FileSection(
                    head: head,
                    parts: [("\(place).source", 0, head.source.bytes), ("\(place).target", 0, head.target.bytes)],
                    isRecord: true)
            }
            return runs.compactMap { latest[$0] }
        }
        let preamble = try seal(sections.map(\.head))
        let path = manifestPath(records.job)
        try await blocking { () throws(SystemFailure) in
            let writer = try FileWriter(path + ".new")
            try writer.write(preamble)
            for section in sections {
                try writer.write(section.head.bytes + [0x0A])
                for part in section.parts { try writer.copy(part.path, from: part.offset, count: part.count) }
            }
            try writer.finish(as: path)
            try synchronize(folder)
        }
        try await discard(records)
    }

    func manifest(of job: JobID) async throws(StoreError) -> (any ManifestInput)? {
        let path = manifestPath(job)
        let file = try await blocking { () throws(SystemFailure) in try FileReader(path) }
        return file.map { ManifestFileInput(file: $0) }
    }

    /// Where the runs are in the job's present manifest; none when there is none, or none that can be read.
    private func sections(of job: JobID) async throws(StoreError) -> [RunID: FileSection] {
        let path = manifestPath(job)
        return try await blocking { () throws(SystemFailure) in
            var found: [RunID: FileSection] = [:]
            guard let file = try FileReader(path) else { return found }
            var (offset, line) = (Int64(0), 0)
            while let bytes = try file.line(at: offset) {
                offset += Int64(bytes.count) + 1
                line += 1
                // The statement and its signature.
                if line <= 2 { continue }
                guard let head = try? ManifestRun(parsing: bytes) else { return found }
                let count = head.source.bytes + head.target.bytes
                let run = RunID(job: job, person: head.person, workload: head.workload)
                found[run] = FileSection(head: head, parts: [(path, offset, count)], isRecord: false)
                offset += count
            }
            return found
        }
    }

    // MARK: names

    func manifestPath(_ job: JobID) -> String { "\(folder)/\(job).jsonl" }

    private func records(of job: JobID) -> String { "\(folder)/\(job).records" }

    private static func job(ofRecords name: String) -> JobID? {
        name.hasSuffix(".records") ? JobID(name.dropLast(8)) : nil
    }

    /// A record's name: that of one of its files without what comes after the third part.
    private static func stem(_ name: String) -> String {
        name.split(separator: ".").prefix(3).joined(separator: ".")
    }

    // MARK: files

    private func remove(_ name: String, in place: String) {
        // The head first: without it the others count for nothing.
        for suffix in [".head", ".source", ".target"] { unlink("\(place)/\(name)\(suffix)") }
    }

    private func synchronize(_ path: String) throws(SystemFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure(about: path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw SystemFailure(about: path) }
    }

    private func blocking<R: Sendable>(
        _ work: @escaping @Sendable () throws(SystemFailure) -> R
    ) async throws(StoreError) -> R {
        try await threads.offload(work)
    }
}

/// A run in the making of a manifest: its head, and where its lines are.
private struct FileSection: Sendable {
    var head: ManifestRun
    var parts: [(path: String, offset: Int64, count: Int64)]
    /// Of a record, not of an older manifest.
    var isRecord: Bool
}

extension NIOThreadPool {
    /// Runs what blocks where it holds nobody up. What the system says becomes the store's words for it.
    fileprivate func offload<R: Sendable>(
        _ work: @escaping @Sendable () throws(SystemFailure) -> R
    ) async throws(StoreError) -> R {
        let result: Result<R, SystemFailure>
        do {
            result = try await runIfActive { Result { () throws(SystemFailure) in try work() } }
        } catch {
            throw .closed
        }
        do throws(SystemFailure) { return try result.get() } catch {
            throw .unavailable("Manifests: \(error)")
        }
    }
}

/// Lines on their way into a file.
private final class FileDraft: ManifestDraft {
    let path: String
    let isKept = Mutex(false)
    /// -1 once it is closed.
    private let descriptor: Mutex<Int32>
    private let threads: NIOThreadPool

    init(path: String, descriptor: Int32, threads: NIOThreadPool) {
        self.path = path
        self.descriptor = Mutex(descriptor)
        self.threads = threads
    }

    deinit {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { _ = Glibc.close(descriptor) }
        }
    }

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    func write(_ lines: [UInt8]) async throws(StoreError) {
        try await threads.offload { [self] () throws(SystemFailure) in
            try descriptor.withLock { (descriptor) throws(SystemFailure) in
                try FileWriter.write(lines, to: descriptor, path)
            }
        }
    }

    /// Everything is on the disk afterwards.
    func close() throws(SystemFailure) {
        try descriptor.withLock { (descriptor) throws(SystemFailure) in
            guard descriptor >= 0 else { return }
            guard fsync(descriptor) == 0 else { throw SystemFailure(about: path) }
            _ = Glibc.close(descriptor)
            descriptor = -1
        }
    }

    func discard() async {
        if isKept.withLock({ $0 }) { return }
        _ = try? await threads.offload { [path] () throws(SystemFailure) in _ = unlink(path) }
    }
}
