import ArgumentParser
import FerryConnector
import FerryCore
import FerryEngine
import FerryFolder
import FerrySQLite
import FerryStore
import FerryTestKit
import Logging

/// One pass over one person's service, folder to folder, with the copier and the store that the server uses.
struct CopyFolder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move person1@north.example to person1@south.example; again for the next pass.")

    @Option(help: "mail or files.") var service: String
    @Option(help: "The store's file; holds the ledger from pass to pass.") var store: String
    @Argument(help: "Directory in which the person's folder lies.") var source: String
    @Argument(help: "Directory in which the person's folder is to be; made if it is absent.") var target: String

    func run() async throws {
        guard let service = ServiceKind(rawValue: service), let workload = Self.workload(of: service) else {
            throw ValidationError("--service wants mail or files")
        }
        try makeDirectory(target)
        let store = try await SQLiteStore.open(path: store, now: { Instant.wallClock })
        let job = Self.job(moving: workload, at: store.now)
        let run = RunID(job: job.id, person: job.people[0], workload: workload)
        let (lease, progress) = try await Self.begin(job, run, in: store)

        let (person, twin) = (StaticDirectory.sourcePerson(1), StaticDirectory.targetPerson(1))
        let transfer = Transfer(
            run: run,
            route: Route(
                sourceTenant: job.sourceTenant, sourcePerson: person.id, targetTenant: job.targetTenant,
                targetPerson: twin.id, workload: workload),
            legs: [
                Transfer.Leg(
                    service: service, source: connector(service, in: source),
                    sourceAccount: Account(tenant: job.sourceTenant, person: person, login: person.mail),
                    target: connector(service, in: target),
                    targetAccount: Account(tenant: job.targetTenant, person: twin, login: twin.mail))
            ],
            addresses: AddressBook(), ownAddresses: [person.mail], hasMeetingsRun: false)

        var logger = Logger(label: "ferry-bench")
        logger.logLevel = .error
        let copier = Copier(store: store, effects: .real, logger: logger)
        let clock = ContinuousClock()
        let start = clock.now
        let result = try await copier.pass(transfer, under: lease, starting: progress)
        let elapsed = start.duration(to: clock.now)
        try await store.transact { (tx) throws(StoreError) in try tx.finish(lease, next: nil) }
        await store.close()
        guard result.progress.failed == 0, result.progress.skipped == 0 else {
            throw ValidationError("\(result.progress.failed) items failed and \(result.progress.skipped) were skipped")
        }

        var measured = Measurement()
        measured.add("changes", result.changes)
        measured.add("items", result.progress.items)
        measured.add("bytes", result.progress.bytes)
        measured.add("seconds", seconds: elapsed)
        measured.add("processorSeconds", seconds: Measurement.processorTime())
        measured.finish()
    }

    private static func workload(of service: ServiceKind) -> Workload? {
        switch service {
        case .mail: .mailbox
        case .files: .files
        case .calendar, .contacts, .chats: nil
        }
    }

    private func connector(_ service: ServiceKind, in root: String) -> FolderConnector {
        FolderConnector(service: service, tenant: "Bench", root: root, now: { Instant.wallClock })
    }

    /// The same job in every pass, so that the run's progress is found again.
    private static func job(moving workload: Workload, at instant: Instant) -> Job {
        Job(
            id: JobID(GUID(high: 1, low: 1)), targetTenant: StaticDirectory.target,
            sourceTenant: StaticDirectory.source, displayName: "bench", exchangeSettings: nil, workloads: [workload],
            people: [StaticDirectory.targetPerson(1).id], createdBy: "bench", created: instant, updated: instant,
            completeAfter: instant, status: .inProgress, type: .migrate, message: "", validated: instant, attempt: 1,
            isValidationOnly: false, version: 1)
    }

    private static func begin(_ job: Job, _ run: RunID, in store: SQLiteStore) async throws -> (Lease, RunProgress) {
        let lane = LaneID("bench")
        let begun = try await store.transact { (tx) throws(StoreError) -> (Lease, RunProgress)? in
            if try tx.job(job.id) == nil { try tx.insert(job) }
            try tx.enqueue(WorkItem(key: .run(run), lane: lane, due: tx.now))
            guard let lease = try tx.lease(room: [lane: 1], limit: 1, term: .seconds(3600)).first,
                let task = try tx.task(job.id, run.person), let mine = task[run.workload]
            else { return nil }
            return (lease, mine.progress)
        }
        guard let begun else { throw ValidationError("another process is at work in this store") }
        return begun
    }
}
