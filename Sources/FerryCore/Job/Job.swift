/// The batch: people of one source tenant that move together into the tenant that owns the job.
///
/// A value. What may happen to it is in `JobMachine.swift`; nothing else assigns `status`.
package struct Job: Sendable, Hashable {
    package let id: JobID
    /// The tenant the data goes to; also the partition of every read.
    package let targetTenant: TenantID
    package let sourceTenant: TenantID
    /// Unique per target tenant without regard to case, until the job is deleted. 1 to 256 characters.
    package let displayName: String
    package let exchangeSettings: ExchangeSettings?
    /// Selected workloads, in the order of the request; never empty.
    package let workloads: [Workload]
    /// Target people, in the order of the request, without repetitions. Empty once the job is purged.
    package var people: [PersonID]
    /// User principal name of the creator; object id or application id where the token has none.
    package let createdBy: String
    package let created: Instant
    package var updated: Instant
    /// Earliest instant at which a person may notice anything (row T21).
    package var completeAfter: Instant
    package var status: JobStatus
    package var type: JobType
    /// For people; empty right after creation.
    package var message: String
    /// When the last validation ended with a verdict; once it has passed, the start of the seven days of row T10.
    /// `nil` before that and while a validation runs.
    package var validated: Instant?
    /// Counts calls of migrate that were accepted; 0 before the first.
    package var attempt: Int
    /// Made by the collection-level validate of the first API generation: checks only, never migrates.
    package let isValidationOnly: Bool
    /// Raised by one with each change that is stored. The store refuses to save over another version.
    package var version: Int64
    /// The state to go back to while the job is `adminActionRequired`; `nil` in every other state.
    package var interrupted: JobStatus?

    package init(
        id: JobID, targetTenant: TenantID, sourceTenant: TenantID, displayName: String,
        exchangeSettings: ExchangeSettings?,
        workloads: [Workload], people: [PersonID], createdBy: String, created: Instant, updated: Instant,
        completeAfter: Instant, status: JobStatus, type: JobType, message: String, validated: Instant?, attempt: Int,
        isValidationOnly: Bool, version: Int64, interrupted: JobStatus? = nil
    ) {
        self.id = id
        self.targetTenant = targetTenant
        self.sourceTenant = sourceTenant
        self.displayName = displayName
        self.exchangeSettings = exchangeSettings
        self.workloads = workloads
        self.people = people
        self.createdBy = createdBy
        self.created = created
        self.updated = updated
        self.completeAfter = completeAfter
        self.status = status
        self.type = type
        self.message = message
        self.validated = validated
        self.attempt = attempt
        self.isValidationOnly = isValidationOnly
        self.version = version
        self.interrupted = interrupted
    }
}

/// `exchangeOnlineCrossTenantMigrationSettings` of the Graph reference.
package struct ExchangeSettings: Sendable, Hashable {
    /// Name of the configured connection to the source (`trust.endpoint`).
    package var sourceEndpoint: String
    /// Domain of the target to which the source forwards after the cutover.
    package var targetDeliveryDomain: String

    package init(sourceEndpoint: String, targetDeliveryDomain: String) {
        self.sourceEndpoint = sourceEndpoint
        self.targetDeliveryDomain = targetDeliveryDomain
    }
}

/// Whether a job only checks or moves (reference 3.1).
package enum JobType: String, Sendable, Hashable, CaseIterable {
    case validate, migrate
}

