import FerryAPI
import FerryCore
import FerrySQLite
import Testing

@testable import FerryServer

/// Headers, methods, limits and health: what all requests have in common (reference 7).
struct ExchangeTests {
    @Test("C69 Every error has the documented shape and a request-id header equal to innerError.request-id")
    func errorShape() async throws {
        try await World.run { _, client in
            for (request, status) in [
                ("GET \(World.v1)/none", 404), ("GET \(World.v1)?$top=x", 400), ("GET /v3/x", 400),
                ("PUT \(World.v1)", 405),
                ("POST \(World.v1)", 400), ("GET \(World.v1)/%zz", 400), ("GET /", 404),
            ] {
                let reply = try await client.send(request, headers: ["client-request-id": "mine-7"])
                #expect(reply.status == status, "\(request)")
                #expect(reply["Content-Type"] == Representation.minimalContentType)
                guard case .object(let members) = reply.json else { throw Complaint(text: "\(request): \(reply.text)") }
                #expect(members.map(\.name) == ["error"])
                let inner = reply.json["error"]?["innerError"]
                #expect(inner?["request-id"]?.string == reply["request-id"])
                #expect(inner?["client-request-id"]?.string == "mine-7")
                #expect(inner?["date"]?.string == "2031-02-13T08:00:00")
                #expect(reply.code != nil)
                #expect(reply.json["error"]?["message"]?.string?.isEmpty == false)
            }
        }
    }

    @Test("client-request-id is echoed if it is short and printable, else it is the request-id")
    func requestIDs() async throws {
        try await World.run { _, client in
            let plain = try await client.send("GET \(World.v1)")
            #expect(plain["request-id"].flatMap { GUID($0) } != nil)
            #expect(plain["client-request-id"] == plain["request-id"])
            let echoed = try await client.send("GET \(World.v1)", headers: ["client-request-id": "5-5"])
            #expect(echoed["client-request-id"] == "5-5")
            #expect(echoed["request-id"] != plain["request-id"])
            let long = try await client.send(
                "GET \(World.v1)", headers: ["client-request-id": String(repeating: "x", count: 200)])
            #expect(long["client-request-id"] == long["request-id"])
        }
    }

    @Test("return-client-request-id and ConsistencyLevel are accepted; the client's id comes back either way")
    func acceptedHeaders() async throws {
        try await World.run { _, client in
            for value in ["true", "false"] {
                let reply = try await client.send(
                    "GET \(World.v1)",
                    headers: [
                        "client-request-id": "5-5", "return-client-request-id": value, "ConsistencyLevel": "eventual",
                        "SdkVersion": "x/1", "Retry-Attempt": "2", "If-Match": "*",
                    ])
                #expect(reply.status == 200)
                #expect(reply["client-request-id"] == "5-5")
            }
        }
    }

    @Test("A preflight is answered for origins that were allowed, and for no others; none are unless set")
    func preflights() async throws {
        let ask = [
            "Origin": "https://admin.example", "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": "authorization",
        ]
        try await World.run { _, client in
            let reply = try await client.send("OPTIONS \(World.v1)/x", token: .some(nil), headers: ask)
            #expect(reply.status == 204)
            #expect(reply["Access-Control-Allow-Origin"] == nil)
        }
        var settings = ServerSettings(publicBaseURL: "https://move.example")
        settings.allowedOrigins = ["https://admin.example"]
        try await World.run(settings: settings) { _, client in
            let reply = try await client.send("OPTIONS \(World.v1)/x", token: .some(nil), headers: ask)
            #expect(reply.status == 204)
            #expect(reply["Access-Control-Allow-Origin"] == "https://admin.example")
            #expect(reply["Access-Control-Allow-Methods"] == "GET, PATCH, DELETE, OPTIONS")
            #expect(reply["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
            #expect(reply["Access-Control-Allow-Credentials"] == nil)
            #expect(reply["Vary"] == "Origin")
            for origin in ["https://admin.example.evil.example", "null", "http://admin.example"] {
                var other = ask
                other["Origin"] = origin
                let refused = try await client.send("OPTIONS \(World.v1)/x", token: .some(nil), headers: other)
                #expect(refused["Access-Control-Allow-Origin"] == nil)
                #expect(refused["Vary"] == "Origin")
            }
            let list = try await client.send("GET \(World.v1)", headers: ["Origin": "https://admin.example"])
            #expect(list["Access-Control-Allow-Origin"] == "https://admin.example")
            #expect(list["Access-Control-Expose-Headers"]?.contains("request-id") == true)
            #expect(list["Access-Control-Allow-Methods"] == nil)
        }
    }

