import FerryCore
package import FerryFormats
import FerryStore
import Logging

/// Makes the manifest of every job that is over, out of the records that its verifications left.
///
/// Looks into the archive again and again instead of being told: a record that lies there is work to do, so nothing is
/// forgotten in a crash, and a manifest that was half made is made again.
package struct ManifestOffice: Sendable {
    package let archive: any ManifestArchive
    private let key: ManifestKey

    /// - Parameter key: what manifests are signed with.
    package init(archive: any ManifestArchive, key: ManifestKey) {
        self.archive = archive
        self.key = key
    }

    /// By which anybody can check what is made here.
    package var publicKey: ManifestPublicKey { key.publicKey }

    /// Works until it is cancelled.
    /// - Parameter interval: between two looks into the archive.
    func run(_ store: any Store, _ effects: Effects, every interval: Duration, _ logger: Logger) async {
        var lastTrouble = ""
        while !Task.isCancelled {
            do throws(StoreError) {
                try await work(store, now: effects.now, logger)
                lastTrouble = ""
            } catch {
                let trouble = "\(error)"
                if trouble != lastTrouble, error != .closed {
                    logger.error("Manifests cannot be made; it is tried again", metadata: ["error": "\(trouble)"])
                }
                lastTrouble = trouble
            }
            do { try await effects.clock.sleep(for: interval) } catch { return }
        }
    }

    /// One look: a manifest for each job that is over and has new records.
    func work(_ store: any Store, now: @Sendable () -> Instant, _ logger: Logger) async throws(StoreError) {
        // The records first and the job's state afterwards: what a next attempt leaves meanwhile is not among them.
        for records in try await archive.unfinished() {
            let job = try await store.transact { (tx) throws(StoreError) in try tx.job(records.job) }
            switch job?.status {
            case .completed, .completedWithErrors:
                if let job { try await publish(records, of: job, store, at: now(), logger) }
            // Nobody was completed; another attempt leaves records of its own.
            case .failed, .cancelled, .pendingDelete, .deleted, nil: try await archive.discard(records)
            default: continue
            }
        }
    }

    private func publish(
        _ records: ManifestRecords, of job: Job, _ store: any Store, at now: Instant, _ logger: Logger
    ) async throws(StoreError) {
        let runs = try await completedRuns(of: job, store)
        let key = key
        try await archive.publish(records, runs: runs) { (heads) throws(StoreError) in
            var tree = MerkleTree()
            for head in heads { tree.append(head.bytes) }
            let statement = ManifestStatement(
                job: job.id, displayName: job.displayName, status: job.status, attempt: job.attempt,
                sourceTenant: job.sourceTenant, targetTenant: job.targetTenant, workloads: job.workloads.sorted(),
                made: now, runs: Int64(heads.count), unrecorded: Int64(runs.count - heads.count), root: tree.root)
            guard let lines = statement.signed(by: key) else {
                throw .unavailable("The manifest could not be signed.")
            }
            return lines
        }
        logger.info("A manifest is made", metadata: ["job": "\(job.id)", "runs": "\(runs.count)"])
    }

    /// In the order of the job's people.
    private func completedRuns(of job: Job, _ store: any Store) async throws(StoreError) -> [RunID] {
        var runs: [RunID] = []
        var ordinal = 0
        while true {
            let from = ordinal
            let tasks = try await store.transact { (tx) throws(StoreError) in
                try tx.tasks(job.id, from: from, limit: 500)
            }
            guard let last = tasks.last else { return runs }
            for task in tasks { runs += task.runs.filter { $0.status == .completed }.map(\.id) }
            ordinal = last.ordinal + 1
        }
    }
}
