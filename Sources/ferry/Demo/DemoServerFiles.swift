import Glibc

/// What a server of the demo is started with.
protocol DemoServerFiles: Sendable {
    static var peer: DemoPeer { get }
    /// For messages.
    static var product: String { get }
    /// Whether it runs as somebody else where the demo is started by root.
    static var hasOwnAccount: Bool { get }

    var port: Int { get }
    /// Where the data lie.
    var home: String { get }

    /// Puts the server's own files into a folder, which also gets its log.
    func write(to place: String) throws(SystemFailure)
    /// Of the command that runs it in the foreground.
    func arguments(at place: String) -> [String]
}

extension DemoPeer {
    var files: any DemoServerFiles.Type {
        switch self {
        case .dovecot: DemoDovecotFiles.self
        case .radicale: DemoRadicaleFiles.self
        case .apache: DemoApacheFiles.self
        }
    }
}

/// Whom servers run as, where the demo is started by root and they would rather not.
private let unprivileged = (user: "nobody", group: "nogroup")

extension DemoServerFiles {
    fileprivate var isGivenAway: Bool { geteuid() == 0 && Self.hasOwnAccount }

    /// A shell script that runs a server until its standard input ends: PLACE HOME COMMAND….
    ///
    /// Both folders are given to the account that the server runs as. PLACE is removed when the server was told to stop;
    /// one that ended by itself has left its reasons there.
    var guardian: String {
        """
        place=$1 home=$2
        shift 2
        : >"$place/log"
        \(isGivenAway ? "chown -R \(unprivileged.user):\(unprivileged.group) \"$place\" \"$home\" || exit 1" : "")
        exec 3<&0
        \(isGivenAway ? "setpriv --reuid=\(unprivileged.user) --regid=\(unprivileged.group) --clear-groups -- " : "")\
        env HOME="$place" "$@" </dev/null 3<&- >>"$place/log" 2>&1 &
        server=$!
        { cat <&3 >/dev/null; kill -TERM $$; } &
        watch=$!
        trap 'stopped=yes; kill -TERM $server' TERM
        wait $server
        wait $server
        [ -z "$stopped" ] || rm -rf "$place"
        kill $watch
        """
    }
}

struct DemoDovecotFiles: DemoServerFiles {
    static let peer = DemoPeer.dovecot
    static let product = "Dovecot"
    static let hasOwnAccount = true

    var port: Int
    /// One folder per login.
    var home: String
    var master: String
    var password: String
    var logins: [String]

    func arguments(at place: String) -> [String] { ["-F", "-c", "\(place)/dovecot.conf"] }

    func write(to place: String) throws(SystemFailure) {
        try LocalFile.makeFolder("\(place)/run")
        try LocalFile.makeFolder("\(place)/state")
        try LocalFile.write(Array(configuration(place).utf8), to: "\(place)/dovecot.conf", mode: 0o600)
        let users = logins.map { "\($0):{PLAIN}\(password)::::\(home)/\($0)::\n" }.joined()
        try LocalFile.write(Array(users.utf8), to: "\(place)/users", mode: 0o600)
        try LocalFile.write(Array("\(master):{PLAIN}\(password)::::::\n".utf8), to: "\(place)/masters", mode: 0o600)
    }

