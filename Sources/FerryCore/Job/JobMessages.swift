/// What a job says of itself (`message`), and why a request was refused. For people: clients must not parse them.
package enum JobMessages {
    // MARK: states (orchestration 3.5)

    package static let validateAccepted = "Validation was accepted and is queued."
    package static let checking = "Validation is running."
    package static let validatePassed = "Validation finished; no failures were found."
    package static let migrateAccepted = "Migration was accepted and is queued."
    package static let completed = "The batch and every user in it were migrated without failures."
    package static let failed = "No user of this batch could be migrated. Call migrate again to retry."
    package static let cancelAccepted = "The cancellation request for this migration job was accepted."
    package static let cancelled = "The batch was cancelled before cutover; source data is unchanged."
    package static let deleteAccepted = "Deletion was accepted; the data of this job is being removed."
    package static let deleted = "This job was deleted; only this record of it is left."

    package static func validateFailed(_ tally: RunTally) -> String {
        "Validation finished; \(tally.peopleFailed) of \(tally.peopleLeft) users have at least one failure. See users."
    }

    /// Migration has begun, nothing is counted yet.
    package static func starting(_ job: Job) -> String {
        "Migration is running; no user is affected before \(job.completeAfter.text)."
    }

    /// How far the first copies are, and what the job waits for.
    package static func syncing(_ job: Job, _ tally: RunTally, now: Instant) -> String {
        // Without mailboxes any one workload will do: a person's runs are admitted together.
        let workload = job.workloads.contains(.mailbox) ? .mailbox : job.workloads.min() ?? .mailbox
        let things = workload == .mailbox ? "mailboxes are in sync" : "users are prepared"
        let ready = tally.runs(in: [.synced, .finalizing, .completed], of: workload)
        let all = ready + tally.runs(in: [.notStarted, .syncing, .inProgress], of: workload)
        let failed = tally.peopleFailed == 0 ? "" : " \(tally.peopleFailed) users have failed so far; see users."
        if now >= job.completeAfter {
            return "\(ready) of \(all) \(things); the date has passed, each user is cut over when ready." + failed
        }
        if ready == all {
            return "All \(things); waiting for \(job.completeAfter.text)." + failed
        }
        return "\(ready) of \(all) \(things); no user is affected before \(job.completeAfter.text)." + failed
    }

    package static func cuttingOver(_ job: Job, _ tally: RunTally) -> String {
        let done =
            job.workloads.contains(.mailbox)
            ? tally.runs(in: [.completed], of: .mailbox) : tally.peopleCompleted
        return "\(done) of \(tally.peopleLeft) users are cut over; cancellation is no longer possible for them."
    }

    package static func completedWithErrors(_ tally: RunTally) -> String {
        "Finished: \(tally.peopleCompleted) users without failures, \(tally.peopleLeft - tally.peopleCompleted) with "
            + "failures. Call migrate again to retry those."
    }

    package static func actionRequired(_ what: String, people: Int) -> String { "\(what), affects \(people) users." }

    /// What `actionRequired` says of runs that the consistency gate holds.
    package static let approveLosses = "Approve the items that would be left at the source, or mend them"

    package static func approveRefused(_ status: JobStatus) -> String {
        "Nothing waits for an approval; the current status is \(status.rawValue)."
    }

    package static func approveRefused(_ person: PersonID) -> String {
        "User \(person) does not wait for an approval."
    }

    // MARK: answers to cancel

    package static func personCancelAccepted(_ person: PersonID, in job: Job) -> String {
        "The cancellation of user \(person) in batch \(job.displayName) was accepted."
    }

    // MARK: refusals

    static func validateRefused(_ job: Job) -> String {
        let remedy =
            job.status == .validatePassed
            ? "it has passed and has not expired, so migrate can be called"
            : "only a job that is submitted or validateFailed can be validated"
        return "Validation cannot start while the status is \(job.status.rawValue): \(remedy)."
    }

    static func migrateRefused(_ job: Job) -> String {
        if job.isValidationOnly {
            return "Migration cannot start: job \(job.id) was created by the validate action and only checks. "
                + "Create a job with the same users, validate it, then migrate it."
        }
        return "Migration cannot start while the status is \(job.status.rawValue): the job must be validatePassed, "
            + "or failed or completedWithErrors to be retried."
    }

    static func validationExpired(_ lifetime: Duration) -> String {
        let days = lifetime.inSeconds / 86_400
        let age =
            days >= 1 && days == days.rounded()
            ? "\(Int64(days)) days" : "\(lifetime.wholeMicroseconds / 1_000_000) seconds"
        return "The last successful validation is older than \(age); validate again before migrating."
    }

    static func rescheduleRefused(_ status: JobStatus) -> String {
        "completeAfterDateTime cannot be changed while the status is \(status.rawValue): it can be until the cutover "
            + "begins."
    }

    static func cancelRefused(_ status: JobStatus) -> String {
        "Cancellation is not possible; the current status is \(status.rawValue)."
    }

    static func cancelTooLate(_ job: Job) -> String {
        "Cancellation is not possible; the current status is \(job.status.rawValue) and completeAfterDateTime "
            + "(\(job.completeAfter.text)) has passed. If the cutover has not begun, set a later date first."
    }

    static func personCancelRefused(_ task: UserTask) -> String {
        "Cancellation of user \(task.person) is not possible; the current status is \(task.summary)."
    }

    static func deleteRefused(_ job: Job) -> String {
        "Job \(job.id) must be completed, failed or cancelled before it can be deleted; the current status is "
            + "\(job.status.rawValue)."
    }
}
