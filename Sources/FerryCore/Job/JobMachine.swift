/// What may happen to a job: the rows of transition table 2.2 of the orchestration reference, by number.
///
/// Requests of clients throw a refusal and change nothing; events of the service that do not fit the state change
/// nothing, because workers report late and twice. While a job is `adminActionRequired`, rows are judged by the state it
/// came from. Rows T5 to T37 that follow from the people's states are in `JobAggregation.swift`.
extension Job {
    /// The state that decides: the current one, or the one that a person's decision holds up.
    package var phase: JobStatus { interrupted ?? status }

    // MARK: validation

    /// Rows T2, T7, T9; everything else is row T8.
    package mutating func requestValidation(now: Instant, settings: JobSettings) throws(Refusal) -> [JobAction] {
        let hasExpired = status == .validatePassed && !isFresh(at: now, settings: settings)
        guard status.canValidate || hasExpired else {
            throw .conflict(.invalidJobStatus, message: JobMessages.validateRefused(self))
        }
        validated = nil
        enter(.validateSubmitted, JobMessages.validateAccepted, at: now)
        return [.resetRuns(keeping: [.pendingCancel, .cancelled]), .wake(now)]
    }

    /// Row T3: a worker begins to hand the people out.
    @discardableResult
    package mutating func validationPickedUp(now: Instant) -> [JobAction] {
        guard phase == .validateSubmitted else { return [] }
        advance(to: .validateProcessing, message, at: now)
        return [.wake(now)]
    }

    /// Row T4: before the first check begins.
    package mutating func checksBegan(now: Instant) {
        guard phase == .validateProcessing else { return }
        advance(to: .validateInProgress, JobMessages.checking, at: now)
    }

    // MARK: migration

    /// Rows T10 and T28; refusals are rows T11 and T12.
    package mutating func requestMigration(now: Instant, settings: JobSettings) throws(Refusal) -> [JobAction] {
        guard !isValidationOnly, status.canMigrate else {
            throw .conflict(.invalidJobStatus, message: JobMessages.migrateRefused(self))
        }
        // A retry cannot be validated again, so the age of its validation does not count (open question 10.4).
        if status == .validatePassed, !isFresh(at: now, settings: settings) {
            throw .conflict(.validationExpired, message: JobMessages.validationExpired(settings.validationLifetime))
        }
        type = .migrate
        attempt += 1
        enter(.processing, JobMessages.migrateAccepted, at: now)
        return [.resetRuns(keeping: [.completed, .pendingCancel, .cancelled]), .wake(now)]
    }

    /// Row T13: the people are handed out to the checks.
    package mutating func migrationExpanded(now: Instant) {
        guard phase == .processing else { return }
        advance(to: .inProgress, JobMessages.starting(self), at: now)
    }

    /// Row T21, in the transaction in which the first run enters its cutover. Later people change nothing here.
    package mutating func personEntersCutover(now: Instant, tally: RunTally) {
        guard phase == .inProgress else { return }
        advance(to: .cuttingOver, JobMessages.cuttingOver(self, tally), at: now)
    }

    /// Rows T18 to T20. A past date means "due now" (setting: refused).
    package mutating func reschedule(
        to date: Instant, now: Instant, settings: JobSettings
    ) throws(Refusal) -> [JobAction] {
        guard phase.canReschedule else {
            throw .conflict(.invalidJobStatus, message: JobMessages.rescheduleRefused(status))
        }
        if settings.refusesPastReschedule, date <= now { throw .invalid([.pastDate(now: now)]) }
        guard date != completeAfter else { return [] }
        completeAfter = date
        touch(now)
        // Only a job that moves people watches its date.
        return phase == .processing || phase == .inProgress ? [.wake(now)] : []
    }

    // MARK: cancel

    /// Row T29; refusals are row T32. With the setting also from `cuttingOver`: people in their cutover then go on.
    package mutating func requestCancel(now: Instant, settings: JobSettings) throws(Refusal) -> [JobAction] {
        try checkCancel(now: now, settings: settings)
        // Dropping work ends leases, which must not happen to somebody who is past the point of no return.
        let actions: [JobAction] = phase == .cuttingOver ? [.stopRuns] : [.stopRuns, .dropWork]
        enter(.pendingCancel, JobMessages.cancelAccepted, at: now)
        return actions + [.wake(now)]
    }

