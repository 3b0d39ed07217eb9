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

/// Ada on her way from Contoso to Fabrikam: two tenants in memory, a store on disk, a job that is under way.
///
/// It is what survives when the process that works on it dies.
final class CopierWorld: Sendable {
    static let contoso = TenantID(GUID(high: 1, low: 1))
    static let fabrikam = TenantID(GUID(high: 2, low: 2))
    static let ada = Person(
        id: PersonID(GUID(high: 1, low: 10)), userPrincipalName: "ada@contoso.example", displayName: "Ada",
        mail: "ada@contoso.example")
    static let newAda = Person(
        id: PersonID(GUID(high: 2, low: 10)), userPrincipalName: "ada@fabrikam.example", displayName: "Ada",
        mail: "ada@fabrikam.example")

    let clock = VirtualClock()
    let source: FakeTenant
    let target: FakeTenant
    let store: any Store
    let job: JobID
    let workload: Workload
    /// How far the test's own script is; survives with the world.
    let stage = Mutex(0)
    /// More people of the identity map.
    let colleagues = Mutex<[(Person, Person)]>([])
    private let directory: URL

    init(
        _ workload: Workload = .mailbox, from source: FakeTenant.Settings = .init(),
        to target: FakeTenant.Settings = .init()
    )
        async throws
    {
        let clock = clock
        self.source = FakeTenant(source, clock: clock)
        self.target = FakeTenant(target, clock: clock)
        self.workload = workload
        directory = FileManager.default.temporaryDirectory.appending(path: "ferry-copier-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        store = try await SQLiteStore.open(path: directory.appending(path: "ferry.sqlite").path) { clock.instant }
        job = JobID(GUID(high: 7, low: 1))
        try await insertJob(job)
        for service in [ServiceKind.mail, .calendar, .contacts, .files, .chats] {
            self.source.edit(place(service)) { _ in }
        }
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func insertJob(_ id: JobID) async throws {
        let (now, workload) = (clock.instant, workload)
        try await store.transact { (tx) throws(StoreError) in
            try tx.insert(
                Job(
                    id: id, targetTenant: Self.fabrikam, sourceTenant: Self.contoso, displayName: "Wave \(id)",
                    exchangeSettings: nil, workloads: [workload], people: [Self.newAda.id], createdBy: "test",
                    created: now, updated: now, completeAfter: now, status: .inProgress, type: .migrate, message: "",
                    validated: nil, attempt: 1, isValidationOnly: false, version: 0))
        }
    }

    func run(_ job: JobID? = nil, _ workload: Workload? = nil) -> RunID {
        RunID(job: job ?? self.job, person: Self.newAda.id, workload: workload ?? self.workload)
    }

    func place(_ service: ServiceKind) -> FakeTenant.Place { FakeTenant.Place(service, Self.ada.mail) }
    func newPlace(_ service: ServiceKind) -> FakeTenant.Place { FakeTenant.Place(service, Self.newAda.mail) }

    func transfer(
        _ run: RunID, through points: CrashPoints = CrashPoints(), hasMeetingsRun: Bool = false
    ) -> Transfer {
        var addresses = AddressBook()
        addresses.map(Self.ada, to: Self.newAda)
        for (old, new) in colleagues.withLock({ $0 }) { addresses.map(old, to: new) }
        return Transfer(
            run: run,
            route: Route(
                sourceTenant: Self.contoso, sourcePerson: Self.ada.id, targetTenant: Self.fabrikam,
                targetPerson: Self.newAda.id, workload: run.workload),
            legs: run.workload.services.map { service in
                Transfer.Leg(
                    service: service, source: points.wrap(source.connector(service)),
                    sourceAccount: Account(tenant: Self.contoso, person: Self.ada, login: Self.ada.mail),
                    target: points.wrap(target.connector(service)),
                    targetAccount: Account(tenant: Self.fabrikam, person: Self.newAda, login: Self.newAda.mail))
            },
            addresses: addresses, ownAddresses: Self.ada.addresses, hasMeetingsRun: hasMeetingsRun)
    }

    /// Leases the run, after whoever had it before has lost it.
    func lease(_ run: RunID) async throws -> Lease {
        clock.advance(by: .seconds(60))
        let lane = LaneID("test")
        let leases = try await store.transact { (tx) throws(StoreError) in
            try tx.enqueue(WorkItem(key: .run(run), lane: lane, due: tx.now))
            return try tx.lease(room: [lane: 10], limit: 10, term: .seconds(30))
        }
        return try #require(leases.first { $0.item.key == .run(run) })
    }

    func copier(_ points: CrashPoints = CrashPoints(), _ settings: CopySettings = CopySettings()) -> Copier {
        Copier(
            store: points.wrap(store), effects: .steady(clock), settings: settings,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    /// One pass with a fresh lease, beginning with the progress that the store has.
    @discardableResult
    func pass(
        _ run: RunID? = nil, through points: CrashPoints = CrashPoints(), hasMeetingsRun: Bool = false,
        _ settings: CopySettings = CopySettings()
    ) async throws -> PassResult {
        let run = run ?? self.run()
        let lease = try await lease(run)
        return try await copier(points, settings).pass(
            transfer(run, through: points, hasMeetingsRun: hasMeetingsRun), under: lease,
            starting: try await progress(run))
    }

    func verify(_ run: RunID? = nil, hasMeetingsRun: Bool = false) async throws -> TransferVerification {
        let verifier = Verifier(
            store: store, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        return try await verifier.verify(transfer(run ?? self.run(), hasMeetingsRun: hasMeetingsRun))
    }

    func progress(_ run: RunID? = nil) async throws -> RunProgress {
        let run = run ?? self.run()
        return try await store.reader.task(run.job, run.person)?[run.workload]?.progress ?? RunProgress()
    }

    func findings() async throws -> [ItemFinding] {
        try await store.reader.itemFindings(of: job, after: 0, limit: 1000)
    }

    /// All ledgers of a run's route; cursors are left out, since they count the changes of the source.
    func ledgers(_ run: RunID? = nil) async throws -> [ContainerID: [LedgerEntry]] {
        let route = transfer(run ?? self.run()).route
        var ledgers: [ContainerID: [LedgerEntry]] = [:]
        for container in try await store.reader.ledgerContainers(route) {
            let ledger = try await store.reader.ledger(route, container)
            #expect(ledger.intent == nil)
            ledgers[container] = Array(ledger.entries)
        }
        return ledgers
    }

    /// Everything in the target's containers of one service, by path, without what only the target knows.
    func moved(_ service: ServiceKind) -> [[String]: [Moved]] { Self.contents(target[newPlace(service)]) }

    /// What should be there, with addresses as the target knows them.
    func expected(_ service: ServiceKind) -> [[String]: [Moved]] {
        Self.contents(source[place(service)]).mapValues { items in
            items.map { item in
                switch item.metadata {
                case .calendarObject, .contact, .event:
                    var item = item
                    item.content = Array(
                        String(decoding: item.content, as: UTF8.self)
                            .replacingOccurrences(of: "ada@contoso.example", with: "ada@fabrikam.example").utf8)
                    return item
                case .message, .file, .fileFolder, .media: return item
                }
            }.sorted { $0.sortKey < $1.sortKey }
        }
    }

    struct Moved: Hashable, Sendable {
        var name: String
        var content: [UInt8]
        var metadata: ItemMetadata
        var isFragment: Bool
        var sortKey: String { name + String(decoding: content, as: UTF8.self) }
    }

    private static func contents(_ holdings: FakeTenant.Holdings) -> [[String]: [Moved]] {
        Dictionary(
            holdings.folders.map { folder in
                (
                    folder.container.path,
                    folder.items.map {
                        Moved(name: $0.name, content: $0.content, metadata: $0.metadata, isFragment: $0.isFragment)
                    }.sorted { $0.sortKey < $1.sortKey }
                )
            }, uniquingKeysWith: +)
    }

    // MARK: content

    static func message(_ number: Int) -> [UInt8] {
        Array(
            "Subject: \(number)\r\nFrom: ada@contoso.example\r\n\r\n\(String(repeating: "body \(number) ", count: number % 7))"
                .utf8)
    }

    static func metadata(_ number: Int) -> ItemMetadata {
        .message(
            MessageMetadata(
                flags: number % 2 == 0 ? .seen : [], keywords: number % 3 == 0 ? ["work"] : [],
                internalDate: Instant(seconds: 1_700_000_000 + Int64(number))))
    }

    static func event(_ name: String, organizer: String, attendee: String? = "bob@elsewhere.example") -> [UInt8] {
        var lines = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:\(name)", "SEQUENCE:1", "ORGANIZER:mailto:\(organizer)"]
        if let attendee { lines.append("ATTENDEE:mailto:\(attendee)") }
        lines += ["END:VEVENT", "END:VCALENDAR", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    static func contact(_ name: String) -> [UInt8] {
        Array("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:\(name)\r\nEMAIL:ada@contoso.example\r\nEND:VCARD\r\n".utf8)
    }

    /// Mail in a folder, messages counted from the given number.
    func addMail(_ count: Int, from first: Int = 0, to path: [String] = ["INBOX"]) {
        source.edit(place(.mail)) { holdings in
            for number in first..<first + count {
                holdings[path].add("m\(number)", Self.message(number), Self.metadata(number))
            }
        }
    }

    /// A little of everything, an empty folder included.
    func fill(mail: Int = 25) {
        addMail(mail)
        addMail(3, from: 1000, to: ["Projects", "2024"])
        source.edit(place(.mail)) { holdings in holdings[["Empty"]].revision += 1 }
        source.edit(place(.calendar)) { holdings in
            let details = ContainerDetails.calendar(displayName: "Work", color: "#336699")
            for name in ["a", "b", "c"] {
                holdings[["Work"], details].add(
                    "\(name).ics", Self.event(name, organizer: "carol@elsewhere.example", attendee: Self.ada.mail),
                    .calendarObject)
            }
        }
        source.edit(place(.contacts)) { holdings in
            let details = ContainerDetails.addressBook(displayName: nil, color: nil)
            for name in ["x", "y"] { holdings[["People"], details].add("\(name).vcf", Self.contact(name), .contact) }
        }
    }

    /// What is not at the target as it should be, one line each. Containers that the source has no more may stay, empty.
    func differences(_ services: [ServiceKind]) -> [String] {
        services.flatMap { service -> [String] in
            let (here, there) = (expected(service), moved(service))
            return Set(here.keys).union(there.keys).sorted { $0.lexicographicallyPrecedes($1) }.flatMap { path in
                let (wanted, found) = (Self.counted(here[path] ?? []), Self.counted(there[path] ?? []))
                var lines = there[path] == nil ? ["\(service) \(path): no container"] : []
                for item in Set(wanted.keys).union(found.keys) where wanted[item, default: 0] != found[item, default: 0]
                {
                    lines.append(
                        "\(service) \(path): \(found[item, default: 0]) of \(wanted[item, default: 0]) \(item.name)"
                            + (item.isFragment ? ", a fragment" : ""))
                }
                return lines.sorted()
            }
        }
    }

    private static func counted(_ items: [Moved]) -> [Moved: Int] {
        Dictionary(items.map { ($0, 1) }, uniquingKeysWith: +)
    }

    /// Checks that the target has everything that the source has, once, and nothing else.
    func expectSame(_ services: [ServiceKind], _ story: String = "", sourceLocation: SourceLocation = #_sourceLocation)
    {
        #expect(differences(services) == [], "\(story)", sourceLocation: sourceLocation)
    }
}
