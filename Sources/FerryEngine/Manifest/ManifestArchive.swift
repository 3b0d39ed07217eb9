package import FerryCore
package import FerryFormats
package import FerryStore

/// Where manifests and the records that they are made of are kept.
///
/// A record is what one verification saw of one run. It is durable from `keep` on; the records of a job become its
/// manifest when the job is over. Errors are the store's: `unavailable` for a full disk and the like, safe to try again.
package protocol ManifestArchive: Sendable {
    /// Begins the lines of one side. Nothing of it counts before `keep`.
    func draft(of run: RunID, _ side: ManifestSide) async throws(StoreError) -> any ManifestDraft

    /// Makes two finished drafts the record of their run, in place of an older one. Durable on return.
    func keep(
        _ head: ManifestRun, of run: RunID, source: any ManifestDraft, target: any ManifestDraft
    ) async throws(StoreError)

    /// The records that are in no manifest yet, as they are now, by job.
    func unfinished() async throws(StoreError) -> [ManifestRecords]

    /// Writes the manifest of a job, in place of an older one: the lines that `seal` makes of the heads, then each head
    /// with the lines of its source and of its target. A run that has none of these records keeps what the older manifest
    /// says of it; without that it is left out. These records are removed when the manifest is durable; those that came
    /// meanwhile stay.
    func publish(
        _ records: ManifestRecords, runs: [RunID], seal: @Sendable ([ManifestRun]) throws(StoreError) -> [UInt8]
    ) async throws(StoreError)

    /// Removes records that will be in no manifest.
    func discard(_ records: ManifestRecords) async throws(StoreError)

    /// The manifest of a job; `nil` when it has none.
    func manifest(of job: JobID) async throws(StoreError) -> (any ManifestInput)?
}

/// Some records of one job.
package struct ManifestRecords: Sendable, Hashable {
    package var job: JobID
    /// What the archive calls them; nobody else reads it. A record's name never comes back.
    package var names: [String]

    package init(job: JobID, names: [String]) {
        self.job = job
        self.names = names
    }
}

/// The lines of one side of a run while they are written. Used by one task at a time.
package protocol ManifestDraft: AnyObject, Sendable {
    /// Appends whole lines, each with its end.
    func write(_ lines: [UInt8]) async throws(StoreError)
    /// Forgets everything. After `keep` it does nothing.
    func discard() async
}

/// The octets of a manifest.
package protocol ManifestInput: Sendable {
    /// Octets in all.
    var size: Int64 { get }
    /// Up to `count` octets from `offset` on; fewer only at the end.
    func read(at offset: Int64, count: Int) async throws(ManifestUnreadable) -> [UInt8]
}

/// Why a manifest could not be read; the text is for people.
package struct ManifestUnreadable: Error, Sendable, Hashable {
    package var reason: String
    package init(_ reason: String) { self.reason = reason }
}