    /// Row T33; refusals are rows T35 and T36 (an unknown person, row T34, is not found before). Changes nothing: the
    /// caller stops the person with `UserTask.stopRequested`.
    package func checkCancel(of task: UserTask, now: Instant, settings: JobSettings) throws(Refusal) {
        // An approval may also be refused, whatever the date: the person works at the source, and nothing there is closed.
        if task.waitsForApproval { return }
        try checkCancel(now: now, settings: settings)
        guard !task.isInCutover(isChecking: isChecking),
            task.runs.contains(where: { $0.isStoppable(whileChecking: isChecking) })
        else { throw .conflict(.cancelNotPossible, message: JobMessages.personCancelRefused(task)) }
    }

    private func checkCancel(now: Instant, settings: JobSettings) throws(Refusal) {
        guard phase.canCancel || settings.cancelsUntilCutover && phase == .cuttingOver else {
            throw .conflict(.cancelNotPossible, message: JobMessages.cancelRefused(status))
        }
        // The date is when people may notice something. Of a job that only checks nobody ever does, so it binds nobody there;
        // otherwise a job whose checks fail until after its date could neither be moved nor be got rid of.
        guard settings.cancelsUntilCutover || isChecking || now < completeAfter else {
            throw .conflict(.cancelNotPossible, message: JobMessages.cancelTooLate(self))
        }
    }

    // MARK: delete

    /// Row T38, and the two verdicts of a job that only validates; refusals are row T39.
    package mutating func requestDeletion(now: Instant, settings: JobSettings) throws(Refusal) -> [JobAction] {
        let isVerdict = isValidationOnly && (status == .validatePassed || status == .validateFailed)
        guard status.canDelete || isVerdict else {
            throw .conflict(.resourceTypeMismatch, message: JobMessages.deleteRefused(self))
        }
        enter(.pendingDelete, JobMessages.deleteAccepted, at: now)
        return [.dropWork, .wake(now + settings.purgeDelay)]
    }

    /// Row T40: what belonged to the job is gone; the job stays as a tombstone.
    package mutating func purged(now: Instant) {
        guard status == .pendingDelete else { return }
        people = []
        enter(.deleted, JobMessages.deleted, at: now)
    }

    // MARK: a person must decide

    /// Row T41, from every running state. A second reason replaces the text of the first.
    /// - Parameters:
    ///   - what: what has to be done, as the beginning of a sentence without a full stop.
    ///   - people: how many people wait for it.
    package mutating func needsAction(_ what: String, people: Int, now: Instant) {
        guard phase.isRunning else { return }
        let text = JobMessages.actionRequired(what, people: people)
        guard status != .adminActionRequired || message != text else { return }
        interrupted = phase
        status = .adminActionRequired
        message = text
        touch(now)
    }

    /// Row T42: back to where the job came from. The text is made anew by the next `summedUp`.
    package mutating func actionTaken(now: Instant) {
        guard status == .adminActionRequired, let phase = interrupted else { return }
        enter(phase, "", at: now)
    }

    /// Somebody agrees to what would be left behind (5.5). The runs are the store's business; this is about the state
    /// alone. A job that has nothing to agree to refuses.
    package func checkApproval() throws(Refusal) {
        guard status == .adminActionRequired else {
            throw .conflict(.invalidJobStatus, message: JobMessages.approveRefused(status))
        }
    }

    // MARK: steps

    /// Whether migrate may still build on the last validation.
    private func isFresh(at now: Instant, settings: JobSettings) -> Bool {
        guard let validated else { return false }
        return now - validated <= settings.validationLifetime
    }

    /// Leaves the current state, and what it may have held up, for another one.
    mutating func enter(_ status: JobStatus, _ message: String, at now: Instant) {
        self.status = status
        self.message = message
        interrupted = nil
        touch(now)
    }

    /// Goes one step on within a run; a job that waits for a person keeps showing that.
    private mutating func advance(to status: JobStatus, _ message: String, at now: Instant) {
        guard self.status == .adminActionRequired else { return enter(status, message, at: now) }
        interrupted = status
        touch(now)
    }

    /// Clocks of several nodes differ a little; what clients see never goes back.
    mutating func touch(_ now: Instant) { updated = max(updated, now) }
}
