import FerryAPI
import FerryCore
import FerrySQLite
import FerryStore
import FerryTestKit
import Foundation
import Synchronization
import Testing

@testable import FerryServer

/// What clients do to a connection of HTTP/1.1, by accident or on purpose.
struct ConnectionTests {
    @Test("A request head that trickles in is 408, in the Graph error shape, and the connection ends")
    func slowHead() async throws {
        try await Wire.serve(ServerSettings(port: 0, headTimeout: .milliseconds(50))) { _, port in
            let answer = try await Wire.talk(to: port) { connection in
                connection.send("GET /healthz HTTP/1.1\r\nHost")
                return connection.read()
            }
            #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
            #expect(answer.contains("\"code\":\"RequestTimeout\""))
            #expect(answer.lowercased().contains("\r\nconnection: close\r\n"))
            #expect(answer.lowercased().contains("\r\nrequest-id: "))
        }
    }

    @Test("Time between requests is not time of a head")
    func pauseBetweenRequests() async throws {
        try await Wire.serve(ServerSettings(port: 0, headTimeout: .milliseconds(20))) { _, port in
            let answers = try await Wire.talk(to: port) { connection in
                connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                let first = connection.read { $0.hasSuffix("ok\n") }
                // The head of another connection, sent later, runs out of time first: then this one's would have, too.
                let slow = try RawConnection(port: port)
                defer { slow.close() }
                slow.send("GET")
                let refused = slow.read()
                connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                return [first, refused, connection.read { $0.hasSuffix("ok\n") }]
            }
            #expect(answers[1].hasPrefix("HTTP/1.1 408 "), "\(answers[1])")
            #expect(answers[0].hasPrefix("HTTP/1.1 200 ") && answers[2].hasPrefix("HTTP/1.1 200 "), "\(answers)")
        }
    }

