import FerryCore
import Testing

/// Requests and events of a job, by row of the transition table. Rows that follow from people: `AggregationTests`.
struct JobMachineTests {
    private let now = Make.now
    private let settings = JobSettings()
    private static let day = Duration.seconds(86_400)

    // MARK: validation

    @Test func `T2 validate of a submitted job is queued and clears old results`() throws {
        var job = Make.job(.submitted)
        let actions = try job.requestValidation(now: now + .seconds(1), settings: settings)
        #expect(actions == [.resetRuns(keeping: [.cancelled, .pendingCancel]), .wake(now + .seconds(1))])
        #expect(job.status == .validateSubmitted && job.type == .validate)
        #expect(job.message == "Validation was accepted and is queued." && job.updated == now + .seconds(1))
    }

    @Test func `T2a nothing starts by itself`() {
        var job = Make.job(.submitted)
        let before = job
        job.validationPickedUp(now: now)
        job.checksBegan(now: now)
        job.summedUp(Make.tally(Make.task(all: .notStarted)), now: now + Self.day)
        #expect(job == before)
    }

    @Test func `T3 a worker picks a queued validation up`() {
        var job = Make.job(.validateSubmitted)
        #expect(job.validationPickedUp(now: now) == [.wake(now)])
        #expect(job.status == .validateProcessing)
        #expect(job.validationPickedUp(now: now) == [])
    }

    @Test func `T4 the first check begins`() {
        var job = Make.job(.validateProcessing)
        job.checksBegan(now: now)
        #expect(job.status == .validateInProgress && !job.message.isEmpty)
        let before = job
        job.checksBegan(now: now + .seconds(1))
        #expect(job == before)
    }

    @Test func `T7 a failed validation may be repeated and its verdict is forgotten`() throws {
        var job = Make.job(.validateFailed, validated: now)
        _ = try job.requestValidation(now: now, settings: settings)
        #expect(job.status == .validateSubmitted && job.validated == nil)
    }

    @Test(arguments: JobStatus.allCases)
    func `T8 validate is refused in every other state and changes nothing`(status: JobStatus) {
        var job = Make.job(status, validated: now)
        let before = job
        let reason = conflict { () throws(Refusal) in try job.requestValidation(now: now, settings: settings) }
        let isAllowed = status == .submitted || status == .validateFailed
        #expect(reason == (isAllowed ? nil : .invalidJobStatus))
        #expect((job == before) == !isAllowed)
    }

