package import FerryCore
package import FerryStore
import Synchronization

/// The whole orchestrator in one thread and no time: servers that share a store and are killed, tenants that fail and
/// throttle, people who go on working, administrators who change their mind. Everything that a seed does not say is said
/// by nobody, so one seed is one run.
package struct Simulation: Sendable {
    /// What came of one.
    package struct Outcome: Sendable {
        /// What must not be; empty when all is well.
        package var violations: [String]
        /// Stands for everything that was stored, in its order: the same for the same seed.
        package var fingerprint: UInt64
        package var steps: Int
        /// In simulated time.
        package var lasted: Duration
        package var commits: Int
        package var jobs: [String]
    }

    let scenario: Scenario
    let sabotage: Sabotage?

    package init(_ scenario: Scenario, sabotage: Sabotage? = nil) {
        self.scenario = scenario
        self.sabotage = sabotage
    }

    /// How long it may take until everybody has arrived, once nothing goes wrong any more.
    private static let patience = Duration.seconds(2 * 86_400)

    /// Runs on the calling thread until everything is over.
    ///
    /// - Parameter open: opens an empty store that reads the given clock.
    package func run(
        open: @escaping @Sendable (@escaping @Sendable () -> Instant) async throws(StoreError) -> any Store
    ) -> Outcome {
        let clock = VirtualClock()
        let drift = ClockDrift()
        let executor = SeededExecutor(seed: scenario.seed)
        let watch = SimulationWatch()
        let limit = scenario.unrest + Self.patience
        let life: Void?? = executor.run {
            do {
                let store = try await executor.outside { () async throws(StoreError) in
                    try await open { clock.instant + drift.value }
                }
                await SimulatedLife(
                    scenario: scenario, sabotage: sabotage, clock: clock, drift: drift, executor: executor,
                    store: store,
                    watch: watch
                ).live()
                await executor.outside { await store.close() }
            } catch {
                watch.violate("The store could not be opened: \(error)")
            }
        } onIdle: {
            clock.now.offset < limit && clock.jump()
        }
        if life == nil { watch.violate("After \(clock.now.offset) nothing can go on: \(watch.summary)") }
        return watch.outcome(steps: executor.steps, lasted: clock.now.offset)
    }
}

/// By how much the wall clock is ahead of the time that has really passed.
final class ClockDrift: Sendable {
    private let shift = Mutex(Duration.zero)

    var value: Duration { shift.withLock { $0 } }
    func jump(by step: Duration) { shift.withLock { $0 += step } }
}

/// What is seen of a simulation while it runs.
final class SimulationWatch: Sendable {
    private struct State {
        var violations: [String] = []
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        var commits = 0
        var statuses: [JobID: JobStatus] = [:]
        var names: [JobID: String] = [:]
        var moved: [PersonID: Set<Workload>] = [:]
        /// What went wrong last, by run.
        var problems: [RunID: String] = [:]
        /// Cutovers that have begun and are not over.
        var journals: [RunID: CutoverJournal] = [:]
        /// Of runs in jobs that have not ended, for the summary.
        var standing: [JobID: String] = [:]
    }

    private let state = Mutex(State())

    func violate(_ text: String) { state.withLock { if $0.violations.count < 20 { $0.violations.append(text) } } }

    var isClean: Bool { state.withLock { $0.violations.isEmpty } }

    var summary: String {
        state.withLock { state in
            let jobs = state.names.map {
                "\($1) is \(state.statuses[$0]?.rawValue ?? "gone")\(state.standing[$0].map { " (\($0))" } ?? "")"
            }.sorted()
            return (jobs + Set(state.problems.values).sorted()).joined(separator: "; ")
        }
    }

    /// What was stored about cutovers.
    func note(_ changed: [RunID: CutoverJournal?]) {
        state.withLock { state in for (run, journal) in changed { state.journals[run] = journal } }
    }

    /// How far the cutover of a person's workload is; `nil` when none has begun.
    func journal(_ person: PersonID, _ workload: Workload) -> CutoverJournal? {
        state.withLock { state in
            state.journals.first { $0.key.person == person && $0.key.workload == workload }?.value
        }
    }

    /// What of a person has been seen to be completed.
    func moved(_ person: PersonID) -> Set<Workload> { state.withLock { $0.moved[person] ?? [] } }

