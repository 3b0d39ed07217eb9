import FerryAPI
import FerryCore
import FerryEngine
import Testing

/// The lines of checklist "Create" of reference 11.
struct CreateTests {
    @Test(
        "C2 Create: each required property missing is 422 required with its target",
        arguments: [
            "displayName", "completeAfterDateTime", "sourceTenantId", "exchangeSettings", "resources", "resourceType",
        ])
    func required(_ name: String) async throws {
        try await World.run { _, client in
            for absent in ["", "null"] {
                let reply = try await client.send(
                    "POST \(World.v1)", body: World.body("wave-1", changing: [name: absent]))
                #expect(reply.status == 422)
                #expect(reply.code == "BadArgument")
                #expect(reply.details == ["required"])
                #expect(reply.target == name)
            }
            #expect(try await client.send("GET \(World.v1)/$count").text == "0")
        }
    }

    @Test(
        "C4 C5 C7 C8 C10 Create: values that cannot be are 422 with their sub-code",
        arguments: [
            ("completeAfterDateTime", "\"2020-01-01T00:00:00Z\"", "minThresholdFailed"),
            ("completeAfterDateTime", "\"2031-02-13T08:00:00Z\"", "minThresholdFailed"),
            ("workloads", "[\"Fax\"]", "invalidValue"), ("resourceType", "\"Groups\"", "invalidValue"),
            ("resources", "[\"nobody\"]", "invalidValue"), ("sourceTenantId", "\"north.example\"", "invalidValue"),
            ("sourceTenantId", "\"\(World.target)\"", "invalidValue"),
            ("resources", "[\"\(World.person(1))\",\"\(World.person(1))\"]", "duplicateResource"),
            ("displayName", "\"validate\"", "invalidValue"), ("id", "\"x\"", "readOnlyProperty"),
            ("status", "\"completed\"", "readOnlyProperty"),
        ])
    func invalid(_ name: String, _ value: String, _ code: String) async throws {
        try await World.run { world, client in
            #expect(world.effects.now() == WireDate.parse("2031-02-13T08:00:00Z"))
            let reply = try await client.send("POST \(World.v1)", body: World.body("wave-1", changing: [name: value]))
            #expect(reply.status == 422)
            #expect(reply.details == [code])
            #expect(reply.target == name)
            #expect(reply.json["error"]?["innerError"]?["code"]?.string == code)
        }
    }

    @Test(
        "C3 Create: a name that is taken is 422 duplicateDisplayNameJob, whatever its case; another tenant may have it")
    func duplicateName() async throws {
        try await World.run { world, client in
            _ = try await client.create("wave-1")
            let reply = try await client.send("POST \(World.v1)", body: World.body("WAVE-1"))
            #expect(reply.status == 422)
            #expect(reply.details == ["duplicateDisplayNameJob"])
            #expect(reply.target == "displayName")
            let stranger = try world.token(tenant: World.other)
            #expect(
                try await client.send("POST \(World.v1)", body: World.body("wave-1"), token: stranger).status == 201)
        }
    }

    @Test("C6 Create: absent workloads mean all four, so Exchange needs exchangeSettings")
    func absentWorkloads() async throws {
        try await World.run { _, client in
            let reply = try await client.send(
                "POST \(World.v1)", body: World.body("wave-1", changing: ["workloads": "", "exchangeSettings": ""]))
            #expect(reply.status == 422)
            #expect(reply.target == "exchangeSettings")
            let made = try await client.send(
                "POST \(World.v1)", body: World.body("wave-1", changing: ["workloads": "[]"]))
            guard case .array(let workloads) = made.json["workloads"] else { throw Complaint(text: made.text) }
            #expect(Set(workloads.compactMap(\.string)) == ["Exchange", "Teams", "Meeting", "ODSP"])
        }
    }

    @Test("C8 Create: resourceType is compared without case", arguments: ["users", "USERS"])
    func resourceType(_ spelling: String) async throws {
        try await World.run { _, client in
            let reply = try await client.send(
                "POST \(World.v1)", body: World.body("wave-1", changing: ["resourceType": "\"\(spelling)\""]))
            #expect(reply.status == 201)
            #expect(reply.json["resourceType"]?.string == "Users")
        }
    }

    @Test("C9 Create: 2,000 people are accepted, 2,001 are 422 tooManyResources")
    func manyPeople() async throws {
        try await World.run { _, client in
            let reply = try await client.send("POST \(World.v1)", body: World.body("wave-1", people: 2_001))
            #expect(reply.status == 422)
            #expect(reply.details == ["tooManyResources"])
            let most = try await client.send("POST \(World.v1)", body: World.body("wave-1", people: 2_000))
            #expect(most.status == 201)
        }
    }

    @Test("C11 C12 Create: a text/plain body is 415, truncated JSON 400, an unknown property 400, nothing at all 400")
    func form() async throws {
        try await World.run { _, client in
            #expect(try await client.send("POST \(World.v1)", body: World.body("a"), type: "text/plain").status == 415)
            #expect(try await client.send("POST \(World.v1)", body: String(World.body("a").dropLast())).status == 400)
            let unknown = try await client.send("POST \(World.v1)", body: World.body("a", changing: ["colour": "1"]))
            #expect(unknown.status == 400)
            #expect(unknown.target == "colour")
            #expect(try await client.send("POST \(World.v1)").status == 400)
            let wrong = try await client.send("POST \(World.v1)", body: World.body("a", changing: ["displayName": "7"]))
            #expect(wrong.status == 400)
            #expect(wrong.target == "displayName")
        }
    }

    @Test("PATCH: other properties are 422 readOnlyProperty, none 422 required, unknown ones 400")
    func patch() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let path = "PATCH \(World.v1)/\(id)"
            #expect(try await client.send(path, body: #"{"displayName":"b"}"#).details == ["readOnlyProperty"])
            #expect(try await client.send(path, body: "{}").details == ["required"])
            #expect(try await client.send(path, body: #"{"colour":"b"}"#).status == 400)
            #expect(
                try await client.send(
                    "PATCH \(World.v1)/none", body: #"{"completeAfterDateTime":"2031-04-01T00:00:00Z"}"#
                ).status == 404)
        }
    }
}
