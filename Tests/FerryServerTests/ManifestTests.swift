import HTTPTypes
import Testing

@testable import FerryServer

@Suite("Manifests over HTTP")
struct ManifestTests {
    @Test("A manifest comes whole, as it is in the archive, with a name to save it under")
    func whole() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let answer = try await client.send("GET /ferry/jobs/wave-1/manifest")
            #expect(answer.status == 200)
            #expect(Array(answer.text.utf8) == CannedManifests.content)
            #expect(answer.headers[.contentType] == "application/jsonl; charset=utf-8")
            #expect(answer.headers[.contentDisposition] == "attachment; filename=\"manifest-\(id).jsonl\"")
            #expect(try await client.send("GET /ferry/jobs/wave-2/manifest").status == 404)
        }
    }

    @Test("The public key needs no token")
    func key() async throws {
        try await World.run { _, client in
            let answer = try await client.send("GET /ferry/manifest-key", token: .some(nil))
            #expect(answer.status == 200)
            #expect(answer.text == CannedManifests.publicKey)
            #expect(try await client.send("POST /ferry/manifest-key", token: .some(nil)).status == 401)
        }
    }
}
