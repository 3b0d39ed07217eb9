import FerryAPI
import FerryCore
import FerryEngine
import Foundation
import Testing

@testable import FerryServer

/// Creations that a client sends again because it did not hear the answer.
struct RepetitionTests {
    private static let id = ["client-request-id": "5a7e1c52-0000-4000-8000-000000000001"]

    @Test(
        "Operations 2 and 16: the same client-request-id with the same body is the same 201 and no second job",
        arguments: [World.v1, World.v1 + "/validate"])
    func repeats(_ path: String) async throws {
        try await World.run { world, client in
            let body = World.body("wave-1")
            let first = try await client.send("POST \(path)", body: body, headers: Self.id)
            #expect(first.status == 201)
            // Whatever becomes of the job in between.
            let id = try #require(first.json["id"]?.string)
            try await world.set(id, to: .failed)
            world.pass(.seconds(3_600))
            let second = try await client.send("POST \(path)", body: body, headers: Self.id)
            #expect(second.status == 201)
            #expect(second.text == first.text)
            #expect(second["Location"] == first["Location"])
            #expect(second["request-id"] != first["request-id"])
            #expect(try await client.send("GET \(World.v1)/$count").text == "1")
            #expect(try await world.job(id)?.status == .failed)
        }
    }

    @Test("Another body under the same client-request-id is 422 clientRequestIdReused and creates nothing")
    func reused() async throws {
        try await World.run { _, client in
            _ = try await client.send("POST \(World.v1)", body: World.body("wave-1"), headers: Self.id)
            for (path, body) in [(World.v1, World.body("wave-2")), (World.v1 + "/validate", World.body("wave-1"))] {
                let reply = try await client.send("POST \(path)", body: body, headers: Self.id)
                #expect(reply.status == 422)
                #expect(reply.code == "BadArgument")
                #expect(reply.details == ["clientRequestIdReused"])
                #expect(reply.target == "client-request-id")
            }
            #expect(try await client.send("GET \(World.v1)/$count").text == "1")
        }
    }

    @Test("Without a client-request-id, or with an unusable one, every creation is a new one")
    func without() async throws {
        try await World.run { _, client in
            for headers in [[:], ["client-request-id": String(repeating: "x", count: 200)]] {
                let name = "wave-\(headers.count)"
                #expect(
                    try await client.send("POST \(World.v1)", body: World.body(name), headers: headers).status == 201)
                let again = try await client.send("POST \(World.v1)", body: World.body(name), headers: headers)
                #expect(again.details == ["duplicateDisplayNameJob"])
            }
        }
    }

    @Test("Another principal and another tenant may use the same id")
    func strangers() async throws {
        try await World.run { world, client in
            _ = try await client.send("POST \(World.v1)", body: World.body("wave-1"), headers: Self.id)
            let colleague = try world.token(of: 1, tenant: World.target)
            let reply = try await client.send(
                "POST \(World.v1)", body: World.body("wave-2"), token: colleague, headers: Self.id)
            #expect(reply.status == 201)
            let stranger = try world.token(tenant: World.other)
            let other = try await client.send(
                "POST \(World.v1)", body: World.body("wave-1"), token: stranger, headers: Self.id)
            #expect(other.status == 201)
        }
    }

    @Test("A refused creation is not remembered: the corrected body goes under the same id")
    func refusedFirst() async throws {
        try await World.run { _, client in
            let wrong = World.body("wave-1", changing: ["resourceType": "\"Groups\""])
            let refused = try await client.send("POST \(World.v1)", body: wrong, headers: Self.id)
            #expect(refused.status == 422)
            #expect(
                try await client.send("POST \(World.v1)", body: World.body("wave-1"), headers: Self.id).status == 201)
        }
    }

    @Test("After 24 hours the id is forgotten")
    func expires() async throws {
        try await World.run { world, client in
            _ = try await client.send("POST \(World.v1)", body: World.body("wave-1"), headers: Self.id)
            world.pass(.seconds(86_400))
            #expect(
                try await client.send("POST \(World.v1)", body: World.body("wave-1"), headers: Self.id).status == 201)
            world.pass(.microseconds(1))
            let late = try await client.send("POST \(World.v1)", body: World.body("wave-1"), headers: Self.id)
            #expect(late.details == ["duplicateDisplayNameJob"])
        }
    }

    @Test("Duplicates that arrive at once create one job and all get it")
    func concurrent() async throws {
        try await World.run { world, client in
            let token = try world.token()
            let replies = try await withThrowingTaskGroup(of: Reply.self) { group in
                for _ in 1...16 {
                    group.addTask {
                        try await client.send(
                            "POST \(World.v1)", body: World.body("wave-1"), token: token, headers: Self.id)
                    }
                }
                return try await group.reduce(into: [Reply]()) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 201 })
            #expect(Set(replies.map(\.text)).count == 1)
            #expect(try await client.send("GET \(World.v1)/$count").text == "1")
        }
    }

    @Test("Steps of a batch do not share the id of the batch, and may bring their own")
    func batch() async throws {
        try await World.run { _, client in
            func step(_ id: Int, _ name: String, own: String = "") -> String {
                """
                {"id":"\(id)","method":"POST","url":"/solutions/migrations/crossTenantMigrationJobs",\
                "headers":{"Content-Type":"application/json"\(own)},"body":\(World.body(name))}
                """
            }
            let shared = "{\"requests\":[\(step(1, "wave-1")),\(step(2, "wave-2"))]}"
            let reply = try await client.send("POST /v1.0/$batch", body: shared, headers: Self.id)
            #expect(reply.text.components(separatedBy: "\"status\":201").count == 3)
            let own = "{\"requests\":[\(step(1, "wave-3", own: ",\"client-request-id\":\"own-1\""))]}"
            for _ in 1...2 {
                let reply = try await client.send("POST /v1.0/$batch", body: own)
                #expect(reply.text.contains("\"status\":201"))
            }
            #expect(try await client.send("GET \(World.v1)/$count").text == "3")
        }
    }
}
