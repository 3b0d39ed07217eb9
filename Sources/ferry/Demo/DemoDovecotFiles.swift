import Glibc

/// What a Dovecot of the demo is started with.
struct DemoDovecotFiles: Sendable {
    var port: Int
    /// Where mailboxes lie, one folder per login.
    var home: String
    var master: String
    var password: String
    var logins: [String]

    private static let account = (user: "nobody", group: "nogroup")
    private static var isRoot: Bool { geteuid() == 0 }

    /// A shell script that runs a server until its standard input ends: PLACE HOME COMMAND….
    ///
    /// Both folders are given to the account that the server runs as. PLACE is removed when the server was told to stop;
    /// one that ended by itself has left its reasons there.
    static var guardian: String {
        """
        place=$1 home=$2
        shift 2
        \(isRoot ? "chown -R \(account.user):\(account.group) \"$place\" \"$home\" || exit 1" : "")
        exec 3<&0
        \(isRoot ? "setpriv --reuid=\(account.user) --regid=\(account.group) --clear-groups -- " : "")"$@" </dev/null 3<&- &
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

    func write(to place: String) throws(SystemFailure) {
        try LocalFile.makeFolder("\(place)/run")
        try LocalFile.makeFolder("\(place)/state")
        try LocalFile.write(Array(configuration(place).utf8), to: "\(place)/dovecot.conf", mode: 0o600)
        let users = logins.map { "\($0):{PLAIN}\(password)::::\(home)/\($0)::\n" }.joined()
        try LocalFile.write(Array(users.utf8), to: "\(place)/users", mode: 0o600)
        try LocalFile.write(Array("\(master):{PLAIN}\(password)::::::\n".utf8), to: "\(place)/masters", mode: 0o600)
    }

    private func configuration(_ place: String) -> String {
        let (user, group) = Self.isRoot ? Self.account : (Self.name(ofUser: geteuid()), Self.name(ofGroup: getegid()))
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
            log_path = \(place)/dovecot.log
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
