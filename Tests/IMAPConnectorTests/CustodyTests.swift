import FerryConnector
import FerryCore
import FerryTestKit
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import FerryIMAP

@Suite struct `Custody of a mailbox` {
    private static let folders = ["INBOX", "Club", "Projects", "Projects/2024"]
    private static let mail = TestMessage("Subject: a\r\n\r\nA.\r\n", flags: [.seen])

    private static func withSieve(_ kind: MailServer.Kind) async throws -> (server: MailServer, sievePort: Int) {
        let server = try await MailServer.person(kind, ["--sieve-port", SharedServers.sparePort])
        // Cyrus makes the mailbox at the first login, and manages no scripts before.
        try await server.acting { _ in }
        return (server, server.process.sparePort)
    }

    private static func name(_ folder: String) -> MailboxName {
        folder == "INBOX" ? .inbox : MailboxName(folder, utf8: false)
    }

    /// A person with mail in several folders, one of them shared.
    private static func person(_ kind: MailServer.Kind) async throws -> (server: MailServer, sievePort: Int) {
        let (server, port) = try await Self.withSieve(kind)
        try await server.acting { session in
            for folder in folders {
                if folder != "INBOX" {
                    for result in try await session.create([(name: name(folder), specialUse: [])]) { try result.get() }
                }
                try await session.put([mail], into: name(folder))
            }
            try await session.setRights("lrswi", of: "u0000", in: name("Club"))
            // Dovecot lets nobody set it unless told to.
            if kind == .cyrus { try await session.setRights("lrp", of: "anyone", in: .inbox) }
        }
        return (server, port)
    }

    private static func custody<Result>(
        _ server: MailServer, sieve: IMAPEndpoint? = nil, _ body: (any SourceCustody) async throws -> Result
    ) async throws -> Result {
        let source = try await server.connector(sieve: sieve).source(for: server.account())
        do {
            let result = try await body(try #require(source.custody))
            await source.close()
            return result
        } catch {
            await source.close()
            throw error
        }
    }

    /// Letters by identifier and folder.
    private static func rights(_ server: MailServer) async throws -> [String: [String: Set<Character>]] {
        try await server.acting { session in
            var found: [String: [String: Set<Character>]] = [:]
            for folder in folders {
                for entry in try await session.rights(of: name(folder)) {
                    found[folder, default: [:]][entry.identifier] = Set(entry.rights)
                }
            }
            return found
        }
    }

    private static func expectFrozen(_ server: MailServer) async throws {
        try await server.acting { session in
            for folder in folders {
                await #expect(throws: (any Error).self, "\(folder)") {
                    try await session.put([mail], into: name(folder))
                }
                // Refused, or taken without a word and not done (Dovecot): what counts is what is read below.
                _ = try? await session.select(name(folder), readOnly: false, known: nil)
                _ = try? await session.store([
                    (UIDSet(1...1), .add(MessageFlags([.flagged, .deleted]))),
                    (UIDSet(1...1), .remove(MessageFlags(.seen))),
                ])
                _ = try? await session.expunge(UIDSet(1...1))
            }
        }
        try await expectReadable(server)
    }

    /// What Ferry does goes on, and finds everything as it was.
    private static func expectReadable(_ server: MailServer) async throws {
        let source = try await server.connector.source(for: server.account())
        for container in try await source.containers() where folders.contains(container.path.joined(separator: "/")) {
            let headers = try await source.items(in: container, after: nil).headers
            #expect(headers.map(\.metadata) == [.message(mail.metadata)], "\(container.path)")
            let reader = try await source.bodies(of: headers, in: container)
            var body: [UInt8] = []
            while let events = try await reader.next() {
                for case .bytes(let buffer) in events { body += buffer.readableBytesView }
            }
            #expect(body == mail.body)
        }
        await source.close()
    }

    private static func expectFree(_ server: MailServer) async throws {
        try await server.acting { session in
            for folder in folders { try await session.put([mail], into: name(folder)) }
            _ = try await session.select(.inbox, readOnly: false, known: nil)
            for result in try await session.store([(UIDSet(1...1), .add(MessageFlags(.flagged)))]) {
                _ = try result.get()
            }
            try await session.expunge(UIDSet(1...1))
        }
    }

    // MARK: freezing