/// State of a job (orchestration 2.1). Raw values are stored.
package enum JobStatus: String, Sendable, Hashable, CaseIterable {
    /// Defined, waits for validate. Can become `validateSubmitted`, `pendingCancel`.
    case submitted
    /// Declared by the wire contract, never entered.
    case approved
    /// Migrate was accepted. Can become `inProgress`, `pendingCancel`.
    case processing
    /// Somebody is at or past the point of no return. Can become a final state.
    case cuttingOver
    /// Checks before migration, first copy, waiting for the date. Can become `cuttingOver`, `failed`, `pendingCancel`.
    case inProgress
    case completed
    /// Final; migrate may try the unfinished part again.
    case completedWithErrors
    /// Final; migrate may try again.
    case failed
    case cancelled
    /// Cancellation was accepted, people are being stopped. Can become `cancelled` or, where somebody was past the point
    /// of no return, another final state.
    case pendingCancel
    /// A person has to act before work goes on. Goes back to where it came from.
    case adminActionRequired
    case validateSubmitted
    case validateProcessing
    case validateInProgress
    /// Everybody passed. Can become `processing` for seven days, then `validateSubmitted`.
    case validatePassed
    /// Somebody did not pass. Can become `validateSubmitted`; `validatePassed` when the failing people are cancelled.
    case validateFailed
    /// Deletion was accepted. Can become `deleted`.
    case pendingDelete
    /// A tombstone without people.
    case deleted
}

/// State of one workload of one person (orchestration 3.1). Raw values are stored.
package enum RunStatus: String, Sendable, Hashable, CaseIterable {
    case notStarted, valid, invalid, error, inProgress, completed, failed, cancelled, pendingCancel, syncing, synced
    case finalizing, forceComplete
}

/// One person in one job, with a run per selected workload.
package struct UserTask: Sendable, Hashable {
    package let job: JobID
    package let person: PersonID
    /// Place in the job's `people`, from 0.
    package let ordinal: Int
    package var updated: Instant
    /// One per workload of the job, in the order of `Workload`.
    package var runs: [WorkloadRun]

    package init(job: JobID, person: PersonID, ordinal: Int, updated: Instant, runs: [WorkloadRun]) {
        self.job = job
        self.person = person
        self.ordinal = ordinal
        self.updated = updated
        self.runs = runs
    }

    package subscript(workload: Workload) -> WorkloadRun? { runs.first { $0.id.workload == workload } }
}

/// One workload of one person in one job. What may happen to it is in `RunMachine.swift`.
package struct WorkloadRun: Sendable, Hashable {
    package let id: RunID
    package var status: RunStatus
    /// For people; empty when there is nothing to say.
    package var message: String
    package var findings: [Finding]
    package var progress: RunProgress
    /// How much of it arrived; `nil` until that was judged in this attempt.
    package var verdict: ConsistencyVerdict?
    /// So many lost items were agreed to.
    package var approved: Int64

    package init(
        id: RunID, status: RunStatus, message: String, findings: [Finding], progress: RunProgress,
        verdict: ConsistencyVerdict? = nil, approved: Int64 = 0
    ) {
        self.verdict = verdict
        self.approved = approved
        self.id = id
        self.status = status
        self.message = message
        self.findings = findings
        self.progress = progress
    }
}

/// How many runs of a job are in which state. Made by the store with one grouped count.
package struct RunTally: Sendable, Hashable {
    package struct Group: Sendable, Hashable {
        package var workload: Workload
        package var status: RunStatus
        package init(workload: Workload, status: RunStatus) {
            self.workload = workload
            self.status = status
        }
    }

    package var counts: [Group: Int]
    /// People of the job.
    package var people: Int
    /// People all of whose runs are `completed`.
    package var peopleCompleted: Int
    /// People all of whose runs are `cancelled` or who were cancelled with part of their runs completed.
    package var peopleCancelled: Int
    /// People with at least one run `invalid`, `failed` or `error`.
    package var peopleFailed: Int

    package init(counts: [Group: Int], people: Int, peopleCompleted: Int, peopleCancelled: Int, peopleFailed: Int) {
        self.counts = counts
        self.people = people
        self.peopleCompleted = peopleCompleted
        self.peopleCancelled = peopleCancelled
        self.peopleFailed = peopleFailed
    }

    /// Runs in any of the states.
    package func runs(in states: Set<RunStatus>, of workload: Workload? = nil) -> Int {
        counts.reduce(0) { sum, entry in
            states.contains(entry.key.status) && (workload == nil || entry.key.workload == workload)
                ? sum + entry.value : sum
        }
    }
}
