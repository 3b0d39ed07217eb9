import FerryAPI
import FerryCore
import FerryEngine
import FerrySQLite
import FerryStore
import Logging
import Synchronization
import Testing

@testable import FerryServer

/// What the audit trail says of requests, and who may read it.
struct AuditTests {
    private static func trail(_ world: World, _ tenant: TenantID = World.target) async throws -> [AuditEntry] {
        await world.server.flushRefusals()
        return try await world.store.reader.auditRecords(AuditQuery(tenant: tenant, limit: 1_000)).map(\.entry)
    }

    @Test("Every write that is carried out is recorded with who, what, when and the answer")
    func writes() async throws {
        try await World.run { world, client in
            let created = try await client.send("POST \(World.v1)", body: World.body("wave-1"))
            let id = try #require(created.json["id"]?.string)
            let path = "\(World.v1)/\(id)"
            world.pass(.seconds(1))
            let patch = #"{"completeAfterDateTime":"2031-03-02T06:00:00Z"}"#
            #expect(try await client.send("PATCH \(path)", body: patch).status == 204)
            let preferring = try await client.send(
                "PATCH \(path)", body: patch, headers: ["Prefer": "return=representation"])
            #expect(preferring.status == 200)
            #expect(try await client.send("POST \(path)/validate").status == 200)
            try await world.set(id, to: .validatePassed, runs: .valid, validated: world.effects.now())
            #expect(try await client.send("POST \(path)/migrate").status == 200)
            #expect(try await client.send("POST \(path)/users/\(World.person(0))/cancel").status == 202)
            #expect(try await client.send("POST \(path)/cancel").status == 202)
            try await world.set(id, to: .cancelled)
            #expect(try await client.send("DELETE \(path)").status == 202)
            #expect(try await client.send("POST \(World.v1)/validate", body: World.body("wave-2")).status == 201)

            let trail = try await Self.trail(world)
            #expect(
                trail.map { "\($0.operation) \($0.status)" } == [
                    "createJob 201", "updateJob 204", "updateJob 200", "validateJob 200", "migrateJob 200",
                    "cancelUser 202", "cancelJob 202", "deleteJob 202", "validateCollection 201",
                ])
            #expect(trail.dropLast().allSatisfy { $0.job == JobID(id) })
            #expect(trail[5].person == World.person(0))
            let first = trail[0]
            #expect(first.at == World.start)
            #expect(first.subject == GUID(high: 7, low: 7).description)
            #expect(first.name == "mover@south.example")
            #expect(first.application == "ferry")
            #expect(first.requestID?.description == created["request-id"])
            #expect(trail.allSatisfy { $0.code.isEmpty && $0.count == 1 })
            #expect(trail[1].at == World.start + .seconds(1))
        }
    }

    @Test("Every write that is refused is recorded with its code, by the same name as when it is carried out")
    func refusedWrites() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let path = "\(World.v1)/\(id)"
            let requests: [(String, String?, String)] = [
                ("POST \(World.v1)", World.body("wave-1"), "createJob 422 duplicateDisplayNameJob"),
                ("POST \(World.v1)", "{", "createJob 400 BadRequest"),
                ("POST \(World.v1)/validate", World.body("wave-1"), "validateCollection 422 duplicateDisplayNameJob"),
                ("PATCH \(path)", "{}", "updateJob 422 required"),
                ("POST \(path)/migrate", nil, "migrateJob 409 invalidJobStatus"),
                ("DELETE \(path)", nil, "deleteJob 409 resourceTypeMismatch"),
                ("POST \(World.v1)/nobody's/validate", nil, "validateJob 404 NotFound"),
                ("POST \(path)/users/x/cancel", nil, "cancelUser 404 NotFound"),
                ("POST \(World.v1)/other/cancel", nil, "cancelJob 404 NotFound"),
                ("DELETE \(World.v1)", nil, "none 405 Request_BadRequest"),
            ]
            for (request, body, _) in requests {
                world.pass(.seconds(1))
                #expect(try await client.send(request, body: body).status >= 400)
            }
            let trail = try await Self.trail(world).dropFirst()
            #expect(trail.map { "\($0.operation) \($0.status) \($0.code)" } == requests.map(\.2))
            #expect(trail.first { $0.operation == "validateJob" }?.detail == "nobody's")
            #expect(trail.first { $0.operation == "migrateJob" }?.job == JobID(id))
            #expect(trail.allSatisfy { $0.name == "mover@south.example" && $0.requestID != nil })
        }
    }

    @Test("Refused reads are recorded when they say who may not; those that found nothing or went well are not")
    func reads() async throws {
        try await World.run { world, client in
            let listing = try await client.send("GET \(World.v1)")
            #expect(listing.status == 200)
            #expect(try await client.send("GET \(World.v1)/nobody").status == 404)
            #expect(try await client.send("GET \(World.v1)", token: try world.token(roles: [])).status == 403)
            #expect(try await client.send("GET \(World.v1)", token: .some(nil)).status == 401)
            #expect(
                try await Self.trail(world).map { "\($0.operation) \($0.status) \($0.code)" } == [
                    "listJobs 403 Authorization_RequestDenied"
                ])
            // Nobody knows whose tenant a caller without a token is.
            #expect(
                try await Self.trail(world, AuditEntry.installation).map { "\($0.operation) \($0.status)" } == [
                    "listJobs 401"
                ])
        }
    }

    @Test("A flood of refusals is counted and not written out, whatever its callers call themselves")
    func floods() async throws {
        let time = Mutex<Int64>(0)
        let sink = Sink()
        let log = RefusalLog(sink, uptime: { time.withLock { $0 } }, logger: Logger(label: "test"))
        for second in 0..<120 {
            for number in 0..<1_000 {
                log.note(
                    AuditEntry(
                        tenant: AuditEntry.installation, at: Instant(seconds: Int64(second)),
                        origin: "192.0.2.\(number % 200)", operation: "listJobs", status: 401, code: "x"))
            }
            await log.flush()
            time.withLock { $0 += 1_000_000_000 }
        }
        await log.flush(all: true)
        let entries = sink.entries.withLock { $0 }
        #expect(entries.reduce(0) { $0 + $1.count } == 120_000)
        #expect(entries.count <= 2 * 2 * (RefusalLog.kinds + 1))
        #expect(entries.contains { $0.operation == AuditOperation.various && $0.origin.isEmpty })
        #expect(entries.contains { $0.origin == "192.0.2.7" && $0.count > 100 && $0.since < $0.at })
    }

    @Test("What the store could not take is written later, as far as it is kept")
    func storeIsAway() async {
        let sink = Sink()
        let log = RefusalLog(sink, uptime: { 0 }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        sink.isAway.withLock { $0 = true }
        log.note(AuditEntry(tenant: World.target, at: World.start, operation: "createJob", status: 409))
        await log.flush()
        #expect(sink.entries.withLock { $0 }.isEmpty)
        sink.isAway.withLock { $0 = false }
        await log.flush()
        await log.flush()
        #expect(sink.entries.withLock { $0 }.count == 1)
    }

    private final class Sink: CommandHandling {
        let entries = Mutex<[AuditEntry]>([])
        let isAway = Mutex(false)

        func carryOut(
            _ command: Command, by principal: Principal, from provenance: Provenance
        ) async throws(Refusal) -> CommandResult {
            throw .unavailable("")
        }

        func record(_ new: [AuditEntry]) async throws(StoreError) {
            if isAway.withLock({ $0 }) { throw .unavailable("away") }
            entries.withLock { $0 += new }
        }
    }

    // MARK: GET /ferry/audit

    @Test("GET /ferry/audit shows the caller's tenant, to readers too, with pages, filters and the head")
    func list() async throws {
        try await World.run { world, client in
            var ids: [String] = []
            for number in 1...5 {
                ids.append(try await client.create("wave-\(number)"))
                world.pass(.seconds(1))
            }
            let stranger = try world.token(tenant: World.other)
            _ = try await client.send("POST \(World.v1)", body: World.body("theirs"), token: stranger)
            let reader = try world.token(scopes: [Permission.read.rawValue])
            func page(_ query: String) async throws -> Reply {
                let reply = try await client.send("GET /ferry/audit?\(query)", token: reader)
                #expect(reply.status == 200)
                return reply
            }
            let all = try await page("")
            #expect(all.values("job") == ids)
            #expect(all.values("operation") == Array(repeating: "createJob", count: 5))
            #expect(all.json["tenant"]?.string == World.target.description)
            #expect(all.json["next"] == .null)
            let head = try #require(try await world.store.reader.auditHead(of: World.target))
            #expect(all.json["head"]?["digest"]?.string == head.digest.hexadecimal)
            let first = try await page("limit=2")
            #expect(first.values("job") == Array(ids[..<2]))
            #expect(first.json["next"] == .number("2"))
            #expect(try await page("limit=2&after=4").values("job") == [ids[4]])
            #expect(try await page("job=\(ids[2])").values("job") == [ids[2]])
            #expect(
                try await page("from=2031-02-13T08:00:01Z&to=2031-02-13T08:00:03Z").values("job")
                    == Array(ids[1..<3]))
            #expect(try await client.send("GET /ferry/audit", token: stranger).values("operation") == ["createJob"])
            #expect(try await client.send("GET /ferry/audit", token: .some(nil)).status == 401)
            #expect(try await client.send("GET /ferry/audit", token: try world.token(roles: [])).status == 403)
            #expect(try await client.send("DELETE /ferry/audit").status == 405)
        }
    }

    @Test(
        "GET /ferry/audit refuses options that it cannot read",
        arguments: ["from=yesterday", "to=1", "job=wave-1", "after=-1", "limit=0", "limit=x", "after=1&after=2"])
    func badOptions(_ query: String) async throws {
        try await World.run { _, client in
            let reply = try await client.send("GET /ferry/audit?\(query)")
            #expect(reply.status == 400)
            #expect(reply.target == String(query.prefix { $0 != "=" }))
        }
    }
}
