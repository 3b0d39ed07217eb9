package import FerryCore
package import FerryStore
package import FerryStore

/// Values for tests, made from small numbers: the same number gives the same value, different numbers never collide.
package enum Samples {
    /// The tenants of `StaticDirectory`.
    package static let source = StaticDirectory.source
    package static let target = StaticDirectory.target
    /// A tenant that has nothing to do with the others.
    package static let stranger = TenantID(GUID(high: 0x3333_3333_3333_3333, low: 0x3333_3333_3333_3333))

    /// 2026-01-01T00:00:00Z.
    package static let start = Instant(seconds: 1_767_225_600)

    /// A target person; 1 … n are those of `StaticDirectory`.
    package static func person(_ number: Int) -> PersonID { PersonID(GUID(high: 0xB, low: UInt64(number))) }

    package static func jobID(_ number: Int) -> JobID { JobID(GUID(high: 0xC, low: UInt64(number))) }

    package static func run(_ job: Int, _ person: Int, _ workload: Workload = .mailbox) -> RunID {
        RunID(job: jobID(job), person: Samples.person(person), workload: workload)
    }

    /// The route of a person to itself, as `StaticDirectory` maps it.
    package static func route(_ person: Int, _ workload: Workload = .mailbox) -> Route {
        Route(
            sourceTenant: source, sourcePerson: PersonID(GUID(high: 0xA, low: UInt64(person))), targetTenant: target,
            targetPerson: Samples.person(person), workload: workload)
    }

    package static func entry(_ number: Int, version: Int = 1, outcome: ItemOutcome = .copied) -> LedgerEntry {
        LedgerEntry(key: key(number), version: ItemVersion(UInt64(version)), outcome: outcome)
    }

    package static func key(_ number: Int) -> ItemKey { ItemKey(high: 0, low: UInt64(number)) }

    /// A job as it is right after creation: `submitted`, created `number` seconds after `start`, named `Wave <number>`.
    /// - Parameter people: numbers of its people; one and two by default.
    package static func job(
        _ number: Int, name: String? = nil, people: [Int] = [1, 2], workloads: [Workload] = [.mailbox, .files],
        tenant: TenantID = target, status: JobStatus = .submitted, type: JobType = .validate,
        created: Instant? = nil, completeAfter: Instant = start + .seconds(7 * 86_400),
        createdBy: String = "admin@south.example", isValidationOnly: Bool = false
    ) -> Job {
        let created = created ?? start + .seconds(number)
        return Job(
            id: jobID(number), targetTenant: tenant, sourceTenant: source, displayName: name ?? "Wave \(number)",
            exchangeSettings: workloads.contains(.mailbox)
                ? ExchangeSettings(sourceEndpoint: StaticDirectory.endpoint, targetDeliveryDomain: "south.example")
                : nil,
            workloads: workloads, people: people.map(person), createdBy: createdBy, created: created, updated: created,
            completeAfter: completeAfter, status: status, type: type, message: "", validated: nil, attempt: 0,
            isValidationOnly: isValidationOnly, version: 1)
    }

    /// Work on a job, in the control lane.
    package static func work(
        _ job: Int, due: Instant = start, lane: LaneID = .control, attempts: Int = 0
    ) -> WorkItem {
        WorkItem(key: .job(jobID(job)), lane: lane, due: due, attempts: attempts)
    }

    /// Work on one run.
    package static func work(
        on run: RunID, due: Instant = start, lane: LaneID = LaneID("mail"), attempts: Int = 0
    ) -> WorkItem {
        WorkItem(key: .run(run), lane: lane, due: due, attempts: attempts)
    }

    package static func finding(
        _ run: RunID, item: String, container: ContainerID = ContainerID("mail/INBOX"), outcome: ItemOutcome = .skipped,
        at: Instant = start
    ) -> ItemFinding {
        ItemFinding(
            run: run, container: container, item: item, outcome: outcome, code: .targetItemTooLarge,
            message: "The item is larger than the target takes.", at: at)
    }
}
