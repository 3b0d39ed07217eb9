import FerryCore
import FerryEngine
import FerryFormats
import FerryStore

/// An archive in which every job has the same manifest, larger than what is sent at once.
struct CannedManifests: ManifestArchive {
    static let publicKey = "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n"
    static let content = [UInt8]("line\n".utf8) + [UInt8](repeating: 0x61, count: 600_000) + [0x0A]

    func manifest(of job: JobID) async throws(StoreError) -> (any ManifestInput)? { Content() }

    private struct Content: ManifestInput {
        var size: Int64 { Int64(content.count) }
        func read(at offset: Int64, count: Int) async throws(ManifestUnreadable) -> [UInt8] {
            Array(content.dropFirst(Int(offset)).prefix(count))
        }
    }

    // Nobody writes in these tests.
    func draft(of run: RunID, _ side: ManifestSide) async throws(StoreError) -> any ManifestDraft { throw .closed }
    func keep(
        _ head: ManifestRun, of run: RunID, source: any ManifestDraft, target: any ManifestDraft
    ) async throws(StoreError) { throw .closed }
    func unfinished() async throws(StoreError) -> [ManifestRecords] { [] }
    func publish(
        _ records: ManifestRecords, runs: [RunID], seal: @Sendable ([ManifestRun]) throws(StoreError) -> [UInt8]
    ) async throws(StoreError) { throw .closed }
    func discard(_ records: ManifestRecords) async throws(StoreError) { throw .closed }
}
