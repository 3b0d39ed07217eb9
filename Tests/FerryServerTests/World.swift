import FerryAPI
import FerryCore
import FerryEngine
import FerrySQLite
import FerryStore
import FerryTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Synchronization
import Testing

@testable import FerryServer

/// A whole server on a store of its own, with a clock that only the test moves.
struct World: Sendable {
    static let target = TenantID(GUID(high: 0x1000_0000_AAAA_4000, low: 0x8000_0000_0000_0002))
    static let source = TenantID(GUID(high: 0x1000_0000_AAAA_4000, low: 0x8000_0000_0000_0001))
    static let other = TenantID(GUID(high: 0x1000_0000_AAAA_4000, low: 0x8000_0000_0000_0003))
    static let start = Instant(seconds: 1_928_736_000)
    static let v1 = "/v1.0/solutions/migrations/crossTenantMigrationJobs"
    static let beta = "/beta/solutions/migrations/crossTenantMigrationJobs"

    let store: SQLiteStore
    let issuer: EmbeddedIssuer
    let effects: Effects
    let server: FerryServer
    private let time: WallClock

    /// Runs the body against a server whose requests skip the socket; everything is taken down afterwards.
    ///
    /// - Parameter clock: the server's monotonic clock, which `pass` does not move.
    static func run(
        settings: ServerSettings = ServerSettings(publicBaseURL: "https://move.example"),
        tenants: Set<TenantID> = [target, other], cachedTokens: Int = 64,
        problem: String? = nil, issuer: EmbeddedIssuer? = .ephemeral(),
        clock: any Clock<Duration> = ContinuousClock(),
        authentication: (inout AuthenticationSettings) throws -> Void = { _ in },
        _ body: @Sendable (World, Client) async throws -> Void
    ) async throws {
        try await open(
            settings: settings, tenants: tenants, cachedTokens: cachedTokens, problem: problem, issuer: issuer,
            clock: clock, authentication: authentication
        ) { world in
            try await world.server.makeApplication().test(.router) {
                try await body(world, Client(world: world, client: $0))
            }
        }
    }

