import FerryCore
import Foundation
import Testing

/// Jobs with three people, driven by requests and events in random order, late and repeated ones included.
///
/// Every walk is repeatable: its seed is `FERRY_SEED` (0 where that is not set) times a million plus the test's argument. After every step no client can see a combination of states
/// that is not permitted, ends stay ends, and time does not run back.
struct RandomWalkTests {
    @Test(arguments: 1...60)
    func `no order of events leads to a forbidden state`(seed: Int) {
        let base = ProcessInfo.processInfo.environment["FERRY_SEED"].flatMap { UInt64($0) } ?? 0
        let seed = base &* 1_000_000 &+ UInt64(seed)
        var walk = Walk(seed: seed)
        for step in 0..<600 {
            walk.step()
            if !walk.complaints.isEmpty {
                Issue.record("seed \(seed), step \(step): \(walk.complaints.joined(separator: "; "))")
                return
            }
        }
    }

    @Test func `the walks get everywhere`() {
        var jobs = Set<JobStatus>()
        var runs = Set<RunStatus>()
        for seed in 1...60 {
            var walk = Walk(seed: UInt64(seed))
            for _ in 0..<600 { walk.step() }
            jobs.formUnion(walk.jobsSeen)
            runs.formUnion(walk.runsSeen)
        }
        // Two states are declared by the wire contract and never entered.
        #expect(jobs == Set(JobStatus.allCases).subtracting([.approved]))
        #expect(runs == Set(RunStatus.allCases).subtracting([.forceComplete]))
    }
}

