import FerryCore
import FerryEngine
import FerryStore

/// Administrators of the target: for a while they do whatever comes to their mind, then they want everybody to arrive.
struct SimulatedAdministrator: Sendable {
    static let principal = Principal(
        tenant: StaticDirectory.target, subject: "admin", name: "admin@south.example", canRead: true, canWrite: true)
    private static let selections: [[String]?] = [
        nil, nil, ["ODSP"], ["Teams", "ODSP"], ["Exchange", "Teams", "Meeting"],
    ]

    let people: Int
    let reader: any StoreReader
    let now: @Sendable () -> Instant
    /// Asks a server that is up; gives `nil` for what was refused or could not be asked.
    let send: @Sendable (Command) async -> CommandResult?

    func jobs() async -> [Job] {
        ((try? await reader.jobs(JobQuery(tenant: StaticDirectory.target)))?.rows ?? []).sorted {
            $0.created < $1.created
        }
    }

    private func draft(_ random: inout SeededRandom) -> JobDraft {
        let numbers = (1...people).filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
        let delay = Duration.seconds(Int.random(in: 60...60_000, using: &random))
        return JobDraft(
            displayName: "Wave \(random.next() >> 40)", sourceTenant: StaticDirectory.source.description,
            completeAfter: now() + delay, resourceType: "Users",
            resources: (numbers.isEmpty ? [1] : numbers).map { Samples.person($0).description },
            workloads: Self.selections.randomElement(using: &random) ?? nil, sourceEndpoint: StaticDirectory.endpoint,
            targetDeliveryDomain: "south.example")
    }

    /// One thing, sensible or not.
    func act(_ random: inout SeededRandom) async {
        let jobs = await jobs()
        guard let job = jobs.randomElement(using: &random), jobs.count > 2 || Int.random(in: 0..<4, using: &random) > 0
        else {
            _ = await send(.create(draft(&random)))
            return
        }
        let key = JobReference.key(job.id.description)
        switch Int.random(in: 0..<12, using: &random) {
        case 0...2: _ = await send(.validate(key))
        case 3...5: _ = await send(.migrate(key))
        case 6:
            let date = now() + .seconds(Int.random(in: -20_000...20_000, using: &random))
            _ = await send(.reschedule(key, completeAfter: date))
        case 7: _ = await send(.reschedule(key, completeAfter: now()))
        case 8: _ = await send(.cancel(key))
        case 9, 10:
            guard let person = job.people.randomElement(using: &random) else { return }
            _ = await send(.cancelPerson(key, person.description))
        default: _ = await send(.delete(key))
        }
    }

    /// The next thing that brings a job to its end; `true` when there is nothing more to do.
    ///
    /// Of several jobs that failed one is tried again at a time (`mayRetry`), because people may be in more than one.
    func help(_ job: Job, patience: Int, mayRetry: Bool) async -> Bool {
        let key = JobReference.key(job.id.description)
        switch job.status {
        case .submitted: _ = await send(.validate(key))
        case .validateFailed:
            // Somebody is in another job, which may be over by now. A job can be cancelled until its date.
            if patience > 0 {
                _ = await send(.validate(key))
            } else {
                _ = await send(.reschedule(key, completeAfter: now() + .seconds(86_400)))
                _ = await send(.cancel(key))
            }
        case .validatePassed:
            if await send(.migrate(key)) == nil { _ = await send(.validate(key)) }
        case .inProgress where job.completeAfter > now(): _ = await send(.reschedule(key, completeAfter: now()))
        case .adminActionRequired: _ = await send(.approve(key))
        case .failed, .completedWithErrors: if mayRetry { _ = await send(.migrate(key)) }
        case .completed, .cancelled, .deleted: return true
        default: break
        }
        return false
    }
}
