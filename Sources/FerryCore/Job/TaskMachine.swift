/// How one person's workloads depend on each other (orchestration 3.4): the mailbox first, then the others side by side.
extension UserTask {
    /// What became of a person.
    package enum Outcome: Sendable, Hashable {
        /// Some run is not over.
        case unfinished
        case completed
        /// Taken out of the job; parts that were completed before stay completed.
        case cancelled
        /// Some workloads are completed, some are not.
        case failedInPart
        case failedEntirely
    }

    /// Every run is over.
    package var isFinal: Bool { runs.allSatisfy { $0.status.isFinal } }

    package var outcome: Outcome {
        if !isFinal { return .unfinished }
        if runs.contains(where: { $0.status == .cancelled }) { return .cancelled }
        let completed = runs.count { $0.status.isSuccess }
        if completed == runs.count { return .completed }
        return completed == 0 ? .failedEntirely : .failedInPart
    }

    /// Some workload waits for an approval, and nothing is being moved meanwhile: the person works at the source.
    package var waitsForApproval: Bool {
        runs.contains(where: \.waitsForApproval) && !isInCutover(isChecking: false)
    }

    /// The person is at or past the point of no return: something is being moved that cannot be taken back. Whoever waits
    /// for an approval is not there yet.
    /// - Parameter isChecking: the job validates, so `inProgress` is a check and not a move.
    package func isInCutover(isChecking: Bool) -> Bool {
        runs.contains { !$0.waitsForApproval && (isChecking ? $0.status == .finalizing : $0.isInCutover) }
    }

    /// Workloads that may enter their cutover now, in the order of `runs`.
    ///
    /// The mailbox when it is `synced`; the others when they are `synced` and the mailbox is `completed` or was not
    /// selected. Meetings need a completed mailbox in any case. Nothing before the date, in a retry neither.
    package func readyForCutover(dateHasPassed: Bool, settings: JobSettings) -> [Workload] {
        guard dateHasPassed else { return [] }
        let mailbox = self[.mailbox]?.status
        return runs.filter { run in
            guard run.status == .synced else { return false }
            switch run.id.workload {
            case .mailbox: return true
            case .meetings: return mailbox == .completed
            case .chats, .files:
                let goesOnAlone = settings.continuesWithoutMailbox && (mailbox == .failed || mailbox == .error)
                return mailbox == nil || mailbox == .completed || goesOnAlone
            }
        }.map(\.id.workload)
    }

    /// Fails the workloads that wait for a mailbox that will not come, so that the person stays whole at the source and
    /// a retry repeats everything: meetings with MMS-011, chats and files with MIGR-003 unless they may go on alone.
    /// Does nothing unless the mailbox run is `failed` or `error`. Returns whether anything changed.
    package mutating func mailboxFailed(settings: JobSettings) -> Bool {
        guard let mailbox = self[.mailbox]?.status, mailbox == .failed || mailbox == .error else { return false }
        var hasChanged = false
        for index in runs.indices {
            guard runs[index].status == .notStarted || runs[index].status == .synced else { continue }
            switch runs[index].id.workload {
            case .mailbox: continue
            case .meetings:
                runs[index].failed(
                    [
                        Finding(
                            code: .targetMailboxMissing,
                            message: "Meetings move into the new mailbox, and the mailbox did not arrive. "
                                + "Mend what the Exchange entry reports, then call migrate again.",
                            reason: "mailboxNotMigrated", object: "Exchange")
                    ], message: "Held back because the mailbox was not migrated.")
            case .chats, .files:
                if settings.continuesWithoutMailbox { continue }
                runs[index].failed(
                    [
                        Finding(
                            code: .moveFailed,
                            message: "Not started: it depends on the mailbox, which was not migrated. "
                                + "Mend what the Exchange entry reports, then call migrate again.",
                            reason: "mailboxNotMigrated", object: "Exchange")
                    ], message: "Held back because the mailbox was not migrated.")
            }
            hasChanged = true
        }
        return hasChanged
    }

    /// The check before the migration found something at one workload (row T14): the person does not start at all.
    /// The finding is shown once; the other workloads say what they wait for.
    package mutating func refused(_ finding: Finding, at workload: Workload) {
        for index in runs.indices {
            if runs[index].id.workload == workload {
                runs[index].refused(finding)
            } else if runs[index].status == .notStarted {
                runs[index].failed(
                    [], message: "Not started: a check of \(workload.serviceName) failed for this user.")
            }
        }
    }

    /// Somebody asked to stop the person. A person in the cutover goes on; otherwise everything that is not completed
    /// stops, failed parts too, because a person leaves a job as a whole.
    package mutating func stopRequested(isChecking: Bool) {
        guard !isInCutover(isChecking: isChecking) else { return }
        let wasStoppable = runs.contains { $0.isStoppable(whileChecking: isChecking) }
        for index in runs.indices {
            runs[index].stopRequested(isChecking: isChecking)
            if wasStoppable, runs[index].status == .failed || runs[index].status == .error {
                runs[index].status = .pendingCancel
            }
        }
    }

    /// Nobody works on the person any more.
    package mutating func stopped() {
        for index in runs.indices { runs[index].stopped() }
    }

    /// The states of the services in one line, for people: `Teams synced, Exchange syncing`.
    package var summary: String {
        runs.map { "\($0.id.workload.serviceName) \($0.status.rawValue)" }.joined(separator: ", ")
    }
}

extension Workload {
    /// The name that people and Graph use; requests may write it in any case.
    var serviceName: String {
        switch self {
        case .files: "ODSP"
        case .meetings: "Meeting"
        case .chats: "Teams"
        case .mailbox: "Exchange"
        }
    }
}
