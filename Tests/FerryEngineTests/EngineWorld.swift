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

/// What survives a crash of the engine: two fake tenants with people, a store on disk, and a clock that tests can move.
final class EngineWorld: Sendable {
    let people: Int
    let source: FakeTenant
    let target: FakeTenant
    let directory: any Directory
    let store: WatchedStore
    private let folder: URL

    static let workloads: [Workload] = [.mailbox, .files, .chats, .meetings]
    static let administrator = Principal(
        tenant: StaticDirectory.target, subject: "admin", name: "admin@south.example", canRead: true, canWrite: true)

    init(
        people: Int = 2, source: FakeTenant.Settings = .init(), target: FakeTenant.Settings = .init(),
        directory: (any Directory)? = nil
    ) async throws {
        self.people = people
        self.source = FakeTenant(source)
        self.target = FakeTenant(target)
        self.directory = directory ?? StaticDirectory(people: people)
        folder = FileManager.default.temporaryDirectory.appending(path: "ferry-engine-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let box = ShiftedTime()
        time = box
        store = WatchedStore(try await SQLiteStore.open(path: folder.appending(path: "ferry.sqlite").path) { box.now })
        for number in 1...people { furnish(number) }
    }

    let time: ShiftedTime

    func remove() async {
        await store.close()
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: people

    func login(_ number: Int) -> String { StaticDirectory.sourcePerson(number).mail }
    func targetLogin(_ number: Int) -> String { StaticDirectory.targetPerson(number).mail }

    private func furnish(_ number: Int) {
        source.edit(.init(.mail, login(number))) { holdings in
            for index in 1...5 { holdings[["INBOX"]].add("m\(index)", Self.message(number, index), Self.mail) }
            holdings[["Projects", "Ærø"]].add("p1", Self.message(number, 99), Self.mail)
        }
        source.edit(.init(.calendar, login(number))) { holdings in
            let details = ContainerDetails.calendar(displayName: "Work", color: "#3366CC")
            holdings[["work"], details].add("own.ics", Self.meeting(number, organizer: number), .calendarObject)
            holdings[["work"], details].add("guest.ics", Self.meeting(number, organizer: 99), .calendarObject)
        }
        source.edit(.init(.contacts, login(number))) { holdings in
            holdings[["friends"], .addressBook(displayName: "Friends", color: nil)]
                .add("a.vcf", Array("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\nEND:VCARD\r\n".utf8), .contact)
        }
        source.edit(.init(.files, login(number))) { holdings in
            let time = FileMetadata(modified: FerryCore.Instant(seconds: 1_700_000_000))
            holdings[["Files"], .fileTree].add("notes", [], .fileFolder(time))
            holdings[["Files"], .fileTree].add("notes/plan.txt", Array("plan \(number)".utf8), .file(time))
        }
        source.edit(.init(.chats, login(number))) { holdings in
            for index in 1...3 {
                let line = #"{"event_id":"$\#(number)-\#(index)","type":"m.room.message","sender":"@x:y"}"#
                holdings[["room"], .room(state: Array("[]".utf8))].add("$\(number)-\(index)", Array(line.utf8), .event)
            }
        }
    }

    static let mail = ItemMetadata.message(
        MessageMetadata(flags: [.seen], internalDate: FerryCore.Instant(seconds: 1_600_000_000)))

    static func message(_ person: Int, _ index: Int) -> [UInt8] {
        Array("Message-ID: <\(person).\(index)@north.example>\r\nSubject: \(index)\r\n\r\nHello \(index)\r\n".utf8)
    }

    private static func meeting(_ person: Int, organizer: Int) -> [UInt8] {
        Array(
            """
            BEGIN:VCALENDAR\r
            VERSION:2.0\r
            BEGIN:VEVENT\r
            UID:\(person)-\(organizer)@north.example\r
            DTSTAMP:20260101T000000Z\r
            DTSTART:20260201T090000Z\r
            SEQUENCE:3\r
            LOCATION:https://meet.north.example/room-\(person)\r
            ORGANIZER:mailto:person\(organizer)@north.example\r
            ATTENDEE;PARTSTAT=ACCEPTED:mailto:person\(person)@north.example\r
            ATTENDEE:mailto:guest@elsewhere.example\r
            END:VEVENT\r
            END:VCALENDAR\r\n
            """.utf8)
    }

    /// Contents at the target, all services of a person: container path, then sorted contents.
    func holdings(_ number: Int, _ service: ServiceKind) -> [[String]: [String]] {
        var found: [[String]: [String]] = [:]
        for folder in target[.init(service, targetLogin(number))].folders {
            found[folder.container.path] = folder.items.map { String(decoding: $0.content, as: UTF8.self) }.sorted()
        }
        return found
    }

    // MARK: engines

    static let quick: EngineSettings = {
        var settings = EngineSettings()
        settings.pulse = .milliseconds(5)
        settings.deltaInterval = .milliseconds(20)
        settings.drain = .milliseconds(50)
        settings.backoff = Backoff(base: .milliseconds(1), cap: .milliseconds(5), maximumAttempts: 4)
        return settings
    }()

    func makeEngine(
        _ points: CrashPoints? = nil, settings: EngineSettings = EngineWorld.quick, manifests: ManifestOffice? = nil,
        clock: any Clock<Duration> = ContinuousClock(), on other: (any Store)? = nil
    ) -> Engine {
        let time = time
        let effects = Effects(
            now: { time.now }, clock: clock,
            makeGUID: { GUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) }, random: { 0.5 })
        let connections = FakeConnections(source: source, target: target, points: points)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return Engine(
            store: points.map { $0.wrap(store) } ?? other ?? store, directory: directory, connections: connections,
            effects: effects, settings: settings, manifests: manifests, logger: logger)
    }

    /// Runs an engine while `body` drives it.
    func withEngine<R: Sendable>(
        _ engine: Engine, _ body: @Sendable @escaping (Engine) async throws -> R
    ) async throws -> R {
        try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try await engine.run()
                return nil
            }
            group.addTask { try await body(engine) }
            // Whichever ends first ends the other: an engine that died has no more to tell.
            let first = try await group.next() ?? nil
            group.cancelAll()
            if let first { return first }
            while let next = try await group.next() {
                if let next { return next }
            }
            throw CancellationError()
        }
    }

    // MARK: driving

    func draft(
        _ name: String = "Wave 1", people numbers: [Int]? = nil, workloads: [String]? = nil,
        in delay: Duration = .seconds(86_400)
    ) -> JobDraft {
        JobDraft(
            displayName: name, sourceTenant: StaticDirectory.source.description, completeAfter: time.now + delay,
            resourceType: "Users", resources: (numbers ?? Array(1...people)).map { Samples.person($0).description },
            workloads: workloads, sourceEndpoint: StaticDirectory.endpoint, targetDeliveryDomain: "south.example")
    }

    func send(_ command: Command, to engine: Engine) async throws -> CommandResult {
        try await engine.commands.carryOut(command, by: Self.administrator)
    }

    func create(_ draft: JobDraft, at engine: Engine) async throws -> Job {
        guard case .created(let job) = try await send(.create(draft), to: engine) else { throw CancellationError() }
        return job
    }

    func job(_ id: JobID) async throws -> Job {
        try #require(try await store.reader.job(.key(id.description), in: StaticDirectory.target))
    }

    func task(_ id: JobID, _ number: Int) async throws -> UserTask {
        try #require(try await store.reader.task(id, Samples.person(number)))
    }

    /// Waits until the job is in one of the states, checking every state on the way against table 3.2.
    @discardableResult
    func reach(
        _ states: Set<JobStatus>, _ id: JobID, where condition: @Sendable (Job) async throws -> Bool = { _ in true },
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> Job {
        for await _ in store.commits() {
            let job = try await job(id)
            if states.contains(job.status), try await condition(job) { return job }
            // Ends that were not asked for are not waited out.
            if [.completed, .completedWithErrors, .failed, .cancelled].contains(job.status) {
                Issue.record("The job ended \(job.status): \(job.message)", sourceLocation: location)
                return job
            }
        }
        throw CancellationError()
    }

    /// Waits for the next moment at which something may have changed.
    func nextBeat() async throws {
        var commits = store.commits().makeAsyncIterator()
        _ = await commits.next()
        _ = await commits.next()
        try Task.checkCancellation()
    }
}

