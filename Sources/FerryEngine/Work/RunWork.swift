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
        guard let (job, task) = try await workshop.load(run.job, run.person), let mine = task[run.workload] else {
            return try await workshop.finish(lease)
        }
        if mine.isBeingCleared {
            do throws(WorkError) { return try await clear(job, mine) } catch { return try await interrupted(by: error) }
        }
        guard job.phase == .inProgress || job.phase == .cuttingOver || job.phase == .pendingCancel
        else { return try await workshop.finish(lease) }
        do throws(WorkError) {
            // Whoever is in the cutover is asked there.
            if mine.status == .syncing || mine.status == .synced,
                let finding = workshop.planner.withdrawal(of: run, in: job)
            {
                throw WorkError.withdrawn(finding)
            }
            if mine.progress.passes == 0, !mine.status.isFinal { try await openTarget(job) }
            switch mine.status {
            case .syncing:
                let result = try await pass(job, mine)
                try await seeded(result)
            case .synced:
                if isReady(task, job) {
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

    private func cutOver(_ job: Job, _ mine: WorkloadRun) async throws(WorkError) {
        let run = run
        let journal = try await workshop.transact(under: lease) { (tx) throws(StoreError) in try tx.cutover(of: run) }
        let work = CutoverWork(
            workshop: workshop, lease: lease, run: run, job: job, transfer: try transfer(job))
        try await work.perform(mine, journal)
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

    // MARK: the way back, and out

    /// Whoever comes back to where Ferry once moved them from finds their old place frozen by that. The redirection stays
    /// until they live there again.
    private func openTarget(_ job: Job) async throws(WorkError) {
        let transfer = try transfer(job)
        if try await workshop.isHome(transfer.route.opposite) { try await CutoverSteps(transfer).thawTarget() }
    }

    /// Takes back what was copied for somebody who leaves the job (5.6), unless it is of use or home to them by now.
    private func clear(_ job: Job, _ mine: WorkloadRun) async throws(WorkError) {
        let (run, work) = (run, workshop)
        let isElsewhere = try await workshop.transact(under: lease) { (tx) throws(StoreError) in
            if let journal = try tx.cutover(of: run), !journal.isBeforeSwap { return true }
            return try !tx.activeJobs(with: run.person, in: job.targetTenant, besides: job.id).isEmpty
        }
        var remark = "What was copied stays at the target, since the user is in another job."
        var progress = mine.progress
        switch work.planner.transfer(for: run, of: job) {
        case .failure(let finding): remark = "What was copied stays at the target: \(finding.message)"
        case .success(let transfer):
            if isElsewhere { break }
            if try await work.isHome(transfer.route) {
                remark = "What was copied stays at the target, where the user lives."
                break
            }
            do throws(WorkError) {
                progress = try await work.copier.takeBack(transfer, under: lease, starting: progress)
                remark = "What was copied was removed from the target."
            } catch {
                guard case .connector(let problem) = error else { throw error }
                if problem.disposition == .cancelled { throw error }
                if case .retry = problem.disposition,
                    !work.settings.backoff.isExhausted(after: lease.item.attempts + 1)
                {
                    throw error
                }
                remark = "What was copied could not be removed from the target and stays there: \(problem.context)"
            }
        }
        let end = (remark: remark, progress: progress)
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: nil)
            guard let job = try tx.job(run.job), var task = try tx.task(job.id, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run })
            else { return }
            task.runs[index].progress = end.progress
            task.runs[index].stopped(end.remark)
            task.updated = tx.now
            try tx.save(task)
            try tx.enqueue(WorkItem(key: .job(job.id), lane: .control, due: tx.now))
        }
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
                next.due =
                    isReady
                    ? tx.now
                    : DeltaSchedule(interval: settings.deltaInterval)
                        .next(after: tx.now, changes: result.changes, date: job.completeAfter)
                if wasSyncing { task.updated = tx.now }
            }
            try tx.save(task)
            try tx.finish(lease, next: next)
        }
    }

    /// The target person's address in the job's delivery domain; the primary one where the job names no domain.
    static func forwardingAddress(_ transfer: Transfer, _ job: Job) -> String {
        let person = transfer.legs.first?.targetAccount.person
        let domain = job.exchangeSettings.map { "@" + $0.targetDeliveryDomain.lowercased() }
        return person?.addresses.first { address in domain.map { address.lowercased().hasSuffix($0) } ?? true }
            ?? person?.mail ?? ""
    }

    // MARK: when something is in the way

    /// Decides what an interruption means: again later, never, or somebody else's business now.
    private func interrupted(by error: WorkError) async throws(WorkError) {
        if case .withdrawn(let finding) = error { return try await failed(finding, attempts: lease.item.attempts + 1) }
        guard case .connector(let problem) = error else { throw error }
        var next = lease.item
        switch problem.disposition {
        case .cancelled:
            // A stop of the server: no attempt is used up, and the next start goes on at once.
            next.due = workshop.store.now
            try await workshop.finish(lease, next: next)
        case .retry(let after) where !workshop.settings.backoff.isExhausted(after: lease.item.attempts + 1):
            try await putOff(problem, after)
        case .retry, .skip, .failRun, .hold:
            let run = run
            let journal = try await workshop.transact(under: lease) { (tx) throws(StoreError) in
                try tx.cutover(of: run)
            }
            // Whoever is locked out is let back in, however long that takes.
            if let journal, journal.isUndoing || journal.isLockedOut {
                try await putOff(problem, nil)
            } else {
                try await failed(problem)
            }
        }
    }

    /// Tries again later. A person in the cutover is told why it takes so long.
    private func putOff(_ problem: ConnectorError, _ after: Duration?) async throws(WorkError) {
        var next = lease.item
        next.attempts += 1
        let delay = after ?? workshop.settings.backoff.delay(attempt: next.attempts, random: workshop.effects.random())
        next.due = workshop.store.now + delay
        workshop.logger.info(
            "Work is put off",
            metadata: ["code": "\(problem.code.rawValue)", "attempt": "\(next.attempts)", "delay": "\(delay)"])
        let (run, due) = (run, next)
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: due)
            guard var task = try tx.task(run.job, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run }),
                task.runs[index].isInCutover
            else { return }
            task.runs[index].putOff(problem.context, until: due.due)
            task.updated = tx.now
            try tx.save(task)
        }
    }

    private func failed(_ problem: ConnectorError) async throws(WorkError) {
        // The one cause that validation knows, too, has the name that it has there.
        let reason =
            problem.code == .sourceReplaced ? FindingReason.mailboxIdMismatch.rawValue : problem.code.rawValue
        let finding = Finding(
            code: Self.umbrella(for: run.workload, problem), message: problem.context, reason: reason)
        try await failed(finding, attempts: lease.item.attempts + 1, loggedAs: problem.code.rawValue)
    }

    /// The run is over; what depends on it, too.
    private func failed(_ finding: Finding, attempts: Int, loggedAs code: String? = nil) async throws(WorkError) {
        let (settings, run) = (workshop.settings.jobs, run)
        workshop.logger.warning(
            "A run failed", metadata: ["code": "\(code ?? finding.code.rawValue)", "attempts": "\(attempts)"])
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: nil)
            guard var job = try tx.job(run.job), var task = try tx.task(job.id, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run })
            else { return }
            task.runs[index].failed([finding], message: "")
            if run.workload == .mailbox, task.mailboxFailed(settings: settings) {
                for other in task.runs where other.id != run && other.status.isFinal {
                    try tx.removeWork(.run(other.id))
                }
            }
            task.updated = tx.now
            try tx.save(task)
            try Workshop.heed(&job, in: tx)
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
