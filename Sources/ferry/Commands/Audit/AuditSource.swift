import ArgumentParser
import FerryAPI
import FerryCore
import FerrySQLite
import FerryStore

/// Where the audit trail is read: in the store's file, or from a server.
struct AuditOptions: ParsableArguments {
    @Option(help: "Read the store of this configuration instead of asking a server; works beside a server, too.")
    var config: String?

    @Option(
        help:
            "With --config: id or name of the tenant, or 'installation' for callers who proved nothing. Default: all."
    )
    var tenant: String?

    @Option(help: "Address of the server. Default: FERRY_SERVER, else http://127.0.0.1:8080.")
    var server: String?

    @Option(help: "Bearer token; its tenant's trail is read. Default: FERRY_TOKEN.")
    var token: String?

    func validate() throws {
        if config != nil, server != nil || token != nil {
            throw ValidationError("Give either --config or a server and a token.")
        }
        if config == nil, tenant != nil {
            throw ValidationError("--tenant needs --config; a server shows the tenant of the token.")
        }
    }

    /// Opens the place, runs `body`, closes it again.
    func read<R>(_ body: (AuditSource) async throws -> R) async throws -> R {
        guard let config else {
            guard let token = token ?? environment("FERRY_TOKEN") else {
                throw ValidationError(
                    "There is no token. Give --config for the store's file, or --token or FERRY_TOKEN for a server.")
            }
            return try await body(
                .server(
                    APIClient(server: server ?? environment("FERRY_SERVER") ?? "http://127.0.0.1:8080", token: token))
            )
        }
        let configuration = try ConfigurationFile.load(config)
        guard case .sqlite(let path) = configuration.store else {
            throw Complaint("The audit trail of this store can only be read from a server.", status: .usage)
        }
        let chosen = try tenant.map { try Self.tenant($0, in: configuration) }
        let store: SQLiteStore
        do throws(StoreError) {
            store = try await SQLiteStore.open(path: path, access: .readOnly, now: SystemEffects.now)
        } catch {
            throw Complaint(error, path: path)
        }
        do {
            let result = try await body(.store(store.reader, tenant: chosen, names: Self.names(configuration)))
            await store.close()
            return result
        } catch {
            await store.close()
            throw error
        }
    }

    private static func tenant(_ text: String, in configuration: Configuration) throws -> TenantID {
        if text.lowercased() == "installation" { return AuditEntry.installation }
        if let id = TenantID(text) { return id }
        let found = configuration.tenants.first { $0.name.lowercased() == text.lowercased() }
        guard let found else {
            let names = configuration.tenants.map(\.name).joined(separator: ", ")
            throw Complaint(
                "There is no tenant \(text.quoted). Tenants are \(names) and installation.", status: .configuration)
        }
        return found.id
    }

    private static func names(_ configuration: Configuration) -> [TenantID: String] {
        var names = [AuditEntry.installation: "installation"]
        for tenant in configuration.tenants { names[tenant.id] = tenant.name }
        return names
    }
}

/// Chains of the audit trail, to be read page by page.
enum AuditSource {
    case store(any StoreReader, tenant: TenantID?, names: [TenantID: String])
    case server(APIClient)

    /// The end of every chain that is to be read. A chain that was chosen is there even while it is empty.
    func heads() async throws -> [AuditHead] {
        switch self {
        case .store(let reader, let chosen, _):
            var heads: [AuditHead] = []
            for tenant in try await tenants(reader, chosen) {
                heads.append(try await reader.auditHead(of: tenant) ?? .beginning(of: tenant))
            }
            return heads
        case .server(let client):
            guard let end = try await Self.page("?limit=1", of: client).body.end else { throw Self.unreadable(client) }
            return [end]
        }
    }

    private func tenants(_ reader: any StoreReader, _ chosen: TenantID?) async throws -> [TenantID] {
        if let chosen { return [chosen] }
        return try await reader.auditTenants()
    }

    /// Gives the records that the query wants, page by page; the query's limit is how many at most, `nil` all.
    func records(_ query: AuditQuery, limit: Int? = nil, each: ([AuditRecord]) throws -> Void) async throws {
        var query = query
        var rest = limit ?? .max
        while rest > 0 {
            query.limit = min(rest, APILimits.auditPageSize)
            let page: [AuditRecord]
            let hasMore: Bool
            switch self {
            case .store(let reader, _, _):
                page = try await reader.auditRecords(query)
                hasMore = page.count == query.limit
            case .server(let client):
                let body = try await Self.page(Self.text(query), of: client).body
                guard let records = body.records else { throw Self.unreadable(client) }
                page = records
                hasMore = body.next != nil
            }
            if page.isEmpty { return }
            try each(page)
            rest -= page.count
            guard hasMore, let last = page.last else { return }
            query.after = last.sequence
        }
    }

    /// How people call the tenant.
    func name(of tenant: TenantID) -> String {
        guard case .store(_, _, let names) = self else { return tenant.description }
        return names[tenant] ?? tenant.description
    }

    private static func page(
        _ query: String, of client: APIClient
    ) async throws -> (body: AuditPageBody, answer: APIClient.Answer) {
        let answer = try await client.get("/ferry/audit" + query)
        return (try client.decode(answer), answer)
    }

    private static func text(_ query: AuditQuery) -> String {
        var parts = ["after=\(query.after)", "limit=\(query.limit)"]
        if let from = query.from { parts.append("from=\(APIClient.escaped(from.wireText))") }
        if let to = query.to { parts.append("to=\(APIClient.escaped(to.wireText))") }
        if let job = query.job { parts.append("job=\(job)") }
        return "?" + parts.joined(separator: "&")
    }

    private static func unreadable(_ client: APIClient) -> APIFailure {
        .unintelligible(server: client.server, status: 200, reason: "the body is not an audit trail")
    }
}
