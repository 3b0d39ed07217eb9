/// A piece of work that a worker leases. At most one exists per key.
package enum WorkKey: Hashable, Sendable {
    /// Take the job one step on: fan out, watch for the date, sum up, purge.
    case job(JobID)
    /// Check one person: all findings while validating, the first one before migrating.
    case check(JobID, PersonID)
    /// Move one workload of one person: a pass, or the cutover.
    case run(RunID)
    /// Hand out the work of a dry run.
    case dryRun(JobID)
    /// Forecast one workload of one person.
    case forecast(RunID)

    package var job: JobID {
        switch self {
        case .job(let id): id
        case .check(let id, _): id
        case .run(let id), .forecast(let id): id.job
        case .dryRun(let id): id
        }
    }
}

/// Which lane carries a piece of work: endpoints have limits of their own, so that a slow one never holds up another.
package struct LaneID: Hashable, Sendable {
    package let name: String
    package init(_ name: String) { self.name = name }

    /// Work that touches the store only.
    package static let control = LaneID("control")
}

package struct WorkItem: Hashable, Sendable {
    package var key: WorkKey
    package var lane: LaneID
    /// Not to be leased before; the scheduler wakes for it.
    package var due: Instant
    /// Failed tries in a row; decides the back-off. A shutdown or a lost lease does not count.
    package var attempts: Int

    package init(key: WorkKey, lane: LaneID, due: Instant, attempts: Int = 0) {
        self.key = key
        self.lane = lane
        self.due = due
        self.attempts = attempts
    }
}

/// The right to work on an item until `expires`, judged by the store's clock.
///
/// `token` rises with every lease of the store: what an earlier holder still tries to write is refused (fencing).
package struct Lease: Hashable, Sendable {
    package var item: WorkItem
    package var token: Int64
    package var expires: Instant

    package init(item: WorkItem, token: Int64, expires: Instant) {
        self.item = item
        self.token = token
        self.expires = expires
    }
}
