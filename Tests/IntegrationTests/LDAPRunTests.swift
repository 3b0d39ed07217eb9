import FerryCore
import FerryTestKit
import Foundation
import Glibc
import Logging
import Testing

@testable import ferry

/// Tenants whose people come from a directory: slapd, started by the tests.
@Suite(.timeLimit(.minutes(4))) struct LDAPRunTests {
    private static let group = "cn=leaving,ou=groups,\(DirectoryServer.suffix)"

    /// Ada and Björn as `ferry init` knows them, and Eve, who stays; the group has Ada in a group of its own.
    private static func furnished() async throws -> DirectoryServer {
        let server: DirectoryServer
        do { server = try await .start() } catch let missing as ServerProcess.Missing {
            try Test.cancel("SKIPPED, no slapd here: \(missing)")
        }
        try server.add(
            ("ada.okafor", ["mail: ada.okafor@contoso.example", "mailAlternateAddress: ceo@contoso.example"]),
            ("bjorn.lindqvist", ["mail: bjorn.lindqvist@contoso.example"]), ("eve", ["mail: eve@contoso.example"]))
        try server.load(
            """
            dn: \(group)
            objectClass: groupOfNames
            cn: leaving
            member: cn=managers,ou=groups,\(DirectoryServer.suffix)

            dn: cn=managers,ou=groups,\(DirectoryServer.suffix)
            objectClass: groupOfNames
            cn: managers
            member: uid=ada.okafor,\(DirectoryServer.people)
            member: \(group)

            """)
        return server
    }

    /// What `ferry init` wrote, with the directory in place of the source's file, and its group as the scope.
    private static func configure(_ site: Program.Site, _ server: DirectoryServer, password: String) throws {
        try LocalFile.write(Array("\(password)\n".utf8), to: site.path("ldap.secret"))
        let text = try String(contentsOfFile: site.configuration, encoding: .utf8)
            .replacingOccurrences(
                of: "    people: contoso.csv\n",
                with: """
                        directory:
                          ldap:
                            url: ldap://127.0.0.1:\(server.port)
                            tls: starttls
                            ca: \(server.path("ca.pem"))
                            bind: { dn: "\(DirectoryServer.reader)", password: { file: ldap.secret } }
                            base: "\(DirectoryServer.people)"
                            refresh: 1h
                            attributes: { login: uid }

                    """
            )
            .replacingOccurrences(of: "identityMap: map.csv", with: "scope: { ldap: \"\(group)\" }")
        try text.write(toFile: site.configuration, atomically: true, encoding: .utf8)
    }

    @Test func `a whole job: people, scope and logins from the directory, mail at the target`() async throws {
        let directory = try await Self.furnished()
        defer { directory.stop() }
        try await Program.use { site in
            try Self.configure(site, directory, password: DirectoryServer.readerPassword)
            let check = try Program(["check", "--config", site.configuration])
            #expect(check.waitForExit() == 0, "\(check.text())")
            #expect(check.text().contains("ldap://127.0.0.1:\(directory.port)"), "\(check.text())")
            let token = try site.token()
            let server = try Program(["serve", "--config", site.configuration])
            defer { server.end() }
            let address = "http://127.0.0.1:\(try server.port())"
            func ferry(_ verb: String...) throws -> (status: Int32, text: String) {
                let program = try Program(["job"] + verb + ["--server", address, "--token", token])
                return (program.waitForExit(), program.text())
            }
            let ids = InitFiles.targetIDs
            let create = try ferry(
                "create", "--name", "wave-1", "--source", "11111111-1111-1111-1111-111111111111", "--endpoint",
                "EXOHandler", "--delivery-domain", "fabrikam.example", "--date", "+1d", "--user", ids[0], "--user",
                ids[1])
            #expect(create.status == 0, "\(create.text)")
            let refused = try ferry("validate", "wave-1", "--wait")
            #expect(refused.status != 0 && refused.text.contains("MIGR-002"), "\(refused.text)")

            // Björn joins the group; SIGHUP has the directory asked again.
            try directory.load(
                """
                dn: \(Self.group)
                changetype: modify
                add: member
                member: uid=bjorn.lindqvist,\(DirectoryServer.people)

                """)
            server.signal(SIGHUP)
            try server.wait(for: "A directory has changed")
            let valid = try ferry("validate", "wave-1", "--wait")
            #expect(valid.status == 0, "\(valid.text)")
            let started = try ferry("migrate", "wave-1")
            #expect(started.status == 0, "\(started.text)")
            _ = try ferry("reschedule", "wave-1", "--date", "2026-01-01")
            let end = try ferry("watch", "wave-1")
            #expect(end.status == 0, "\(end.text)")
            for login in ["ada.okafor", "bjorn.lindqvist"] {
                let mail = try LocalFile.names(in: site.path("fabrikam/mail/\(login)/cur")) ?? []
                #expect(mail.count == 1, "\(login): \(mail)")
            }

            // It goes down and comes back: the list stays, the log and /readyz tell, requests go on.
            try directory.switchOff()
            server.signal(SIGHUP)
            try server.wait(for: "A directory cannot be read, what it said last stays in use")
            func ready() throws -> String {
                let connection = try RawConnection(port: try server.port())
                defer { connection.close() }
                connection.send("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return connection.read()
            }
            let told = try ready()
            #expect(told.hasPrefix("HTTP/1.1 200 ") && told.contains("directory Contoso: ldap://"), "\(told)")
            #expect(try ferry("show", "wave-1").status == 0)
            let again = try directory.switchOn()
            defer { again.end() }
            server.signal(SIGHUP)
            try server.wait(for: "A directory answers again")
            let quiet = try ready()
            #expect(!quiet.contains("directory"), "\(quiet)")
            #expect(!server.text().contains(DirectoryServer.readerPassword))
            server.signal(SIGTERM)
            #expect(server.waitForExit() == 0)
        }
    }

    @Test func `a server does not start without its directory, and says what, where and how to mend it`() async throws {
        let directory = try await Self.furnished()
        defer { directory.stop() }
        try await Program.use { site in
            try Self.configure(site, directory, password: "hunter2")
            let wrong = try Program(["serve", "--config", site.configuration])
            #expect(wrong.waitForExit() == ExitReason.configuration.rawValue)
            #expect(wrong.text().contains("The directory of Contoso: ldap://127.0.0.1:\(directory.port): binding as"))
            #expect(wrong.text().contains("bind.password") && !wrong.text().contains("hunter2"), "\(wrong.text())")
            try directory.switchOff()
            let down = try Program(["serve", "--config", site.configuration])
            #expect(down.waitForExit() == ExitReason.unreachable.rawValue, "\(down.text())")
            #expect(down.text().contains("Start the directory"), "\(down.text())")
            let check = try Program(["check", "--config", site.configuration])
            #expect(check.waitForExit() == ExitReason.failed.rawValue)
            #expect(check.text().contains("Start the directory"), "\(check.text())")
        }
    }

    @Test func `a directory is asked at its interval, and a list that lost most of its people is not believed`()
        async throws
    {
        let server: DirectoryServer
        do { server = try await .start(people: 5) } catch let missing as ServerProcess.Missing {
            try Test.cancel("SKIPPED, no slapd here: \(missing)")
        }
        defer { server.stop() }
        let folder = FileManager.default.temporaryDirectory.path + "/ferry-ldap-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try LocalFile.makeFolder(folder)
        try LocalFile.write(Array(DirectoryServer.readerPassword.utf8), to: "\(folder)/secret")
        try LocalFile.write(
            Array("userPrincipalName\np0001@contoso.example\nlate@contoso.example\n".utf8), to: "\(folder)/leaving.csv")
        try LocalFile.write(
            Array(
                "id,userPrincipalName,displayName\nbbbbbbbb-0000-4000-8000-000000000001,late@fabrikam.example,L\n".utf8),
            to: "\(folder)/fabrikam.csv")
        let yaml = """
            tenants:
              - id: 11111111-1111-1111-1111-111111111111
                name: Contoso
                domains: [contoso.example]
                directory:
                  ldap:
                    url: ldap://127.0.0.1:\(server.port)
                    bind: { dn: "\(DirectoryServer.reader)", password: { file: secret } }
                    base: "\(DirectoryServer.people)"
                    refresh: 10m
                services: { mail: { folder: c } }
              - id: 22222222-2222-2222-2222-222222222222
                name: Fabrikam
                domains: [fabrikam.example]
                people: fabrikam.csv
                services: { mail: { folder: f } }
            trust:
              - source: 11111111-1111-1111-1111-111111111111
                target: 22222222-2222-2222-2222-222222222222
                endpoint: E
                scope: leaving.csv

            """
        try LocalFile.write(Array(yaml.utf8), to: "\(folder)/ferry.yaml")
        let configuration = try ConfigurationFile.load("\(folder)/ferry.yaml")
        let (source, target) = (configuration.tenants[0].id, configuration.tenants[1].id)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let directory = try await LiveDirectory.openAll(configuration, logger: logger)
        #expect(directory.people(in: source).count == 5 && directory.generation == 0)
        // The file names somebody whom nobody knows yet.
        #expect(directory.problems.map(\.place.line) == [3])
        #expect(directory.trust(from: source, to: target)?.scope?.count == 1)

        let clock = VirtualClock()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await DirectoryWatch(directory: directory, hints: AsyncStream { _ in }, clock: clock).run()
            }
            /// The next look, from its beginning to its end.
            func look() async throws {
                try await clock.whenSomebodySleeps()
                clock.jump()
                try await clock.whenSomebodySleeps()
            }
            try await look()
            #expect(directory.generation == 0)
            try server.add(("late", ["mail: late@contoso.example"]))
            try await look()
            #expect(directory.people(in: source).count == 6 && directory.generation == 1)
            #expect(directory.problems.isEmpty)
            #expect(directory.trust(from: source, to: target)?.scope?.count == 2)
            #expect(directory.identityMap(from: source, to: target).targets.count == 1)
            for number in 1...4 {
                try server.load("dn: uid=p000\(number),\(DirectoryServer.people)\nchangetype: delete\n")
            }
            try await look()
            #expect(directory.people(in: source).count == 6)
            #expect(
                directory.outages.count == 1 && directory.outages[0].contains("It names 2 people and named 6 before"))
            try server.load("dn: uid=p0005,\(DirectoryServer.people)\nchangetype: modify\nreplace: cn\ncn: Five\n")
            try server.add(("p0001", ["mail: p0001@contoso.example"]), ("p0002", ["mail: p0002@contoso.example"]))
            try await look()
            #expect(directory.people(in: source).count == 4 && directory.outages.isEmpty)
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}