/// A small world: one job, its people, a clock, and the duties of an engine towards them.
private struct Walk {
    private var random: SplitMix64
    private var settings: JobSettings
    private var job: Job
    private var tasks: [UserTask]
    private var now = Make.now
    private(set) var jobsSeen = Set<JobStatus>()
    private(set) var runsSeen = Set<RunStatus>()
    private(set) var complaints = [String]()

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        settings = JobSettings()
        job = Make.job()
        tasks = []
        begin()
    }

    private mutating func begin() {
        settings.cancelsUntilCutover = chance(3)
        settings.continuesWithoutMailbox = chance(3)
        settings.refusesPastReschedule = chance(4)
        let choices: [[Workload]] = [Make.everything, [.mailbox], [.files, .chats], [.mailbox, .files]]
        let workloads = choices.randomElement(using: &random) ?? Make.everything
        job = Make.job(workloads: workloads, validationOnly: chance(8))
        job.completeAfter = now + .seconds(86_400 * 3)
        job.updated = now
        tasks = job.people.indices.map { number in
            Make.task(Dictionary(uniqueKeysWithValues: workloads.map { ($0, .notStarted) }), person: number)
        }
    }

    mutating func step() {
        if job.status == .deleted, chance(3) { begin() }
        // Mostly seconds, now and then days, so that dates pass and validations expire.
        now = now + .seconds(chance(30) ? 86_400 * 2 : Int.random(in: 0...20, using: &random))
        let (before, tasksBefore) = (job, tasks)
        let event = chance(8) ? request() : work()
        if job == before, tasks == tasksBefore { return }
        inspect(event, before, tasksBefore)
    }

    // MARK: what clients ask for

    private mutating func request() -> String {
        do throws(Refusal) {
            switch Int.random(in: 0..<9, using: &random) {
            case 0, 1, 2: apply(try job.requestValidation(now: now, settings: settings))
            case 3, 4, 5: apply(try job.requestMigration(now: now, settings: settings))
            case 6:
                let date = now + .seconds(Int.random(in: -100...3000, using: &random))
                apply(try job.reschedule(to: date, now: now, settings: settings))
            case 7:
                if chance(4) {
                    apply(try job.requestCancel(now: now, settings: settings))
                } else if let index = tasks.indices.randomElement(using: &random) {
                    try job.checkCancel(of: tasks[index], now: now, settings: settings)
                    tasks[index].stopRequested(isChecking: job.isChecking)
                    if tasks[index].runs.allSatisfy({ $0.status != .pendingCancel }) {
                        complaints.append("an accepted cancellation stopped nothing")
                    }
                }
            default: if chance(3) { apply(try job.requestDeletion(now: now, settings: settings)) }
            }
            return "request"
        } catch {
            return "refused request"
        }
    }

    private mutating func apply(_ actions: [JobAction]) {
        for action in actions {
            switch action {
            case .wake, .dropWork: continue
            case .resetRuns(let kept):
                for index in tasks.indices {
                    for place in tasks[index].runs.indices where !kept.contains(tasks[index].runs[place].status) {
                        // As the store does it: one statement over all runs.
                        tasks[index].runs[place].status = .notStarted
                        tasks[index].runs[place].findings = []
                        tasks[index].runs[place].message = ""
                    }
                }
            case .stopRuns:
                for index in tasks.indices { tasks[index].stopRequested(isChecking: job.isChecking) }
            }
        }
    }

    // MARK: what workers do

    private mutating func work() -> String {
        if chance(6) {
            for index in tasks.indices { tasks[index].stopped() }
            sumUp()
            return "stopped"
        }
        if chance(40) { job.needsAction("Look here", people: 1, now: now) }
        if chance(4) { job.actionTaken(now: now) }
        switch job.interrupted ?? job.status {
        case .validateSubmitted: apply(job.validationPickedUp(now: now))
        case .validateProcessing: job.checksBegan(now: now)
        case .validateInProgress: check()
        case .processing: job.migrationExpanded(now: now)
        case .inProgress, .cuttingOver: move()
        case .pendingDelete:
            job.purged(now: now)
            tasks = []
        case .pendingCancel: if chance(2) { move() } else { late() }
        default: late()
        }
        sumUp()
        return "work"
    }

    private mutating func check() {
        guard let index = tasks.indices.randomElement(using: &random) else { return }
        let isBad = chance(12)
        for place in tasks[index].runs.indices {
            if chance(2) { tasks[index].runs[place].checkBegan() }
            if chance(2) { tasks[index].runs[place].judged(isBad ? [Make.finding] : []) }
            if chance(60) { tasks[index].runs[place].faulted(Make.finding) }
        }
    }

    private mutating func move() {
        guard let index = tasks.indices.randomElement(using: &random) else { return }
        let isStopping = job.status == .pendingCancel
        var task = tasks[index]
        if !isStopping, task.runs.contains(where: { $0.status == .notStarted }) {
            if chance(6) {
                task.refused(Make.finding, at: job.workloads[0])
            } else {
                for place in task.runs.indices { task.runs[place].admitted() }
            }
        }
        for workload in isStopping
            ? [] : task.readyForCutover(dateHasPassed: now >= job.completeAfter, settings: settings)
        {
            guard chance(2), let place = task.runs.firstIndex(where: { $0.id.workload == workload }) else { continue }
            task.runs[place].enteredCutover()
            job.personEntersCutover(now: now, tally: RunTally(of: tasks))
        }
        if let place = task.runs.indices.randomElement(using: &random) {
            if chance(2) { task.runs[place].copied() }
            if chance(2) { task.runs[place].completed(message: "") }
            if chance(15) { task.runs[place].failed([Make.finding], message: "") }
            if chance(40) { task.runs[place].faulted(Make.finding) }
        }
        _ = task.mailboxFailed(settings: settings)
        tasks[index] = task
    }

    /// Results that arrive when nobody waits for them any more.
    private mutating func late() {
        let hasStarted = job.status != .submitted && job.status != .validateSubmitted
        guard hasStarted, let index = tasks.indices.randomElement(using: &random) else { return }
        for place in tasks[index].runs.indices {
            tasks[index].runs[place].judged([])
            tasks[index].runs[place].copied()
            tasks[index].runs[place].completed(message: "late")
            tasks[index].runs[place].failed([Make.finding], message: "late")
            tasks[index].runs[place].stopped()
        }
    }

    private mutating func sumUp() {
        let tally = RunTally(of: tasks)
        apply(job.summedUp(tally, now: now))
        var again = job
        again.summedUp(RunTally(of: tasks), now: now + .seconds(0))
        if again != job { complaints.append("summing up twice is not the same as once") }
    }

    // MARK: what must hold

    private mutating func inspect(_ event: String, _ before: Job, _ tasksBefore: [UserTask]) {
        jobsSeen.insert(job.status)
        for task in tasks {
            for run in task.runs {
                runsSeen.insert(run.status)
                if !Job.permits(job.status, run.id.workload, run.status) {
                    complaints.append(
                        "\(event): \(before.status) to \(job.status) with \(run.id.workload) \(run.status)")
                }
            }
        }
        let isNew = job.status == .submitted && before.status == .deleted
        if isNew { return }
        if job.updated < before.updated { complaints.append("updated went back") }
        if job.version != before.version { complaints.append("the machine touched the version") }
        if job.attempt < before.attempt { complaints.append("an attempt got lost") }
        if (job.status == .adminActionRequired) != (job.interrupted != nil) {
            complaints.append("a way back is missing")
        }
        if job.status != before.status || job.message != before.message, job.updated < now {
            complaints.append("a change did not show in updated")
        }
        if before.status.isFinal, job.status != before.status {
            let isRetry = job.status == .processing && before.status.canMigrate
            if !isRetry, job.status != .pendingDelete { complaints.append("\(before.status) became \(job.status)") }
        }
        if before.status == .deleted, job != before { complaints.append("a deleted job changed") }
        for (old, new) in zip(tasksBefore, tasks) {
            for (was, run) in zip(old.runs, new.runs) where was.status == .completed || was.status == .cancelled {
                if run.status != was.status { complaints.append("\(was.status) became \(run.status)") }
            }
            for (was, run) in zip(old.runs, new.runs) where was.status == .pendingCancel {
                if run.status != .pendingCancel, run.status != .cancelled {
                    complaints.append("a stopped run became \(run.status)")
                }
            }
        }
    }

    /// True once in so many times.
    private mutating func chance(_ times: Int) -> Bool { Int.random(in: 0..<times, using: &random) == 0 }
}