    @Test(
        "What is not HTTP/1.1 is 400, in the Graph error shape",
        arguments: [
            "hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
            "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ])
    func notHTTP(_ text: String) async throws {
        try await Wire.serve(ServerSettings(port: 0)) { _, port in
            let answer = try await Wire.talk(to: port) { connection in
                connection.send(text)
                return connection.read()
            }
            // Before authentication a body is not looked at, so its framing may also end in 401; never in silence.
            let isRefused = answer.hasPrefix("HTTP/1.1 400 ") || answer.hasPrefix("HTTP/1.1 401 ")
            #expect(isRefused, "\(answer)")
            #expect(answer.contains("{\"error\":{\"code\":\""), "\(answer)")
            #expect(answer.lowercased().contains("\r\nrequest-id: "))
        }
    }

    @Test("A head that ends in the middle is 400")
    func truncatedHead() async throws {
        try await Wire.serve(ServerSettings(port: 0)) { _, port in
            let answer = try await Wire.talk(to: port) { connection in
                connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\nAccept: appl")
                connection.finishSending()
                return connection.read()
            }
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            #expect(answer.contains("\"code\":\"BadRequest\""))
        }
    }

    @Test("A body that ends in the middle is 400 and nothing is stored")
    func truncatedBody() async throws {
        try await Wire.serve(ServerSettings(port: 0)) { world, port in
            let body = World.body("wave-1")
            let head = try Wire.head(world, "Content-Length: \(body.utf8.count + 1)")
            let answer = try await Wire.talk(to: port) { connection in
                connection.send(head + body)
                connection.finishSending()
                return connection.read()
            }
            #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            #expect(answer.contains("\"code\":\"BadRequest\""))
            #expect(try await world.store.reader.job(.displayName("wave-1"), in: World.target) == nil)
        }
    }

    @Test("Requests that come without waiting are answered in their order")
    func pipelining() async throws {
        try await Wire.serve(ServerSettings(port: 0)) { _, port in
            let answer = try await Wire.talk(to: port) { connection in
                connection.send(
                    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
                        + "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return connection.read()
            }
            let bodies = answer.components(separatedBy: "HTTP/1.1 200 OK").dropFirst()
                .map { $0.components(separatedBy: "\r\n\r\n").last }
            #expect(bodies == ["ok\n", "ready\n", "ok\n"], "\(answer)")
        }
    }

    @Test("Garbage after a request is refused after that request was answered")
    func garbageBehindRequest() async throws {
        try await Wire.serve(ServerSettings(port: 0)) { _, port in
            let answer = try await Wire.talk(to: port) { connection in
                connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n\u{1}\u{2}\r\n\r\n")
                return connection.read()
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(answer)")
            #expect(answer.contains("ok\nHTTP/1.1 400 Bad Request\r\n"), "\(answer)")
        }
    }

    @Test("A body that nobody reads may not hold its connection")
    func endlessBody() async throws {
        try await Wire.serve(ServerSettings(port: 0, requestTimeout: .milliseconds(50))) { _, port in
            let answer = try await Wire.talk(to: port) { connection in
                connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")
                return connection.read()
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
        }
    }

    @Test("A compressed request body is 415")
    func compressedRequest() async throws {
        try await World.run { _, client in
            let reply = try await client.send(
                "POST \(World.v1)", body: World.body("wave-1"), headers: ["Content-Encoding": "gzip"])
            #expect(reply.status == 415)
            #expect(reply.code == "UnsupportedMediaType")
            let plain = try await client.send(
                "POST \(World.v1)", body: World.body("wave-1"), headers: ["Content-Encoding": "identity"])
            #expect(plain.status == 201)
        }
    }

    @Test("Connections over the limit wait until another one ends")
    func connectionLimit() async throws {
        try await Wire.serve(ServerSettings(port: 0, maximumConnections: 1)) { _, port in
            let answer = try await Wire.talk(to: port) { first in
                first.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                _ = first.read { $0.hasSuffix("ok\n") }
                let second = try RawConnection(port: port)
                defer { second.close() }
                second.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                #expect(!second.hasSomething(within: 50))
                first.send("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                #expect(first.read().hasSuffix("ready\n"))
                first.finishSending()
                return second.read { $0.hasSuffix("ok\n") }
            }
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
        }
    }

    @Test("Once the end has begun, readiness is 503 and each answer ends its connection")
    func drain() async throws {
        let drain = Drain(clock: ContinuousClock())
        try await Wire.serve(ServerSettings(port: 0), drain: drain) { _, port in
            let answers = try await Wire.talk(to: port) { connection in
                connection.send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                let before = connection.read { $0.hasSuffix("ready\n") }
                drain.begin()
                connection.send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                return [before, connection.read()]
            }
            #expect(answers[0].hasPrefix("HTTP/1.1 200 "), "\(answers)")
            #expect(!answers[0].lowercased().contains("connection: close"))
            #expect(answers[1].hasPrefix("HTTP/1.1 503 "), "\(answers)")
            #expect(answers[1].lowercased().contains("\r\nconnection: close\r\n"))
            #expect(answers[1].hasSuffix("server: stopping\n"))
        }
    }

    @Test("A request that never ends is cut off when the time of the drain is over")
    func drainIsBounded() async throws {
        let settings = ServerSettings(port: 0, requestTimeout: .seconds(3600), drainTimeout: .milliseconds(50))
        let (sent, inFlight) = AsyncStream.makeStream(of: Void.self)
        let answer = Mutex("")
        try await Wire.serve(settings) { world, port in
            let head = try Wire.head(world, "Content-Length: 100")
            // The connection outlives the server, which must not wait for it.
            Thread.detachNewThread {
                guard let connection = try? RawConnection(port: port) else { return }
                defer { connection.close() }
                // Both come in one piece, so the answer to the first says that the second has begun.
                connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + head + "{")
                _ = connection.read { $0.hasSuffix("ok\n") }
                inFlight.yield()
                let text = connection.read()
                answer.withLock { $0 = text }
            }
            _ = await sent.first { _ in true }
        }
        #expect(!answer.withLock { $0 }.contains("201"))
    }
}
