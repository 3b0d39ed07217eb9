import Foundation

/// OpenLDAP with a directory of its own (`Tests/servers/slapd.sh`), which tests fill and switch off and on.
package final class DirectoryServer: Sendable {
    package static let suffix = "dc=contoso,dc=example"
    package static let reader = "cn=ferry,\(suffix)"
    package static let readerPassword = "ferrypw"
    package static let people = "ou=people,\(suffix)"

    private let process: ServerProcess

    package var port: Int { process.port }
    /// For `ldaps://`.
    package var securePort: Int { process.sparePort }
    package func path(_ name: String) -> String { "\(process.directory)/\(name)" }

    /// - Parameters:
    ///   - people: entries `uid=p0001` and so on with addresses.
    ///   - name: the host that the certificate is for, instead of 127.0.0.1.
    package static func start(people: Int = 0, name: String? = nil) async throws -> DirectoryServer {
        DirectoryServer(
            try await ServerProcess.start("slapd") { spare in
                ["\(spare)", "--people", "\(people)"] + (name.map { ["--name", $0] } ?? [])
            })
    }

    private init(_ process: ServerProcess) { self.process = process }

    /// Changes entries, as LDIF (RFC 2849) says.
    package func load(_ changes: String) throws {
        let input = try ChildPipe()
        let tool = try ChildProcess(
            [
                "ldapmodify", "-x", "-a", "-H", "ldap://127.0.0.1:\(port)", "-D", "cn=admin,\(Self.suffix)", "-y",
                path("admin.secret"),
            ], input: input.reading)
        input.closeReading()
        input.write(Array(changes.utf8))
        input.closeWriting()
        let status = tool.waitForExit()
        guard status == 0 else { throw ServerProcess.Failure(description: "ldapmodify ended with \(status)") }
    }

    /// Adds people by name, with what else their entries are to say.
    package func add(_ entries: (uid: String, lines: [String])...) throws {
        try load(
            entries.map { uid, lines in
                """
                dn: uid=\(uid),\(Self.people)
                objectClass: inetOrgPerson
                objectClass: suitePerson
                uid: \(uid)
                sn: \(uid)
                \((lines.contains { $0.hasPrefix("cn:") } ? lines : ["cn: \(uid)"] + lines).joined(separator: "\n"))

                """
            }.joined(separator: "\n"))
    }

    /// Ends the server; returns when nobody listens any more.
    package func switchOff() throws {
        let text = try String(contentsOfFile: path("slapd.pid"), encoding: .utf8)
        guard let id = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw ServerProcess.Failure(description: "slapd left no number")
        }
        kill(id, SIGTERM)
        while (try? RawConnection(port: port))?.close() != nil { usleep(2_000) }
    }

    /// Starts it again at the same port. It ends with the value that is returned.
    package func switchOn() throws -> ChildProcess {
        let account = getuid() == 0 ? ["-u", "nobody", "-g", "nogroup"] : []
        let server = try ChildProcess(
            [path("slapd"), "-d", "0", "-f", path("slapd.conf"), "-h", "ldap://127.0.0.1:\(port)"] + account)
        while server.isRunning {
            if let connection = try? RawConnection(port: port) {
                connection.close()
                return server
            }
            usleep(2_000)
        }
        throw ServerProcess.Failure(description: "slapd did not start again")
    }

    package func stop() { process.stop() }
}
