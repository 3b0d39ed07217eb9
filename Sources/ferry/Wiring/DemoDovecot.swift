import FerryConnector
import FerryCore
import FerryIMAP
import FoundationEssentials
import Glibc
import NIOPosix

/// A Dovecot of the demo's own: one tenant's mail, on loopback, for as long as the demo runs.
///
/// It serves the folders that the demo made as they lie there (Maildir++). Where the demo is started by root it runs as
/// `nobody`, to whom the mail then belongs, because Dovecot refuses to touch mail as root. A shell stands beside it that
/// waits for the end of a pipe of ours, so that it ends with the demo even when that is killed.
struct DemoDovecot: Sendable {
    /// For messages.
    private let tenant: String
    private let port: Int
    /// Configuration, sockets and log; gone with the server.
    private let place: String
    private let shell: pid_t
    /// Our end of the pipe.
    private let lifeline: Int32

    private static let patience: Duration = .seconds(20)

    // MARK: before anything is made

    /// Says what is missing, if anything is.
    static func require() throws(Complaint) -> String {
        let program = ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/usr/bin/dovecot", "/usr/local/bin/dovecot"]
            .first(where: isExecutable)
        let hasIMAP = ["/usr/lib/dovecot/imap", "/usr/local/lib/dovecot/imap", "/usr/libexec/dovecot/imap"]
            .contains(where: isExecutable)
        guard let program, hasIMAP else {
            throw Complaint(
                "The demo over IMAP runs between two Dovecots, and there is none on this machine. Install it: apt-get"
                    + " install dovecot-imapd. Or leave --mail imap out.", status: .refused)
        }
        return program
    }

    private static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// As root mail belongs to `nobody`, who has to get there.
    static func requireAccess(to folder: String) throws(Complaint) {
        guard geteuid() == 0 else { return }
        var path = LocalFile.absolute(folder)
        while let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            path = String(path[..<slash])
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            guard let mode = attributes?[.posixPermissions] as? Int else { continue }
            guard mode & 0o001 != 0 else {
                throw Complaint(
                    "Dovecot does not run as root but as nobody, who cannot enter \(path). Name another folder, such as"
                        + " --directory /var/tmp/ferry-demo.", status: .refused)
            }
        }
    }

    /// Two ports that are free now.
    static func freePorts() throws(SystemFailure) -> (Int, Int) {
        let first = try bound()
        defer { close(first.descriptor) }
        let second = try bound()
        close(second.descriptor)
        return (first.port, second.port)
    }

    private static func bound() throws(SystemFailure) -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFailure() }
        var address = loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else {
            let failure = SystemFailure()
            close(descriptor)
            throw failure
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    // MARK: life

    /// Starts one for each tenant whose mail the configuration has on IMAP, on the port that it names, with its master
    /// user; none where all mail is in folders. `root` is the demo's folder.
    static func startAll(
        for configuration: Configuration, in root: String
    ) async throws(Complaint) -> [DemoDovecot] {
        var started: [DemoDovecot] = []
        do throws(Complaint) {
            for (tenant, folder) in zip(configuration.tenants, ["contoso", "fabrikam"]) {
                guard case .imap(let location)? = tenant.services[.mail],
                    case .master(let user, _, let password) = location.entrance
                else { continue }
                let program = try require()
                let home = "\(LocalFile.absolute(root))/\(folder)/mail"
                try requireAccess(to: home)
                let files = DemoDovecotFiles(
                    port: location.endpoint.port, home: home, master: user, password: password.value,
                    logins: tenant.people.map { $0.logins[.mail] ?? $0.mail })
                started.append(try start(program, files, of: tenant.name))
            }
            for server in started { try await server.waitUntilReady() }
            return started
        } catch {
            for server in started { await server.stop() }
            throw error
        }
    }

    private static func start(
        _ program: String, _ files: DemoDovecotFiles, of tenant: String
    ) throws(Complaint) -> DemoDovecot {
        do throws(SystemFailure) {
            // Short, because the names of sockets below it have at most 107 bytes.
            var template = Array("/tmp/ferry-demo-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw SystemFailure(about: "/tmp") }
            let place = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try files.write(to: place)
            // In a session of its own: Ctrl-C is for us, and we end it in our own time.
            let (shell, lifeline) = try spawn([
                "setsid", "/bin/sh", "-c", DemoDovecotFiles.guardian, "sh", place, files.home, program, "-F", "-c",
                "\(place)/dovecot.conf",
            ])
            return DemoDovecot(tenant: tenant, port: files.port, place: place, shell: shell, lifeline: lifeline)
        } catch {
            throw Complaint("\(tenant)'s Dovecot cannot be started: \(error)")
        }
    }

    /// Runs a command whose standard input is a pipe; gives its number and the other end.
    private static func spawn(_ command: [String]) throws(SystemFailure) -> (pid_t, Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemFailure() }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var number: pid_t = 0
        let failure = posix_spawnp(&number, command[0], &actions, &attributes, &arguments, environ)
        close(ends[0])
        guard failure == 0 else {
            close(ends[1])
            throw SystemFailure(failure, about: command[0])
        }
        return (number, ends[1])
    }

    private func waitUntilReady() async throws(Complaint) {
        let clock = ContinuousClock()
        let deadline = clock.now + Self.patience
        while clock.now < deadline {
            if isListening() { return }
            var status: Int32 = 0
            guard waitpid(shell, &status, WNOHANG) == 0 else { break }
            try? await clock.sleep(for: .milliseconds(50))
        }
        let log = (try? LocalFile.contents(of: "\(place)/dovecot.log")).map { String(decoding: $0, as: UTF8.self) }
        let words = (log ?? "").split(separator: "\n").suffix(3).joined(separator: "; ")
        throw Complaint(
            "\(tenant)'s Dovecot did not come up on port \(port). It said: \(words.isEmpty ? "nothing" : words)")
    }

    private func isListening() -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = Self.loopback(port: port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    /// Ends it and waits until it has.
    func stop() async {
        close(lifeline)
        let (shell, place) = (shell, place)
        _ = try? await NIOThreadPool.singleton.runIfActive {
            var status: Int32 = 0
            while waitpid(shell, &status, 0) == -1, errno == EINTR {}
            // The shell has done so unless the server ended before it was told to.
            try? FileManager.default.removeItem(atPath: place)
        }
    }
}