    @Test(arguments: MailServer.Kind.allCases)
    func `takes the rights to change anything and gives back exactly what was there`(_ kind: MailServer.Kind)
        async throws
    {
        let (server, _) = try await Self.person(kind)
        let before = try await Self.rights(server)
        try await Self.custody(server) { custody in
            #expect(custody.abilities == .freeze)
            try await custody.freeze()
        }
        try await Self.expectFrozen(server)
        let left = try await Self.rights(server)["INBOX"] ?? [:]
        #expect(left[server.login]?.isSuperset(of: ["l", "r", "p", "a"]) == true, "mail is still delivered")
        #expect(kind == .dovecot || left["anyone"] == ["l", "r", "p"])
        try await Self.custody(server) { try await $0.freeze() }
        try await Self.expectFrozen(server)
        try await Self.custody(server) { try await $0.thaw() }
        #expect(try await Self.rights(server) == before)
        try await Self.custody(server) { try await $0.thaw() }
        #expect(try await Self.rights(server) == before)
        try await Self.expectFree(server)
    }

    @Test(arguments: MailServer.Kind.allCases)
    func `completes what a crash has interrupted, and forgets no right`(_ kind: MailServer.Kind) async throws {
        let (server, _) = try await Self.person(kind)
        let before = try await Self.rights(server)
        // As if the process had died when the records of one folder were there and nothing else.
        let (login, record) = (server.login, "-ferry.frozen.")
        try await server.acting { session in
            for entry in try await session.rights(of: Self.name("Club")) {
                try await session.setRights(entry.rights, of: record + entry.identifier, in: Self.name("Club"))
            }
        }
        try await Self.custody(server) { try await $0.freeze() }
        try await Self.expectFrozen(server)
        // … half way through thawing: one folder has its rights back, another lost its record too; one was made since.
        let own = try #require(before["Projects"]?[login])
        try await server.acting { session in
            for folder in ["Projects", "Projects/2024"] {
                try await session.setRights(String(own), of: login, in: Self.name(folder))
            }
            try await session.deleteRights(of: record + login, in: Self.name("Projects/2024"))
        }
        try await Self.custody(server) { try await $0.freeze() }
        try await Self.expectFrozen(server)
        try await server.acting { try await $0.setRights(String(own), of: login, in: Self.name("Projects")) }
        try await Self.custody(server) { try await $0.thaw() }
        #expect(try await Self.rights(server) == before)
        try await Self.expectFree(server)
    }

    // MARK: redirecting

    private static func sieve(_ server: MailServer, _ port: Int) -> IMAPEndpoint {
        // Dovecot's speaks TLS, with an authority of its own.
        server.kind == .dovecot
            ? IMAPEndpoint(
                host: "localhost", port: port, security: .startTLS,
                trust: .authorities(path: server.process.directory + "/ca.pem"))
            : IMAPEndpoint(host: "127.0.0.1", port: port, security: .none)
    }

    private static func scripts<Value>(
        _ server: MailServer, _ port: Int, _ body: (SieveSession) async throws -> Value
    ) async throws -> Value {
        let session = try await SieveSession.connect(
            to: IMAPEndpoint(host: "127.0.0.1", port: port, security: .none),
            as: .password(user: server.login, password: Secret("pw")), options: SessionOptions(),
            on: .singletonMultiThreadedEventLoopGroup)
        do {
            let value = try await body(session)
            await session.close()
            return value
        } catch {
            await session.close()
            throw error
        }
    }

