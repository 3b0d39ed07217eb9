import FerryAPI
import FerryCore
import Foundation
import Glibc
import HummingbirdTesting
import Logging
import ServiceLifecycle
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
        try await Self.serve(ServerSettings(port: 0, requestTimeout: .milliseconds(50))) { world, port in
            let answer = try await Self.talk(
                to: port, try Self.head(world, "Content-Length: 100") + "{\"dis")
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
            #expect(answer.contains("\"code\":\"RequestTimeout\""))
        }
    }

    @Test("A body that grows over the limit without having announced it is 413")
    func growingBody() async throws {
        try await Self.serve(ServerSettings(port: 0, maximumBodyBytes: 1_000)) { world, port in
            let chunk = "400\r\n" + String(repeating: " ", count: 1_024) + "\r\n"
            let answer = try await Self.talk(to: port, try Self.head(world, "Transfer-Encoding: chunked") + chunk)
            #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(answer)")
            #expect(answer.contains("\"code\":\"RequestEntityTooLarge\""))
        }
    }

    @Test("A request head over the limit is refused and the connection closed")
    func largeHead() async throws {
        try await Self.serve(ServerSettings(port: 0, maximumHeadBytes: 4_096)) { world, port in
            let answer = try await Self.talk(
                to: port, try Self.head(world, "X-Long: " + String(repeating: "x", count: 5_000)))
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
            #expect(!answer.contains("201"))
        }
    }

    @Test("A connection on which nothing happens is closed")
    func idleConnection() async throws {
        try await Self.serve(ServerSettings(port: 0, idleTimeout: .milliseconds(50))) { _, port in
            // Only the start of a head: the answer is the end of the connection.
            let answer = try await Self.talk(to: port, "GET /healthz HTTP/1.1\r\nHost")
            #expect(answer.isEmpty, "\(answer)")
        }
    }

    private static func head(_ world: World, _ header: String) throws -> String {
        "POST \(World.v1) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(try world.token())\r\n"
            + "Content-Type: application/json\r\n\(header)\r\n\r\n"
    }

    /// Runs the server as a service, gives the port that it tells, and stops it gracefully.
    private static func serve(
        _ settings: ServerSettings, _ body: @Sendable (World, Int) async throws -> Void
    ) async throws {
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        try await World.open(settings: settings, onBound: { bound.yield($0) }) { world in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let group = ServiceGroup(configuration: .init(services: [world.server], logger: logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                let port = try #require(await ports.first { _ in true })
                #expect(port > 0)
                try await body(world, port)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    /// Sends the text and reads until the error's body has ended or the server closes, on a thread that may wait.
    private static func talk(to port: Int, _ text: String) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                defer { _ = Glibc.close(connection) }
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = in_port_t(port).bigEndian
                address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
                let connected = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                guard connected == 0 else {
                    continuation.resume(throwing: Complaint(text: "cannot connect: \(errno)"))
                    return
                }
                let bytes = Array(text.utf8)
                _ = bytes.withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
                var answer: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 4096)
                while !answer.suffix(3).elementsEqual("}}}".utf8) {
                    let count = chunk.withUnsafeMutableBytes { read(connection, $0.baseAddress, $0.count) }
                    guard count > 0 else { break }
                    answer += chunk[..<count]
                }
                continuation.resume(returning: String(decoding: answer, as: UTF8.self))
            }
        }
    }
}
