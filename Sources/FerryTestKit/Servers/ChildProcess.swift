import Glibc
import Synchronization

/// A program that a test runs, by posix_spawn(3). Foundation's `Process` crashes in a process that has many descriptors
/// open (corelibs of Swift 6.3.1: memcpy below `Process.run()`, with some thousand of them), and a suite that runs in
/// parallel has.
package final class ChildProcess: Sendable {
    package struct Trouble: Error, CustomStringConvertible {
        package let description: String
    }

    package let id: Int32
    private let status = Mutex<Int32?>(nil)

    /// Starts the first word, which is found in PATH unless it has a slash, with the others as its arguments.
    ///
    /// - Parameters:
    ///   - environment: added to that of this process.
    ///   - input, output, errors: descriptors for the three standard ones; `nil` is /dev/null. They stay the caller's.
    package init(
        _ command: [String], environment: [String: String] = [:], input: Int32? = nil, output: Int32? = nil,
        errors: Int32? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, source) in [(0, input), (1, output), (2, errors)] as [(Int32, Int32?)] {
            if let source {
                posix_spawn_file_actions_adddup2(&actions, source, target)
            } else {
                posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
            }
        }
        // A socket of another test that lived on in the child would never be seen to close.
        for descriptor in 3..<Self.endOfDescriptors() { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What this process ignores or blocks is nothing that the child should.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var arguments = command.map { strdup($0) } + [nil]
        var variables = Self.environment(with: environment).map { strdup($0) } + [nil]
        defer { for pointer in arguments + variables { free(pointer) } }
        var id: pid_t = 0
        let failure = posix_spawnp(&id, command[0], &actions, &attributes, &arguments, &variables)
        guard failure == 0 else {
            throw Trouble(description: "cannot start \(command[0]): \(String(cString: strerror(failure)))")
        }
        self.id = id
    }

    /// Above every descriptor that is open now or will be before the child has begun; closing one that is not open is
    /// fine, beyond the limit of the process it is not.
    private static func endOfDescriptors() -> Int32 {
        var highest: Int32 = 3
        if let list = opendir("/proc/self/fd") {
            while let entry = readdir(list) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                highest = max(highest, Int32(name) ?? 0)
            }
            closedir(list)
        }
        return min(highest + 256, Int32(clamping: sysconf(Int32(_SC_OPEN_MAX))))
    }

    private static func environment(with additions: [String: String]) -> [String] {
        var variables: [String] = []
        var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if additions[String(text.prefix { $0 != "=" })] == nil { variables.append(text) }
            next += 1
        }
        return variables + additions.map { "\($0)=\($1)" }
    }

    package var isRunning: Bool { status.withLock { reap(&$0) == nil } }

    /// Blocks until it has ended; then its exit code, or the number of the signal that ended it.
    package func waitForExit() -> Int32 {
        var information = siginfo_t()
        // Leaves it to be reaped, so that its number is nobody else's before that is done under the lock.
        while waitid(P_PID, id_t(id), &information, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        return status.withLock { reap(&$0) ?? -1 }
    }

    /// Sends a signal, unless it has ended.
    package func signal(_ number: Int32) {
        status.withLock { status in
            if reap(&status) == nil { kill(id, number) }
        }
    }

    /// Ends it if it has not ended.
    package func end() {
        signal(SIGKILL)
        _ = waitForExit()
    }

    private func reap(_ status: inout Int32?) -> Int32? {
        if let status { return status }
        var word: Int32 = 0
        guard waitpid(id, &word, WNOHANG) == id else { return nil }
        // What the macros of wait(2) do, which Swift does not see.
        status = word & 0x7F == 0 ? word >> 8 & 0xFF : word & 0x7F
        return status
    }
}

/// Both ends of a pipe.
package struct ChildPipe: Sendable {
    package let reading: Int32
    package let writing: Int32

    package init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw ChildProcess.Trouble(description: "no pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reading, writing) = (ends[0], ends[1])
    }

    /// What is there, waiting for it if there is nothing; empty at the end.
    package func read() -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(reading, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            return Array(chunk.prefix(max(0, count)))
        }
    }

    /// Everything until the end.
    package func readAll() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let piece = read()
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }

    /// Writes all of it, or what the other end takes before it goes away.
    package func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(writing, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    package func closeWriting() { close(writing) }

    package func closeReading() { close(reading) }
}
