import FerryCore
import FerryEngine
import FerryFormats
import FerryStore
import Synchronization

/// An archive that forgets everything when the test ends.
final class MemoryManifestArchive: ManifestArchive {
    private struct Kept {
        var run: RunID
        var head: ManifestRun
        var lines: [UInt8]
    }

    private struct State {
        var records: [String: Kept] = [:]
        var sections: [JobID: [RunID: Kept]] = [:]
        var manifests: [JobID: [UInt8]] = [:]
        var count = 0
        var refusal: StoreError?
    }

    private let state = Mutex(State())
    /// The job of every manifest that is made; for one listener.
    let publications: AsyncStream<JobID>
    private let announce: AsyncStream<JobID>.Continuation

    init() { (publications, announce) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16)) }

    /// What every write is refused with from now on.
    func refuse(_ error: StoreError?) { state.withLock { $0.refusal = error } }

    /// Waits until a manifest of the job is made.
    func madeManifest(of job: JobID) async throws {
        for await published in publications where published == job { return }
        throw CancellationError()
    }

    func bytes(of job: JobID) -> [UInt8]? { state.withLock { $0.manifests[job] } }

    func draft(of run: RunID, _ side: ManifestSide) async throws(StoreError) -> any ManifestDraft {
        if let error = state.withLock({ $0.refusal }) { throw error }
        return Draft()
    }

    func keep(
        _ head: ManifestRun, of run: RunID, source: any ManifestDraft, target: any ManifestDraft
    ) async throws(StoreError) {
        guard let source = source as? Draft, let target = target as? Draft else {
            throw .unusable("a stranger's draft")
        }
        let lines = source.bytes + target.bytes
        state.withLock { state in
            state.count += 1
            for (name, kept) in state.records where kept.run == run { state.records[name] = nil }
            state.records["\(state.count)"] = Kept(run: run, head: head, lines: lines)
        }
    }

    func unfinished() async throws(StoreError) -> [ManifestRecords] {
        state.withLock { state in
            Dictionary(grouping: state.records) { $0.value.run.job }
                .map { ManifestRecords(job: $0.key, names: $0.value.map(\.key).sorted()) }
        }
    }

    func publish(
        _ records: ManifestRecords, runs: [RunID], seal: @Sendable ([ManifestRun]) throws(StoreError) -> [UInt8]
    ) async throws(StoreError) {
        let kept = state.withLock { state -> [Kept] in
            for name in records.names {
                if let record = state.records.removeValue(forKey: name) {
                    state.sections[records.job, default: [:]][record.run] = record
                }
            }
            return runs.compactMap { state.sections[records.job]?[$0] }
        }
        var bytes = try seal(kept.map(\.head))
        for record in kept { bytes += record.head.bytes + [0x0A] + record.lines }
        state.withLock { [bytes] in $0.manifests[records.job] = bytes }
        announce.yield(records.job)
    }

    func discard(_ records: ManifestRecords) async throws(StoreError) {
        state.withLock { state in for name in records.names { state.records[name] = nil } }
    }

    func manifest(of job: JobID) async throws(StoreError) -> (any ManifestInput)? {
        state.withLock { $0.manifests[job] }.map { BytesInput($0) }
    }

    private final class Draft: ManifestDraft {
        private let content = Mutex<[UInt8]>([])
        var bytes: [UInt8] { content.withLock { $0 } }
        func write(_ lines: [UInt8]) async throws(StoreError) { content.withLock { $0 += lines } }
        func discard() async {}
    }
}

/// A manifest in memory, handed out in small pieces.
struct BytesInput: ManifestInput {
    let bytes: [UInt8]
    var piece = Int.max

    init(_ bytes: [UInt8], piece: Int = .max) {
        self.bytes = bytes
        self.piece = piece
    }

    var size: Int64 { Int64(bytes.count) }

    func read(at offset: Int64, count: Int) async throws(ManifestUnreadable) -> [UInt8] {
        Array(bytes.dropFirst(Int(offset)).prefix(min(count, piece)))
    }
}
