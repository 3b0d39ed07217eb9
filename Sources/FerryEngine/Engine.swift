package import FerryCore
package import FerryStore
package import Logging
import ServiceLifecycle

/// The engine room: commands in, moved people out. Knows doors, not rooms.
package struct Engine: Service {
    package let commands: any CommandHandling
    package let identities: any IdentityMapping
    private let workshop: Workshop
    private let scheduler: Scheduler
    private let manifests: ManifestOffice?
    /// For those who ask; what it sees is not written down.
    private let verifier: Verifier

    /// - Parameter manifests: makes a signed manifest of every job that ends; `nil`: nobody does.
    package init(
        store: any Store, directory: any Directory, connections: any Connections, effects: Effects,
        settings: EngineSettings = EngineSettings(), manifests: ManifestOffice? = nil, logger: Logger
    ) {
        self.manifests = manifests
        verifier = Verifier(store: store, logger: logger)
        commands = CommandHandler(store: store, effects: effects, settings: settings.jobs)
        let lanes = LaneBook(connections: connections, settings: settings)
        let people = MappedDirectory(directory)
        let planner = TransferPlanner(directory: people, connections: connections, onLane: { lanes.learn([$0]) })
        identities = IdentityOffice(store: store, planner: planner, directory: people)
        let workshop = Workshop(
            store: store, effects: effects, settings: settings, people: people, planner: planner,
            copier: Copier(store: store, effects: effects, logger: logger),
            verifier: Verifier(
                store: store,
                records: manifests.map { Verifier.Records(archive: $0.archive, now: effects.now) }, logger: logger),
            gate: CutoverGate(limit: settings.cutoversAtOnce), logger: logger)
        self.workshop = workshop
        scheduler = Scheduler(workshop: workshop, lanes: lanes)
    }

    /// Works until it is cancelled or a graceful stop is asked for.
    package func run() async throws {
        guard let manifests else { return try await scheduler.run() }
        try await withThrowingTaskGroup(of: Void.self) { [workshop, scheduler] group in
            group.addTask(name: "manifests") {
                await manifests.run(
                    workshop.store, workshop.effects, every: workshop.settings.pulse, workshop.logger)
            }
            // The manifests of what ends now are made at the next start.
            defer { group.cancelAll() }
            try await scheduler.run()
        }
    }

    /// Compares both sides of everything that the job has completed, by listing and hashing both again.
    package func verify(_ job: Job) async throws(WorkError) -> JobVerification {
        var result = JobVerification(job: job.id, transfers: [], unverifiable: [])
        try await workshop.renewPeople(of: job)
        for person in job.people {
            guard let task = try await task(job.id, person) else { continue }
            for run in task.runs where run.status == .completed {
                switch workshop.planner.transfer(for: run.id, of: job) {
                case .success(let transfer):
                    result.transfers.append((run.id, try await verifier.verify(transfer)))
                case .failure(let finding):
                    result.unverifiable.append((run.id, finding))
                }
            }
        }
        return result
    }

    private func task(_ job: JobID, _ person: PersonID) async throws(WorkError) -> UserTask? {
        do throws(StoreError) {
            return try await workshop.store.reader.task(job, person)
        } catch {
            throw .store(error)
        }
    }
}

/// What the verifier says of a whole job.
package struct JobVerification: Sendable {
    package var job: JobID
    package var transfers: [(run: RunID, result: TransferVerification)]
    /// Completed runs whose people or connections are not configured any more.
    package var unverifiable: [(run: RunID, finding: Finding)]

    /// Everything that was moved stands at the target exactly once.
    package var isIdentical: Bool { unverifiable.isEmpty && transfers.allSatisfy(\.result.isIdentical) }
}
