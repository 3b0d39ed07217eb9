import FerryConnector
import FerryCore
import FerryStore
import Logging

/// Moves one workload of one person: passes while people still work at the source, then the cutover.
struct RunWork: Sendable {
    let workshop: Workshop
    let lease: Lease
    let run: RunID

    func perform() async throws(WorkError) {
        guard let (job, task) = try await workshop.load(run.job, run.person), let mine = task[run.workload],
            job.status == .inProgress || job.status == .cuttingOver || job.status == .pendingCancel
        else { return try await workshop.finish(lease) }
        do throws(WorkError) {
            switch mine.status {
            case .syncing:
                let result = try await pass(job, mine)
                try await seeded(result)
            case .synced:
                if isReady(task, job) {
                    try await enterCutover()
                    try await cutOver(job, mine)
                } else if run.workload == .meetings {
                    try await workshop.finish(lease)
                } else {
                    let result = try await pass(job, mine)
                    try await seeded(result)
                }
            case .finalizing, .inProgress:
                try await cutOver(job, mine)
            default:
                try await workshop.finish(lease)
            }
        } catch {
            try await interrupted(by: error)
        }
    }

    private func isReady(_ task: UserTask, _ job: Job) -> Bool {
        task.readyForCutover(dateHasPassed: workshop.store.now >= job.completeAfter, settings: workshop.settings.jobs)
            .contains(run.workload)
    }

    private func transfer(_ job: Job) throws(WorkError) -> Transfer {
        switch workshop.planner.transfer(for: run, of: job) {
        case .success(let transfer): return transfer
        case .failure(let finding): throw .connector(ConnectorError(.sourceNotFound, .failRun, finding.message))
        }
    }

    private func pass(_ job: Job, _ mine: WorkloadRun) async throws(WorkError) -> PassResult {
        try await workshop.copier.pass(try transfer(job), under: lease, starting: mine.progress)
    }

    // MARK: before the cutover

