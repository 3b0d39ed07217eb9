import FerryConnector
import FerryCore
import FerryTestKit
import Testing

@testable import FerryLDAP

/// Real directories: slapd, started by the tests.
@Suite(.timeLimit(.minutes(2))) struct DirectoryTests {
    private func withServer(
        people: Int = 0, name: String? = nil, _ body: (DirectoryServer) async throws -> Void
    ) async throws {
        let server: DirectoryServer
        do { server = try await .start(people: people, name: name) } catch let missing as ServerProcess.Missing {
            try Test.cancel("SKIPPED, no slapd here: \(missing)")
        }
        defer { server.stop() }
        try await body(server)
    }

    private func settings(
        _ server: DirectoryServer, _ security: LDAPSettings.Security = .none, password: String? = nil
    ) -> LDAPSettings {
        var settings = LDAPSettings(
            host: "127.0.0.1", port: security == .implicit ? server.securePort : server.port, security: security,
            authorities: server.path("ca.pem"),
            bind: .init(
                name: DirectoryServer.reader, password: Secret(password ?? DirectoryServer.readerPassword)),
            base: DirectoryServer.people)
        settings.timeout = .seconds(10)
        return settings
    }

    private func failure(_ settings: LDAPSettings, groups: Set<String> = []) async -> LDAPFailure? {
        do throws(LDAPFailure) {
            _ = try await LDAPDirectory(settings).roster(groups: groups)
            return nil
        } catch {
            return error
        }
    }

    @Test func `people come with addresses, aliases, logins and stable ids`() async throws {
        try await withServer { server in
            try server.add(
                (
                    "ada",
                    [
                        "cn: Ada", "displayName: Ada Okafor", "userPrincipalName: ada.okafor@contoso.example",
                        "mail: ada@contoso.example", "mailAlternateAddress: ceo@contoso.example",
                        "proxyAddresses: SMTP:ada@contoso.example", "proxyAddresses: smtp:a.o@contoso.example",
                        "proxyAddresses: x500:/o=contoso", "employeeNumber: 4711",
                        // 33221100-5544-7766-8899-AABBCCDDEEFF as Active Directory stores it
                        "objectGUID:: ABEiM0RVZneImaq7zN3u/w==",
                    ]
                ), ("bo", ["cn:: QmrDtnJu", "mail: bo@contoso.example"]), ("printer", ["description: no mail"]))
            var settings = settings(server)
            settings.attributes.logins = [.mail: ["uid"], .files: ["employeeNumber", "uid"]]
            let roster = try await LDAPDirectory(settings).roster(groups: [])
            let people = roster.people.sorted { $0.mail < $1.mail }
            #expect(people.map(\.mail) == ["ada@contoso.example", "bo@contoso.example"])
            #expect(people.map(\.displayName) == ["Ada Okafor", "Björn"])
            #expect(people.map(\.userPrincipalName) == ["ada.okafor@contoso.example", "bo@contoso.example"])
            #expect(people.map(\.aliases) == [["a.o@contoso.example", "ceo@contoso.example"], []])
            #expect(people.map(\.logins) == [[.mail: "ada", .files: "4711"], [.mail: "bo", .files: "bo"]])
            #expect(roster.findings.map(\.entry) == ["uid=printer,ou=people,dc=contoso,dc=example"])
            let again = try await LDAPDirectory(settings).roster(groups: [])
            #expect(again.people == roster.people)
            settings.attributes.id = ["objectGUID"]
            let binary = try await LDAPDirectory(settings).roster(groups: [])
            #expect(binary.people.map(\.id.description) == ["33221100-5544-7766-8899-aabbccddeeff"])
            #expect(binary.findings.count == 2)
            settings.filter = "(uid=bo)"
            settings.attributes = LDAPAttributes()
            #expect(try await LDAPDirectory(settings).roster(groups: []).people.map(\.mail) == ["bo@contoso.example"])
            settings.scope = .base
            #expect(try await LDAPDirectory(settings).roster(groups: []).people.isEmpty)
        }
    }

    @Test func `2,500 people come in pages, where one answer would be cut short`() async throws {
        try await withServer(people: 2_500) { server in
            var settings = settings(server)
            settings.pageSize = 300
            let roster = try await LDAPDirectory(settings).roster(groups: [])
            #expect(roster.people.count == 2_500 && roster.findings.isEmpty)
            #expect(Set(roster.people.map(\.mail)).count == 2_500)
            // The server's own limit is 500: without pages it says so, and nothing is taken for everybody.
            settings.pageSize = 5_000
            let cut = await failure(settings)
            #expect(cut?.reason == .cutShort, "\(cut.map { "\($0)" } ?? "nothing")")
        }
    }

    @Test func `groups may be nested, may go round in circles, and name people in three ways`() async throws {
        try await withServer(people: 6) { server in
            let groups = "ou=groups,\(DirectoryServer.suffix)"
            try server.load(
                """
                dn: cn=leaving,\(groups)
                objectClass: groupOfNames
                cn: leaving
                member: UID=P0001, ou=people,\(DirectoryServer.suffix)
                member: cn=inner,\(groups)
                member: uid=gone,\(DirectoryServer.people)

                dn: cn=inner,\(groups)
                objectClass: groupOfUniqueNames
                cn: inner
                uniqueMember: uid=p0002,\(DirectoryServer.people)
                uniqueMember: cn=leaving,\(groups)
                uniqueMember: cn=posix,\(groups)

                dn: cn=posix,\(groups)
                objectClass: posixGroup
                cn: posix
                gidNumber: 7
                memberUid: p0003
                memberUid: nobody

                """)
            let (leaving, missing) = ("cn=leaving,\(groups)", "cn=missing,\(groups)")
            let roster = try await LDAPDirectory(settings(server)).roster(groups: [leaving, missing])
            let names = Dictionary(uniqueKeysWithValues: roster.people.map { ($0.id, $0.displayName) })
            guard case .people(let members)? = roster.groups[leaving] else {
                Issue.record("\(String(describing: roster.groups[leaving]))")
                return
            }
            #expect(members.compactMap { names[$0] }.sorted() == ["Person 1", "Person 2", "Person 3"])
            guard case .unknown(let problem)? = roster.groups[missing] else {
                Issue.record("a group that is not there has members")
                return
            }
            #expect(problem.contains(missing))
        }
    }

    @Test func `what cannot be done says where, why and how to mend it, and never the password`() async throws {
        try await withServer { server in
            let wrong = try #require(await failure(settings(server, password: "hunter2")))
            #expect(wrong.reason == .refused && wrong.remedy.contains("bind.password"))
            #expect(wrong.message.hasPrefix("ldap://127.0.0.1:\(server.port): binding as 'cn=ferry,"))
            #expect(!"\(wrong)".contains("hunter2"))
            var lost = settings(server)
            lost.base = "ou=nowhere,\(DirectoryServer.suffix)"
            let missing = try #require(await failure(lost))
            #expect(missing.reason == .missing && missing.message.contains("'ou=nowhere,"))
            var odd = settings(server)
            odd.filter = "(mail="
            #expect(await failure(odd)?.remedy.contains("RFC 4515") == true)
            // Anonymous may not read, so there is nothing below the base, or not even a base.
            var nobody = settings(server)
            nobody.bind = nil
            #expect([.missing, .refused].contains(await failure(nobody)?.reason))
            try server.switchOff()
            let down = try #require(await failure(settings(server)))
            #expect(down.reason == .unreachable && down.remedy.contains("Start the directory"))
        }
    }

    @Test func `STARTTLS and ldaps take a certificate of their own authority only`() async throws {
        try await withServer(people: 1) { server in
            for security in [LDAPSettings.Security.startTLS, .implicit] {
                var settings = settings(server, security)
                let roster = try await LDAPDirectory(settings).roster(groups: [])
                #expect(roster.people.count == 1)
                settings.authorities = server.path("other-ca.pem")
                let foreign = await failure(settings)
                #expect(foreign?.reason == .insecure, "\(foreign.map { "\($0)" } ?? "accepted")")
                #expect(foreign?.remedy.contains("certificate") == true)
                settings.authorities = nil
                #expect(await failure(settings)?.reason == .insecure)
            }
        }
    }

    @Test func `a certificate for another name is refused, whoever made it`() async throws {
        try await withServer(name: "ldap.elsewhere.example") { server in
            for security in [LDAPSettings.Security.startTLS, .implicit] {
                let refused = await failure(settings(server, security))
                #expect(refused?.reason == .insecure, "\(refused.map { "\($0)" } ?? "accepted")")
            }
        }
    }

    @Test func `a task that is cancelled does not wait for a server that is silent`() async throws {
        // Takes connections, and nothing is ever said.
        let listener = try LoopbackListener()
        defer { listener.close() }
        var silent = LDAPSettings(
            host: "127.0.0.1", port: listener.port, security: .none, authorities: nil, bind: nil, base: "dc=x")
        silent.timeout = .seconds(30)
        let settings = silent
        let reason = await withTaskGroup(of: LDAPFailure.Reason?.self) { group in
            group.addTask { await failure(settings)?.reason }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(reason == .stopped)
    }
}
