import FerryConnector
import FerryCore
import FerryEngine
import FerryFolder
import FerrySQLite
import FerryStore
import FerryTestKit
import Foundation
import Logging
import Synchronization
import Testing

@testable import FerryIMAP

/// A mailbox on its way from one connector to another, with a store on disk: what survives when the process that works
/// on it dies.
final class MoveWorld: Sendable {
    static let contoso = TenantID(GUID(high: 1, low: 1))
    static let fabrikam = TenantID(GUID(high: 2, low: 2))
    private static let ada = Person(
        id: PersonID(GUID(high: 1, low: 10)), userPrincipalName: "ada@contoso.example", displayName: "Ada",
        mail: "ada@contoso.example")
    private static let newAda = Person(
        id: PersonID(GUID(high: 2, low: 10)), userPrincipalName: "ada@fabrikam.example", displayName: "Ada",
        mail: "ada@fabrikam.example")

    let store: any Store
    let source: any Connector
    let target: any Connector
    /// How far the test's own script is; survives with the world.
    let stage = Mutex(0)
    private let sourceLogin: String
    private let targetLogin: String
    private let clock = VirtualClock()
    private let job = JobID(GUID(high: 7, low: 1))
    private let directory: URL

    init(
        from source: any Connector, _ sourceLogin: String, to target: any Connector, _ targetLogin: String
    ) async throws {
        (self.source, self.sourceLogin, self.target, self.targetLogin) = (source, sourceLogin, target, targetLogin)
        directory = FileManager.default.temporaryDirectory.appending(path: "ferry-move-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let clock = clock
        store = try await SQLiteStore.open(path: directory.appending(path: "ferry.sqlite").path) { clock.instant }
        let (now, job) = (clock.instant, job)
        try await store.transact { (tx) throws(StoreError) in
            try tx.insert(
                Job(
                    id: job, targetTenant: Self.fabrikam, sourceTenant: Self.contoso, displayName: "Wave",
                    exchangeSettings: nil, workloads: [.mailbox], people: [Self.newAda.id], createdBy: "test",
                    created: now, updated: now, completeAfter: now, status: .inProgress, type: .migrate, message: "",
                    validated: nil, attempt: 1, isValidationOnly: false, version: 0))
        }
    }

    convenience init(from source: MailServer, to target: MailServer) async throws {
        try await self.init(from: source.connector, source.login, to: target.connector, target.login)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private var run: RunID { RunID(job: job, person: Self.newAda.id, workload: .mailbox) }

    private func transfer(_ points: CrashPoints) -> Transfer {
        Transfer(
            run: run,
            route: Route(
                sourceTenant: Self.contoso, sourcePerson: Self.ada.id, targetTenant: Self.fabrikam,
                targetPerson: Self.newAda.id, workload: .mailbox),
            legs: [
                Transfer.Leg(
                    service: .mail, source: points.wrap(source),
                    sourceAccount: Account(tenant: Self.contoso, person: Self.ada, login: sourceLogin),
                    target: points.wrap(target),
                    targetAccount: Account(tenant: Self.fabrikam, person: Self.newAda, login: targetLogin))
            ],
            addresses: AddressBook(), ownAddresses: [], hasMeetingsRun: false)
    }

    /// One pass under a fresh lease, as after a start of the process.
    @discardableResult
    func pass(through points: CrashPoints = CrashPoints(), batchItems: Int = 4096) async throws -> PassResult {
        clock.advance(by: .seconds(60))
        let (run, lane) = (run, LaneID("test"))
        let leases = try await store.transact { (tx) throws(StoreError) in
            try tx.enqueue(WorkItem(key: .run(run), lane: lane, due: tx.now))
            return try tx.lease(room: [lane: 10], limit: 10, term: .seconds(30))
        }
        let lease = try #require(leases.first)
        var settings = CopySettings()
        settings.largestBatchItems = batchItems
        settings.countsAhead = false
        let copier = Copier(
            store: points.wrap(store), effects: .steady(clock), settings: settings,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let progress = try await store.reader.task(run.job, run.person)?[run.workload]?.progress ?? RunProgress()
        return try await copier.pass(transfer(points), under: lease, starting: progress)
    }

    func verify() async throws -> TransferVerification {
        let verifier = Verifier(store: store, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        return try await verifier.verify(transfer(CrashPoints()))
    }

    func findings() async throws -> [ItemFinding] {
        try await store.reader.itemFindings(of: job, after: 0, limit: 1000)
    }

    /// The verifier sees no difference and the ledger holds no open intent.
    func expectSame(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let verification = try await verify()
        #expect(verification.differences == [], comment, sourceLocation: sourceLocation)
        let route = transfer(CrashPoints()).route
        for container in try await store.reader.ledgerContainers(route) {
            let ledger = try await store.reader.ledger(route, container)
            #expect(ledger.intent == nil, comment, sourceLocation: sourceLocation)
        }
    }
}
