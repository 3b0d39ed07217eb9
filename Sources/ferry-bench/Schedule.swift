import ArgumentParser
import FerryCore
import FerryEngine
import FerrySQLite
import FerryStore
import FerryTestKit
import Logging

/// Whole jobs through the real engine and the real store, with nothing to move.
struct Schedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create, validate, migrate and cut over people whose four workloads are empty.")

    @Option(help: "How many people; in jobs of at most 1,000.") var people: Int
    @Option(help: "An empty directory for the store.") var directory: String

    private static let largestJob = 1000

    func run() async throws {
        let commit = try BareCommit.median(in: directory)
        let store = try await SQLiteStore.open(path: directory + "/ferry.sqlite", now: { Instant.wallClock })
        let engine = Engine(
            store: store, directory: StaticDirectory(people: people), connections: Self.connections, effects: .real,
            logger: Self.logger)
        let elapsed = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(name: "engine") { try await engine.run() }
            let elapsed = try await ContinuousClock().measure { try await moveEverybody(engine, store) }
            group.cancelAll()
            return elapsed
        }
        await store.close()

        var result = Measurement()
        result.add("runs", Int64(people * Workload.allCases.count))
        result.add("seconds", seconds: elapsed)
        result.add("processorSeconds", seconds: Measurement.processorTime())
        result.add("commitSeconds", seconds: commit)
        result.finish()
    }

    private static let connections = FixedConnections(
        connectors: Dictionary(
            uniqueKeysWithValues: ServiceKind.allCases.map {
                ($0, EmptyConnector(service: $0, lane: LaneID("nothing"), parallelism: 64))
            }))

    private static let logger = {
        var logger = Logger(label: "ferry-bench")
        logger.logLevel = .error
        return logger
    }()

    private func moveEverybody(_ engine: Engine, _ store: SQLiteStore) async throws {
        let principal = Principal(
            tenant: StaticDirectory.target, subject: "bench", name: "admin@south.example", canRead: true, canWrite: true
        )
        var jobs: [JobReference] = []
        for first in stride(from: 1, through: people, by: Self.largestJob) {
            let name = "wave-\(first)"
            let draft = JobDraft(
                displayName: name, sourceTenant: StaticDirectory.source.description,
                completeAfter: store.now + .seconds(86_400), resourceType: "Users",
                resources: (first..<min(first + Self.largestJob, people + 1)).map {
                    StaticDirectory.targetPerson($0).id.description
                },
                workloads: ["Exchange", "Meeting", "Teams", "ODSP"], sourceEndpoint: StaticDirectory.endpoint,
                targetDeliveryDomain: "south.example")
            _ = try await engine.commands.carryOut(.create(draft), by: principal)
            _ = try await engine.commands.carryOut(.validate(.displayName(name)), by: principal)
            jobs.append(.displayName(name))
        }
        for job in jobs {
            try await wait(for: job, toBe: .validatePassed, in: store)
            _ = try await engine.commands.carryOut(.migrate(job), by: principal)
            _ = try await engine.commands.carryOut(
                .reschedule(job, completeAfter: store.now - .seconds(1)), by: principal)
        }
        for job in jobs { try await wait(for: job, toBe: .completed, in: store) }
    }

    /// Polls as clients do. Fails when the job ends otherwise.
    private func wait(for reference: JobReference, toBe status: JobStatus, in store: SQLiteStore) async throws {
        while true {
            guard let job = try await store.reader.job(reference, in: StaticDirectory.target) else {
                throw ValidationError("the job is gone")
            }
            if job.status == status { return }
            switch job.status {
            case .failed, .completedWithErrors, .cancelled, .validateFailed, .completed, .deleted:
                throw ValidationError("a job ended as \(job.status.rawValue): \(job.message)")
            default: try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