    /// The end of a pass: the mailbox is in sync (row T16), and when to look again.
    private func seeded(_ result: PassResult) async throws(WorkError) {
        // Drawn here, because a transaction may run again and must then decide the same.
        let (settings, run, random) = (workshop.settings, run, workshop.effects.random())
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            guard let job = try tx.job(run.job), var task = try tx.task(job.id, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run })
            else { return try tx.finish(lease, next: nil) }
            var next = lease.item
            next.attempts = result.progress.failed > 0 ? lease.item.attempts + 1 : 0
            task.runs[index].progress = result.progress
            if result.progress.failed > 0, next.attempts < settings.backoff.maximumAttempts {
                next.due = tx.now + settings.backoff.delay(attempt: next.attempts, random: random)
            } else {
                let wasSyncing = task.runs[index].status == .syncing
                task.runs[index].copied()
                let dateHasPassed = tx.now >= job.completeAfter
                let isReady = task.readyForCutover(dateHasPassed: dateHasPassed, settings: settings.jobs)
                    .contains(run.workload)
                // Whoever waits for the mailbox is woken by its end; the interval is for the delta passes until then.
                next.due = isReady ? tx.now : tx.now + settings.deltaInterval
                if !dateHasPassed { next.due = min(next.due, job.completeAfter) }
                if wasSyncing { task.updated = tx.now }
            }
            try tx.save(task)
            try tx.finish(lease, next: next)
        }
    }

    // MARK: the cutover

    /// Rows T21 and T23: from here on the person cannot be cancelled.
    private func enterCutover() async throws(WorkError) {
        let run = run
        try await workshop.transact(under: lease) { (tx) throws(StoreError) in
            guard var job = try tx.job(run.job), var task = try tx.task(job.id, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run })
            else { throw .leaseLost }
            task.runs[index].enteredCutover()
            task.updated = tx.now
            try tx.save(task)
            if job.status == .inProgress {
                job.personEntersCutover(now: tx.now, tally: try tx.tally(job.id))
                try Workshop.save(job, in: tx)
            }
        }
    }

    /// Freeze, last passes, verify, redirect. Every step may be repeated, so a crash between any two does no harm; a
    /// failure thaws the source, and the person keeps working there.
    private func cutOver(_ job: Job, _ mine: WorkloadRun) async throws(WorkError) {
        let transfer = try transfer(job)
        let custody = CutoverSteps(transfer)
        let clock = workshop.effects.now
        let frozenAt = clock()
        if run.workload != .meetings { _ = try await custody.freeze() }
        do throws(WorkError) {
            var progress = mine.progress
            var isQuiet = false
            for _ in 0..<max(1, workshop.settings.lastPasses) where !isQuiet {
                let result = try await workshop.copier.pass(transfer, under: lease, starting: progress)
                progress = result.progress
                isQuiet = result.changes == 0 || progress.passes == 1
            }
            if progress.failed > 0 {
                throw WorkError.connector(
                    ConnectorError(
                        .sourceItemUnreadable, .retry(after: nil),
                        "\(progress.failed) items could not be moved; see the report."))
            }
            var altered: TransferVerification?
            if workshop.settings.verifiesCutover {
                let verification = try await workshop.verifier.verify(transfer)
                if !verification.isIdentical {
                    // What differs although nothing was left to do is the target's doing and will not go away.
                    let result = try await workshop.copier.pass(transfer, under: lease, starting: progress)
                    progress = result.progress
                    guard verification.alteredMessages > 0, result.changes == 0 else {
                        throw WorkError.connector(
                            ConnectorError(
                                .verifyDiffers, .retry(after: nil),
                                "\(verification.differenceCount) items differ between the two sides after the last pass."
                            ))
                    }
                    altered = verification
                }
            }
            if run.workload != .meetings {
                try await custody.redirect(to: Self.forwardingAddress(transfer, job))
                progress.frozenMicroseconds = (clock() - frozenAt).wholeMicroseconds
            }
            try await completed(progress, altered)
        } catch {
            if case .store(.leaseLost) = error { throw error }
            if run.workload != .meetings {
                // The person goes on working there, so mail must arrive there, too.
                try? await custody.removeRedirect()
                try? await custody.thaw()
            }
            throw error
        }
    }

    /// The target person's address in the job's delivery domain; the primary one where the job names no domain.
    static func forwardingAddress(_ transfer: Transfer, _ job: Job) -> String {
        let person = transfer.legs.first?.targetAccount.person
        let domain = job.exchangeSettings.map { "@" + $0.targetDeliveryDomain.lowercased() }
        return person?.addresses.first { address in domain.map { address.lowercased().hasSuffix($0) } ?? true }
            ?? person?.mail ?? ""
    }

    /// Rows T23 to T27: the run is over, and so may be the person and the job. `altered` is a comparison that has found
    /// items which the target keeps in another form.
    private func completed(_ progress: RunProgress, _ altered: TransferVerification?) async throws(WorkError) {
        let (planner, settings, run) = (workshop.planner, workshop.settings.jobs, run)
        let findings = (altered?.differences ?? []).map { difference in
            ItemFinding(
                run: run,
                container: ContainerID("\(difference.service.rawValue)/\(difference.path.joined(separator: "/"))"),
                item: difference.item, outcome: .copied, code: difference.code,
                message: "\(difference.message) It was copied, and the target's server keeps it in another form.",
                at: workshop.effects.now())
        }
        var remarks: [String] = []
        if progress.skipped > 0 {
            remarks.append("\(progress.skipped) items cannot be moved and were left at the source; see the report.")
        }
        if let altered {
            remarks.append(
                "\(altered.alteredMessages) items were copied, but the target's server keeps them in another form;"
                    + " see the report.")
        }
        let message = remarks.joined(separator: " ")
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: nil)
            guard let job = try tx.job(run.job), var task = try tx.task(job.id, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run })
            else { return }
            task.runs[index].progress = progress
            task.runs[index].completed(message: message)
            for finding in findings { try tx.addItemFinding(finding) }
            task.updated = tx.now
            let ready = task.readyForCutover(dateHasPassed: tx.now >= job.completeAfter, settings: settings)
            for workload in ready where workload != run.workload {
                let dependant = RunID(job: job.id, person: run.person, workload: workload)
                try tx.enqueue(
                    WorkItem(key: .run(dependant), lane: planner.lane(for: dependant, of: job), due: tx.now))
            }
            try Workshop.settle(task, of: job, unfinished: RunStatus.unfinished, in: tx)
        }
    }

    // MARK: when something is in the way

    /// Decides what an interruption means: again later, never, or somebody else's business now.
    private func interrupted(by error: WorkError) async throws(WorkError) {
        guard case .connector(let problem) = error else { throw error }
        var next = lease.item
        switch problem.disposition {
        case .cancelled:
            // A stop of the server: no attempt is used up, and the next start goes on at once.
            next.due = workshop.store.now
            try await workshop.finish(lease, next: next)
        case .retry(let after) where lease.item.attempts + 1 < workshop.settings.backoff.maximumAttempts:
            next.attempts += 1
            let delay =
                after ?? workshop.settings.backoff.delay(attempt: next.attempts, random: workshop.effects.random())
            next.due = workshop.store.now + delay
            workshop.logger.info(
                "Work is put off",
                metadata: ["code": "\(problem.code.rawValue)", "attempt": "\(next.attempts)", "delay": "\(delay)"])
            try await workshop.finish(lease, next: next)
        case .retry, .skip, .failRun, .hold:
            try await failed(problem)
        }
    }

    private func failed(_ problem: ConnectorError) async throws(WorkError) {
        let (settings, run, attempts) = (workshop.settings.jobs, run, lease.item.attempts + 1)
        let finding = Finding(
            code: Self.umbrella(for: run.workload, problem), message: problem.context, reason: problem.code.rawValue)
        workshop.logger.warning(
            "A run failed", metadata: ["code": "\(problem.code.rawValue)", "attempts": "\(attempts)"])
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: nil)
            guard let job = try tx.job(run.job), var task = try tx.task(job.id, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run })
            else { return }
            task.runs[index].failed([finding], message: "")
            if run.workload == .mailbox, task.mailboxFailed(settings: settings) {
                for other in task.runs where other.id != run && other.status.isFinal {
                    try tx.removeWork(.run(other.id))
                }
            }
            task.updated = tx.now
            try Workshop.settle(task, of: job, unfinished: RunStatus.unfinished, in: tx)
        }
    }

    /// Microsoft's code for "this run gave up", by workload (orchestration 8.2 to 8.6).
    private static func umbrella(for workload: Workload, _ problem: ConnectorError) -> FindingCode {
        switch (workload, problem.disposition) {
        case (.mailbox, .retry): .mailboxRetriesExhausted
        case (.mailbox, _): .mailboxProbeFailed
        case (.chats, _): .chatsFailed
        case (.meetings, _): .moveFailed
        case (.files, _): .fileMoveFailed
        }
    }
}
