import ArgumentParser
import FerryCore
import FerryEngine
import FerrySQLite
import FerryStore
import FerryTestKit

/// Whole jobs through the real engine and the real store, with nothing to move.
struct Schedule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create, validate, migrate and cut over people whose four workloads are empty.")

    @Option(help: "How many people; in jobs of at most 2,000.") var people: Int
    @Option(help: "An empty directory for the store.") var directory: String

    private static let largestJob = 2000

    func run() async throws {
        let commit = try BareCommit.median(in: directory)
        let store = try await SQLiteStore.open(path: directory + "/ferry.sqlite", now: { Instant.wallClock })
        let engine = Engine(
            store: store, directory: StaticDirectory(people: people), connections: Self.connections, effects: .real,
            logger: .quiet)
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

    private func moveEverybody(_ engine: Engine, _ store: SQLiteStore) async throws {
        let jobs = try await Self.create(people, engine, store)
        for job in jobs {
            _ = try await store.wait(for: job, toBe: .validatePassed)
            try await engine.send(.migrate(job))
            try await engine.send(.reschedule(job, completeAfter: store.now - .seconds(1)))
        }
        for job in jobs { _ = try await store.wait(for: job, toBe: .completed) }
    }

    /// Jobs of everybody, whose validation is asked for.
    static func create(_ people: Int, _ engine: Engine, _ store: SQLiteStore) async throws -> [JobReference] {
        var jobs: [JobReference] = []
        for first in stride(from: 1, through: people, by: largestJob) {
            let name = "wave-\(first)"
            let draft = JobDraft(
                displayName: name, sourceTenant: StaticDirectory.source.description,
                completeAfter: store.now + .seconds(86_400), resourceType: "Users",
                resources: (first..<min(first + largestJob, people + 1)).map {
                    StaticDirectory.targetPerson($0).id.description
                },
                workloads: ["Exchange", "Meeting", "Teams", "ODSP"], sourceEndpoint: StaticDirectory.endpoint,
                targetDeliveryDomain: "south.example")
            try await engine.send(.create(draft))
            try await engine.send(.validate(.displayName(name)))
            jobs.append(.displayName(name))
        }
        return jobs
    }
}
