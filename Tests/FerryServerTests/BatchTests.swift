import FerryAPI
import FerryCore
import Testing

@testable import FerryServer

/// `$batch` (reference 7.9), with the lines of checklist "Batch" of reference 11.
struct BatchTests {
    static let path = "/v1.0/$batch"
    /// The jobs, as a batch names them.
    static let jobs = "/solutions/migrations/crossTenantMigrationJobs"

    static func step(
        _ id: String, _ method: String = "GET", _ url: String = jobs, _ more: [String: String] = [:]
    ) -> String {
        "{"
            + ([("id", "\"\(id)\""), ("method", "\"\(method)\""), ("url", "\"\(url)\"")]
            + more.map { ($0.key, $0.value) })
            .map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    static func body(_ steps: [String]) -> String { "{\"requests\":[\(steps.joined(separator: ","))]}" }

    /// The responses by id.
    static func responses(_ reply: Reply) throws -> [String: JSONValue] {
        guard reply.status == 200, case .array(let responses)? = reply.json["responses"] else {
            throw Complaint(text: reply.text)
        }
        return Dictionary(responses.map { ($0["id"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
    }

    static func status(_ response: JSONValue?) -> Int? {
        guard case .number(let digits)? = response?["status"] else { return nil }
        return Int(digits)
    }

    @Test("C63 Batch: 20 requests are answered, each like a single one")
    func twenty() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let steps =
                (1...17).map { Self.step("\($0)") } + [
                    Self.step("18", "get", "\(Self.jobs)/\(id)"), Self.step("19", "GET", "\(Self.jobs)/none"),
                    Self.step("20", "GET", String("\(Self.jobs)/$count".dropFirst())),
                ]
            let reply = try await client.send("POST \(Self.path)", body: Self.body(steps))
            let responses = try Self.responses(reply)
            #expect(Set(responses.keys) == Set((1...20).map(String.init)))
            let single = try await client.send("GET \(World.v1)")
            #expect(responses["3"]?["body"] == single.json)
            #expect(Self.status(responses["18"]) == 200)
            #expect(responses["18"]?["body"]?["id"]?.string == id)
            #expect(responses["18"]?["headers"]?["OData-Version"]?.string == "4.0")
            #expect(responses["18"]?["headers"]?["Content-Type"]?.string == Representation.minimalContentType)
            #expect(Self.status(responses["19"]) == 404)
            let inner = responses["19"]?["body"]?["error"]?["innerError"]?["request-id"]?.string
            #expect(inner != nil && inner == responses["19"]?["headers"]?["request-id"]?.string)
            #expect(inner != reply["request-id"])
            // What is not JSON is a base64url text: the digit 1.
            #expect(responses["20"]?["body"]?.string == "MQ==")
            #expect(responses["20"]?["headers"]?["Content-Type"]?.string == "text/plain")
        }
    }

    @Test("C64 Batch: 21 requests are 400, and none of them is carried out")
    func tooMany() async throws {
        try await World.run { _, client in
            let create = Self.step("0", "POST", Self.jobs, ["body": World.body("wave-1")])
            let reply = try await client.send(
                "POST \(Self.path)", body: Self.body([create] + (1...20).map { Self.step("\($0)") }))
            #expect(reply.status == 400)
            #expect(reply.code == "BadRequest")
            #expect(reply.target == "requests")
            #expect(try await client.send("GET \(World.v1)/$count").text == "0")
        }
    }

    @Test("C65 Batch: two ids that differ in case only are 400, and so is an id that is missing")
    func duplicateID() async throws {
        try await World.run { _, client in
            for steps in [[Self.step("a"), Self.step("A")], [#"{"method":"GET","url":"/x"}"#], [Self.step("")]] {
                let reply = try await client.send("POST \(Self.path)", body: Self.body(steps))
                #expect(reply.status == 400)
                #expect(reply.target?.hasSuffix("/id") == true)
            }
        }
    }

    @Test("C66 Batch: what depends on a request that fails is 424, whatever the order; the others are carried out")
    func dependencies() async throws {
        try await World.run { world, client in
            let steps = [
                Self.step("last", "GET", "\(Self.jobs)/$count", ["dependsOn": #"["CREATE"]"#]),
                Self.step("after", "GET", Self.jobs, ["dependsOn": #"["held"]"#]),
                Self.step("held", "POST", "\(Self.jobs)/wave-1/cancel", ["dependsOn": #"["bad","create"]"#]),
                Self.step("bad", "GET", "\(Self.jobs)/none"),
                Self.step(
                    "create", "POST", Self.jobs,
                    ["body": World.body("wave-1"), "headers": #"{"Content-Type":"application/json"}"#]),
            ]
            let responses = try Self.responses(try await client.send("POST \(Self.path)", body: Self.body(steps)))
            #expect(Self.status(responses["create"]) == 201)
            #expect(responses["create"]?["headers"]?["Location"]?.string?.hasPrefix("https://move.example") == true)
            #expect(Self.status(responses["bad"]) == 404)
            for held in ["held", "after"] {
                #expect(Self.status(responses[held]) == 424)
                #expect(responses[held]?["body"]?["error"]?["code"]?.string == "FailedDependency")
            }
            #expect(responses["last"]?["body"]?.string == "MQ==")
            #expect(try await world.job("wave-1")?.status == .submitted)
        }
    }

    @Test("C66 Batch: dependencies that are unknown or go round in a circle are 400")
    func circles() async throws {
        try await World.run { _, client in
            let bad = [
                [Self.step("1", "GET", "/", ["dependsOn": #"["2"]"#])],
                [Self.step("1", "GET", "/", ["dependsOn": #"["1"]"#])],
                [
                    Self.step("1", "GET", "/", ["dependsOn": #"["2"]"#]),
                    Self.step("2", "GET", "/", ["dependsOn": #"["1"]"#]),
                ],
                [Self.step("1", "GET", "/", ["dependsOn": "7"])],
            ]
            for steps in bad {
                let reply = try await client.send("POST \(Self.path)", body: Self.body(steps))
                #expect(reply.status == 400, "\(steps)")
            }
        }
    }

    @Test("C67 Batch: an absolute URL on the base URL and version is understood, another one is 400 inside")
    func absoluteURLs() async throws {
        try await World.run { _, client in
            let good = [
                "https://move.example/v1.0\(Self.jobs)", "HTTPS://Move.example/V1.0\(Self.jobs)",
                "http://localhost/v1.0\(Self.jobs)",
            ]
            let bad = [
                "https://move.example/beta\(Self.jobs)", "https://else.example/v1.0\(Self.jobs)",
                "https://move.example.else.example/v1.0\(Self.jobs)", "https://move.example/healthz", "/healthz",
                "//move.example/v1.0\(Self.jobs)", "/$batch",
            ]
            let steps = (good + bad).enumerated().map { Self.step("\($0.offset)", "GET", $0.element) }
            let responses = try Self.responses(try await client.send("POST \(Self.path)", body: Self.body(steps)))
            for (place, url) in (good + bad).enumerated() {
                let expected = place < good.count ? [200] : url == "/$batch" ? [405] : [400]
                #expect(expected.contains(Self.status(responses["\(place)"]) ?? 0), "\(url)")
            }
        }
    }

    @Test("C68 Batch: depends_on is understood, as the Python SDK writes it; other members are ignored")
    func pythonSpelling() async throws {
        try await World.run { _, client in
            let steps = [
                Self.step("1", "GET", "\(Self.jobs)/none", ["depends_on": "[]", "atomicityGroup": "\"g\""]),
                Self.step("2", "GET", Self.jobs, ["depends_on": #"["1"]"#]),
            ]
            let responses = try Self.responses(try await client.send("POST \(Self.path)", body: Self.body(steps)))
            #expect(Self.status(responses["1"]) == 404)
            #expect(Self.status(responses["2"]) == 424)
        }
    }

    @Test("A batch in a batch is 400 inside; no token is 401 outside; a right that is missing is 403 inside")
    func rights() async throws {
        try await World.run { world, client in
            let steps = [
                Self.step("1", "POST", "/$batch", ["body": Self.body([Self.step("1")])]), Self.step("2"),
                Self.step("3", "POST", Self.jobs, ["body": World.body("wave-1")]),
                Self.step("4", "PUT"), Self.step("5", "POST", "\(Self.jobs)/x/cancel", ["body": "{}"]),
                Self.step("6", "GET", Self.jobs, ["headers": #"{"Authorization":"Bearer x","Accept":"text/html"}"#]),
            ]
            let body = Self.body(steps)
            #expect(try await client.send("POST \(Self.path)", body: body, token: .some(nil)).status == 401)
            let reader = try world.token(scopes: [Permission.read.rawValue])
            let responses = try Self.responses(try await client.send("POST \(Self.path)", body: body, token: reader))
            #expect((1...6).map { Self.status(responses["\($0)"]) } == [400, 200, 403, 405, 403, 406])
            let none = try world.token(scopes: [])
            let refused = try Self.responses(try await client.send("POST \(Self.path)", body: body, token: none))
            #expect(Self.status(refused["2"]) == 403)
        }
    }

    @Test(
        "What is not a batch is 400, another type 415, an empty one is answered empty",
        arguments: [
            "", "{", "[]", "{}", #"{"requests":{}}"#, #"{"requests":[7]}"#, #"{"requests":[{"id":"1","url":"/x"}]}"#,
            #"{"requests":[{"id":"1","method":"GET"}]}"#, #"{"requests":[{"id":1,"method":"GET","url":"/x"}]}"#,
            #"{"requests":[{"id":"1","method":"GET","url":"/x","headers":{"a":1}}]}"#,
            #"{"requests":[{"id":"1","method":"GET","url":"/x","headers":[]}]}"#,
            "{\"requests\":" + String(repeating: "[", count: 5_000),
        ])
    func malformed(_ body: String) async throws {
        try await World.run { _, client in
            let reply = try await client.send("POST \(Self.path)", body: body)
            #expect(reply.status == 400)
            #expect(reply.code == "BadRequest")
            #expect(try await client.send("POST \(Self.path)", body: Self.body([]), type: "text/plain").status == 415)
            #expect(try await client.send("POST \(Self.path)", body: Self.body([])).text == #"{"responses":[]}"#)
            #expect(try await client.send("GET \(Self.path)").status == 405)
        }
    }

    @Test("Inner answers without a body have no body member, and PATCH and DELETE work")
    func withoutBodies() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let other = try await client.create("wave-2")
            try await world.set(other, to: .completed)
            let steps = [
                Self.step(
                    "1", "PATCH", "\(Self.jobs)/\(id)", ["body": #"{"completeAfterDateTime":"2031-03-04T06:00:00Z"}"#]),
                Self.step("2", "DELETE", "\(Self.jobs)/\(other)"),
                Self.step("3", "POST", "\(Self.jobs)/\(id)/validate", ["body": "{}"]),
            ]
            let responses = try Self.responses(try await client.send("POST \(Self.path)", body: Self.body(steps)))
            #expect(Self.status(responses["1"]) == 204)
            #expect(responses["1"]?["body"] == nil)
            #expect(Self.status(responses["2"]) == 202)
            #expect(responses["2"]?["body"] == nil)
            #expect(Self.status(responses["3"]) == 200)
        }
    }
}