/// A store that tells its watchers of every commit: the named signal that tests wait for.
final class WatchedStore: Store {
    private let inner: SQLiteStore
    private let watchers = Mutex<[Int: AsyncStream<Void>.Continuation]>([:])

    init(_ inner: SQLiteStore) { self.inner = inner }

    func transact<R: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        let result = try await inner.transact(body)
        for watcher in watchers.withLock({ Array($0.values) }) { watcher.yield() }
        return result
    }

    /// Yields at once, and then after commits; those that nobody waits for are told as one.
    func commits() -> AsyncStream<Void> {
        let (stream, watcher) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let key = watchers.withLock { watchers in
            let key = (watchers.keys.max() ?? 0) + 1
            watchers[key] = watcher
            return key
        }
        watcher.onTermination = { [weak self] _ in self?.watchers.withLock { _ = $0.removeValue(forKey: key) } }
        watcher.yield()
        return stream
    }

    var reader: any StoreReader { inner.reader }
    func workChanges() -> AsyncStream<Void> { inner.workChanges() }
    var now: FerryCore.Instant { inner.now }
    func close() async { await inner.close() }
}

/// The wall clock plus what a test has added to it.
final class ShiftedTime: Sendable {
    private let shift = Mutex(Duration.zero)

    var now: FerryCore.Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FerryCore.Instant(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
            + shift.withLock { $0 }
    }

    func advance(by duration: Duration) { shift.withLock { $0 += duration } }
}

struct FakeConnections: Connections {
    let source: FakeTenant
    let target: FakeTenant
    let points: CrashPoints?

    func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? {
        let connector = (tenant == StaticDirectory.source ? source : target).connector(service)
        return points.map { $0.wrap(connector) } ?? connector
    }

    func parallelism(ofEndpoint name: String) -> Int { 4 }
}
