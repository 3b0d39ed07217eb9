import FerryAPI
import FerryCore
import FerrySQLite
import FerryStore
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@testable import FerryServer

/// Requests that nobody would send: whatever comes, the answer is not a 5xx, has the shape of reference 7.2 when it is an
/// error, and leaves nothing behind when it is a refusal.
///
/// `FERRY_SEED` seeds the noise; `FERRY_FUZZ_SECONDS` says for how long to go on (`script/fuzz-api SECONDS` sets it),
/// otherwise some thousand requests are made.
struct FuzzTests {
    private static func environment(_ name: String) -> UInt64? {
        ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) }
    }

    static let seed = environment("FERRY_SEED") ?? 1
    static let duration = environment("FERRY_FUZZ_SECONDS").map { Duration.seconds(Int64($0)) }

    @Test(
        "No request, however odd, is answered with a 5xx or without the error shape, and none that is refused leaves anything"
    )
    func noise() async throws {
        let start = ContinuousClock.now
        var worlds: UInt64 = 0
        var statuses: [Int: Int] = [:]
        repeat {
            for (status, count) in try await Self.world(seed: Self.seed &* 1_000_003 &+ worlds, requests: 600) {
                statuses[status, default: 0] += count
            }
            worlds += 1
        } while Self.duration.map { ContinuousClock.now - start < $0 } ?? (worlds < 4)
        // Noise that never gets past the first check would prove nothing.
        for status in [200, 201, 202, 204, 400, 401, 403, 404, 405, 406, 409, 415, 422] {
            #expect(statuses[status, default: 0] > 0, "no answer was \(status): \(statuses)")
        }
        if Self.duration != nil {
            print("\(statuses.values.reduce(0, +)) requests from seed \(Self.seed): \(statuses)")
        }
    }

    /// Makes requests to a fresh server; how often each status was the answer.
    private static func world(seed: UInt64, requests: Int) async throws -> [Int: Int] {
        let outcome = Outcome()
        try await World.run(
            settings: ServerSettings(publicBaseURL: "https://move.example", maximumBodyBytes: 64 << 10)
        ) { world, client in
            var maker = RequestMaker(
                noise: RequestNoise(seed: seed),
                ids: [try await client.create("wave-1"), try await client.create("wave 2's")],
                tokens: [
                    try world.token(), try world.token(), try world.token(), try world.token(),
                    try world.token(scopes: [Permission.read.rawValue]), try world.token(tenant: World.other), "x.y.z",
                ])
            var before = try await snapshot(world)
            for number in 0..<requests {
                let request = maker.next()
                let reply = try await client.client.execute(
                    uri: request.target, method: request.method, headers: request.headers,
                    body: request.body.map { ByteBuffer(bytes: $0) }
                ) { Reply($0) }
                let after = try await snapshot(world)
                let label = "seed \(seed), request \(number): \(request)"
                judge(request, reply, label)
                if reply.status >= 400 { #expect(after == before, "\(label): \(reply.status) changed something") }
                before = after
                outcome.add(reply.status)
                if let id = reply.json["id"]?.string, reply.status == 201, maker.ids.count < 12 { maker.ids.append(id) }
            }
        }
        return outcome.all
    }

    /// Everything that a request could have changed: keys and versions of all jobs, of both tenants.
    private static func snapshot(_ world: World) async throws -> [String] {
        var lines: [String] = []
        for tenant in [World.target, World.other] {
            var query = JobQuery(tenant: tenant)
            query.limit = 10_000
            lines += try await world.store.reader.jobs(query).rows.map { "\($0.id) \($0.version) \($0.status)" }
        }
        return lines
    }

    private static func judge(_ request: RequestMaker.Made, _ reply: Reply, _ label: String) {
        #expect(reply.status < 500, "\(label): \(reply.status) \(reply.text)")
        if request.method == .head {
            #expect(reply.text.isEmpty, "\(label)")
            return
        }
        if reply.status >= 400 {
            judge(error: reply.json, requestID: reply["request-id"], label)
            #expect(reply["Content-Type"] == Representation.minimalContentType, "\(label)")
        } else if reply["Content-Type"]?.hasPrefix("application/json") == true {
            #expect((try? JSONParser.parse(Array(reply.text.utf8), maximumDepth: 64)) != nil, "\(label): \(reply.text)")
        }
        if case .array(let responses)? = reply.json["responses"], reply.status == 200 {
            for response in responses {
                let status = BatchTests.status(response) ?? 0
                #expect(status >= 200 && status < 500, "\(label): \(reply.text)")
                if status >= 400 {
                    judge(
                        error: response["body"] ?? .null, requestID: response["headers"]?["request-id"]?.string, label)
                }
            }
        }
    }

    private static func judge(error json: JSONValue, requestID: String?, _ label: String) {
        guard case .object(let members) = json, members.map(\.name) == ["error"], let error = json["error"] else {
            Issue.record("\(label): not an error: \(json)")
            return
        }
        #expect(error["code"]?.string?.isEmpty == false, "\(label)")
        #expect(error["message"]?.string?.isEmpty == false, "\(label)")
        #expect(error["innerError"]?["request-id"]?.string == requestID && requestID != nil, "\(label)")
        #expect(error["innerError"]?["date"]?.string?.count == 19, "\(label)")
    }

    private final class Outcome: Sendable {
        private let counts = Mutex<[Int: Int]>([:])
        var all: [Int: Int] { counts.withLock { $0 } }
        func add(_ status: Int) { counts.withLock { $0[status, default: 0] += 1 } }
    }

    @Test("A body that is nested deeply is 400, and so are a filter, an expansion and a batch that are")
    func depth() async throws {
        try await World.run(settings: ServerSettings(publicBaseURL: "https://move.example")) { _, client in
            for unit in ["[", "{\"a\":", "[[{\"a\":"] {
                let body = String(repeating: unit, count: 100_000)
                let reply = try await client.send("POST \(World.v1)", body: body)
                #expect(reply.status == 400)
                #expect(try await client.send("POST /v1.0/$batch", body: "{\"requests\":\(body)").status == 400)
            }
            for filter in [
                String(repeating: "(", count: 6_000), String(repeating: "not%20", count: 2_000) + "true",
                String(repeating: "tolower(", count: 1_500) + "displayName",
                "true" + String(repeating: "%20or%20true", count: 1_000),
                "id%20in%20('a'" + String(repeating: ",'a'", count: 3_000),
            ] {
                #expect(try await client.send("GET \(World.v1)?$filter=\(filter)").status == 400)
                #expect(try await client.send("GET \(World.v1)?$expand=users($filter=\(filter))").status == 400)
            }
            let nested = String(repeating: "users($expand=", count: 500)
            #expect(try await client.send("GET \(World.v1)?$expand=\(nested)").status == 400)
            let order = Array(repeating: "id", count: 2_000).joined(separator: ",")
            #expect(try await client.send("GET \(World.v1)?$orderby=\(order)").status == 400)
            let long = String(repeating: "a", count: 20_000)
            #expect(try await client.send("GET \(World.v1)?$search=%22\(long)%22").status == 400)
            #expect(try await client.send("GET \(World.v1)/\(long)").status == 404)
            #expect(try await client.send("GET \(World.v1)?" + String(repeating: "a=b&", count: 50)).status == 400)
            #expect(try await client.send("GET \(World.v1)/$count").text == "0")
        }
    }
}
