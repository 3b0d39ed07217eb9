import FerryTestKit
import Foundation
import Glibc

@testable import ferry

/// The built program as a process of its own. Its output is a file; nothing here is `async`, because a process is waited
/// for on a thread that may wait. Whatever a test does, it is ended after a minute.
final class Program {
    struct Trouble: Error { var text: String }

    /// What `ferry init` wrote, in a folder that goes with the test.
    struct Site: Sendable {
        var folder: String
        var configuration: String { path("ferry.yaml") }

        func path(_ name: String) -> String { "\(folder)/\(name)" }

        /// Of an administrator of the target.
        func token() throws -> String {
            let program = try Program([
                "token", "--config", configuration, "--tenant", "22222222-2222-2222-2222-222222222222", "--user",
                "admin@fabrikam.example",
            ])
            guard program.waitForExit() == 0 else { throw Trouble(text: program.text()) }
            return program.text().trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// A self-signed certificate for localhost in `server.crt` and `server.key`.
        func makeCertificate(_ name: String) throws {
            let openssl = try Program(
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days",
                    "2", "-subj", "/CN=\(name)", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                    path("server.key"), "-out", path("server.crt"),
                ], isOurs: false)
            guard openssl.waitForExit() == 0 else { throw Trouble(text: openssl.text()) }
        }
    }

    private let process: ChildProcess
    private let log: String

    var isRunning: Bool { process.isRunning }

    /// Beside the program that runs the tests.
    static func built(_ name: String = "ferry") throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Runs the body on a thread of its own, with a fresh site that listens on a free port.
    static func use(adding line: String = "", _ body: @escaping @Sendable (Site) throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-serve-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let initialize = try Program(["init", folder])
                        guard initialize.waitForExit() == 0 else { throw Trouble(text: initialize.text()) }
                        let site = Site(folder: folder)
                        let lines = try String(contentsOfFile: site.configuration, encoding: .utf8)
                            .replacingOccurrences(of: "listen: 127.0.0.1:8080", with: "listen: 127.0.0.1:0")
                            .components(separatedBy: "\nsettings:")
                        try (lines[0] + "\n" + line + "\n").write(
                            toFile: site.configuration, atomically: true, encoding: .utf8)
                        try body(site)
                    })
            }
        }
    }

    /// - Parameter isOurs: the first argument is one of the program's, and not another program.
    init(_ arguments: [String], environment: [String: String] = [:], isOurs: Bool = true) throws {
        log = FileManager.default.temporaryDirectory.path + "/ferry-log-\(UUID().uuidString)"
        let output = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw Trouble(text: "cannot write \(log)") }
        defer { close(output) }
        process = try ChildProcess(
            (isOurs ? [try Self.built()] : []) + arguments, environment: environment, output: output, errors: output)
        DispatchQueue.global().asyncAfter(deadline: .now() + 60) { [weak process] in process?.signal(SIGKILL) }
    }

    deinit { try? FileManager.default.removeItem(atPath: log) }

    /// Everything that it has printed so far.
    func text() -> String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// Waits until it has printed the text.
    func wait(for needle: String) throws {
        while !text().contains(needle) {
            guard process.isRunning else { throw Trouble(text: "ended without '\(needle)': \(text())") }
            usleep(2_000)
        }
    }

    /// The port that it listens on, once it does.
    func port() throws -> Int {
        try wait(for: "Ferry listens on ")
        let line = text().components(separatedBy: "Ferry listens on ").last?.prefix { $0 != "\n" } ?? ""
        guard let port = line.split(separator: ":").last.flatMap({ Int($0) }) else { throw Trouble(text: text()) }
        return port
    }

    /// The exit code, once it has ended; the number of the signal that ended it otherwise.
    func waitForExit() -> Int32 { process.waitForExit() }

    func signal(_ number: Int32) { process.signal(number) }

    /// Ends it if a test has not.
    func end() { process.end() }
}
