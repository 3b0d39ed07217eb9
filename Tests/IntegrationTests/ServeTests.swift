import FerryCore
import FerryTestKit
import Foundation
import Glibc
import Testing

@testable import ferry

/// The server as a process of its own: what signals do to it.
struct ServeTests {
    private static let jobs = "/v1.0/solutions/migrations/crossTenantMigrationJobs"

    @Test func `a request that runs is answered after SIGTERM, nobody else is, and the exit code is 0`() async throws {
        try await Program.use { site in
            let token = try site.token()
            let server = try Program(["serve", "--config", site.configuration])
            defer { server.end() }
            let port = try server.port()
            let running = try RawConnection(port: port)
            defer { running.close() }
            let idle = try RawConnection(port: port)
            defer { idle.close() }
            let body = #"{"displayName":"wave-1"}"#
            // Both come in one piece, so the answer to the first says that the second has begun.
            running.send(
                "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "POST \(Self.jobs) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n{")
            #expect(running.read { $0.hasSuffix("ready\n") }.hasPrefix("HTTP/1.1 200 "))
            idle.send("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(idle.read { $0.hasSuffix("ready\n") }.hasPrefix("HTTP/1.1 200 "))
            server.signal(SIGTERM)
            // That the idle connection ends says that listening has ended before.
            #expect(idle.read().isEmpty)
            #expect(throws: RawConnection.Refused.self) { try RawConnection(port: port) }
            running.send(String(body.dropFirst()))
            let answer = running.read()
            // The body lacks most of a job, so the answer is an error; but it is an answer.
            #expect(answer.hasPrefix("HTTP/1.1 422 ") || answer.hasPrefix("HTTP/1.1 400 "), "\(answer)")
            #expect(answer.lowercased().contains("\r\nconnection: close\r\n"))
            #expect(server.waitForExit() == 0)
        }
    }

    @Test func `readiness is 503 during the delay of a drain, and a second signal ends it at once`() async throws {
        try await Program.use(adding: "settings: { drainDelay: 1h }") { site in
            let server = try Program(["serve", "--config", site.configuration])
            defer { server.end() }
            let port = try server.port()
            server.signal(SIGTERM)
            var answer = ""
            // Each round trip is the wait for the signal to arrive.
            while !answer.hasPrefix("HTTP/1.1 503 ") {
                let connection = try RawConnection(port: port)
                defer { connection.close() }
                connection.send("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = connection.read()
                guard server.isRunning else { break }
            }
            #expect(answer.hasSuffix("server: stopping\n"), "\(answer)")
            server.signal(SIGTERM)
            #expect(server.waitForExit() == ExitReason.failed.rawValue)
            #expect(server.text().contains("a second time"))
        }
    }

    @Test func `SIGHUP brings a new certificate, and the client trusts the authority it is given`() async throws {
        try await Program.use(adding: "tls: { certificate: server.crt, key: server.key }") { site in
            try site.makeCertificate("first")
            let token = try site.token()
            let server = try Program(["serve", "--config", site.configuration])
            defer { server.end() }
            let port = try server.port()
            for (trust, code) in [
                (["--ca", site.path("server.crt")], Int32(0)), ([], ExitReason.unreachable.rawValue),
            ] {
                let list = try Program(
                    ["job", "list", "--server", "https://localhost:\(port)", "--token", token] + trust)
                #expect(list.waitForExit() == code, "\(list.text())")
                if code != 0 { #expect(list.text().contains("--ca"), "\(list.text())") }
            }
            let old = try String(contentsOfFile: site.path("server.crt"), encoding: .utf8)
            try site.makeCertificate("second")
            server.signal(SIGHUP)
            try server.wait(for: "TLS certificate taken into use")
            try old.write(toFile: site.path("old.crt"), atomically: true, encoding: .utf8)
            for (file, code) in [("server.crt", Int32(0)), ("old.crt", ExitReason.unreachable.rawValue)] {
                let list = try Program(
                    ["job", "list", "--server", "https://localhost:\(port)", "--token", token],
                    environment: ["FERRY_CA": site.path(file)])
                #expect(list.waitForExit() == code, "\(list.text())")
            }
            server.signal(SIGTERM)
            #expect(server.waitForExit() == 0)
        }
    }

    @Test func `a certificate that cannot be used is a configuration error that says which file`() async throws {
        try await Program.use(adding: "tls: { certificate: server.crt, key: server.key }") { site in
            let server = try Program(["serve", "--config", site.configuration])
            defer { server.end() }
            #expect(server.waitForExit() == ExitReason.configuration.rawValue)
            #expect(server.text().contains("The TLS certificate file '\(site.path("server.crt"))' cannot be read"))
        }
    }
}
