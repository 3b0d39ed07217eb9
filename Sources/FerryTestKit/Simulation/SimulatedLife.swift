import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import Logging
import Synchronization

/// One run of a simulation, inside its executor.
struct SimulatedLife: Sendable {
    private let scenario: Scenario
    private let clock: VirtualClock
    private let drift: ClockDrift
    private let people: SimulatedPeople
    private let administrator: SimulatedAdministrator
    private let watch: SimulationWatch
    private let nodes: [SimulatedNode]

    /// How often administrators try what was refused.
    private static let patience = 6

    init(
        scenario: Scenario, sabotage: Sabotage?, clock: VirtualClock, drift: ClockDrift, executor: SeededExecutor,
        store inner: any Store, watch: SimulationWatch
    ) {
        self.drift = drift
        self.scenario = scenario
        self.clock = clock
        self.watch = watch
        let people = SimulatedPeople(
            count: scenario.people, source: FakeTenant(scenario.source, clock: clock),
            target: FakeTenant(scenario.target, clock: clock), watch: watch)
        self.people = people
        let reader = SimulatedReader(inner: inner.reader, executor: executor)
        let wall: @Sendable () -> Instant = { clock.instant + drift.value }
        let store = SimulatedStore(inner, on: executor, sabotage: sabotage, watch: watch) {
            var seen: [(job: Job, tasks: [UserTask])] = []
            for job in (try? await reader.jobs(JobQuery(tenant: StaticDirectory.target)))?.rows ?? [] {
                seen.append((job, (try? await reader.tasks(TaskQuery(job: job.id)))?.rows ?? []))
            }
            watch.look(at: seen, now: wall(), frozen: people.lockedOut)
        }
        let chance = SharedRandom(seed: scenario.seed &+ 1)
        let effects = Effects(
            now: wall, clock: clock, makeGUID: { chance.makeGUID() }, random: { chance.fraction() })
        let nodes = (0..<scenario.nodes).map { _ in
            SimulatedNode(
                store: store, directory: StaticDirectory(people: scenario.people),
                connections: SimulatedConnections(people: people, sabotage: sabotage), effects: effects)
        }
        self.nodes = nodes
        administrator = SimulatedAdministrator(
            people: scenario.people, reader: reader, now: wall,
            send: { command in
                for node in nodes {
                    if let commands = node.commands {
                        return try? await commands.carryOut(command, by: SimulatedAdministrator.principal)
                    }
                }
                return nil
            })
    }

    func live() async {
        var random = SeededRandom(seed: scenario.seed &+ 2)
        people.furnish(&random)
        for (tenant, salt) in [(people.source, 3), (people.target, 4)] as [(FakeTenant, UInt64)]
        where scenario.faults > 0 {
            tenant.faults.injectRandomly(
                scenario.faults, seed: scenario.seed &+ salt, throttles: scenario.throttles)
        }
        if scenario.deliversLate { people.deliverLate(seed: scenario.seed &+ 9) }
        await withTaskGroup(of: Void.self) { group in
            for node in nodes { group.addTask { await node.live() } }
            group.addTask { await calm() }
            for salt in [5, 6, 7, 10] as [UInt64] { group.addTask { await disturb(salt) } }
            // Ends with the calm one's cancellation of everybody else.
            await group.next()
            for node in nodes { node.stop() }
            group.cancelAll()
        }
        judge()
    }

    /// One source of unrest: kills, acts of administrators, work of people, or jumps of the clock, spread over the time that it lasts.
    private func disturb(_ salt: UInt64) async {
        var random = SeededRandom(seed: scenario.seed &+ salt)
        let count =
            switch salt {
            case 5: scenario.kills
            case 6: scenario.acts
            case 10: scenario.jumps
            default: scenario.edits
            }
        guard count > 0 else { return await park() }
        let step = scenario.unrest / count
        for _ in 0..<count {
            let wait = step * Double.random(in: 0.1...1.9, using: &random)
            guard (try? await clock.sleep(for: wait)) != nil else { return }
            switch salt {
            case 5: nodes.randomElement(using: &random)?.kill()
            case 6: await administrator.act(&random)
            // Set by hand, or the machine slept; never by so much that waiting it out would take days.
            case 10: drift.jump(by: .seconds(Int.random(in: -1200...3600, using: &random)))
            default: people.work(&random)
            }
        }
        await park()
    }

    private func park() async { try? await clock.sleep(for: .seconds(1_000 * 86_400)) }

