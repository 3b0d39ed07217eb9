import FerryConnector
import FerryCore
import FerryStore
import Logging
import ServiceLifecycle
import Synchronization

/// Leases due work, carries it out in bounded lanes, keeps the leases alive, sleeps until more is due.
///
/// Stops in two steps: no new leases; then, after a set time, what still runs is cancelled at its last checkpoint and
/// its leases are given back, so that the next start goes on at once.
final class Scheduler: Sendable {
    private let workshop: Workshop
    private let lanes: LaneBook
    private let held = Mutex<[Int64: Lease]>([:])
    private let hands = Hands()
    private let isStopping = Mutex(false)
    private let wake: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    init(workshop: Workshop, lanes: LaneBook) {
        self.workshop = workshop
        self.lanes = lanes
        (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Works until the task is cancelled or a graceful stop is asked for.
    func run() async throws(StoreError) {
        lanes.learn(try await workshop.store.transact { (tx) throws(StoreError) in try tx.lanes() })
        await withGracefulShutdownHandler {
            await work()
        } onGracefulShutdown: { [self] in
            isStopping.withLock { $0 = true }
            waker.yield()
        }
    }

    private func work() async {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask(name: "work changes") { [waker, workshop] in
                for await _ in workshop.store.workChanges() { waker.yield() }
                return false
            }
            group.addTask(name: "heartbeat") { [self] in
                await keepLeases()
                return false
            }
            group.addTask(name: "lanes") { [self] in
                await withDiscardingTaskGroup { workers in
                    await lease(into: &workers) { [self] in isStopping.withLock { $0 } || Task.isCancelled }
                    await drain()
                    workers.cancelAll()
                }
                return true
            }
            // The others only serve the lanes, and end with them.
            while let isOver = await group.next(), !isOver {}
            group.cancelAll()
        }
    }

    // MARK: leasing

    private func lease(into workers: inout DiscardingTaskGroup, until isOver: @Sendable () -> Bool) async {
        var failures = 0
        var awake = wake.makeAsyncIterator()
        while !isOver() {
            var pause = Duration.seconds(30)
            do throws(StoreError) {
                let leases = try await leaseRoom()
                failures = 0
                for lease in leases {
                    begin(lease)
                    workers.addTask(name: "work") { [self] in
                        await perform(lease)
                        end(lease)
                    }
                }
                // As many as there was room for: perhaps more is due already.
                guard leases.isEmpty else { continue }
                if lanes.room().total > 0, let due = try await workshop.store.reader.nextDue() {
                    // What is due and was not leased waits for its lane; the end of any work wakes us before this.
                    let wait = due - workshop.store.now
                    pause = wait > .zero ? min(pause, wait) : .milliseconds(50)
                }
            } catch {
                failures += 1
                pause = workshop.settings.backoff.delay(attempt: failures, random: workshop.effects.random())
                workshop.logger.error("The store refused a lease", metadata: ["error": "\(error)"])
                if error == .closed { return }
            }
            await sleep(pause, orUntil: &awake)
        }
    }

    private func leaseRoom() async throws(StoreError) -> [Lease] {
        let room = lanes.room()
        guard room.total > 0 else { return [] }
        let term = workshop.settings.leaseTerm
        return try await workshop.store.transact { (tx) throws(StoreError) in
            try tx.lease(room: room.perLane, limit: room.total, term: term)
        }
    }

    /// Waits for a wake-up or for the time to pass, whichever comes first.
    private func sleep(_ pause: Duration, orUntil awake: inout AsyncStream<Void>.Iterator) async {
        let (clock, waker) = (workshop.effects.clock, waker)
        await withTaskGroup(of: Void.self) { timer in
            timer.addTask(name: "timer") {
                try? await clock.sleep(for: pause)
                if !Task.isCancelled { waker.yield() }
            }
            _ = await awake.next(isolation: nil)
            timer.cancelAll()
        }
    }

    // MARK: carrying out

    private func perform(_ lease: Lease) async {
        await hands.take(lease.item.key)
        defer { hands.give(lease.item.key) }
        do throws(WorkError) {
            switch lease.item.key {
            case .job: try await JobWork(workshop: workshop, lease: lease).perform()
            case .check: try await CheckWork(workshop: workshop, lease: lease).perform()
            case .run(let run): try await RunWork(workshop: workshop, lease: lease, run: run).perform()
            case .dryRun: try await DryRunWork(workshop: workshop, lease: lease).perform()
            case .forecast(let run): try await ForecastWork(workshop: workshop, lease: lease, run: run).perform()
            }
        } catch {
            await recover(lease, from: error)
        }
    }

    /// Work that ended with an error of its own kind: put it off. Nothing is ever recorded against a lost lease.
    private func recover(_ lease: Lease, from error: WorkError) async {
        var next = lease.item
        switch error {
        case .store(.leaseLost), .store(.closed):
            workshop.logger.debug("A lease was lost", metadata: ["token": "\(lease.token)"])
            return
        case .connector(let problem) where problem.disposition == .cancelled:
            next.due = workshop.store.now
        case .connector, .store, .withdrawn:
            next.attempts += 1
            next.due =
                workshop.store.now
                + workshop.settings.backoff.delay(attempt: next.attempts, random: workshop.effects.random())
            workshop.logger.error("Work is put off", metadata: ["error": "\(Self.summary(error))"])
        }
        do throws(WorkError) {
            try await workshop.finish(lease, next: next)
        } catch {
            // The lease runs out by itself and the work is leased again.
            workshop.logger.error("Work could not be given back", metadata: ["error": "\(Self.summary(error))"])
        }
    }

    private static func summary(_ error: WorkError) -> String {
        switch error {
        case .connector(let problem): "\(problem.code.rawValue): \(problem.context)"
        case .store(let problem): "\(problem)"
        case .withdrawn(let finding): finding.code.rawValue
        }
    }

    // MARK: leases in hand

    private func begin(_ lease: Lease) {
        lanes.begin(lease.item.lane)
        held.withLock { $0[lease.token] = lease }
    }

    private func end(_ lease: Lease) {
        held.withLock { _ = $0.removeValue(forKey: lease.token) }
        lanes.end(lease.item.lane)
        waker.yield()
    }

    /// Renews what is in hand three times per term. A lease that could not be renewed is lost at the next checkpoint of
    /// its holder, which then stops; nothing has to be torn down here.
    private func keepLeases() async {
        let term = workshop.settings.leaseTerm
        while !Task.isCancelled {
            try? await workshop.effects.clock.sleep(for: term / 3)
            let leases = held.withLock { Array($0.values) }
            guard !leases.isEmpty, !Task.isCancelled else { continue }
            do throws(StoreError) {
                _ = try await workshop.store.transact { (tx) throws(StoreError) in try tx.renew(leases, term: term) }
            } catch {
                workshop.logger.warning("Leases could not be renewed", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Gives running work a set time to end by itself.
    private func drain() async {
        let (clock, grace) = (workshop.effects.clock, workshop.settings.drain)
        await withTaskGroup(of: Void.self) { race in
            race.addTask(name: "drain timer") { try? await clock.sleep(for: grace) }
            race.addTask(name: "drain watch") { [self] in
                var awake = wake.makeAsyncIterator()
                while held.withLock({ !$0.isEmpty }) {
                    guard await awake.next(isolation: nil) != nil else { break }
                }
            }
            await race.next()
            race.cancelAll()
        }
    }
}
