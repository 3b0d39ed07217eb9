/// What the people's states make of the job (orchestration 3.4).
extension Job {
    /// Judges the job anew after runs have changed: verdict of a validation (rows T5, T6), end of a migration (T17, T25
    /// to T27), end of a cancellation (T30, T31), the last person cancelled (T37), and the text that shows how far it is
    /// (3.5). A job that waits for a date or for people (T22) only gets a fresh text.
    ///
    /// May be called any number of times: without news nothing changes, `updated` neither.
    @discardableResult
    package mutating func summedUp(_ tally: RunTally, now: Instant) -> [JobAction] {
        guard tally.people > 0 else { return [] }
        switch phase {
        case .submitted, .approved, .validateSubmitted, .validateProcessing, .validatePassed, .processing:
            if tally.hasOnlyCancelledPeople { enter(.cancelled, JobMessages.cancelled, at: now) }
        case .validateInProgress:
            sumUpValidation(tally, endedAt: now, now: now)
        case .validateFailed:
            // Somebody may have been cancelled out. What the others got stays as old as it is.
            sumUpValidation(tally, endedAt: validated ?? now, now: now)
        case .inProgress, .cuttingOver:
            sumUpMigration(tally, now: now)
        case .pendingCancel:
            sumUpCancellation(tally, now: now)
        case .adminActionRequired, .completed, .completedWithErrors, .failed, .cancelled, .pendingDelete, .deleted:
            break
        }
        return []
    }

    private mutating func sumUpValidation(_ tally: RunTally, endedAt end: Instant, now: Instant) {
        if tally.hasOnlyCancelledPeople { return settle(.cancelled, JobMessages.cancelled, at: now) }
        let isJudged = tally.runs(in: [.valid, .invalid, .error, .cancelled]) == tally.runs
        guard isJudged else { return }
        validated = end
        if tally.runs(in: [.invalid, .error]) == 0 {
            settle(.validatePassed, JobMessages.validatePassed, at: now)
        } else {
            settle(.validateFailed, JobMessages.validateFailed(tally), at: now)
        }
    }

    private mutating func sumUpMigration(_ tally: RunTally, now: Instant) {
        guard tally.isFinal else {
            if status == .inProgress { settle(.inProgress, JobMessages.syncing(self, tally, now: now), at: now) }
            if status == .cuttingOver { settle(.cuttingOver, JobMessages.cuttingOver(self, tally), at: now) }
            return
        }
        settle(outcome(tally), tally, at: now)
    }

    private mutating func sumUpCancellation(_ tally: RunTally, now: Instant) {
        guard tally.isFinal else { return }
        let status = outcome(tally)
        // People who failed before the cancellation did not "run" to an end: the cancellation is what ended the job.
        let wasStopped = isChecking || status == .failed && tally.peopleCancelled > 0
        settle(wasStopped ? .cancelled : status, tally, at: now)
    }

    /// The table at the end of 3.4. Cancelled people do not count, except that something they had completed before
    /// keeps the job from claiming that nothing moved.
    private func outcome(_ tally: RunTally) -> JobStatus {
        let ran = tally.people - tally.peopleCancelled
        if ran == 0 { return .cancelled }
        if tally.peopleCompleted == ran { return .completed }
        return tally.runs(in: [.completed]) == 0 ? .failed : .completedWithErrors
    }

    private mutating func settle(_ status: JobStatus, _ tally: RunTally, at now: Instant) {
        let text =
            switch status {
            case .completed: JobMessages.completed
            case .failed: JobMessages.failed
            case .cancelled: JobMessages.cancelled
            default: JobMessages.completedWithErrors(tally)
            }
        settle(status, text, at: now)
    }

    private mutating func settle(_ status: JobStatus, _ message: String, at now: Instant) {
        guard status != self.status || message != self.message else { return }
        enter(status, message, at: now)
    }
}

extension RunTally {
    /// All runs of all people.
    package var runs: Int { counts.values.reduce(0, +) }

    /// Every run is over.
    package var isFinal: Bool { runs(in: [.completed, .failed, .error, .cancelled]) == runs }

    var hasOnlyCancelledPeople: Bool { peopleCancelled == people && isFinal }

    /// People who still count.
    var peopleLeft: Int { people - peopleCancelled }

    /// The tally of these people, as a store counts it.
    package init(of tasks: some Sequence<UserTask>) {
        self.init(counts: [:], people: 0, peopleCompleted: 0, peopleCancelled: 0, peopleFailed: 0)
        for task in tasks {
            people += 1
            for run in task.runs { counts[Group(workload: run.id.workload, status: run.status), default: 0] += 1 }
            if task.runs.allSatisfy({ $0.status == .completed }) { peopleCompleted += 1 }
            if task.runs.contains(where: { $0.status == .cancelled }),
                task.runs.allSatisfy({ $0.status == .cancelled || $0.status == .completed })
            {
                peopleCancelled += 1
            }
            if task.runs.contains(where: { $0.status.isFailure }) { peopleFailed += 1 }
        }
    }
}
