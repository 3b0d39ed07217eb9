import FerryAPI
import Testing

@testable import FerryServer

/// `$metadata` and the service document (reference 7.10).
struct MetadataTests {
    @Test("$metadata is CSDL in XML and needs no token, on both versions")
    func metadata() async throws {
        try await World.run { _, client in
            for path in ["/v1.0/$metadata", "/beta/%24metadata?$format=xml", "/BETA/$Metadata?format=application/xml"] {
                let reply = try await client.send("GET \(path)", token: .some(nil))
                #expect(reply.status == 200)
                #expect(reply["Content-Type"] == "application/xml")
                #expect(reply["OData-Version"] == "4.0")
                #expect(Array(reply.text.utf8) == CSDL.document)
            }
            #expect(try await client.send("GET /v1.0/$metadata?$format=json", token: .some(nil)).status == 406)
            #expect(try await client.send("GET /v1.0/$metadata?$top=1", token: .some(nil)).status == 400)
            #expect(try await client.send("GET /v1.0/$metadata/x", token: .some(nil)).status == 401)
            #expect(try await client.send("GET /v1.0/$metadata/x").status == 400)
            #expect(try await client.send("POST /v1.0/$metadata").status == 405)
        }
    }

    @Test("The service document names the singleton and needs no token")
    func serviceDocument() async throws {
        try await World.run { _, client in
            for path in ["/beta", "/beta/"] {
                let reply = try await client.send("GET \(path)", token: .some(nil))
                #expect(
                    reply.text
                        == #"{"@odata.context":"https://move.example/beta/$metadata","value":[{"name":"solutions","kind":"Singleton","url":"solutions"}]}"#
                )
            }
        }
    }
}
