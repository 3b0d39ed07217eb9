import FerryTestKit
import Foundation
import GRDB
import Glibc
import Testing

@testable import ferry

/// The audit trail, creations that are sent again and the limits, on the program as a process of its own: across a kill,
/// over a socket, and through `ferry audit`.
struct AuditRunTests {
    private static let jobs = "/v1.0/solutions/migrations/crossTenantMigrationJobs"
    private static let target = "22222222-2222-2222-2222-222222222222"

    /// One request on a connection of its own.
    private static func ask(
        _ port: Int, _ line: String, token: String? = nil, headers: String = "", body: String = ""
    ) throws -> (status: Int, headers: String, body: String) {
        let connection = try RawConnection(port: port)
        defer { connection.close() }
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        connection.send(
            "\(line) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(authorization)\(headers)"
                + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        let answer = connection.read()
        let parts = answer.components(separatedBy: "\r\n\r\n")
        guard parts.count >= 2, let status = Int(answer.dropFirst(9).prefix(3)) else {
            throw Program.Trouble(text: "no answer: \(answer)")
        }
        return (status, parts[0] + "\r\n", parts[1])
    }

    private static func header(_ name: String, _ answer: (status: Int, headers: String, body: String)) -> String? {
        answer.headers.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    private static func draft(_ name: String) -> String {
        let people = InitFiles.targetIDs.map { "\"\($0)\"" }.joined(separator: ",")
        return """
            {"displayName":"\(name)","sourceTenantId":"11111111-1111-1111-1111-111111111111",\
            "completeAfterDateTime":"2099-01-01T00:00:00Z","resourceType":"Users","resources":[\(people)],\
            "workloads":["Exchange"],"exchangeSettings":{"sourceEndpoint":"EXOHandler",\
            "targetDeliveryDomain":"fabrikam.example"}}
            """
    }

    /// Runs a verb to its end; its output and its exit code.
    private static func run(_ arguments: [String]) throws -> (text: String, code: Int32) {
        let program = try Program(arguments)
        let code = program.waitForExit()
        return (program.text(), code)
    }

    private static func audit(_ site: Program.Site, _ arguments: String...) throws -> (text: String, code: Int32) {
        try run(["audit"] + arguments + ["--config", site.configuration])
    }

    @Test func `a creation is known again after a kill, and another body under its id is refused`() async throws {
        try await Program.use(adding: "limits: off") { site in
            let token = try site.token()
            let id = "client-request-id: 5a7e1c52-0000-4000-8000-000000000001\r\n"
            let first: (status: Int, headers: String, body: String)
            do {
                let server = try Program(["serve", "--config", site.configuration])
                defer { server.end() }
                first = try Self.ask(
                    try server.port(), "POST \(Self.jobs)", token: token, headers: id, body: Self.draft("wave-1"))
                #expect(first.status == 201, "\(first.body)")
                // Nothing is written down at the end: the answer must have been the promise.
                server.signal(SIGKILL)
                _ = server.waitForExit()
            }
            let server = try Program(["serve", "--config", site.configuration])
            defer { server.end() }
            let port = try server.port()
            let again = try Self.ask(
                port, "POST \(Self.jobs)", token: token, headers: id, body: Self.draft("wave-1"))
            #expect(again.status == 201)
            let job = try #require(Self.identity(first.body))
            #expect(Self.identity(again.body) == job)
            let other = try Self.ask(
                port, "POST \(Self.jobs)", token: token, headers: id, body: Self.draft("wave-2"))
            #expect(other.status == 422)
            #expect(other.body.contains("clientRequestIdReused"))
            let count = try Self.ask(port, "GET \(Self.jobs)/$count", token: token)
            #expect(count.body.hasSuffix("1"), "\(count.body)")
            // What was done before the kill is in the trail, once.
            let trail = try Self.audit(site, "list", "--tenant", "Fabrikam", "--json").text
            let creations = trail.split(separator: "\n").filter { $0.contains("\"operation\":\"createJob\"") }
            #expect(creations.filter { $0.contains("\"detail\":\"\"") && $0.contains("\"status\":201") }.count == 1)
            #expect(creations.filter { $0.contains("\"detail\":\"repeated\"") }.count == 1)
        }
    }

    /// The `id` of a job as text.
    private static func identity(_ body: String) -> String? {
        let parts = body.components(separatedBy: "\"id\":\"")
        return parts.count < 2 ? nil : String(parts[1].prefix { $0 != "\"" })
    }

    @Test func `a token that was made while the server was down is in the trail after its start, once`() async throws {
        try await Program.use { site in
            for _ in 1...2 {
                // The note of the second start's token is beside the record of the first one's.
                _ = try site.token()
                let server = try Program(["serve", "--config", site.configuration])
                defer { server.end() }
                _ = try server.port()
                let notes = site.path("ferry.sqlite.tokens")
                while try !FileManager.default.contentsOfDirectory(atPath: notes).isEmpty {
                    guard server.isRunning else { throw Program.Trouble(text: server.text()) }
                    usleep(5_000)
                }
                server.signal(SIGTERM)
                #expect(server.waitForExit() == 0)
            }
            let trail = try Self.audit(site, "list", "--tenant", "Fabrikam", "--json").text
            #expect(trail.components(separatedBy: "\"operation\":\"issueToken\"").count == 3)
        }
    }

    @Test func `whoever tries tokens has to wait, known tokens and other budgets do not`() async throws {
        try await Program.use(adding: "limits: { failedAuthentications: 2 }") { site in
            let (known, fresh) = (try site.token(), try site.token())
            let server = try Program(["serve", "--config", site.configuration])
            defer { server.end() }
            let port = try server.port()
            #expect(try Self.ask(port, "GET \(Self.jobs)", token: known).status == 200)
            for number in 1...2 {
                #expect(try Self.ask(port, "GET \(Self.jobs)", token: "no-token-\(number)").status == 401)
            }
            let refused = try Self.ask(port, "GET \(Self.jobs)", token: "no-token-3")
            #expect(refused.status == 429)
            #expect(refused.body.contains("TooManyRequests"))
            let seconds = try #require(Self.header("Retry-After", refused).flatMap { Int($0) })
            #expect((1...30).contains(seconds))
            // Not even looked at, so that nobody learns whether a token is good.
            #expect(try Self.ask(port, "GET \(Self.jobs)", token: fresh).status == 429)
            #expect(try Self.ask(port, "GET \(Self.jobs)", token: known).status == 200)
            // No proxy is trusted, so nobody gets a fresh budget by claiming to be somebody else.
            let claimed = try Self.ask(
                port, "GET \(Self.jobs)", token: "no-token-4", headers: "X-Forwarded-For: 198.51.100.7\r\n")
            #expect(claimed.status == 429)
        }
    }

    @Test func `a write beyond the budget changes nothing and says when to come back`() async throws {
        try await Program.use(adding: "limits: { principalWrites: 1 }") { site in
            let token = try site.token()
            let server = try Program(["serve", "--config", site.configuration])
            defer { server.end() }
            let port = try server.port()
            #expect(
                try Self.ask(port, "POST \(Self.jobs)", token: token, body: Self.draft("wave-1")).status == 201)
            let refused = try Self.ask(port, "POST \(Self.jobs)", token: token, body: Self.draft("wave-2"))
            #expect(refused.status == 429)
            #expect(Self.header("RateLimit-Limit", refused) == "1")
            #expect(Self.header("RateLimit-Remaining", refused) == "0")
            let retry = try #require(Self.header("Retry-After", refused).flatMap { Int($0) })
            let reset = try #require(Self.header("RateLimit-Reset", refused).flatMap { Int($0) })
            #expect((1...60).contains(retry))
            #expect(retry <= reset && reset <= 60)
            #expect(try Self.ask(port, "GET \(Self.jobs)/$count", token: token).body.hasSuffix("1"))
        }
    }

    @Test func `the trail is shown, verified and anchored by its verbs, and names the record that was touched`()
        async throws
    {
        try await Program.use(adding: "limits: off") { site in
            let token = try site.token()
            do {
                let server = try Program(["serve", "--config", site.configuration])
                defer { server.end() }
                let port = try server.port()
                let made = try Self.ask(
                    port, "POST \(Self.jobs)", token: token, body: Self.draft("Reorganisation of Legal"))
                #expect(made.status == 201, "\(made.body)")
                let job = try #require(Self.identity(made.body))
                #expect(try Self.ask(port, "POST \(Self.jobs)/\(job)/migrate", token: token).status == 409)
                for day in 1...4 {
                    let body = "{\"completeAfterDateTime\":\"2099-01-0\(day)T00:00:00Z\"}"
                    let changed = try Self.ask(port, "PATCH \(Self.jobs)/\(job)", token: token, body: body)
                    #expect(changed.status == 204, "\(changed.body)")
                }
                #expect(try Self.ask(port, "GET \(Self.jobs)", token: "Ferry.secret.token").status == 401)
                let listed = try Self.run([
                    "audit", "list", "--server", "http://127.0.0.1:\(port)", "--token", token, "--json",
                ])
                #expect(listed.code == 0)
                #expect(listed.text.components(separatedBy: "\"operation\":\"updateJob\"").count == 5)
                #expect(listed.text.contains("\"origin\":\"127.0.0.1\""))
                let seen = try Self.run([
                    "audit", "verify", "--server", "http://127.0.0.1:\(port)", "--token", token,
                ])
                #expect(seen.code == 0, "\(seen.text)")
                server.signal(SIGTERM)
                #expect(server.waitForExit() == 0)
            }
            let all = try Self.audit(site, "list", "--json").text
            #expect(all.contains("\"status\":401") && all.contains("\"status\":409"))
            // Neither a token nor anything that a body said.
            for secret in [token, "Ferry.secret.token", "Reorganisation", "EXOHandler"] {
                #expect(!all.contains(secret), "\(secret) is in the audit trail")
            }
            let table = try Self.audit(site, "list", "--tenant", "fabrikam")
            #expect(table.code == 0)
            #expect(table.text.contains("admin@fabrikam.example"))
            let head = try Self.audit(site, "head", "--tenant", "Fabrikam").text.trimmingCharacters(in: .newlines)
            #expect(head.hasPrefix(Self.target + ":"))
            try "# kept\n\n\(head)\n".write(toFile: site.path("heads.txt"), atomically: true, encoding: .utf8)
            #expect(try Self.audit(site, "verify", "--anchors", site.path("heads.txt")).code == 0)
            #expect(try Self.audit(site, "verify", "--anchor", "no head").code == ExitReason.usage.rawValue)
            #expect(try Self.audit(site, "list", "--tenant", "Nobody").code == ExitReason.configuration.rawValue)

            for harm in Harm.allCases {
                try harm.done(to: site) {
                    let plain = try Self.audit(site, "verify", "--tenant", "Fabrikam")
                    // Without an anchor nothing tells of records that are missing at the end.
                    let isHidden = harm == .truncation || harm == .loss
                    #expect(plain.code == (isHidden ? 0 : ExitReason.failed.rawValue), "\(harm): \(plain.text)")
                    let anchored = try Self.audit(
                        site, "verify", "--tenant", "Fabrikam", "--anchors", site.path("heads.txt"))
                    #expect(anchored.code == ExitReason.failed.rawValue, "\(harm): \(anchored.text)")
                    #expect(anchored.text.contains(harm.complaint), "\(harm): \(anchored.text)")
                }
            }
            #expect(try Self.audit(site, "verify", "--anchors", site.path("heads.txt")).code == 0)
        }
    }

    /// What somebody does to the file who may write it.
    private enum Harm: CaseIterable {
        case flippedByte, deletion, truncation, loss

        private var sql: String {
            switch self {
            // The first octet of the caller's name, `a`.
            case .flippedByte:
                "UPDATE audit_record SET name = 'b' || substr(name, 2) WHERE tenant = ?1 AND sequence = 3"
            case .deletion: "DELETE FROM audit_record WHERE tenant = ?1 AND sequence = 3"
            case .truncation: "DELETE FROM audit_record WHERE tenant = ?1 AND sequence > 3"
            case .loss: "DELETE FROM audit_record WHERE tenant = ?1"
            }
        }

        var complaint: String {
            switch self {
            case .flippedByte: "Record 3 was altered"
            case .deletion: "Record 3 is missing"
            case .truncation: "its end was cut off"
            case .loss: "The chain ends at record 0"
            }
        }

        /// On a copy that takes the store's place while the body runs.
        func done(to site: Program.Site, _ body: () throws -> Void) throws {
            let store = site.path("ferry.sqlite")
            let kept = store + ".kept"
            let files = FileManager.default
            try files.copyItem(atPath: store, toPath: kept)
            let queue = try DatabaseQueue(path: store)
            try queue.write { db in
                try db.execute(sql: "DROP TRIGGER audit_record_keeps; DROP TRIGGER audit_record_stays")
                let tenant = UUID(uuidString: AuditRunTests.target).map { withUnsafeBytes(of: $0.uuid) { Data($0) } }
                try db.execute(sql: sql, arguments: [tenant])
            }
            try queue.close()
            try body()
            for name in ["", "-wal", "-shm"] { try? files.removeItem(atPath: store + name) }
            try files.moveItem(atPath: kept, toPath: store)
        }
    }
}