    /// After the unrest: everything works, and administrators bring every job to an end.
    private func calm() async {
        try? await clock.sleep(for: .seconds(1))
        var random = SeededRandom(seed: scenario.seed &+ 8)
        await administrator.act(&random)
        try? await clock.sleep(for: scenario.unrest)
        for tenant in [people.source, people.target] { tenant.faults.clear() }
        people.source.meanwhile(nil)
        var tries: [JobID: Int] = [:]
        while !Task.isCancelled, watch.isClean {
            var isOver = true
            let jobs = await administrator.jobs()
            let isMoving = jobs.contains { [.processing, .inProgress, .cuttingOver].contains($0.status) }
            let retried = jobs.first { $0.status.canMigrate && $0.status.isFinal }?.id
            for job in jobs {
                tries[job.id, default: 0] += job.status == .validateFailed ? 1 : 0
                let patience = Self.patience - tries[job.id, default: 0]
                let isDone = await administrator.help(
                    job, patience: patience, mayRetry: !isMoving && job.id == retried)
                isOver = isOver && isDone
            }
            if isOver { return }
            guard (try? await clock.sleep(for: .seconds(900))) != nil else { return }
        }
    }

    // MARK: judgement

    private func judge() {
        for difference in finalDifferences() { watch.violate(difference) }
    }

    private func finalDifferences() -> [String] {
        var result: [String] = []
        for number in 1...scenario.people {
            let moved = watch.moved(Samples.person(number))
            result += people.touched(number)
            for workload in Workload.allCases where moved.contains(workload) {
                result += people.differences(number, workload)
            }
            for service in ServiceKind.allCases {
                let place = people.source[people.sourcePlace(number, service)]
                let workload: Workload = service == .files ? .files : service == .chats ? .chats : .mailbox
                if !scenario.source.canFreeze {
                    if place.isFrozen || place.redirect != nil {
                        result.append("person \(number): \(service) was frozen")
                    }
                } else if moved.contains(workload), people.source.has(people.sourcePlace(number, service)) {
                    if !place.isFrozen { result.append("person \(number) has moved, and \(service) is not frozen") }
                    if place.redirect == nil {
                        result.append("person \(number) has moved without a redirect of \(service)")
                    }
                } else if !moved.contains(workload) {
                    if place.isFrozen { result.append("person \(number) stays, and \(service) is frozen") }
                    if place.redirect != nil { result.append("person \(number) stays, and \(service) is redirected") }
                }
            }
        }
        return result
    }
}

/// The doors of the simulated tenants.
struct SimulatedConnections: Connections {
    let people: SimulatedPeople
    let sabotage: Sabotage?

    func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? {
        let connector: any Connector =
            (tenant == StaticDirectory.source ? people.source : people.target).connector(service)
        return sabotage?.spoil(connector) ?? connector
    }

    func parallelism(ofEndpoint name: String) -> Int { 4 }
}

/// A server: starts again a while after it was killed.
final class SimulatedNode: Sendable {
    private struct Life: Sendable {
        var points: CrashPoints
        var end: AsyncStream<Void>.Continuation
    }
    private struct State {
        var life: Life?
        var commands: (any CommandHandling)?
        var isStopping = false
    }

    private let store: any Store
    private let directory: StaticDirectory
    private let connections: SimulatedConnections
    private let effects: Effects
    private let state = Mutex(State())
    /// From a kill to the next start.
    private static let downtime = Duration.seconds(45)

    init(store: any Store, directory: StaticDirectory, connections: SimulatedConnections, effects: Effects) {
        self.store = store
        self.directory = directory
        self.connections = connections
        self.effects = effects
    }

    /// Where commands go; `nil` while the server is down.
    var commands: (any CommandHandling)? { state.withLock { $0.commands } }

    /// From this moment on nothing that it still tries has any effect.
    func kill() {
        let life = state.withLock { state in
            state.commands = nil
            return state.life
        }
        life?.points.kill()
        life?.end.yield()
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        kill()
    }

    func live() async {
        while !state.withLock({ $0.isStopping }) {
            let points = CrashPoints()
            let (end, ender) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
            var logger = Logger(label: "simulation")
            logger.logLevel = .critical
            let engine = Engine(
                store: points.wrap(store), directory: directory,
                connections: MortalConnections(inner: connections, points: points), effects: effects, logger: logger)
            state.withLock {
                $0 = State(life: Life(points: points, end: ender), commands: engine.commands, isStopping: $0.isStopping)
            }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { try? await engine.run() }
                group.addTask { for await _ in end { return } }
                await group.next()
                group.cancelAll()
            }
            if state.withLock({ $0.isStopping }) { return }
            try? await effects.clock.sleep(for: Self.downtime)
        }
    }
}

private struct MortalConnections: Connections {
    let inner: SimulatedConnections
    let points: CrashPoints

    func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? {
        inner.connector(of: tenant, for: service).map(points.wrap)
    }

    func parallelism(ofEndpoint name: String) -> Int { inner.parallelism(ofEndpoint: name) }
}
