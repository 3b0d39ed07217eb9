import FerryConnector
import FerryCore
import FerryEngine
import FerrySQLite
import FerryStore
import FerryTestKit
import Foundation
import Logging
import Synchronization
import Testing

/// Thousands of people whose date is the same instant.
@Suite(.timeLimit(.minutes(10))) struct WaveTests {
    /// Who is frozen and not yet redirected, counted by a tenant in which nobody has anything.
    private final class Freezer: Sendable {
        private struct State {
            var frozen: Set<String> = []
            var most = 0
            var redirected = 0
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private let state = Mutex(State())
        private let people: Int
        private let wave: Int

        init(people: Int, wave: Int) { (self.people, self.wave) = (people, wave) }

        /// Waits until a whole wave is frozen, or everybody who is left.
        func untilFull() async {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    state.waiting.append(continuation)
                    guard state.frozen.count >= min(wave, people - state.redirected) else {
                        return [CheckedContinuation<Void, Never>]()
                    }
                    defer { state.waiting = [] }
                    return state.waiting
                }
                for continuation in ready { continuation.resume() }
            }
        }

        var most: Int { state.withLock { $0.most } }
        var redirected: Int { state.withLock { $0.redirected } }
        var frozen: Int { state.withLock { $0.frozen.count } }

        func freeze(_ login: String) {
            state.withLock {
                $0.frozen.insert(login)
                $0.most = max($0.most, $0.frozen.count)
            }
        }
        func release(_ login: String) {
            state.withLock {
                $0.frozen.remove(login)
                $0.redirected += 1
            }
        }
    }

    private struct Custody: SourceCustody {
        let freezer: Freezer
        let login: String

        func freeze() async throws(ConnectorError) {
            freezer.freeze(login)
            // Whoever is frozen waits for the others of the wave: were there room for more, more would come.
            await freezer.untilFull()
        }
        func thaw() async throws(ConnectorError) {}
        func redirect(to address: String) async throws(ConnectorError) { freezer.release(login) }
        func removeRedirect() async throws(ConnectorError) {}
    }

    private struct FreezingConnector: Connector {
        let inner: EmptyConnector
        let freezer: Freezer

        var service: ServiceKind { inner.service }
        var lane: LaneID { inner.lane }
        var parallelism: Int { inner.parallelism }
        func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
            Session(
                inner: try await inner.source(for: account),
                custody: Custody(freezer: freezer, login: account.login))
        }
        func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
            try await inner.target(for: account)
        }
        func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
            try await inner.probe(account, as: role)
        }
    }

    private struct Session: SourceSession {
        let inner: any SourceSession
        let custody: (any SourceCustody)?
        func containers() async throws(ConnectorError) -> [Container] { try await inner.containers() }
        func state(of container: Container) async throws(ConnectorError) -> Cursor {
            try await inner.state(of: container)
        }
        func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool { true }
        func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
            try await inner.items(in: container, after: cursor)
        }
        func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
            try await inner.bodies(of: headers, in: container)
        }
        func close() async {}
    }

    private struct Doors: Connections {
        let connector: FreezingConnector
        func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? {
            service == .files ? connector : nil
        }
        func parallelism(ofEndpoint name: String) -> Int { 64 }
    }

    @Test("2,000 people due at one instant are cut over in waves of the size that is set, and everybody completes")
    func waves() async throws {
        let people = 2000
        let folder = FileManager.default.temporaryDirectory.appending(path: "ferry-waves-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let time = ShiftedTime()
        let store = WatchedStore(
            try await SQLiteStore.open(path: folder.appending(path: "ferry.sqlite").path) { time.now })
        let freezer = Freezer(people: people, wave: 7)
        let connector = FreezingConnector(
            inner: EmptyConnector(service: .files, lane: LaneID("files"), parallelism: 64), freezer: freezer)
        var settings = EngineSettings()
        settings.cutoversAtOnce = 7
        settings.concurrency = 40
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let engine = Engine(
            store: store, directory: StaticDirectory(people: people, services: [.files]),
            connections: Doors(connector: connector),
            effects: Effects(
                now: { time.now }, clock: ContinuousClock(),
                makeGUID: { GUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }, random: { 0.5 }),
            settings: settings, logger: logger)
        let draft = JobDraft(
            displayName: "All at once", sourceTenant: StaticDirectory.source.description,
            completeAfter: time.now + .seconds(7200), resourceType: "Users",
            resources: (1...people).map { Samples.person($0).description }, workloads: ["ODSP"])
        func send(_ command: Command) async throws {
            _ = try await engine.commands.carryOut(command, by: EngineWorld.administrator)
        }
        func status() async throws -> JobStatus? {
            try await store.reader.job(.displayName("All at once"), in: StaticDirectory.target)?.status
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await engine.run() }
            try await send(.create(draft))
            try await send(.validate(.key("All at once")))
            for await _ in store.commits() where try await status() == .validatePassed { break }
            try await send(.migrate(.key("All at once")))
            let id = try #require(
                try await store.reader.job(.displayName("All at once"), in: StaticDirectory.target)
            ).id
            for await _ in store.commits() {
                if try await store.reader.progress(of: id).progress[.files]?.passes == 1 { break }
            }
            #expect(freezer.most == 0)
            time.advance(by: .seconds(7200))
            for await _ in store.commits() {
                let now = try await status()
                if now == .completed { break }
                guard now == .inProgress || now == .cuttingOver else {
                    Issue.record("The job is \(String(describing: now))")
                    break
                }
            }
            group.cancelAll()
        }
        #expect(freezer.most == 7)
        #expect(freezer.redirected == people && freezer.frozen == 0)
        let tally = try await store.reader.progress(
            of: try #require(try await store.reader.job(.displayName("All at once"), in: StaticDirectory.target)).id
        ).tally
        #expect(tally.peopleCompleted == people)
        await store.close()
    }
}
