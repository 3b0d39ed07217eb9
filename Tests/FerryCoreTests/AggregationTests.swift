import FerryCore
import Testing

/// What the people's states make of the job, by row, and the texts of 3.5.
struct AggregationTests {
    private let now = Make.now

    private func summedUp(
        _ status: JobStatus, type: JobType = .migrate, now: Instant = Make.now, workloads: [Workload] = Make.everything,
        _ tasks: UserTask...
    ) -> Job {
        var job = Make.job(status, type: type, workloads: workloads)
        job.summedUp(RunTally(of: tasks), now: now)
        // Summing up again without news must not change anything.
        var again = job
        again.summedUp(RunTally(of: tasks), now: now)
        #expect(again == job)
        return job
    }

    // MARK: validation

    @Test func `T5 all valid is passed and starts the seven days`() {
        let end = now + .seconds(60)
        let job = summedUp(
            .validateInProgress, type: .validate, now: end, Make.task(all: .valid), Make.task(all: .valid, person: 2))
        #expect(job.status == .validatePassed && job.validated == end && job.updated == end)
        #expect(job.message == "Validation finished; no failures were found.")
    }

    @Test(arguments: [RunStatus.invalid, .error])
    func `T6 one bad workload is failed, once everybody is judged`(bad: RunStatus) {
        var one = Make.task(all: .valid)
        one.runs[0].status = bad
        let job = summedUp(.validateInProgress, type: .validate, one, Make.task(all: .valid, person: 2))
        #expect(job.status == .validateFailed)
        #expect(job.message == "Validation finished; 1 of 2 users have at least one failure. See users.")
        let waiting = summedUp(.validateInProgress, type: .validate, one, Make.task(all: .inProgress, person: 2))
        #expect(waiting.status == .validateInProgress)
    }