    @Test func `T9 an expired validation may be repeated, a fresh one not`() throws {
        var job = Make.job(.validatePassed, validated: now)
        #expect(
            conflict { () throws(Refusal) in try job.requestValidation(now: now + Self.day * 7, settings: settings) }
                == .invalidJobStatus)
        _ = try job.requestValidation(now: now + Self.day * 7 + .microseconds(1), settings: settings)
        #expect(job.status == .validateSubmitted)
    }

    // MARK: migration

    @Test func `T10 migrate within seven days is queued`() throws {
        var job = Make.job(.validatePassed, validated: now)
        let end = now + Self.day * 7
        let actions = try job.requestMigration(now: end, settings: settings)
        #expect(actions == [.resetRuns(keeping: [.completed, .cancelled, .pendingCancel]), .wake(end)])
        #expect(job.status == .processing && job.type == .migrate && job.attempt == 1)
        #expect(job.message == "Migration was accepted and is queued.")
    }

    @Test func `T11 migrate after seven days is refused as expired`() {
        var job = Make.job(.validatePassed, validated: now)
        let before = job
        let late = now + Self.day * 7 + .microseconds(1)
        let refused = refusal { () throws(Refusal) in try job.requestMigration(now: late, settings: settings) }
        guard case .conflict(.validationExpired, let message) = refused else {
            Issue.record("not refused as expired")
            return
        }
        #expect(message == "The last successful validation is older than 7 days; validate again before migrating.")
        #expect(job == before)
    }

    @Test(arguments: JobStatus.allCases)
    func `T12 migrate is refused in every other state and the text names the state`(status: JobStatus) {
        var job = Make.job(status, type: .migrate, validated: now)
        let refused = refusal { () throws(Refusal) in try job.requestMigration(now: now, settings: settings) }
        switch status {
        case .validatePassed, .failed, .completedWithErrors: #expect(refused == nil)
        default:
            guard case .conflict(.invalidJobStatus, let message) = refused else {
                Issue.record("\(status) was not refused")
                return
            }
            #expect(message.contains(status.rawValue))
        }
    }

    @Test func `T12 a job that only checks never migrates`() {
        var job = Make.job(.validatePassed, validated: now, validationOnly: true)
        #expect(
            conflict { () throws(Refusal) in try job.requestMigration(now: now, settings: settings) }
                == .invalidJobStatus)
    }

    @Test func `T13 the people are handed out`() {
        var job = Make.job(.processing, type: .migrate)
        job.migrationExpanded(now: now)
        #expect(job.status == .inProgress && job.message.contains("2031-01-31T00:00:00Z"))
    }

    @Test func `T18 a later date moves the schedule and wakes the job`() throws {
        var job = Make.job(.inProgress, type: .migrate)
        let later = Make.date + Self.day
        #expect(try job.reschedule(to: later, now: now, settings: settings) == [.wake(now)])
        #expect(job.completeAfter == later && job.status == .inProgress)
        var idle = Make.job(.validatePassed)
        #expect(try idle.reschedule(to: later, now: now, settings: settings) == [])
        #expect(idle.completeAfter == later)
    }

    @Test func `T18 the same date changes nothing`() throws {
        var job = Make.job(.inProgress, type: .migrate)
        let before = job
        #expect(try job.reschedule(to: Make.date, now: now + .seconds(5), settings: settings) == [])
        #expect(job == before)
    }

    @Test func `T19 a past date means due now, unless the setting refuses it`() throws {
        var job = Make.job(.inProgress, type: .migrate)
        #expect(try job.reschedule(to: now - Self.day, now: now, settings: settings) == [.wake(now)])
        #expect(job.completeAfter == now - Self.day)
        let strict = JobSettings(refusesPastReschedule: true)
        let refused = refusal { () throws(Refusal) in try job.reschedule(to: now, now: now, settings: strict) }
        guard case .invalid(let problems) = refused else {
            Issue.record("a past date was accepted")
            return
        }
        #expect(problems.map(\.code) == [.minThresholdFailed] && problems[0].target == "completeAfterDateTime")
    }

    @Test(arguments: JobStatus.allCases)
    func `T20 the date is fixed once the cutover has begun or all is over`(status: JobStatus) {
        var job = Make.job(status, interrupted: status == .adminActionRequired ? .cuttingOver : nil)
        let reason = conflict { () throws(Refusal) in
            try job.reschedule(to: Make.date + .seconds(1), now: now, settings: settings)
        }
        let isFixed: Set<JobStatus> = [
            .cuttingOver, .completed, .completedWithErrors, .failed, .cancelled, .pendingCancel, .adminActionRequired,
            .pendingDelete, .deleted,
        ]
        #expect(reason == (isFixed.contains(status) ? .invalidJobStatus : nil))
    }

    @Test func `T21 the first person in the cutover takes the job along, later ones change nothing`() {
        var job = Make.job(.inProgress, type: .migrate)
        let tally = Make.tally(Make.task([.mailbox: .finalizing]), Make.task([.mailbox: .synced], person: 2))
        job.personEntersCutover(now: now, tally: tally)
        #expect(job.status == .cuttingOver)
        #expect(job.message == "0 of 2 users are cut over; cancellation is no longer possible for them.")
        let before = job
        job.personEntersCutover(now: now + .seconds(1), tally: tally)
        #expect(job == before)
    }

    @Test(arguments: [JobStatus.failed, .completedWithErrors])
    func `T28 a retry is a new attempt, whatever the age of the validation`(status: JobStatus) throws {
        var job = Make.job(status, type: .migrate, validated: now, attempt: 1)
        let late = now + Self.day * 365
        let actions = try job.requestMigration(now: late, settings: settings)
        #expect(actions == [.resetRuns(keeping: [.completed, .cancelled, .pendingCancel]), .wake(late)])
        #expect(job.status == .processing && job.attempt == 2)
    }

    // MARK: cancel

    private static let cancellable: [JobStatus] = [
        .submitted, .approved, .validateSubmitted, .validateProcessing, .validateInProgress, .validatePassed,
        .validateFailed, .processing, .inProgress,
    ]

    @Test(arguments: cancellable)
    func `T29 cancel before the date stops everybody`(status: JobStatus) throws {
        var job = Make.job(status)
        #expect(try job.requestCancel(now: now, settings: settings) == [.stopRuns, .dropWork, .wake(now)])
        #expect(job.status == .pendingCancel)
        #expect(job.message == "The cancellation request for this migration job was accepted.")
    }

    @Test(arguments: Set(JobStatus.allCases).subtracting(cancellable).sorted { $0.rawValue < $1.rawValue })
    func `T32 cancel is refused in every other state and the text names it`(status: JobStatus) {
        var job = Make.job(status, interrupted: status == .adminActionRequired ? .cuttingOver : nil)
        let refused = refusal { () throws(Refusal) in try job.requestCancel(now: now, settings: settings) }
        guard case .conflict(.cancelNotPossible, let message) = refused else {
            Issue.record("\(status) was cancelled")
            return
        }
        #expect(message == "Cancellation is not possible; the current status is \(status.rawValue).")
    }

    /// A dead end otherwise: it cannot be migrated, and nobody has noticed anything of it.
    @Test(arguments: [JobStatus.submitted, .validateInProgress, .validatePassed, .validateFailed])
    func `T29 a job that only checks can be cancelled after its date, too`(status: JobStatus) throws {
        var job = Make.job(status)
        try job.checkCancel(of: Make.task(all: .invalid), now: Make.date, settings: settings)
        _ = try job.requestCancel(now: Make.date, settings: settings)
        #expect(job.status == .pendingCancel)
    }

    @Test(arguments: [JobStatus.processing, .inProgress])
    func `T32 cancel is refused once the date has passed`(status: JobStatus) {
        var job = Make.job(status, type: .migrate)
        #expect(
            conflict { () throws(Refusal) in try job.requestCancel(now: Make.date, settings: settings) }
                == .cancelNotPossible)
    }

    @Test func `T32 with the setting cancel works until the cutover, and leaves those alone who are in it`() throws {
        let patient = JobSettings(cancelsUntilCutover: true)
        var job = Make.job(.inProgress, type: .migrate)
        #expect(
            try job.requestCancel(now: Make.date + Self.day, settings: patient) == [
                .stopRuns, .dropWork, .wake(Make.date + Self.day),
            ])
        var late = Make.job(.cuttingOver, type: .migrate)
        // Work of people in the cutover must not be dropped.
        #expect(
            try late.requestCancel(now: Make.date + Self.day, settings: patient) == [
                .stopRuns, .wake(Make.date + Self.day),
            ])
    }

    @Test func `T33 a person can be cancelled before the cutover, in every phase`() throws {
        try Make.job(.validateFailed).checkCancel(of: Make.task(all: .invalid), now: now, settings: settings)
        try Make.job(.inProgress, type: .migrate).checkCancel(of: Make.task(all: .synced), now: now, settings: settings)
    }

    @Test func `T34 an unknown person is not found, which is not a conflict`() {
        #expect(Refusal.personNotFound("x") != Refusal.jobNotFound("x"))
    }

    @Test func `T35 a person past the date, in the cutover or at the end cannot be cancelled`() {
        let job = Make.job(.inProgress, type: .migrate)
        #expect(
            conflict { () throws(Refusal) in
                try job.checkCancel(of: Make.task(all: .synced), now: Make.date, settings: settings)
            } == .cancelNotPossible)
        let patient = JobSettings(cancelsUntilCutover: true)
        let cutting = Make.job(.cuttingOver, type: .migrate)
        let inCutover = Make.task([.mailbox: .finalizing, .files: .synced])
        let refused = refusal { () throws(Refusal) in
            try cutting.checkCancel(of: inCutover, now: Make.date, settings: patient)
        }
        guard case .conflict(.cancelNotPossible, let message) = refused else {
            Issue.record("a person in the cutover was cancelled")
            return
        }
        #expect(message.contains("Exchange finalizing"))
        #expect(
            refusal { () throws(Refusal) in
                try cutting.checkCancel(of: Make.task(all: .synced), now: Make.date, settings: patient)
            } == nil)
        #expect(
            conflict { () throws(Refusal) in
                try job.checkCancel(of: Make.task(all: .completed), now: now, settings: settings)
            } == .cancelNotPossible)
        #expect(
            conflict { () throws(Refusal) in
                try job.checkCancel(of: Make.task(all: .pendingCancel), now: now, settings: settings)
            } == .cancelNotPossible)
    }

    @Test func `T36 a person who never started has nothing to cancel`() {
        var task = Make.task(all: .notStarted)
        task.refused(Make.finding, at: .mailbox)
        let job = Make.job(.inProgress, type: .migrate)
        #expect(
            conflict { () throws(Refusal) in try job.checkCancel(of: task, now: now, settings: settings) }
                == .cancelNotPossible)
    }

    // MARK: delete

    @Test(arguments: [JobStatus.completed, .completedWithErrors, .failed, .cancelled])
    func `T38 a final job can be deleted, after the delay that is set`(status: JobStatus) throws {
        var job = Make.job(status)
        let slow = JobSettings(purgeDelay: .seconds(60))
        #expect(try job.requestDeletion(now: now, settings: slow) == [.dropWork, .wake(now + .seconds(60))])
        #expect(job.status == .pendingDelete)
    }

    @Test(arguments: [JobStatus.validatePassed, .validateFailed])
    func `T38 a job that only checks can be deleted from its verdict`(status: JobStatus) throws {
        var job = Make.job(status, validationOnly: true)
        _ = try job.requestDeletion(now: now, settings: settings)
        #expect(job.status == .pendingDelete)
    }

    @Test(arguments: JobStatus.allCases.filter { !$0.isFinal })
    func `T39 a job that is not final cannot be deleted`(status: JobStatus) {
        var job = Make.job(status)
        let refused = refusal { () throws(Refusal) in try job.requestDeletion(now: now, settings: settings) }
        guard case .conflict(.resourceTypeMismatch, let message) = refused else {
            Issue.record("\(status) was deleted")
            return
        }
        #expect(message.contains(job.id.description) && message.contains("completed, failed or cancelled"))
    }

    @Test func `T40 a purged job is a tombstone without people`() {
        var job = Make.job(.pendingDelete)
        job.purged(now: now)
        #expect(job.status == .deleted && job.people.isEmpty)
        var other = Make.job(.completed)
        let before = other
        other.purged(now: now)
        #expect(other == before)
    }

    // MARK: a person must decide

    private static let running: [JobStatus] = [
        .validateProcessing, .validateInProgress, .processing, .inProgress, .cuttingOver,
    ]

    @Test(arguments: JobStatus.allCases)
    func `T41 work that needs a person says so, from running states only`(status: JobStatus) {
        var job = Make.job(status)
        job.needsAction("Approve the skipped items", people: 2, now: now)
        if Self.running.contains(status) {
            #expect(job.status == .adminActionRequired && job.interrupted == status)
            #expect(job.message == "Approve the skipped items, affects 2 users.")
        } else {
            #expect(job.status == status && job.interrupted == nil)
        }
    }

    @Test(arguments: running)
    func `T42 the job goes back to where it came from`(status: JobStatus) {
        var job = Make.job(status, type: .migrate)
        job.needsAction("Renew the credentials", people: 1, now: now)
        job.actionTaken(now: now)
        #expect(job.status == status && job.interrupted == nil)
        let before = job
        job.actionTaken(now: now + .seconds(1))
        #expect(job == before)
    }

    @Test func `T42 a job that waits for a person still moves on underneath`() {
        var job = Make.job(.inProgress, type: .migrate)
        job.needsAction("Approve", people: 1, now: now)
        job.personEntersCutover(now: now, tally: Make.tally(Make.task(all: .synced)))
        #expect(job.status == .adminActionRequired && job.interrupted == .cuttingOver)
        job.summedUp(Make.tally(Make.task(all: .completed)), now: now)
        #expect(job.status == .completed && job.interrupted == nil)
    }

    @Test func `T43 events that are reported again after a crash change nothing`() {
        var job = Make.job(.validateSubmitted)
        job.validationPickedUp(now: now)
        job.checksBegan(now: now)
        let before = job
        job.validationPickedUp(now: now + .seconds(9))
        job.checksBegan(now: now + .seconds(9))
        job.migrationExpanded(now: now + .seconds(9))
        #expect(job == before)
    }

    @Test func `a clock that is behind does not turn updated back`() throws {
        var job = Make.job(.submitted)
        _ = try job.requestValidation(now: now - .seconds(5), settings: settings)
        #expect(job.updated == now)
    }
}
