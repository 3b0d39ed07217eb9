import ArgumentParser
import FerryConnector
import FerryCore
import FerryEngine
import FerrySQLite
import FerryStore
import FerryTestKit
import Glibc
import Logging
import ServiceLifecycle
import Synchronization

/// Brings people into the middle of their moves and ends there, as a kill or as an orderly stop would.
struct InFlight: AsyncParsableCommand {
    enum End: String, ExpressibleByArgument { case kill, stop }

    static let configuration = CommandConfiguration(
        abstract: "Leave a store in which many people are on the move, for resume.")

    @Option(help: "How many people; in jobs of at most 2,000.") var people: Int
    @Option(help: "An empty directory for the store.") var directory: String
    @Option(help: "kill: in the middle of everything. stop: as after SIGTERM.") var end = End.kill

    func run() async throws {
        let store = try await SQLiteStore.open(path: directory + "/ferry.sqlite", now: { Instant.wallClock })
        let arrivals = Arrivals()
        let engine = Engine(
            store: store, directory: StaticDirectory(people: people), connections: arrivals.connections, effects: .real,
            logger: .quiet)
        let service = ServiceGroup(services: [engine], logger: .quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(name: "engine") { try await service.run() }
            let jobs = try await Schedule.create(people, engine, store)
            for job in jobs {
                _ = try await store.wait(for: job, toBe: .validatePassed)
                try await engine.send(.migrate(job))
            }
            while try await !Self.areInSync(jobs, store) { try await Task.sleep(for: .milliseconds(50)) }
            // Everybody is due at once, and what is begun is not over.
            arrivals.holdUp()
            for job in jobs { try await engine.send(.reschedule(job, completeAfter: store.now - .seconds(1))) }
            try await arrivals.wait(for: min(people, 4))
            if end == .kill { _exit(0) }
            arrivals.goOn()
            await service.triggerGracefulShutdown()
            try await group.waitForAll()
        }
        await store.close()
    }

    private static func areInSync(_ jobs: [JobReference], _ store: SQLiteStore) async throws -> Bool {
        try await store.transact { (tx) throws(StoreError) in
            for reference in jobs {
                guard let job = try tx.job(reference, in: StaticDirectory.target), job.status == .inProgress else {
                    return false
                }
                if try tx.hasRun(of: job.id, in: [.notStarted, .syncing]) { return false }
            }
            return true
        }
    }
}

/// How long it takes from the start of the engine until it works on somebody.
struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start on the store that in-flight left, and wait until the work goes on.")

    @Option(help: "As many people as in-flight had.") var people: Int
    @Option(help: "The directory of the store.") var directory: String

    func run() async throws {
        let people = StaticDirectory(people: people)
        let clock = ContinuousClock()
        let start = clock.now
        let store = try await SQLiteStore.open(path: directory + "/ferry.sqlite", now: { Instant.wallClock })
        let arrivals = Arrivals()
        let engine = Engine(
            store: store, directory: people, connections: arrivals.connections, effects: .real, logger: .quiet)
        let elapsed = try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(name: "engine") { try await engine.run() }
            try await arrivals.wait(for: 1)
            let elapsed = start.duration(to: clock.now)
            group.cancelAll()
            return elapsed
        }
        await store.close()
        var result = Measurement()
        result.add("seconds", seconds: elapsed)
        result.finish()
    }
}

/// Tenants in which nobody has anything, and that tell whenever somebody's source is opened.
private final class Arrivals: Sendable {
    private struct State {
        var count = 0
        var isHeldUp = false
    }
    private let state = Mutex(State())

    var connections: FixedConnections {
        FixedConnections(
            connectors: Dictionary(
                uniqueKeysWithValues: ServiceKind.allCases.map { service in
                    let empty = EmptyConnector(service: service, lane: LaneID("nothing"), parallelism: 64)
                    return (service, Door(inner: empty, arrivals: self))
                }))
    }

    /// From now on whoever comes stays, and is counted.
    func holdUp() { state.withLock { $0 = State(count: 0, isHeldUp: true) } }
    func goOn() { state.withLock { $0.isHeldUp = false } }

    func wait(for count: Int) async throws {
        while state.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(1)) }
    }

    private func arrive() async throws(ConnectorError) {
        state.withLock { $0.count += 1 }
        while state.withLock({ $0.isHeldUp }) {
            do { try await Task.sleep(for: .milliseconds(5)) } catch { throw .cancelled }
        }
    }

    private struct Door: Connector {
        let inner: EmptyConnector
        let arrivals: Arrivals

        var service: ServiceKind { inner.service }
        var lane: LaneID { inner.lane }
        var parallelism: Int { inner.parallelism }
        func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
            try await arrivals.arrive()
            return try await inner.source(for: account)
        }
        func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
            try await inner.target(for: account)
        }
        func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
            try await inner.probe(account, as: role)
        }
    }
}

extension Logger {
    static let quiet = {
        var logger = Logger(label: "ferry-bench")
        logger.logLevel = .error
        return logger
    }()
}
