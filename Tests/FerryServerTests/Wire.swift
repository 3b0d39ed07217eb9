import FerryCore
import FerryTestKit
import Foundation
import Logging
import ServiceLifecycle

@testable import FerryServer

/// Bytes on a socket, for what no client library would send.
enum Wire {
    /// The head of a create with one more header line.
    static func head(_ world: World, _ header: String) throws -> String {
        "POST \(World.v1) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(try world.token())\r\n"
            + "Content-Type: application/json\r\n\(header)\r\n\r\n"
    }

    /// Runs the server as a service, gives the port that it tells, and stops it gracefully.
    static func serve(
        _ settings: ServerSettings, certificate: ServerCertificate? = nil, drain: Drain? = nil,
        _ body: @Sendable (World, Int) async throws -> Void
    ) async throws {
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        try await World.open(
            settings: settings, certificate: certificate, drain: drain, onBound: { bound.yield($0) }
        ) { world in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let group = ServiceGroup(configuration: .init(services: [world.server], logger: logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                guard let port = await ports.first(where: { _ in true }), port > 0 else {
                    throw Complaint(text: "the server did not listen")
                }
                do {
                    try await body(world, port)
                } catch {
                    await group.triggerGracefulShutdown()
                    throw error
                }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    /// Sends the text and reads until an error's body has ended or the server closes.
    static func talk(to port: Int, _ text: String) async throws -> String {
        try await talk(to: port) { connection in
            connection.send(text)
            return connection.read { $0.hasSuffix("}}}") }
        }
    }

    /// Opens a connection and uses it on a thread that may wait.
    static func talk<Result: Sendable>(
        to port: Int, _ body: @escaping @Sendable (RawConnection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Swift.Result {
                        let connection = try RawConnection(port: port)
                        defer { connection.close() }
                        return try body(connection)
                    })
            }
        }
    }
}