    private func configuration(_ place: String) -> String {
        let (user, group) = isGivenAway ? unprivileged : (Self.name(ofUser: geteuid()), Self.name(ofGroup: getegid()))
        let special = ["Archive", "Drafts", "Junk", "Sent", "Trash"].map {
            "  mailbox \($0) {\n    special_use = \\\($0)\n  }"
        }
        return """
            base_dir = \(place)/run
            state_dir = \(place)/state
            instance_name = ferry-demo-\(port)
            default_internal_user = \(user)
            default_internal_group = \(group)
            default_login_user = \(user)
            mail_uid = \(user)
            mail_gid = \(group)
            first_valid_uid = 1
            first_valid_gid = 1
            listen = 127.0.0.1
            protocols = imap
            ssl = no
            disable_plaintext_auth = no
            auth_username_format = %u
            auth_master_user_separator = *
            log_path = \(place)/log
            mail_location = maildir:~/
            # An answer that is OK must mean that the message is on disk.
            mail_fsync = optimized
            passdb {
              driver = passwd-file
              args = username_format=%u \(place)/masters
              master = yes
              result_success = continue
            }
            passdb {
              driver = passwd-file
              args = username_format=%u \(place)/users
            }
            userdb {
              driver = passwd-file
              args = username_format=%u \(place)/users
            }
            namespace inbox {
              inbox = yes
              separator = /
            \(special.joined(separator: "\n"))
            }
            service imap-login {
              chroot =
              service_count = 0
              client_limit = 1000
              inet_listener imap {
                port = \(port)
              }
              inet_listener imaps {
                port = 0
              }
            }
            service imap {
              process_limit = 512
            }
            service anvil {
              chroot =
            }
            service stats {
              chroot =
            }
            protocol imap {
              mail_max_userip_connections = 50
            }

            """
    }

    private static func name(ofUser number: uid_t) -> String {
        getpwuid(number).map { String(cString: $0.pointee.pw_name) } ?? "\(number)"
    }

    private static func name(ofGroup number: gid_t) -> String {
        getgrgid(number).map { String(cString: $0.pointee.gr_name) } ?? "\(number)"
    }
}

struct DemoRadicaleFiles: DemoServerFiles {
    static let peer = DemoPeer.radicale
    static let product = "Radicale"
    // Its program may be where only its owner can read, and it has nothing against root.
    static let hasOwnAccount = false

    var port: Int
    var home: String
    /// Who reaches everybody's collections, as the only one.
    var master: String
    var password: String

    func arguments(at place: String) -> [String] { ["--config", "\(place)/config"] }

    func write(to place: String) throws(SystemFailure) {
        let rights = "[master]\nuser: \(master)\ncollection: .*\npermissions: RrWw\n"
        let configuration = """
            [server]
            hosts = 127.0.0.1:\(port)
            max_connections = 64
            max_content_length = 100000000
            [auth]
            type = htpasswd
            htpasswd_filename = \(place)/passwords
            htpasswd_encryption = plain
            delay = 0
            [rights]
            type = from_file
            file = \(place)/rights
            [storage]
            filesystem_folder = \(home)
            [logging]
            level = warning

            """
        try LocalFile.write(Array("\(master):\(password)\n".utf8), to: "\(place)/passwords", mode: 0o600)
        try LocalFile.write(Array(rights.utf8), to: "\(place)/rights")
        try LocalFile.write(Array(configuration.utf8), to: "\(place)/config")
    }
}

struct DemoApacheFiles: DemoServerFiles {
    static let peer = DemoPeer.apache
    static let product = "Apache"
    static let hasOwnAccount = true
    /// Where Debian has them.
    static let modules = "/usr/lib/apache2/modules"

    var port: Int
    /// One folder per login.
    var home: String
    /// A bearer token, because Apache takes passwords as hashes only.
    var token: String

    func arguments(at place: String) -> [String] { ["-d", place, "-f", "\(place)/httpd.conf", "-DFOREGROUND"] }

    func write(to place: String) throws(SystemFailure) {
        let modules = ["mpm_event", "authz_core", "dav", "dav_fs"].map {
            "LoadModule \($0)_module \(Self.modules)/mod_\($0).so\n"
        }
        let configuration = """
            ServerRoot "\(place)"
            ServerName localhost
            Listen 127.0.0.1:\(port)
            PidFile \(place)/httpd.pid
            DefaultRuntimeDir \(place)
            Mutex file:\(place)
            ErrorLog \(place)/log
            LogLevel warn
            \(modules.joined())DAVLockDB \(place)/locks
            LimitXMLRequestBody 0
            LimitRequestBody 0
            MaxKeepAliveRequests 0
            DocumentRoot "\(home)"
            <Directory "\(home)">
              Dav On
              Options None
              AllowOverride None
              Require expr "%{HTTP:Authorization} == 'Bearer \(token)'"
            </Directory>

            """
        try LocalFile.write(Array(configuration.utf8), to: "\(place)/httpd.conf", mode: 0o600)
    }
}
