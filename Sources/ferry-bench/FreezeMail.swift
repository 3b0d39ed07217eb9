import ArgumentParser
import FerryConnector
import FerryCore
import FerryEngine
import FerryIMAP
import FerrySQLite
import FerryStore
import FerryTestKit
import Logging
import NIOPosix

/// One mailbox, cut over again and again: how long its owner is kept out each time, and how long the same changes take
/// without a freeze.
struct FreezeMail: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cut a mailbox over between two servers of Tests/servers/dovecot.sh, so many times.")

    @Option(help: "The store's file.") var store: String
    @Option(help: "The source server's port on 127.0.0.1.") var source: Int
    @Option(help: "The target server's port on 127.0.0.1.") var target: Int
    @Option(help: "Cutovers.") var cutovers = 100
    @Option(help: "Messages that come before each of them.") var changes = 50
    @Argument(help: "Login at the source.") var login: String
    @Argument(help: "Login at the target.") var twin: String

    func run() async throws {
        let store = try await SQLiteStore.open(path: store, now: { Instant.wallClock })
        let (from, to) = (connector("North", port: source), connector("South", port: target))
        let mailbox = Mailbox(connector: from, account: account(StaticDirectory.sourcePerson(1), login))
        // The passes that a person is not kept out for, one by one, on the same ledger.
        let bench = BenchJob(store: store, moving: .mailbox, isActive: false)
        let legs: @Sendable (Int) -> [Transfer.Leg] = { [self] _ in
            [
                Transfer.Leg(
                    service: .mail, source: from, sourceAccount: mailbox.account, target: to,
                    targetAccount: account(StaticDirectory.targetPerson(1), twin))
            ]
        }
        try await bench.begin()
        _ = try await bench.pass(legs)

        var directory = StaticDirectory(people: 1, services: [.mail])
        directory.people[StaticDirectory.source]?[StaticDirectory.sourcePerson(1).id]?.logins[.mail] = login
        directory.people[StaticDirectory.target]?[StaticDirectory.targetPerson(1).id]?.logins[.mail] = twin
        directory.cache()
        var settings = EngineSettings()
        settings.pulse = .milliseconds(100)
        var logger = Logger(label: "ferry-bench")
        logger.logLevel = .error
        let engine = Engine(
            store: store, directory: directory, connections: Sides(source: from, target: to), effects: .real,
            settings: settings, logger: logger)

        var deltas: [Duration] = []
        var freezes: [Duration] = []
        let clock = ContinuousClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask(name: "engine") { try await engine.run() }
            for number in 0..<cutovers {
                try await mailbox.deliver(changes, number * 2)
                try await bench.begin()
                let elapsed = try await clock.measure { _ = try await bench.pass(legs) }
                deltas.append(elapsed)
                try await mailbox.deliver(changes, number * 2 + 1)
                freezes.append(try await cutOver(number, engine, store))
                try await mailbox.thaw()
            }
            group.cancelAll()
        }
        await store.close()

        let budget = settings.freezeBudget
        var result = Measurement()
        result.add("cutovers", Int64(cutovers))
        result.add("deltaSeconds", seconds: deltas.median ?? .zero)
        result.add("freezeSeconds", seconds: freezes.median ?? .zero)
        result.add("freezeP99Seconds", seconds: freezes.sorted()[max(0, (freezes.count * 99 + 99) / 100 - 1)])
        result.add("overruns", Int64(freezes.count { $0 > budget }))
        result.finish()
    }

    /// A job of its own; how long the source was frozen.
    private func cutOver(_ number: Int, _ engine: Engine, _ store: SQLiteStore) async throws -> Duration {
        let name = "cutover-\(number)"
        let job = JobReference.displayName(name)
        try await engine.send(
            .create(
                JobDraft(
                    displayName: name, sourceTenant: StaticDirectory.source.description,
                    completeAfter: store.now + .seconds(86_400), resourceType: "Users",
                    resources: [StaticDirectory.targetPerson(1).id.description], workloads: ["Exchange"],
                    sourceEndpoint: StaticDirectory.endpoint, targetDeliveryDomain: "south.example")))
        try await engine.send(.validate(job))
        _ = try await store.wait(for: job, toBe: .validatePassed)
        try await engine.send(.migrate(job))
        try await engine.send(.reschedule(job, completeAfter: store.now - .seconds(1)))
        let done = try await store.wait(for: job, toBe: .completed)
        let frozen = try await store.reader.progress(of: done.id).progress[.mailbox]?.frozenMicroseconds ?? 0
        guard frozen > 0 else { throw ValidationError("the mailbox was not frozen") }
        return .microseconds(frozen)
    }

    private func account(_ person: Person, _ login: String) -> Account {
        Account(tenant: StaticDirectory.source, person: person, login: login)
    }

    private func connector(_ tenant: String, port: Int) -> IMAPConnector {
        IMAPConnector(
            tenant: tenant,
            settings: IMAPSettings(
                endpoint: IMAPEndpoint(host: "127.0.0.1", port: port, security: .none),
                entrance: .master(user: "mover", separator: "*", password: Secret("masterpw")), connections: 8),
            on: .singletonMultiThreadedEventLoopGroup)
    }

    private struct Sides: Connections {
        let source: IMAPConnector
        let target: IMAPConnector

        func connector(of tenant: TenantID, for service: ServiceKind) -> (any Connector)? {
            service != .mail ? nil : tenant == StaticDirectory.source ? source : target
        }
        func parallelism(ofEndpoint name: String) -> Int { 8 }
    }

    /// The source, as somebody sees it who works there.
    private struct Mailbox: Sendable {
        let connector: IMAPConnector
        let account: Account

        func deliver(_ count: Int, _ round: Int) async throws {
            let session = try await connector.target(for: account)
            let inbox = try await session.ensure(
                Container(name: "INBOX", path: ["INBOX"], details: .mailFolder(isSubscribed: true)))
            let texts = (0..<count).map { number in
                Array(
                    """
                    From: Sender <sender@north.example>\r
                    To: \(account.login)\r
                    Subject: Late \(number) of \(round)\r
                    Message-ID: <late.\(round).\(number)@bench.example>\r
                    \r
                    Something that came in the meantime.\r\n
                    """.utf8)
            }
            let headers = texts.enumerated().map { number, text in
                ItemHeader(
                    key: ItemKey(high: UInt64(round), low: UInt64(number)), version: ItemVersion(0), name: "\(number)",
                    size: Int64(text.count),
                    metadata: .message(MessageMetadata(flags: [], internalDate: Instant(seconds: 1_700_000_000))))
            }
            let receipts = try await session.write(
                headers, bodies: ListBodyReader(texts.map { .success($0) }), in: inbox)
            await session.close()
            for case .failure(let error) in receipts { throw error }
        }

        func thaw() async throws {
            let session = try await connector.source(for: account)
            try await session.custody?.thaw()
            await session.close()
        }
    }
}

extension Engine {
    func send(_ command: Command) async throws {
        _ = try await commands.carryOut(
            command,
            by: Principal(
                tenant: StaticDirectory.target, subject: "bench", name: "admin@south.example", canRead: true,
                canWrite: true))
    }
}

extension SQLiteStore {
    /// Polls as clients do. Throws when the job ends otherwise.
    func wait(for reference: JobReference, toBe status: JobStatus) async throws -> Job {
        while true {
            guard let job = try await reader.job(reference, in: StaticDirectory.target) else {
                throw ValidationError("the job is gone")
            }
            if job.status == status { return job }
            switch job.status {
            case .failed, .completedWithErrors, .cancelled, .validateFailed, .completed, .deleted,
                .adminActionRequired:
                var why = ""
                for person in job.people.prefix(1) {
                    why = try await reader.task(job.id, person)?.runs.flatMap(\.findings).map(\.message).joined() ?? ""
                }
                throw ValidationError("a job ended as \(job.status.rawValue): \(job.message) \(why)")
            default: try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
