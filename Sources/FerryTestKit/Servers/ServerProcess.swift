import Foundation

/// A real server that a test has started: one of the scripts in `Tests/servers`, on a free port of the loopback
/// interface. It ends with `stop()`, and in any case with the process of the tests, since it watches its standard input.
package final class ServerProcess: Sendable {
    /// This machine has not what the server needs.
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let port: Int
    /// A second port, free when the server was started, which its options may have given to it.
    package let sparePort: Int
    /// Everything that the server writes.
    package let directory: String
    private let process: ChildProcess
    private let input: ChildPipe

    private init(process: ChildProcess, input: ChildPipe, port: Int, sparePort: Int, directory: String) {
        self.process = process
        self.input = input
        self.port = port
        self.sparePort = sparePort
        self.directory = directory
    }

    /// Runs `Tests/servers/NAME.sh run DIRECTORY PORT OPTIONS` and waits until it says that it takes logins. `options`
    /// is given one more free port, for servers that want a second.
    package static func start(
        _ name: String, _ options: (_ spare: Int) -> [String] = { _ in [] }
    ) async throws -> ServerProcess {
        // Somebody else may take a port between our look and the server's.
        var tries = 3
        while true {
            do { return try await attempt(name, options) } catch let failure as Failure {
                tries -= 1
                if tries == 0 { throw failure }
            }
        }
    }

    private static func attempt(_ name: String, _ options: (Int) -> [String]) async throws -> ServerProcess {
        let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Tests/servers")
        let directory = FileManager.default.temporaryDirectory.appending(path: "ferry-\(name)-\(UUID().uuidString)")
            .path
        let (port, sparePort) = (try freePort(), try freePort())
        let (input, output, errors) = (try ChildPipe(), try ChildPipe(), try ChildPipe())
        let process = try ChildProcess(
            ["/bin/bash", scripts.appending(path: "\(name).sh").path, "run", directory, "\(port)"]
                + options(sparePort), input: input.reading, output: output.writing, errors: errors.writing)
        input.closeReading()
        output.closeWriting()
        errors.closeWriting()
        // Blocks for a second or two, so it does on a thread of its own. `nil` when the server is ready.
        let trouble: (status: Int32, reason: String)? = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var said: [UInt8] = []
                while !said.contains(UInt8(ascii: "\n")) {
                    let piece = output.read()
                    if piece.isEmpty { break }
                    said += piece
                }
                guard !said.starts(with: "ready".utf8) else { return continuation.resume(returning: nil) }
                input.closeWriting()
                let reason = String(decoding: errors.readAll(), as: UTF8.self)
                output.closeReading()
                errors.closeReading()
                continuation.resume(returning: (process.waitForExit(), reason))
            }
        }
        if let (status, reason) = trouble {
            try? FileManager.default.removeItem(atPath: directory)
            if status == 77 { throw Missing(description: reason) }
            throw Failure(description: "\(name) did not start: \(reason)")
        }
        return ServerProcess(
            process: process, input: input, port: port, sparePort: sparePort, directory: directory)
    }

    /// Ends the server and removes what it wrote.
    package func stop() {
        input.closeWriting()
        _ = process.waitForExit()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "no socket") }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> UInt16? in
                guard bind(descriptor, generic, length) == 0, getsockname(descriptor, generic, &length) == 0 else {
                    return nil
                }
                return pointer.pointee.sin_port.bigEndian
            }
        }
        guard let port else { throw Failure(description: "no free port") }
        return Int(port)
    }
}

/// Servers that many tests of one process use together, each test with people of its own.
package actor SharedServers {
    package static let all = SharedServers()

    private var servers: [String: Task<ServerProcess, any Error>] = [:]
    private var people: [String: Int] = [:]

    /// What stands for the server's spare port among its options.
    package static let sparePort = "SPARE"

    /// The server of that name and those options, started at the first call.
    package func server(_ name: String, _ options: [String] = []) async throws -> ServerProcess {
        let key = ([name] + options).joined(separator: " ")
        if let known = servers[key] { return try await known.value }
        let starting = Task {
            try await ServerProcess.start(name) { spare in
                options.map { $0 == Self.sparePort ? "\(spare)" : $0 }
            }
        }
        servers[key] = starting
        return try await starting.value
    }

    /// A number that no other test of this process has got for that server.
    package func person(_ name: String, _ options: [String] = []) -> Int {
        let key = ([name] + options).joined(separator: " ")
        // The first is the one whose login the script tries.
        people[key, default: 0] += 1
        return people[key, default: 0]
    }
}
