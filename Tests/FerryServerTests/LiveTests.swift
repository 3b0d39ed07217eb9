import FerryAPI
import FerryCore
import HummingbirdTesting
import Testing

@testable import FerryServer

/// With a socket in between.
struct LiveTests {
    @Test("A job is created and read over a connection")
    func spine() async throws {
        try await World.open(settings: ServerSettings(port: 0)) { world in
            try await world.server.makeApplication().test(.live) { http in
                let client = Client(world: world, client: http)
                let id = try await client.create("wave-1")
                let reply = try await client.send("GET \(World.beta)/\(id)")
                #expect(reply.status == 200)
                #expect(reply["Date"] != nil)
                let patch = try await client.send(
                    "PATCH \(World.beta)/\(id)", body: #"{"completeAfterDateTime":"2031-03-04T06:00:00Z"}"#)
                #expect(patch.status == 204)
                #expect(try await client.send("GET \(World.beta)/\(id)/users").values("id").count == 2)
            }
        }
    }

    @Test("A body that does not arrive in time is 408")
    func slowBody() async throws {
        try await Wire.serve(ServerSettings(port: 0, requestTimeout: .milliseconds(50))) { world, port in
            let answer = try await Wire.talk(
                to: port, try Wire.head(world, "Content-Length: 100") + "{\"dis")
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
            #expect(answer.contains("\"code\":\"RequestTimeout\""))
        }
    }

    @Test("A body that grows over the limit without having announced it is 413")
    func growingBody() async throws {
        try await Wire.serve(ServerSettings(port: 0, maximumBodyBytes: 1_000)) { world, port in
            let chunk = "400\r\n" + String(repeating: " ", count: 1_024) + "\r\n"
            let answer = try await Wire.talk(to: port, try Wire.head(world, "Transfer-Encoding: chunked") + chunk)
            #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(answer)")
            #expect(answer.contains("\"code\":\"RequestEntityTooLarge\""))
        }
    }

    @Test("A request head over the limit is 431")
    func largeHead() async throws {
        try await Wire.serve(ServerSettings(port: 0, maximumHeadBytes: 4_096)) { world, port in
            let answer = try await Wire.talk(
                to: port, try Wire.head(world, "X-Long: " + String(repeating: "x", count: 5_000)))
            #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
            #expect(answer.contains("\"code\":\"RequestHeaderFieldsTooLarge\""))
        }
    }

    @Test("A connection on which nothing happens is closed")
    func idleConnection() async throws {
        try await Wire.serve(ServerSettings(port: 0, idleTimeout: .milliseconds(50))) { _, port in
            // Only the start of a head: the answer is the end of the connection.
            let answer = try await Wire.talk(to: port, "GET /healthz HTTP/1.1\r\nHost")
            #expect(answer.isEmpty, "\(answer)")
        }
    }
}
