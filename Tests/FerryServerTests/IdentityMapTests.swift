import FerryAPI
import FerryCore
import FerrySQLite
import FerryStore
import Testing

@testable import FerryServer

/// `/ferry/identity-map` on the wire.
struct IdentityMapTests {
    private static let map = "/ferry/identity-map"

    private static func elements(_ value: JSONValue?) -> [JSONValue] {
        guard case .array(let elements) = value else { return [] }
        return elements
    }

    private static func texts(_ value: JSONValue?, _ member: String) -> [String] {
        elements(value).map { $0[member]?.string ?? "null" }
    }

    @Test("A map from nothing to its end: import, conflicts, complete, history, remove")
    func life() async throws {
        try await World.run { world, client in
            let empty = try await client.send("GET \(Self.map)")
            #expect(empty.status == 200)
            #expect(empty.json["sourceTenantId"]?.string == World.source.description)
            #expect(
                empty.json["counts"]
                    == .object([
                        JSONMember(name: "unmapped", value: .number("0")),
                        JSONMember(name: "mapped", value: .number("0")),
                        JSONMember(name: "completed", value: .number("0")),
                    ]))
            let rows = #"""
                {"entries":[{"source":"person1@north.example","target":"PERSON1@south.example"},
                {"source":"person2@north.example","target":"person1@south.example"},
                {"source":"nobody@north.example","target":"person3@south.example"},
                {"source":"person3@north.example"}]}
                """#
            let imported = try await client.send("POST \(Self.map)", body: rows)
            #expect(imported.status == 200 && imported.json["changed"] == .number("3"))
            #expect(Self.texts(imported.json["remarks"], "code") == ["IDM-11"])
            #expect(Self.texts(imported.json["remarks"], "name") == ["nobody@north.example"])

            let list = try await client.send("GET \(Self.map)?limit=2")
            #expect(Self.texts(list.json["value"], "state") == ["mapped", "mapped"])
            #expect(Self.texts(list.json["value"], "targetName") == ["person1@south.example", "person1@south.example"])
            #expect(Self.texts(list.json["value"], "author") == ["mover@south.example", "mover@south.example"])
            let next = try #require(list.json["next"]?.string)
            let rest = try await client.send("GET \(Self.map)?limit=2&after=\(next)")
            #expect(Self.texts(rest.json["value"], "sourceName") == ["person3@north.example"])
            #expect(rest.json["next"] == .null)
            let unmapped = try await client.send("GET \(Self.map)?state=unmapped")
            #expect(Self.texts(unmapped.json["value"], "target") == ["null"])

            let check = try await client.send("GET \(Self.map)/check")
            #expect(Self.texts(check.json["remarks"], "code") == ["CTM-101", "CTM-101", "IDM-13"])
            let refused = try await client.send("POST \(Self.map)/complete", body: "{}")
            #expect(refused.json["changed"] == .number("0"))

            // Nothing is overwritten unasked.
            let person = "\(Self.map)/person2@north.example"
            let kept = try await client.send("PATCH \(person)", body: #"{"target":"person2@south.example"}"#)
            #expect(kept.status == 409 && kept.details == ["mappingExists"])
            let changed = try await client.send(
                "PATCH \(person)", body: #"{"target":"person2@south.example","overwrite":true}"#)
            #expect(changed.status == 200 && changed.json["changed"] == .number("1"))
            let completed = try await client.send("POST \(Self.map)/complete", body: "{}")
            #expect(completed.json["changed"] == .number("2"))
            let entry = try await client.send("GET \(person)")
            #expect(entry.json["state"]?.string == "completed" && entry.json["origin"]?.string == "import")
            #expect(Self.texts(entry.json["history"], "state") == ["mapped", "mapped"])
            #expect(
                Self.texts(entry.json["history"], "targetName") == ["person2@south.example", "person1@south.example"])

            #expect(try await client.send("DELETE \(person)").json["changed"] == .number("1"))
            #expect(try await client.send("DELETE \(person)").json["unchanged"] == .number("1"))
            #expect(try await client.send("GET \(person)").json["state"]?.string == "unmapped")
            // The map of another tenant is another one.
            let foreign = try await client.send("GET \(Self.map)", token: try world.token(tenant: World.other))
            #expect(Self.elements(foreign.json["value"]).isEmpty)
            await world.server.flushRefusals()
            let trail = try await world.store.reader.auditRecords(AuditQuery(tenant: World.target)).map(\.entry)
            #expect(
                trail.filter { $0.status == 200 }.map(\.operation) == [
                    "importIdentities", "updateIdentity", "completeIdentities", "removeIdentity",
                ])
            #expect(trail.filter { $0.status == 409 }.map(\.operation) == ["updateIdentity"])
            #expect(trail[0].name == "mover@south.example")
        }
    }

    @Test("Matching by address, for everybody and for those who are named")
    func match() async throws {
        try await World.run { _, client in
            let one = try await client.send(
                "POST \(Self.map)/match", body: #"{"people":["person1@north.example","who"]}"#)
            #expect(one.json["changed"] == .number("1") && Self.texts(one.json["remarks"], "code") == ["IDM-11"])
            let all = try await client.send("POST \(Self.map)/match")
            #expect(all.json["changed"] == .number("2") && all.json["unchanged"] == .number("1"))
        }
    }

    @Test(
        "What cannot be is refused with what, where and how",
        arguments: [
            ("POST /ferry/identity-map", "{}", 422, "entries"),
            ("POST /ferry/identity-map", #"{"entries":[{"target":"a"}]}"#, 422, "entries[0]/source"),
            ("POST /ferry/identity-map", #"{"entries":[1]}"#, 400, "entries[0]"),
            ("POST /ferry/identity-map", #"{"entries":[],"owerwrite":true}"#, 400, "owerwrite"),
            ("POST /ferry/identity-map/match", #"{"overwrite":"yes"}"#, 400, "overwrite"),
            ("POST /ferry/identity-map/complete", #"{"limit":0}"#, 400, "limit"),
            ("POST /ferry/identity-map/complete", #"{"after":"x"}"#, 400, "after"),
            ("POST /ferry/identity-map/complete?source=11111111-1111-1111-1111-111111111111", "{}", 422, "source"),
            ("PATCH /ferry/identity-map/person1@north.example", "{}", 422, "target"),
            ("PATCH /ferry/identity-map/person1@north.example", #"{"target":"eve@south.example"}"#, 422, "target"),
            ("PATCH /ferry/identity-map/eve@north.example", #"{"target":null}"#, 404, nil),
            ("DELETE /ferry/identity-map/eve@north.example", nil, 404, nil),
            ("GET /ferry/identity-map/eve@north.example", nil, 404, nil),
            ("GET /ferry/identity-map?state=done", nil, 400, "state"),
            ("GET /ferry/identity-map?after=x", nil, 400, "after"),
            ("GET /ferry/identity-map?limit=0", nil, 400, "limit"),
            ("GET /ferry/identity-map?source=x", nil, 422, "source"),
            ("PUT /ferry/identity-map", nil, 405, nil), ("POST /ferry/identity-map/check", "{}", 405, nil),
        ] as [(String, String?, Int, String?)])
    func refusals(_ request: String, _ body: String?, _ status: Int, _ target: String?) async throws {
        try await World.run { _, client in
            let reply = try await client.send(request, body: body)
            #expect(reply.status == status && reply.target == target, "\(reply.text)")
        }
    }
}