    static func open(
        settings: ServerSettings, tenants: Set<TenantID> = [target, other], cachedTokens: Int = 64,
        problem: String? = nil, issuer: EmbeddedIssuer? = .ephemeral(),
        certificate: ServerCertificate? = nil, drain: Drain? = nil,
        clock: any Clock<Duration> = ContinuousClock(),
        authentication: (inout AuthenticationSettings) throws -> Void = { _ in },
        onBound: @escaping @Sendable (Int) async -> Void = { _ in },
        _ body: (World) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ferry-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let time = WallClock()
        let effects = Effects(
            now: { time.now }, clock: clock,
            makeGUID: { GUID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)) },
            random: { 0.5 })
        let store = try await SQLiteStore.open(
            path: directory.appendingPathComponent("store.sqlite").path, now: { time.now })
        var tokens = AuthenticationSettings(tenants: tenants, cachedTokens: cachedTokens)
        try authentication(&tokens)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = FerryServer(
            settings: settings, commands: CommandHandler(store: store, effects: effects, settings: JobSettings()),
            reader: store.reader,
            authenticator: Authenticator(
                settings: tokens, embedded: issuer,
                now: effects.now, uptime: { time.uptime }, logger: logger),
            readiness: { [("store", problem)] }, effects: effects, certificate: certificate, drain: drain,
            identities: Engine(
                store: store, directory: UnmappedDirectory(), connections: NoConnections(), effects: effects,
                logger: logger
            ).identities,
            manifests: ServedManifests(archive: CannedManifests(), publicKey: CannedManifests.publicKey),
            logger: logger, onBound: onBound)
        let world = World(store: store, issuer: issuer ?? .ephemeral(), effects: effects, server: server, time: time)
        do {
            try await body(world)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    // MARK: time and tokens

    func pass(_ duration: Duration) { time.pass(duration) }

    /// A token of the target tenant's migration administrator, unless said otherwise.
    func token(
        tenant: TenantID = target, scopes: [String] = [Permission.readWrite.rawValue],
        roles: [String] = [AuthenticationSettings.migrationAdministrator], lifetime: Duration = .seconds(30 * 86_400),
        audience: String = "https://graph.microsoft.com"
    ) throws -> String {
        try issuer.issue(
            TokenRequest(
                tenant: tenant,
                rights: .delegated(userPrincipalName: "mover@south.example", scopes: scopes, roles: roles),
                objectID: GUID(high: 7, low: 7), audience: audience, lifetime: lifetime), effects: effects)
    }

    /// A token of another migration administrator.
    func token(of user: UInt64, tenant: TenantID) throws -> String {
        try issuer.issue(
            TokenRequest(
                tenant: tenant,
                rights: .delegated(
                    userPrincipalName: "user\(user)@south.example", scopes: [Permission.readWrite.rawValue],
                    roles: [AuthenticationSettings.migrationAdministrator]),
                objectID: GUID(high: 8, low: user)), effects: effects)
    }

    // MARK: jobs

    static func person(_ number: Int) -> PersonID { PersonID(GUID(high: 0x2000_0000_BBBB_4000, low: UInt64(number))) }

    /// A create body with some members replaced; an empty replacement leaves the member out.
    static func body(_ name: String, people: Int = 2, changing changes: [String: String] = [:]) -> String {
        var all: [(String, String)] = [
            ("displayName", "\"\(name)\""), ("completeAfterDateTime", "\"2031-03-01T06:00:00Z\""),
            ("sourceTenantId", "\"\(source)\""),
            (
                "exchangeSettings",
                #"{"sourceEndpoint":"from-north","targetDeliveryDomain":"south.example"}"#
            ),
            ("resources", "[" + (0..<people).map { "\"\(person($0))\"" }.joined(separator: ",") + "]"),
            ("resourceType", "\"Users\""), ("workloads", #"["Exchange","ODSP","Teams","Meeting"]"#),
        ]
        for (index, member) in all.enumerated() {
            if let change = changes[member.0] { all[index].1 = change }
        }
        for (name, value) in changes where !all.contains(where: { $0.0 == name }) { all.append((name, value)) }
        return "{" + all.filter { !$0.1.isEmpty }.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    /// Puts a stored job into a state that otherwise only work of the engine leads to.
    func set(
        _ id: String, to status: JobStatus, runs: RunStatus? = nil, validated: Instant? = nil
    ) async throws {
        guard let id = JobID(id) else { throw Complaint(text: "'\(id)' is no id") }
        _ = try await store.transact { (tx) throws(StoreError) in
            guard var job = try tx.job(id) else { return }
            job.status = status
            if [.processing, .inProgress, .cuttingOver].contains(status) { job.type = .migrate }
            if let validated { job.validated = validated }
            try tx.save(job)
            if let runs { try tx.setRuns(of: id, in: Set(RunStatus.allCases), to: runs, message: "", at: tx.now) }
        }
    }

    func job(_ id: String) async throws -> Job? {
        try await store.reader.job(.key(id), in: Self.target)
    }
}

struct Complaint: Error { var text: String }

/// The wall clock of a test.
final class WallClock: Sendable {
    private let instant = Mutex(World.start)

    var now: Instant { instant.withLock { $0 } }

    /// Time since the start, which never goes back.
    var uptime: Duration { max(.zero, now - World.start) }

    func pass(_ duration: Duration) { instant.withLock { $0 = $0 + duration } }
}

/// Three people at the source and in every other tenant, of whom nobody is mapped; every tenant trusts the source.
private struct UnmappedDirectory: Directory {
    private let people = StaticDirectory(people: 3)

    private func same(_ tenant: TenantID) -> TenantID {
        tenant == World.source ? StaticDirectory.source : StaticDirectory.target
    }

    func tenant(_ id: TenantID) -> Tenant? { people.tenant(same(id)) }
    func person(_ id: PersonID, in tenant: TenantID) -> Person? { people.person(id, in: same(tenant)) }
    func people(in tenant: TenantID) -> [Person] { people.people(in: same(tenant)) }
    func trusts(to target: TenantID) -> [Trust] {
        [Trust(source: World.source, target: target, endpoint: "EXOHandler", scope: nil)]
    }
    func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap { IdentityMap([]) }
    func addressBook(from source: TenantID, to target: TenantID) -> AddressBook { AddressBook() }
    func addressBook(of map: IdentityMap, from source: TenantID, to target: TenantID) -> AddressBook { AddressBook() }
}

/// Sends requests and reads answers.
struct Client: Sendable {
    let world: World
    let client: any TestClientProtocol

    /// - Parameters:
    ///   - request: method, blank, path.
    ///   - token: `nil` sends none; a fresh administrator's token by default.
    func send(
        _ request: String, body: String? = nil, token: String?? = .none, type: String? = "application/json",
        headers: [String: String] = [:]
    ) async throws -> Reply {
        let words = request.split(separator: " ", maxSplits: 1)
        var fields = HTTPFields()
        if let token = try token ?? world.token() { fields[.authorization] = "Bearer \(token)" }
        if body != nil, let type { fields[.contentType] = type }
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        guard let method = HTTPRequest.Method(String(words[0])) else { throw Complaint(text: request) }
        return try await client.execute(
            uri: String(words[1]), method: method, headers: fields, body: body.map { ByteBuffer(string: $0) }
        ) { Reply($0) }
    }

    /// Creates a job and gives its id.
    func create(_ name: String, people: Int = 2, changing changes: [String: String] = [:]) async throws -> String {
        let reply = try await send("POST \(World.v1)", body: World.body(name, people: people, changing: changes))
        guard reply.status == 201, let id = reply.json["id"]?.string else { throw Complaint(text: reply.text) }
        return id
    }
}

struct Reply: Sendable {
    var status: Int
    var headers: HTTPFields
    var text: String

    init(_ response: TestResponse) {
        status = response.status.code
        headers = response.headers
        text = String(buffer: response.body)
    }

    /// `.null` when the body is not JSON.
    var json: JSONValue { (try? JSONParser.parse(Array(text.utf8))) ?? .null }

    subscript(header: String) -> String? { HTTPField.Name(header).flatMap { headers[$0] } }

    var code: String? { json["error"]?["code"]?.string }
    var target: String? { json["error"]?["target"]?.string }
    /// Sub-codes in `details`.
    var details: [String] {
        guard case .array(let details) = json["error"]?["details"] else { return [] }
        return details.compactMap { $0["code"]?.string }
    }

    /// The named member of every element of `value`.
    func values(_ name: String) -> [String] {
        guard case .array(let elements) = json["value"] else { return [] }
        return elements.compactMap { $0[name]?.string }
    }

    /// Path and query of the nextLink.
    var next: String? {
        json["@odata.nextLink"]?.string.map { String($0.dropFirst("https://move.example".count)) }
    }
}
