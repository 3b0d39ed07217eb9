import FerryConnector
import FerryCore
import FerryHTTP
import FerryIMAP
import FoundationEssentials
import Glibc
import NIOPosix

/// A server of the demo's own: some of one tenant's data, on loopback, for as long as the demo runs.
///
/// It serves the folders that the demo made as they lie there. Where the demo is started by root, Dovecot and Apache run as
/// `nobody`, to whom the data then belong, because they refuse to work as root. A shell stands beside each server that
/// waits for the end of a pipe of ours, so that it ends with the demo even when that is killed.
struct DemoServer: Sendable {
    /// For messages.
    private let name: String
    private let port: Int
    /// Configuration, sockets and log; gone with the server.
    private let place: String
    private let shell: pid_t
    /// Our end of the pipe.
    private let lifeline: Int32

    private static let patience: Duration = .seconds(20)

    // MARK: before anything is made

    /// Says what is missing, if anything is, for a server of the data in a folder.
    static func require(_ peer: DemoPeer, for folder: String) throws(Complaint) {
        _ = try program(of: peer)
        if peer.files.hasOwnAccount { try requireAccess(to: folder, peer) }
    }

    /// The command that runs it, without its arguments.
    static func program(of peer: DemoPeer) throws(Complaint) -> [String] {
        switch peer {
        case .dovecot:
            let program = [
                "/usr/sbin/dovecot", "/usr/local/sbin/dovecot", "/usr/bin/dovecot", "/usr/local/bin/dovecot",
            ]
            .first(where: isExecutable)
            let hasIMAP = ["/usr/lib/dovecot/imap", "/usr/local/lib/dovecot/imap", "/usr/libexec/dovecot/imap"]
                .contains(where: isExecutable)
            guard let program, hasIMAP else {
                throw lacking("over IMAP", "Dovecots", "dovecot-imapd", "--mail imap")
            }
            return [program]
        case .radicale:
            let environment = ProcessInfo.processInfo.environment
            if let python = environment["FERRY_RADICALE"], !python.isEmpty { return [python, "-m", "radicale"] }
            let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin").split(separator: ":")
            guard let program = folders.map({ "\($0)/radicale" }).first(where: isExecutable) else {
                throw lacking("of calendars", "Radicales", "radicale", "--calendar radicale")
            }
            return [program]
        case .apache:
            let program = "/usr/sbin/apache2"
            guard isExecutable(program), LocalFile.exists("\(DemoApacheFiles.modules)/mod_dav.so") else {
                throw lacking("over WebDAV", "Apaches", "apache2-bin", "--files webdav")
            }
            return [program]
        }
    }

    private static func lacking(_ kind: String, _ servers: String, _ package: String, _ option: String) -> Complaint {
        Complaint(
            "The demo \(kind) runs between two \(servers), and there is none on this machine. Install it: apt-get"
                + " install \(package). Or leave \(option) out.", status: .refused)
    }

    private static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    /// As root the data belong to `nobody`, who has to get there.
    private static func requireAccess(to folder: String, _ peer: DemoPeer) throws(Complaint) {
        guard geteuid() == 0 else { return }
        var path = LocalFile.absolute(folder)
        while let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            path = String(path[..<slash])
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            guard let mode = attributes?[.posixPermissions] as? Int else { continue }
            guard mode & 0o001 != 0 else {
                throw Complaint(
                    "\(peer.files.product) does not run as root but as nobody, who cannot enter \(path). Name another folder, such as"
                        + " --directory /var/tmp/ferry-demo.", status: .refused)
            }
        }
    }

    /// So many ports that are free now.
    static func freePorts(_ count: Int) throws(SystemFailure) -> [Int] {
        var found: [(descriptor: Int32, port: Int)] = []
        defer { for one in found { close(one.descriptor) } }
        // All are held until the last is found, or one would be given out twice.
        for _ in 0..<count { found.append(try bound()) }
        return found.map(\.port)
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

    /// Starts one for each service that the configuration has on a server, on the port that it names; none where all data
    /// are in folders. `root` is the demo's folder.
    static func startAll(
        for configuration: Configuration, in root: String
    ) async throws(Complaint) -> [DemoServer] {
        var started: [DemoServer] = []
        do throws(Complaint) {
            for (tenant, folder) in zip(configuration.tenants, ["contoso", "fabrikam"]) {
                let home = "\(LocalFile.absolute(root))/\(folder)"
                for files in try await plans(of: tenant, home: home) {
                    if type(of: files).hasOwnAccount { try requireAccess(to: files.home, type(of: files).peer) }
                    started.append(try start(files, of: tenant.name))
                }
            }
            for server in started { try await server.waitUntilReady() }
            return started
        } catch {
            for server in started { await server.stop() }
            throw error
        }
    }

    private static func plans(
        of tenant: TenantConfiguration, home: String
    ) async throws(Complaint) -> [any DemoServerFiles] {
        var plans: [any DemoServerFiles] = []
        if case .imap(let location)? = tenant.services[.mail],
            case .master(let user, _, let password) = location.entrance
        {
            plans.append(
                DemoDovecotFiles(
                    port: location.endpoint.port, home: "\(home)/mail", master: user, password: password.value,
                    logins: tenant.people.map { $0.logins[.mail] ?? $0.mail }))
        }
        if case .caldav(let location)? = tenant.services[.calendar], case .password(let password) = location.entrance {
            plans.append(
                DemoRadicaleFiles(
                    port: location.endpoint.port, home: "\(home)/\(DemoPlaces.collections)",
                    master: DemoPlaces.masterUser, password: password.value))
        }
        if case .webdav(let location)? = tenant.services[.files], case .token(let source) = location.entrance {
            let token: Secret
            do throws(StoredToken.Trouble) { token = try await StoredToken(source: source).token(rejected: nil) } catch
            {
                throw Complaint("\(tenant.name)'s Apache cannot be started: \(error.message)")
            }
            plans.append(DemoApacheFiles(port: location.endpoint.port, home: "\(home)/files", token: token.value))
        }
        return plans
    }

    private static func start(_ files: any DemoServerFiles, of tenant: String) throws(Complaint) -> DemoServer {
        let name = "\(tenant)'s \(type(of: files).product)"
        let program = try program(of: type(of: files).peer)
        do throws(SystemFailure) {
            // Short, because the names of sockets below it have at most 107 bytes.
            var template = Array("/tmp/ferry-demo-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw SystemFailure(about: "/tmp") }
            let place = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            try files.write(to: place)
            // In a session of its own: Ctrl-C is for us, and we end it in our own time.
            let (shell, lifeline) = try spawn(
                ["setsid", "/bin/sh", "-c", files.guardian, "sh", place, files.home] + program
                    + files.arguments(at: place))
            return DemoServer(name: name, port: files.port, place: place, shell: shell, lifeline: lifeline)
        } catch {
            throw Complaint("\(name) cannot be started: \(error)")
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
        let log = (try? LocalFile.contents(of: "\(place)/log")).map { String(decoding: $0, as: UTF8.self) }
        let words = (log ?? "").split(separator: "\n").suffix(3).joined(separator: "; ")
        throw Complaint(
            "\(name) did not come up on port \(port). It said: \(words.isEmpty ? "nothing" : words)")
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
