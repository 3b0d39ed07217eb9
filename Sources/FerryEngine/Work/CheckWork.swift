import FerryConnector
import FerryCore
import FerryStore

/// Checks one person: everything while validating (rows T4 to T6), the first failure before migrating (T14, T15).
struct CheckWork: Sendable {
    let workshop: Workshop
    let lease: Lease

    func perform() async throws(WorkError) {
        guard case .check(let id, let person) = lease.item.key, let (job, task) = try await workshop.load(id, person)
        else { return try await workshop.finish(lease) }
        let facts = try await FactFinder(workshop: workshop).facts(of: task, in: job)
        // The phase, because a job that waits for somebody's approval goes on underneath.
        switch job.phase {
        case .validateProcessing, .validateInProgress:
            let verdicts = Dictionary(
                uniqueKeysWithValues: task.runs.map(\.id.workload).map {
                    (
                        $0,
                        Verdict(
                            findings: ValidationRules.findings(facts, for: $0),
                            notEvaluated: ValidationRules.notEvaluated(facts, for: $0))
                    )
                })
            try await judge(person, verdicts)
        case .processing, .inProgress, .cuttingOver:
            let waiting = task.runs.filter { $0.status == .notStarted }.map(\.id.workload)
            let refusal = ValidationRules.firstFinding(facts, waiting)
            // A service that could not be asked just now says nothing about the person.
            if refusal?.finding.code == .validationBusy,
                lease.item.attempts + 1 < workshop.settings.backoff.maximumAttempts
            {
                return try await putOff()
            }
            try await admit(person, refusing: refusal)
        default:
            try await workshop.finish(lease)
        }
    }

    private func putOff() async throws(WorkError) {
        var next = lease.item
        next.attempts += 1
        next.due =
            workshop.store.now
            + workshop.settings.backoff.delay(attempt: next.attempts, random: workshop.effects.random())
        try await workshop.finish(lease, next: next)
    }

    /// What validation says of one workload.
    private struct Verdict: Sendable {
        var findings: [Finding] = []
        var notEvaluated: [NotEvaluated] = []
    }

    private func judge(_ person: PersonID, _ verdicts: [Workload: Verdict]) async throws(WorkError) {
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: nil)
            guard var job = try tx.job(lease.item.key.job), var task = try tx.task(job.id, person) else { return }
            guard job.status == .validateProcessing || job.status == .validateInProgress else { return }
            job.checksBegan(now: tx.now)
            for index in task.runs.indices {
                task.runs[index].checkBegan()
                let verdict = verdicts[task.runs[index].id.workload] ?? Verdict()
                task.runs[index].judged(verdict.findings, notEvaluated: verdict.notEvaluated)
            }
            task.updated = tx.now
            try Workshop.settle(task, of: job, unfinished: RunStatus.unjudged, in: tx)
        }
    }

    private func admit(_ person: PersonID, refusing refusal: (workload: Workload, finding: Finding)?)
        async throws(WorkError)
    {
        let planner = workshop.planner
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.finish(lease, next: nil)
            guard var job = try tx.job(lease.item.key.job), var task = try tx.task(job.id, person) else { return }
            guard job.phase == .processing || job.phase == .inProgress || job.phase == .cuttingOver else { return }
            job.migrationExpanded(now: tx.now)
            if let refusal {
                task.refused(refusal.finding, at: refusal.workload)
            } else {
                for index in task.runs.indices where task.runs[index].status == .notStarted {
                    let run = task.runs[index].id
                    task.runs[index].admitted()
                    // Meetings wait for the target mailbox; the end of the mailbox run wakes them.
                    guard run.workload != .meetings || task[.mailbox]?.status == .completed else { continue }
                    try tx.enqueue(WorkItem(key: .run(run), lane: planner.lane(for: run, of: job), due: tx.now))
                }
            }
            task.updated = tx.now
            try Workshop.settle(task, of: job, unfinished: RunStatus.unfinished, in: tx)
        }
    }
}
