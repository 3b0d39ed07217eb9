import ArgumentParser
import FerryConnector
import FerryCore
import FerryDAV
import FerryEngine
import FerryHTTP
import FerrySQLite
import FerryStore
import FerryTestKit

/// One pass over one person's files, or calendars and address books, between two servers of Tests/servers, with the
/// copier, the connectors and the store that the server uses.
struct CopyDAV: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy-dav",
        abstract: "Move files, calendars and address books between two servers of one kind; again for the next pass.")

    @Option(help: "files, calendar or contacts; may be given again.") var service: [String]
    @Option(help: "The store's file; holds the ledger from pass to pass.") var store: String
    @Option(help: "The source server's port on 127.0.0.1.") var source: Int
    @Option(help: "The target server's port on 127.0.0.1.") var target: Int
    @Option(help: "Where a person's own collection is; {login} stands for the login.") var path = "/dav/{login}/"
    @Option(help: "As whom the servers are entered; {login} stands for the login.") var user = "mover"
    @Option(help: "That user's password.") var password = "masterpw"
    @Option(help: "Connections to each server at once.") var connections = 16
    @Flag(help: "Send one object per request.") var singly = false
    @Flag(help: "Compare both sides afterwards, as the verifier does.") var verify = false
    @Argument(help: "Logins, as SOURCE=TARGET.") var pair: String

    func run() async throws {
        let logins = try LoginPair.read([pair])[0]
        let services = service.compactMap(ServiceKind.init(rawValue:))
        guard !services.isEmpty, services.count == service.count, Set(services).isSubset(of: Self.known) else {
            throw ValidationError("--service wants files, calendar or contacts")
        }
        let store = try await SQLiteStore.open(path: store, now: { Instant.wallClock })
        let job = BenchJob(store: store, moving: services == [.files] ? .files : .mailbox)
        let legs = services.map {
            Transfer.Leg.bench(
                $0, connector($0, "North", port: source), connector($0, "South", port: target), 1, logins)
        }

        let clock = ContinuousClock()
        let start = clock.now
        try await job.begin()
        guard let result = try await job.pass({ _ in legs }) else {
            throw ValidationError("another process is at work in this store")
        }
        let elapsed = start.duration(to: clock.now)
        var measured = Measurement()
        measured.add("changes", result.changes)
        measured.add("items", result.progress.items)
        measured.add("bytes", result.progress.bytes)
        measured.add("seconds", seconds: elapsed)
        measured.add("processorSeconds", seconds: Measurement.processorTime())
        if verify {
            let start = clock.now
            try await job.verify(legs)
            measured.add("verifySeconds", seconds: start.duration(to: clock.now))
        }
        await store.close()
        measured.finish()
    }

    private static let known: Set<ServiceKind> = [.files, .calendar, .contacts]

    private func connector(_ service: ServiceKind, _ tenant: String, port: Int) -> any Connector {
        let (path, user, password) = (path, user, Secret(password))
        var settings = DAVSettings(
            endpoint: HTTPEndpoint(isEncrypted: false, host: "127.0.0.1", port: port), connections: connections,
            timeout: .seconds(600),
            root: { account in
                DAVPath(
                    checking: path.split(separator: "/").map { $0 == "{login}" ? account.login : String($0) })
            },
            credentials: { account in
                .password(user: user == "{login}" ? account.login : user, password: password)
            })
        settings.sendsMany = !singly
        return switch service {
        case .calendar: CollectionConnector(.calendars, tenant: tenant, settings: settings)
        case .contacts: CollectionConnector(.addressBooks, tenant: tenant, settings: settings)
        default: DAVConnector(tenant: tenant, settings: settings)
        }
    }
}
