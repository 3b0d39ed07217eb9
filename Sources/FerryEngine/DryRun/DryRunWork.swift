import FerryCore
import FerryStore

/// Hands a dry run out: one piece of work for each workload of each person, in the lane that the move would take.
struct DryRunWork: Sendable {
    /// People per transaction.
    private static let page = 500

    let workshop: Workshop
    let lease: Lease

    func perform() async throws(WorkError) {
        let (id, planner) = (lease.item.key.job, workshop.planner)
        var (ordinal, expected) = (0, 0)
        while true {
            let from = ordinal
            let page = try await workshop.transact(under: lease) {
                (tx) throws(StoreError) -> (people: Int, runs: Int) in
                guard let job = try tx.job(id), try tx.dryRun(of: id)?.state == .running else { return (0, 0) }
                let tasks = try tx.tasks(id, from: from, limit: Self.page)
                let runs = tasks.flatMap(\.runs).filter { $0.status != .cancelled }
                for run in runs {
                    try tx.enqueue(
                        WorkItem(key: .forecast(run.id), lane: planner.lane(for: run.id, of: job), due: tx.now))
                }
                return (tasks.count, runs.count)
            }
            expected += page.runs
            ordinal += page.people
            if page.people < Self.page { break }
        }
        let total = expected
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: nil)
            guard var dryRun = try tx.dryRun(of: id), dryRun.state == .running else { return }
            dryRun.expected = total
            dryRun.settle(now: tx.now)
            try tx.setDryRun(dryRun, of: id)
        }
    }
}

extension StoreTransaction {
    /// Ends a dry run that is running, with its work. Returns whether one was.
    @discardableResult
    func cancelDryRun(of job: JobID) throws(StoreError) -> Bool {
        guard var dryRun = try dryRun(of: job), dryRun.state == .running else { return false }
        try removeDryRunWork(of: job)
        dryRun.cancelled(now: now)
        try setDryRun(dryRun, of: job)
        return true
    }
}
