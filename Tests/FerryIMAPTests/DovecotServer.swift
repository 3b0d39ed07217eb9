import Foundation
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// A real Dovecot on free ports of loopback, by `Tests/servers/dovecot.sh`, which ends when its standard input does.
final class DovecotServer: Sendable {
    let port: Int
    let tlsPort: Int
    /// The authority that signed the server's certificate.
    let authorities: String
    private let directory: URL
    private let process: Mutex<Process>
    private let life: Pipe

    /// Cancels the test, and says so, where Dovecot is not installed.
    static func start() async throws -> DovecotServer {
        let server = try await DovecotServer(port: freePort(), tlsPort: freePort())
        let status = try await server.run()
        if status == 77 {
            print("SKIPPED: the tests against Dovecot need dovecot-imapd, which `script/bootstrap test` installs.")
            try Test.cancel("Dovecot is not installed; `script/bootstrap test` installs it.")
        }
        if let status { throw DidNotStart(status: status) }
        return server
    }

    struct DidNotStart: Error { var status: Int32 }

    private init(port: Int, tlsPort: Int) {
        self.port = port
        self.tlsPort = tlsPort
        directory = FileManager.default.temporaryDirectory.appending(path: "ferry-dovecot-\(UUID().uuidString)")
        authorities = directory.appending(path: "ca.pem").path
        process = Mutex(Process())
        life = Pipe()
    }

    /// The exit code of a server that ended; `nil` once it takes logins.
    private func run() async throws -> Int32? {
        let output = Pipe()
        let outcome = Mutex<CheckedContinuation<Int32?, any Error>?>(nil)
        let settle = { @Sendable (result: Result<Int32?, any Error>) in
            outcome.withLock { waiter in
                defer { waiter = nil }
                return waiter
            }?.resume(with: result)
        }
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "servers/dovecot.sh").path
        return try await withCheckedThrowingContinuation { continuation in
            outcome.withLock { $0 = continuation }
            output.fileHandleForReading.readabilityHandler = { handle in
                guard !handle.availableData.isEmpty else { return handle.readabilityHandler = nil }
                settle(.success(nil))
            }
            process.withLock { process in
                process.executableURL = URL(filePath: "/bin/bash")
                process.arguments = [
                    script, "run", directory.path, String(port), "--tls-port", String(tlsPort), "--users", "4",
                ]
                process.standardInput = life
                process.standardOutput = output
                process.terminationHandler = { settle(.success($0.terminationStatus)) }
                do { try process.run() } catch { settle(.failure(error)) }
            }
        }
    }

    /// Ends the server and removes what it wrote.
    func stop() async {
        try? life.fileHandleForWriting.close()
        await withCheckedContinuation { (ended: CheckedContinuation<Void, Never>) in
            let waiter = Mutex<CheckedContinuation<Void, Never>?>(ended)
            let end = { @Sendable in
                waiter.withLock { waiter in
                    defer { waiter = nil }
                    return waiter
                }?.resume()
            }
            let isRunning = process.withLock { process in
                process.terminationHandler = { _ in end() }
                return process.isRunning
            }
            if !isRunning { end() }
        }
        try? FileManager.default.removeItem(at: directory)
    }

    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        return port
    }
}