    @Test("405 says what is allowed; what the SDKs generate but the service lacks is 405")
    func methods() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            for (request, allow) in [
                ("POST \(World.v1)/\(id)/users", "GET"), ("PATCH \(World.v1)/\(id)/users/u", "GET"),
                ("DELETE \(World.v1)/\(id)/users/u", "GET"), ("PATCH /beta/solutions/migrations", "GET"),
                ("DELETE /beta/solutions/migrations", "GET"), ("DELETE \(World.v1)", "GET, POST"),
            ] {
                let reply = try await client.send(request)
                #expect(reply.status == 405)
                #expect(reply.code == "Request_BadRequest")
                #expect(reply["Allow"] == allow)
            }
            let head = try await client.send("HEAD \(World.v1)/\(id)")
            #expect(head.status == 405)
            #expect(head["Allow"] == "GET, PATCH, DELETE")
            #expect(head.text.isEmpty)
            let options = try await client.send("OPTIONS \(World.v1)/\(id)", token: .some(nil))
            #expect(options.status == 204)
            #expect(options["Allow"] == "GET, PATCH, DELETE, OPTIONS")
        }
    }

    @Test("A body that is announced over the limit is 413")
    func bodyLimit() async throws {
        let settings = ServerSettings(publicBaseURL: "https://move.example", maximumBodyBytes: 1_000)
        try await World.run(settings: settings) { _, client in
            let reply = try await client.send("POST \(World.v1)", body: World.body("wave-1", people: 100))
            #expect(reply.status == 413)
            #expect(reply.code == "RequestEntityTooLarge")
            #expect(try await client.send("POST \(World.v1)", body: World.body("wave-1")).status == 201)
        }
    }

    @Test("Links are on the public base URL, else on the Host of the request, if that is one")
    func baseURLs() async throws {
        try await World.run(settings: ServerSettings()) { _, client in
            let reply = try await client.send("POST \(World.v1)", body: World.body("wave-1"))
            #expect(reply["Location"]?.hasPrefix("http://localhost\(World.v1)/") == true)
        }
    }

    @Test("Preferences that are honoured are named")
    func preferences() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let one = try await client.send(
                "GET \(World.v1)/\(id)", headers: ["Prefer": "include-unknown-enum-members"])
            #expect(one["Preference-Applied"] == "include-unknown-enum-members")
            let list = try await client.send(
                "GET \(World.v1)", headers: ["Prefer": "odata.maxpagesize=3, include-unknown-enum-members, wait=1"])
            #expect(list["Preference-Applied"] == "odata.maxpagesize=3, include-unknown-enum-members")
        }
    }

    @Test("Health needs no token; readiness names what is wrong")
    func health() async throws {
        try await World.run { _, client in
            let alive = try await client.send("GET /healthz", token: .some(nil))
            #expect(alive.text == "ok\n")
            #expect(try await client.send("GET /readyz", token: .some(nil)).text == "ready\n")
            #expect(try await client.send("POST /healthz", token: .some(nil)).status == 405)
        }
        try await World.run(problem: "disk full") { _, client in
            let reply = try await client.send("GET /readyz", token: .some(nil))
            #expect(reply.status == 503)
            #expect(reply.text == "store: disk full\n")
        }
    }

    @Test("A store that is closed is 503 with Retry-After")
    func closedStore() async throws {
        try await World.run { world, client in
            await world.store.close()
            let reply = try await client.send("GET \(World.v1)")
            #expect(reply.status == 503)
            #expect(reply.code == "ServiceUnavailable")
            #expect(reply["Retry-After"] == "1")
            #expect(try await client.send("POST \(World.v1)", body: World.body("wave-1")).status == 503)
        }
    }
}
