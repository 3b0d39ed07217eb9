import FerryCore

/// Values that tests start from. Every test makes its own.
enum Make {
    static let now = Instant(seconds: 1_924_992_000)  // 2031-01-01T00:00:00Z
    static let date = now + .seconds(30 * 86_400)
    static let target = TenantID(GUID(high: 2, low: 2))
    static let source = TenantID(GUID(high: 1, low: 1))
    static let everything: [Workload] = [.mailbox, .chats, .meetings, .files]
    static let principal = Principal(
        tenant: target, subject: "9", name: "admin@fabrikam.example", canRead: true, canWrite: true)

    static func person(_ number: Int) -> PersonID { PersonID(GUID(high: 7, low: UInt64(number))) }

    static func draft() -> JobDraft {
        JobDraft(
            displayName: "wave-1", sourceTenant: source.description, completeAfter: date, resourceType: "Users",
            resources: [person(1).description, person(2).description], workloads: nil, sourceEndpoint: "EXOHandler",
            targetDeliveryDomain: "fabrikam.example")
    }

    static func job(
        _ status: JobStatus = .submitted, type: JobType = .validate, people: Int = 3,
        workloads: [Workload] = everything,
        validated: Instant? = nil, attempt: Int = 0, validationOnly: Bool = false, interrupted: JobStatus? = nil
    ) -> Job {
        Job(
            id: JobID(GUID(high: 3, low: 3)), targetTenant: target, sourceTenant: source, displayName: "wave-1",
            exchangeSettings: ExchangeSettings(sourceEndpoint: "EXOHandler", targetDeliveryDomain: "fabrikam.example"),
            workloads: workloads, people: (0..<people).map(person), createdBy: "admin@fabrikam.example", created: now,
            updated: now, completeAfter: date, status: status, type: type, message: "", validated: validated,
            attempt: attempt, isValidationOnly: validationOnly, version: 1, interrupted: interrupted)
    }

    static func run(_ workload: Workload, _ status: RunStatus, person number: Int = 1) -> WorkloadRun {
        WorkloadRun(
            id: RunID(job: JobID(GUID(high: 3, low: 3)), person: person(number), workload: workload), status: status,
            message: "", findings: [], progress: RunProgress())
    }

    static func task(_ states: [Workload: RunStatus], person number: Int = 1) -> UserTask {
        UserTask(
            job: JobID(GUID(high: 3, low: 3)), person: person(number), ordinal: number, updated: now,
            runs: states.keys.sorted().map { run($0, states[$0] ?? .notStarted, person: number) })
    }

    /// A person all of whose four workloads are in one state.
    static func task(all status: RunStatus, person number: Int = 1) -> UserTask {
        task(Dictionary(uniqueKeysWithValues: everything.map { ($0, status) }), person: number)
    }

    static func tally(_ tasks: UserTask...) -> RunTally { RunTally(of: tasks) }

    static let finding = Finding(code: .mailboxProbeFailed, message: "The mailbox is full. Clean it up.")
}

/// The refusal that a request ended with; `nil` when it was accepted.
func refusal<R>(of request: () throws(Refusal) -> R) -> Refusal? {
    do throws(Refusal) {
        _ = try request()
        return nil
    } catch {
        return error
    }
}

/// The reason of a conflict; `nil` for everything else.
func conflict<R>(of request: () throws(Refusal) -> R) -> ConflictReason? {
    if case .conflict(let reason, _) = refusal(of: request) { reason } else { nil }
}
