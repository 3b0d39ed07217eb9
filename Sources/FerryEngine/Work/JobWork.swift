import FerryCore
import FerryStore

/// Takes a job one step on: fans work out, sums its people up, stops them, purges it.
///
/// Every step is one transaction or a series of idempotent ones, so it may be cut off anywhere and done again.
struct JobWork: Sendable {
    /// People per transaction of a fan-out; bounds how long others wait for the writer.
    private static let page = 500

    let workshop: Workshop
    let lease: Lease

    func perform() async throws(WorkError) {
        let id = lease.item.key.job
        guard let job = try await transact({ (tx) throws(StoreError) in try tx.job(id) }) else {
            return try await workshop.finish(lease)
        }
        switch job.status {
        case .validateSubmitted:
            try await step { (job, tx) throws(StoreError) in
                let actions = job.validationPickedUp(now: tx.now)
                return (actions, tx.now)
            }
        case .validateProcessing, .processing:
            try await fanOut(job)
        case .validateInProgress, .inProgress, .cuttingOver, .adminActionRequired, .validateFailed:
            try await settleStops(of: job)
            try await sumUp()
        case .pendingCancel:
            try await stopAll(of: job)
            try await sumUp()
        case .pendingDelete:
            try await purge()
        case .deleted:
            let lifetime = workshop.settings.jobs.tombstoneLifetime
            try await transact { [lease] (tx) throws(StoreError) in
                try tx.removeTombstones(before: tx.now - lifetime + .microseconds(1))
                try tx.finish(lease, next: nil)
            }
        case .submitted, .approved, .validatePassed, .completed, .completedWithErrors, .failed, .cancelled:
            try await settleStops(of: job)
            try await sumUp()
        }
    }

    /// One change of the job, and when to look again (`nil`: never, unless somebody wakes it).
    private func step(
        _ change: @escaping @Sendable (inout Job, any StoreTransaction) throws(StoreError) -> ([JobAction], Instant?)
    ) async throws(WorkError) {
        try await transact { [lease] (tx) throws(StoreError) in
            guard var job = try tx.job(lease.item.key.job) else { return try tx.finish(lease, next: nil) }
            let (actions, next) = try change(&job, tx)
            job = try Workshop.save(job, in: tx)
            // The lease ends first, so that an action which wakes the job again is not taken back.
            try tx.finish(lease, next: next.map { WorkItem(key: lease.item.key, lane: .control, due: $0) })
            try JobActions.apply(actions, to: job, in: tx)
        }
    }

    /// One check per person who takes part (rows T3 and T13).
    private func fanOut(_ job: Job) async throws(WorkError) {
        let isMigration = job.status == .processing
        var ordinal = 0
        while true {
            let from = ordinal
            let next = try await transact { (tx) throws(StoreError) -> Int? in
                let tasks = try tx.tasks(job.id, from: from, limit: Self.page)
                for task in tasks where task.runs.contains(where: { $0.status == .notStarted }) {
                    try tx.enqueue(WorkItem(key: .check(job.id, task.person), lane: .control, due: tx.now))
                }
                return tasks.count < Self.page ? nil : from + tasks.count
            }
            guard let next else { break }
            ordinal = next
        }
        try await step { (job, tx) throws(StoreError) in
            if isMigration { job.migrationExpanded(now: tx.now) } else { job.checksBegan(now: tx.now) }
            return ([], tx.now + workshop.settings.pulse)
        }
    }

    /// Rows T30, T31: everybody who can be stopped is.
    private func stopAll(of job: Job) async throws(WorkError) {
        try await forEachTask(of: job) { (task, tx) throws(StoreError) in
            let before = task
            task.stopRequested(isChecking: job.isChecking)
            if task != before { try JobActions.removeWork(of: task, in: tx) }
            try end(&task, of: job, in: tx)
        }
    }

    /// Cancels what was asked to stop. Where copies are to be taken back (5.6), the run's next piece of work does both.
    private func end(_ task: inout UserTask, of job: Job, in tx: any StoreTransaction) throws(StoreError) {
        let isCleared = task.runs.contains(where: \.isBeingCleared)
        if !isCleared { try JobActions.removeWork(of: task, in: tx) }
        guard workshop.settings.jobs.purgesCancelledCopies else { return task.stopped() }
        for index in task.runs.indices where task.runs[index].status == .pendingCancel {
            let run = task.runs[index]
            if run.isBeingCleared { continue }
            if run.progress.items > 0 || run.progress.passes > 0 {
                task.runs[index].clearingBegan()
                try tx.enqueue(
                    WorkItem(key: .run(run.id), lane: workshop.planner.lane(for: run.id, of: job), due: tx.now))
            } else {
                task.runs[index].stopped()
            }
        }
    }

    /// Row T33: people whose cancellation was accepted one by one.
    private func settleStops(of job: Job) async throws(WorkError) {
        let waits = try await transact { (tx) throws(StoreError) in try tx.hasRun(of: job.id, in: [.pendingCancel]) }
        guard waits else { return }
        try await forEachTask(of: job) { (task, tx) throws(StoreError) in try end(&task, of: job, in: tx) }
    }

    private func forEachTask(
        of job: Job, _ change: @escaping @Sendable (inout UserTask, any StoreTransaction) throws(StoreError) -> Void
    ) async throws(WorkError) {
        var ordinal = 0
        while true {
            let from = ordinal
            let next = try await transact { (tx) throws(StoreError) -> Int? in
                let tasks = try tx.tasks(job.id, from: from, limit: Self.page)
                for var task in tasks {
                    let before = task
                    try change(&task, tx)
                    if task != before {
                        task.updated = tx.now
                        try tx.save(task)
                    }
                }
                return tasks.count < Self.page ? nil : from + tasks.count
            }
            guard let next else { return }
            ordinal = next
        }
    }

    /// Sums the people up and comes back while the job is under way, the sooner the more it changes.
    private func sumUp() async throws(WorkError) {
        let pulse = workshop.settings.pulse
        try await step { (job, tx) throws(StoreError) in
            let actions = job.summedUp(try tx.tally(job.id), now: tx.now)
            guard job.status.isUnderWay else { return (actions, nil) }
            let quiet = tx.now - job.updated
            var next = tx.now + min(max(pulse, quiet / 10), .seconds(300))
            if job.completeAfter > tx.now { next = min(next, job.completeAfter) }
            return (actions, next)
        }
    }

    /// Row T40. The tombstone goes when its time is over.
    private func purge() async throws(WorkError) {
        let lifetime = workshop.settings.jobs.tombstoneLifetime
        try await step { (job, tx) throws(StoreError) in
            try tx.purge(job)
            job = try tx.job(job.id) ?? job
            job.purged(now: tx.now)
            return ([], tx.now + lifetime)
        }
    }

    @discardableResult
    private func transact<R: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> R
    ) async throws(WorkError) -> R {
        try await workshop.transact(under: lease, body)
    }
}

extension JobStatus {
    /// Work of people goes on, so the job has to be looked at again.
    var isUnderWay: Bool {
        switch self {
        case .validateSubmitted, .validateProcessing, .validateInProgress, .processing, .inProgress, .cuttingOver,
            .pendingCancel, .adminActionRequired:
            true
        case .submitted, .approved, .validatePassed, .validateFailed, .completed, .completedWithErrors, .failed,
            .cancelled, .pendingDelete, .deleted:
            false
        }
    }
}
