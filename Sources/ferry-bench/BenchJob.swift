import ArgumentParser
import FerryCore
import FerryEngine
import FerrySQLite
import FerryStore
import FerryTestKit
import Logging

/// A job that a verb works on itself, without a scheduler: person n of the north becomes person n of the south.
///
/// The same job in every process that opens the same store, so that the next pass finds what the last one left.
struct BenchJob: Sendable {
    let store: SQLiteStore
    let job: Job
    private let lane = LaneID("bench")
    private let copier: Copier
    private let logger: Logger

    /// - Parameter isActive: jobs that are keep their people from being in another one.
    init(store: SQLiteStore, moving workload: Workload, people: Int = 1, isActive: Bool = true) {
        self.store = store
        let now = store.now
        job = Job(
            id: JobID(GUID(high: 1, low: 1)), targetTenant: StaticDirectory.target,
            sourceTenant: StaticDirectory.source, displayName: "bench", exchangeSettings: nil, workloads: [workload],
            people: (1...people).map { StaticDirectory.targetPerson($0).id }, createdBy: "bench", created: now,
            updated: now, completeAfter: now, status: isActive ? .inProgress : .completed, type: .migrate, message: "",
            validated: now, attempt: 1, isValidationOnly: false, version: 1)
        var logger = Logger(label: "ferry-bench")
        logger.logLevel = .error
        self.logger = logger
        copier = Copier(store: store, effects: .real, logger: logger)
    }

    /// Makes everybody's run due. Call it once before the passes.
    func begin() async throws {
        try await store.transact { [job, lane] (tx) throws(StoreError) in
            if try tx.job(job.id) == nil { try tx.insert(job) }
            for person in job.people {
                try tx.enqueue(
                    WorkItem(
                        key: .run(RunID(job: job.id, person: person, workload: job.workloads[0])), lane: lane,
                        due: tx.now))
            }
        }
    }

    /// One pass of whoever is next; `nil` when everybody had one. `legs` is given the person's number, 1 and up.
    func pass(_ legs: @Sendable (_ number: Int) -> [Transfer.Leg]) async throws -> PassResult? {
        let begun = try await store.transact { [job, lane] (tx) throws(StoreError) -> (Lease, RunID, RunProgress)? in
            guard let lease = try tx.lease(room: [lane: 1], limit: 1, term: .seconds(3600)).first,
                case .run(let run) = lease.item.key, let mine = try tx.task(job.id, run.person)?[run.workload]
            else { return nil }
            return (lease, run, mine.progress)
        }
        guard let (lease, run, progress) = begun, let index = job.people.firstIndex(of: run.person) else { return nil }
        let result = try await copier.pass(
            transfer(of: index + 1, run, legs(index + 1)), under: lease, starting: progress)
        try await store.transact { (tx) throws(StoreError) in try tx.finish(lease, next: nil) }
        guard result.progress.failed == 0, result.progress.skipped == 0 else {
            throw ValidationError("\(result.progress.failed) items failed and \(result.progress.skipped) were skipped")
        }
        return result
    }

    /// Compares both sides of the first person, who must be the same on both.
    func verify(_ legs: [Transfer.Leg]) async throws {
        let run = RunID(job: job.id, person: job.people[0], workload: job.workloads[0])
        let result = try await Verifier(store: store, logger: logger).verify(transfer(of: 1, run, legs))
        guard result.differenceCount == 0 else { throw ValidationError("\(result.differenceCount) items differ") }
    }

    private func transfer(of number: Int, _ run: RunID, _ legs: [Transfer.Leg]) -> Transfer {
        let (person, twin) = (StaticDirectory.sourcePerson(number), StaticDirectory.targetPerson(number))
        return Transfer(
            run: run,
            route: Route(
                sourceTenant: job.sourceTenant, sourcePerson: person.id, targetTenant: job.targetTenant,
                targetPerson: twin.id, workload: run.workload),
            legs: legs, addresses: AddressBook(), ownAddresses: [person.mail], hasMeetingsRun: false)
    }
}
