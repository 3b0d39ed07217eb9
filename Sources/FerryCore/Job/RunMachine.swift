/// What may happen to one workload of one person (orchestration 3.3).
///
/// An event that does not fit the state changes nothing. That is normal and not a fault: workers report what they did
/// while somebody cancelled, and after a crash they report it again.
extension WorkloadRun {
    /// Validation looks at the run now. From `notStarted`.
    package mutating func checkBegan() {
        guard status == .notStarted else { return }
        enter(.inProgress)
    }

    /// Validation has spoken: `valid` without findings, else `invalid`. From `notStarted` and `inProgress`. The message
    /// says what could not be evaluated.
    package mutating func judged(_ findings: [Finding], notEvaluated: [NotEvaluated] = []) {
        guard status == .notStarted || status == .inProgress else { return }
        enter(
            findings.isEmpty ? .valid : .invalid, message: notEvaluated.map(\.text).joined(separator: " "),
            findings: findings)
    }

    /// The check before the migration passed (row T15): the mailbox starts to copy, the others wait for their turn.
    /// From `notStarted`.
    package mutating func admitted() {
        guard status == .notStarted else { return }
        enter(id.workload == .mailbox ? .syncing : .synced)
    }

    /// A check found something before the cutover (row T14). The first finding is the only one shown.
    /// From `notStarted`, `syncing` and `synced`.
    package mutating func refused(_ finding: Finding) {
        switch status {
        case .notStarted, .syncing, .synced: enter(.failed, findings: [finding])
        default: return
        }
    }

    /// The first copy is complete (row T16). From `syncing`; later passes do not show.
    package mutating func copied() {
        guard status == .syncing else { return }
        enter(.synced)
    }

    /// The point of no return (rows T21 and T23). From `synced`.
    package mutating func enteredCutover() {
        guard status == .synced else { return }
        enter(id.workload == .mailbox ? .finalizing : .inProgress)
    }

    /// The cutover was interrupted, nothing is lost, and it is tried again. From the states of a cutover.
    package mutating func putOff(_ why: String, until due: Instant) {
        guard isInCutover else { return }
        message = "\(why) It is tried again at \(due.text)."
    }

    /// Moved and verified. From `finalizing` (mailbox) and `inProgress` (the others).
    package mutating func completed(message: String) {
        guard status == (id.workload == .mailbox ? .finalizing : .inProgress) else { return }
        enter(.completed, message: message)
    }

    /// Judged to have failed. From every state in which the run is not over and nobody asked to stop it.
    package mutating func failed(_ findings: [Finding], message: String) {
        guard canFail else { return }
        enter(.failed, message: message, findings: findings)
    }

    /// Something happened that nobody foresaw. From the same states as `failed`.
    package mutating func faulted(_ finding: Finding) {
        guard canFail else { return }
        enter(.error, findings: [finding])
    }

    /// Somebody asked to stop the run. A run at or past its cutover goes on, unless it waits for an approval that it does
    /// not get; one that is over stays as it is.
    /// - Parameter isChecking: the job validates, so `inProgress` is a check and not a move.
    package mutating func stopRequested(isChecking: Bool = false) {
        // A mailbox moves in `finalizing`; `inProgress` is never more than a check for it.
        let isCheck = isChecking || id.workload == .mailbox && status == .inProgress
        guard isStoppable(whileChecking: isCheck) else { return }
        status = .pendingCancel
        message = ""
    }

    /// Nothing is being moved that could not be left: the run is before its cutover, or waits for an approval.
    package func isStoppable(whileChecking isChecking: Bool) -> Bool {
        RunStatus.stoppable(whileChecking: isChecking).contains(status) || waitsForApproval
    }

    /// Nobody works on the run any more. From `pendingCancel`.
    /// - Parameter remark: a sentence about what was copied; empty when there is nothing to say.
    package mutating func stopped(_ remark: String = "") {
        guard status == .pendingCancel else { return }
        let text = "Cancelled before the cutover; the source is unchanged."
        enter(.cancelled, message: remark.isEmpty ? text : "\(text) \(remark)")
    }

    /// What was copied is being taken back before the run is cancelled. From `pendingCancel`.
    package mutating func clearingBegan() {
        guard status == .pendingCancel else { return }
        message = "The copies at the target are being removed."
    }

    /// Whether `clearingBegan` was called since the stop was asked for.
    package var isBeingCleared: Bool { status == .pendingCancel && !message.isEmpty }

    /// Back to the start for a new validation or attempt. `progress` stays: what was copied is still there.
    /// What is `completed` is not repeated, and who was cancelled does not come back into the same job.
    package mutating func reset() {
        switch status {
        case .completed, .cancelled, .pendingCancel: return
        default:
            enter(.notStarted)
            verdict = nil
        }
    }

    /// Something is being moved that cannot be taken back. Not to be asked while a job validates, where `inProgress` is a
    /// check.
    package var isInCutover: Bool {
        status == .finalizing || id.workload != .mailbox && status == .inProgress
    }

    private var canFail: Bool {
        switch status {
        case .notStarted, .inProgress, .syncing, .synced, .finalizing, .forceComplete: true
        case .valid, .invalid, .error, .completed, .failed, .cancelled, .pendingCancel: false
        }
    }

    private mutating func enter(_ status: RunStatus, message: String = "", findings: [Finding] = []) {
        self.status = status
        self.message = message
        self.findings = findings
    }
}