    /// Looks at everything that a client could see after a commit.
    func look(at jobs: [(job: Job, tasks: [UserTask])], now: Instant, frozen: [(person: PersonID, workload: Workload)])
    {
        state.withLock { state in
            for (person, workload) in frozen where state.moved[person]?.contains(workload) != true {
                let isKnown = state.journals.contains { $0.key.person == person && $0.key.workload == workload }
                let isOver = jobs.contains { job in
                    job.tasks.contains { $0.person == person && $0[workload]?.status == .completed }
                }
                if !isKnown, !isOver {
                    state.violations.append("\(person) is locked out of \(workload), and nobody knows")
                }
            }
            state.commits += 1
            var text = "\(now.microseconds)"
            for (job, tasks) in jobs {
                let before = state.statuses[job.id]
                state.statuses[job.id] = job.status
                state.names[job.id] = job.displayName
                if job.status == .cuttingOver, before != .cuttingOver, now < job.completeAfter {
                    state.violations.append("\(job.displayName) cuts over before its date")
                }
                if let before, before != job.status, !Self.mayFollow(before, job.status) {
                    state.violations.append("\(job.displayName) went from \(before) to \(job.status)")
                }
                text += " \(job.id) \(job.status.rawValue) \(job.message)"
                state.standing[job.id] =
                    job.status.isActive
                    ? tasks.map { task in
                        "\(task.ordinal): " + task.runs.map { "\($0.id.workload) \($0.status)" }.joined(separator: ", ")
                    }.joined(separator: "; ") : nil
                for task in tasks {
                    for run in task.runs {
                        text += " \(run.status.rawValue) \(run.progress.items)"
                        state.problems[run.id] = run.findings.first.map {
                            "\(run.id.workload): \($0.code) \($0.message)"
                        }
                        if run.status == .completed { state.moved[task.person, default: []].insert(run.id.workload) }
                        if !Job.permits(job.status, run.id.workload, run.status) {
                            state.violations.append(
                                "\(job.displayName) is \(job.status) while a \(run.id.workload) is \(run.status)")
                        }
                    }
                }
            }
            for person in Self.busyTwice(jobs) {
                state.violations.append("\(person) is on the move in two jobs at once")
            }
            for byte in text.utf8 { state.hash = (state.hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        }
    }

    /// People who are being moved by more than one job (rule 1 after table 2.2).
    private static func busyTwice(_ jobs: [(job: Job, tasks: [UserTask])]) -> [PersonID] {
        var seen: Set<PersonID> = []
        var twice: [PersonID] = []
        for (job, tasks) in jobs where [.inProgress, .cuttingOver].contains(job.status) {
            for task in tasks where task.runs.contains(where: { [.syncing, .synced, .finalizing].contains($0.status) })
            {
                if !seen.insert(task.person).inserted { twice.append(task.person) }
            }
        }
        return twice
    }

    /// Whether a client that looks after every commit may see the one state after the other (table 2.2).
    private static func mayFollow(_ before: JobStatus, _ after: JobStatus) -> Bool {
        if after == .adminActionRequired { return before.isRunning }
        switch before {
        case .submitted: return [.validateSubmitted, .pendingCancel, .cancelled].contains(after)
        case .validateSubmitted: return [.validateProcessing, .pendingCancel, .cancelled].contains(after)
        case .validateProcessing: return [.validateInProgress, .pendingCancel, .cancelled].contains(after)
        case .validateInProgress:
            return [.validatePassed, .validateFailed, .pendingCancel, .cancelled].contains(after)
        case .validatePassed: return [.processing, .validateSubmitted, .pendingCancel, .cancelled].contains(after)
        case .validateFailed:
            return [.validateSubmitted, .validatePassed, .pendingCancel, .cancelled].contains(after)
        case .processing, .approved: return [.inProgress, .pendingCancel, .cancelled].contains(after)
        case .inProgress: return after == .cuttingOver || after == .pendingCancel || after.isFinal
        case .cuttingOver, .pendingCancel: return after.isFinal
        case .failed, .completedWithErrors: return after == .processing || after == .pendingDelete || after == .deleted
        case .completed, .cancelled: return after == .pendingDelete || after == .deleted
        case .pendingDelete: return after == .deleted
        case .adminActionRequired: return true
        case .deleted: return false
        }
    }

    func outcome(steps: Int, lasted: Duration) -> Simulation.Outcome {
        state.withLock { state in
            Simulation.Outcome(
                violations: state.violations, fingerprint: state.hash, steps: steps, lasted: lasted,
                commits: state.commits,
                jobs: state.names.map { "\($1): \(state.statuses[$0]?.rawValue ?? "")" }.sorted())
        }
    }
}