    @Test func `the last bad person cancelled out makes a failed validation pass, with the age it has`() throws {
        var job = Make.job(.validateInProgress)
        let (bad, good) = (Make.task(all: .invalid), Make.task(all: .valid, person: 2))
        job.summedUp(Make.tally(bad, good), now: now)
        #expect(job.status == .validateFailed)
        var leaving = bad
        leaving.stopRequested(isChecking: job.isChecking)
        job.summedUp(Make.tally(leaving, good), now: now + .seconds(60))
        #expect(job.status == .validateFailed)
        leaving.stopped()
        job.summedUp(Make.tally(leaving, good), now: now + .seconds(86_400))
        #expect(job.status == .validatePassed && job.validated == now)
        #expect(
            conflict { () throws(Refusal) in
                try job.requestMigration(now: now + .seconds(8 * 86_400), settings: JobSettings())
            } == .validationExpired)
    }

    // MARK: migration

    @Test func `T17 everybody failed the check before the migration`() {
        var one = Make.task(all: .notStarted)
        one.refused(Make.finding, at: .mailbox)
        let job = summedUp(.inProgress, one)
        #expect(
            job.status == .failed
                && job.message == "No user of this batch could be migrated. Call migrate again to retry.")
    }

    @Test func `T22 the date has passed and nobody is in sync`() {
        let job = summedUp(
            .inProgress, now: Make.date, Make.task([.mailbox: .syncing]), Make.task([.mailbox: .syncing], person: 2))
        #expect(job.status == .inProgress)
        #expect(job.message == "0 of 2 mailboxes are in sync; the date has passed, each user is cut over when ready.")
    }

    @Test(arguments: [JobStatus.inProgress, .cuttingOver])
    func `T25 all completed`(status: JobStatus) {
        let job = summedUp(status, Make.task(all: .completed), Make.task(all: .completed, person: 2))
        #expect(job.status == .completed)
        #expect(job.message == "The batch and every user in it were migrated without failures.")
    }

    @Test func `T25 cancelled people do not count`() {
        #expect(
            summedUp(.cuttingOver, Make.task(all: .completed), Make.task(all: .cancelled, person: 2)).status
                == .completed)
    }

    @Test(arguments: [RunStatus.failed, .error])
    func `T26 success and failure mixed`(bad: RunStatus) {
        let job = summedUp(
            .cuttingOver, Make.task(all: .completed), Make.task(all: bad, person: 2),
            Make.task(all: .completed, person: 3))
        #expect(job.status == .completedWithErrors)
        #expect(
            job.message == "Finished: 2 users without failures, 1 with failures. Call migrate again to retry those.")
        // One surviving workload of one person is success enough.
        let one = summedUp(.cuttingOver, Make.task([.mailbox: .completed, .files: bad]))
        #expect(one.status == .completedWithErrors)
    }

    @Test func `T27 nothing succeeded`() {
        #expect(summedUp(.cuttingOver, Make.task(all: .failed), Make.task(all: .error, person: 2)).status == .failed)
        #expect(
            summedUp(.cuttingOver, Make.task(all: .failed), Make.task(all: .cancelled, person: 2)).status == .failed)
    }

    @Test func `a person who is not at the end keeps the job open`() {
        #expect(
            summedUp(
                .cuttingOver, Make.task(all: .completed),
                Make.task([.mailbox: .completed, .files: .inProgress], person: 2)
            ).status == .cuttingOver)
    }

    // MARK: cancellation

    @Test func `T30 everybody stopped`() {
        #expect(summedUp(.pendingCancel, Make.task(all: .pendingCancel)).status == .pendingCancel)
        let job = summedUp(.pendingCancel, Make.task(all: .cancelled))
        #expect(job.status == .cancelled)
        #expect(job.message == "The batch was cancelled before cutover; source data is unchanged.")
        // Somebody who had failed before does not turn the cancellation into a failure.
        #expect(
            summedUp(.pendingCancel, Make.task(all: .cancelled), Make.task(all: .failed, person: 2)).status
                == .cancelled)
        #expect(summedUp(.pendingCancel, type: .validate, Make.task(all: .cancelled)).status == .cancelled)
    }

    @Test func `T31 those past the point of no return decide how a cancelled job ends`() {
        let waiting = summedUp(
            .pendingCancel, Make.task([.mailbox: .finalizing, .files: .synced]), Make.task(all: .cancelled, person: 2))
        #expect(waiting.status == .pendingCancel)
        #expect(
            summedUp(.pendingCancel, Make.task(all: .completed), Make.task(all: .cancelled, person: 2)).status
                == .completed)
        let mixed = summedUp(
            .pendingCancel, Make.task([.mailbox: .completed, .files: .failed]),
            Make.task([.mailbox: .cancelled, .files: .cancelled], person: 2))
        #expect(mixed.status == .completedWithErrors)
        #expect(summedUp(.pendingCancel, Make.task(all: .failed)).status == .failed)
    }

    @Test(arguments: [
        JobStatus.submitted, .validateSubmitted, .validateProcessing, .validateInProgress, .validatePassed,
        .validateFailed,
        .processing, .inProgress, .cuttingOver,
    ])
    func `T37 the last person cancelled ends the job`(status: JobStatus) {
        #expect(
            summedUp(status, Make.task(all: .cancelled), Make.task(all: .cancelled, person: 2)).status == .cancelled)
        let partly = Make.task([.mailbox: .completed, .files: .cancelled])
        if status == .inProgress { #expect(summedUp(status, partly).status == .cancelled) }
    }

    @Test(arguments: [JobStatus.completed, .completedWithErrors, .failed, .cancelled, .pendingDelete, .deleted])
    func `nothing is summed up after the end`(status: JobStatus) {
        let job = summedUp(status, Make.task(all: .failed), Make.task(all: .completed, person: 2))
        #expect(job == Make.job(status, type: .migrate))
    }

    @Test func `an empty tally says nothing`() {
        #expect(summedUp(.inProgress) == Make.job(.inProgress, type: .migrate))
    }

    // MARK: texts while it runs

    @Test func `the text counts mailboxes until the date`() {
        let one = Make.task([.mailbox: .synced])
        let running = summedUp(.inProgress, one, Make.task([.mailbox: .syncing], person: 2))
        #expect(running.message == "1 of 2 mailboxes are in sync; no user is affected before 2031-01-31T00:00:00Z.")
        let waiting = summedUp(.inProgress, one, Make.task([.mailbox: .synced], person: 2))
        #expect(waiting.message == "All mailboxes are in sync; waiting for 2031-01-31T00:00:00Z.")
        let failed = summedUp(.inProgress, one, Make.task([.mailbox: .failed], person: 2))
        #expect(
            failed.message
                == "All mailboxes are in sync; waiting for 2031-01-31T00:00:00Z. 1 users have failed so far; see users."
        )
    }

    @Test func `without mailboxes the text counts users`() {
        let job = summedUp(
            .inProgress, workloads: [.files], Make.task([.files: .synced]), Make.task([.files: .notStarted], person: 2))
        #expect(job.message == "1 of 2 users are prepared; no user is affected before 2031-01-31T00:00:00Z.")
    }

    @Test func `the text counts those who are cut over, without the cancelled`() {
        let job = summedUp(
            .cuttingOver, Make.task([.mailbox: .completed, .files: .inProgress]),
            Make.task([.mailbox: .synced, .files: .synced], person: 2),
            Make.task([.mailbox: .cancelled, .files: .cancelled], person: 3))
        #expect(job.message == "1 of 2 users are cut over; cancellation is no longer possible for them.")
    }

    @Test func `the other texts are what they are`() {
        #expect(JobMessages.validateAccepted == "Validation was accepted and is queued.")
        #expect(JobMessages.actionRequired("Approve", people: 3) == "Approve, affects 3 users.")
        #expect(
            JobMessages.personCancelAccepted(Make.person(1), in: Make.job())
                == "The cancellation of user \(Make.person(1)) in batch wave-1 was accepted.")
    }

    @Test func `a tally counts people as a store does`() {
        let tally = Make.tally(
            Make.task(all: .completed), Make.task(all: .cancelled, person: 2),
            Make.task([.mailbox: .completed, .files: .cancelled], person: 3),
            Make.task([.mailbox: .failed, .files: .synced], person: 4))
        #expect(
            tally.people == 4 && tally.peopleCompleted == 1 && tally.peopleCancelled == 2 && tally.peopleFailed == 1)
        #expect(tally.runs == 12 && tally.runs(in: [.completed], of: .mailbox) == 2 && !tally.isFinal)
    }
}