    @Test(arguments: MailServer.Kind.allCases)
    func `sends mail on, and gives the person's own script back`(_ kind: MailServer.Kind) async throws {
        let (server, port) = try await Self.withSieve(kind)
        let endpoint = Self.sieve(server, port)
        let own = "require \"fileinto\";\r\nif header :contains \"subject\" \"x\" { fileinto \"INBOX\"; }\r\n"
        try await Self.scripts(server, port) { session in
            try await session.put(own, as: "my own Regeln")
            #expect(try await session.activate("my own Regeln"))
            try await session.put("keep;\r\n", as: "other")
        }
        try await Self.custody(server, sieve: endpoint) { custody in
            #expect(custody.abilities == [.freeze, .redirect])
            try await custody.redirect(to: "ada@old.example")
            try await custody.redirect(to: "ada@fabrikam.example")
            try await custody.redirect(to: "ada@fabrikam.example")
        }
        try await Self.scripts(server, port) { session in
            #expect(try await session.scripts().filter(\.isActive).map(\.name) == ["ferry-redirect"])
            let text = try #require(try await session.content(of: "ferry-redirect"))
            #expect(text.hasSuffix("redirect \"ada@fabrikam.example\";\r\n"))
            #expect(!text.contains("old.example"))
        }
        if kind == .dovecot { try await expectSentOn(server, to: "ada@fabrikam.example") }
        for _ in 0..<2 { try await Self.custody(server, sieve: endpoint) { try await $0.removeRedirect() } }
        try await Self.scripts(server, port) { session in
            let left = Set(try await session.scripts())
            #expect(
                left == [.init(name: "my own Regeln", isActive: true), .init(name: "other", isActive: false)])
            let text = try await session.content(of: "my own Regeln")
            #expect(text == own)
        }
    }

    /// Delivers a message to the person, and looks where it went.
    private func expectSentOn(_ server: MailServer, to address: String) async throws {
        let message = try ChildPipe()
        let child = try ChildProcess(
            [
                "/usr/lib/dovecot/dovecot-lda", "-c", "\(server.process.directory)/dovecot.conf", "-d", server.login,
                "-f", "friend@example.test",
            ], input: message.reading)
        message.closeReading()
        let text =
            "From: friend@example.test\r\nMessage-ID: <\(server.number)@example.test>\r\nSubject: hi\r\n\r\nHi\r\n"
        message.write(Array(text.utf8))
        message.closeWriting()
        let status = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: child.waitForExit()) }
        }
        #expect(status == 0)
        let sent = try String(contentsOfFile: "\(server.process.directory)/sent", encoding: .utf8)
        #expect(sent.split(separator: "\n").last?.hasSuffix(address) == true, "\(sent)")
        #expect(try await server.acting { try await $0.counts()["INBOX"] } == 0, "nothing stays behind")
    }

    @Test(arguments: MailServer.Kind.allCases)
    func `heals a redirection that was interrupted`(_ kind: MailServer.Kind) async throws {
        let (server, port) = try await Self.withSieve(kind)
        let endpoint = Self.sieve(server, port)
        let address = "ada@fabrikam.example"
        // Nobody's script was active, and the process died before Ferry's was.
        let script = try #require(RedirectScript(address: address))
        try await Self.scripts(server, port) { try await $0.put(script.text, as: SieveRedirection.scriptName) }
        try await Self.custody(server, sieve: endpoint) { try await $0.redirect(to: address) }
        let active = try await Self.scripts(server, port) { try await $0.scripts().filter(\.isActive).map(\.name) }
        #expect(active == ["ferry-redirect"])
        // … and died again when it was not active any more, but still there.
        try await Self.scripts(server, port) { session in
            #expect(try await session.activate(nil))
            try await session.put("keep;\r\n", as: "later")
            #expect(try await session.activate("later"))
        }
        try await Self.custody(server, sieve: endpoint) { try await $0.removeRedirect() }
        let left = try await Self.scripts(server, port) { try await $0.scripts() }
        #expect(left == [.init(name: "later", isActive: true)], "what the person has activated since stays")
    }

    @Test func `does not touch a script of its name that somebody else wrote`() async throws {
        let (server, port) = try await Self.withSieve(.dovecot)
        let endpoint = Self.sieve(server, port)
        try await Self.scripts(server, port) { try await $0.put("keep;\r\n", as: SieveRedirection.scriptName) }
        for verb in [
            { try await $0.redirect(to: "ada@fabrikam.example") }, { try await $0.removeRedirect() },
        ] as [@Sendable (any SourceCustody) async throws -> Void] {
            try await Self.custody(server, sieve: endpoint) { custody in
                let error = await #expect(throws: ConnectorError.self) { try await verb(custody) }
                #expect(error?.code == .sourceForbidden)
            }
        }
        let text = try await Self.scripts(server, port) { try await $0.content(of: SieveRedirection.scriptName) }
        #expect(text == "keep;\r\n")
    }

    @Test(arguments: ["", "ada", "ada@", "@x", "a@b@c", "a\"; discard; #@x.example", "a@x.example\r\nkeep;", "a b@x"])
    func `writes no script for what is not a plain address`(_ address: String) {
        #expect(RedirectScript(address: address) == nil)
    }

    @Test func `is offered only where the server and the configuration have it`() async throws {
        let person = try await MailServer.person(.dovecot, ["--without", "ACL"])
        let without = try await person.connector.source(for: person.account())
        #expect(without.custody == nil)
        await without.close()
        let sieve = IMAPEndpoint(host: "127.0.0.1", port: 1, security: .none)
        let only = try await person.connector(sieve: sieve).source(for: person.account())
        #expect(only.custody?.abilities == .redirect)
        let error = await #expect(throws: ConnectorError.self) {
            try await only.custody?.redirect(to: "ada@fabrikam.example")
        }
        #expect(error?.code == .sourceUnreachable)
        await only.close()
    }
}
