/// What each state of a job allows: the columns of table 2.1 of the orchestration reference.
///
/// These are claims about the state alone; `JobMachine.swift` adds dates, ages and settings.
extension JobStatus {
    /// All work is over. Migrate may still lead out of `failed` and `completedWithErrors`, delete out of all.
    package var isFinal: Bool {
        switch self {
        case .completed, .completedWithErrors, .failed, .cancelled: true
        default: false
        }
    }

    /// A person may be in only one active job per target tenant (rule 1 after table 2.2).
    package var isActive: Bool { !isFinal && self != .pendingDelete && self != .deleted }

    /// Validate is accepted; from `validatePassed` only once the result has expired (row T9).
    package var canValidate: Bool { self == .submitted || self == .validateFailed }

    /// Migrate is accepted; from `validatePassed` only while the result is fresh (rows T10, T11).
    package var canMigrate: Bool { self == .validatePassed || self == .completedWithErrors || self == .failed }

    /// Cancel is accepted while the job's date has not passed.
    package var canCancel: Bool {
        switch self {
        case .submitted, .approved, .validateSubmitted, .validateProcessing, .validateInProgress, .validatePassed,
            .validateFailed, .processing, .inProgress:
            true
        default: false
        }
    }

    /// The date may be changed: as long as nobody has entered the cutover.
    package var canReschedule: Bool { canCancel }

    /// Delete is accepted. Jobs that only validate may also be deleted from their two verdicts.
    package var canDelete: Bool { isFinal }

    /// Work is going on, so that a person's decision may become necessary (row T41).
    package var isRunning: Bool {
        switch self {
        case .validateProcessing, .validateInProgress, .processing, .inProgress, .cuttingOver: true
        default: false
        }
    }
}

extension RunStatus {
    /// Nothing more happens in this attempt. `valid` and `invalid` are verdicts, not ends.
    package var isFinal: Bool {
        switch self {
        case .completed, .failed, .error, .cancelled: true
        default: false
        }
    }

    /// The end that everybody wants.
    package var isSuccess: Bool { self == .completed }

    /// The workload did not pass its checks or its move (aggregation counts `error` as a failure).
    package var isFailure: Bool { self == .invalid || self == .failed || self == .error }

    /// Validation has spoken.
    package var isJudged: Bool { self == .valid || self == .invalid || self == .error }

    /// States from which a run can be stopped. While a job validates, `inProgress` is a check, which is harmless to
    /// stop, and every verdict may be withdrawn; later it is a move that nobody can take back.
    package static func stoppable(whileChecking isChecking: Bool) -> Set<RunStatus> {
        isChecking
            ? [.notStarted, .inProgress, .valid, .invalid, .error]
            : [.notStarted, .syncing, .synced, .valid, .invalid]
    }
}

extension Job {
    /// A person in this job may be in no other active one. Jobs that only validate reserve nobody.
    package var isActive: Bool { status.isActive && !isValidationOnly }

    /// The job checks; `inProgress` of a run then means that it is being checked.
    package var isChecking: Bool { type == .validate }

    /// Whether a client may see `run` for that workload while the job is in `status`.
    ///
    /// Table 3.2 of the orchestration reference, and what it leaves out: people who were cancelled out of the job,
    /// workloads that an earlier attempt completed, people who are behind the others, faults.
    package static func permits(_ status: JobStatus, _ workload: Workload, _ run: RunStatus) -> Bool {
        if run == .forceComplete { return false }
        let isLeaving = run == .cancelled || run == .pendingCancel
        switch status {
        case .submitted, .approved, .validateSubmitted, .validateProcessing:
            return run == .notStarted || isLeaving
        case .processing:
            return run == .notStarted || run == .completed || isLeaving
        case .validateInProgress:
            return run == .notStarted || run == .inProgress || run.isJudged || isLeaving
        case .validatePassed:
            return run == .valid || isLeaving
        case .validateFailed:
            return run.isJudged || isLeaving
        case .inProgress, .cuttingOver:
            return run == .notStarted || run == .synced || run == .completed || run == .failed || run == .error
                || isLeaving
                || (workload == .mailbox ? run == .syncing || run == .finalizing : run == .inProgress)
        case .completed:
            return run == .completed || run == .cancelled
        case .completedWithErrors:
            return run.isFinal
        case .failed:
            return run == .failed || run == .error || run == .cancelled
        case .cancelled:
            return run.isFinal
        case .pendingCancel:
            return true
        case .adminActionRequired:
            return permits(.validateInProgress, workload, run) || permits(.inProgress, workload, run)
        case .pendingDelete:
            // Whoever was on the way out of a job that only checked goes with it.
            return run.isFinal || run.isJudged || run == .pendingCancel
        case .deleted:
            return false
        }
    }
}
