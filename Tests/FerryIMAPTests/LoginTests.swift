import FerryConnector
@testable import FerryIMAP
import NIOPosix
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct LoginTests {
    /// Hands out one token after the other.
    private final class Tokens: TokenSource {
        let rejected = Mutex<[Secret?]>([])
        func token(for user: String, rejected: Secret?) async throws(IMAPError) -> Secret {
            self.rejected.withLock { $0.append(rejected) }
            return Secret(rejected == nil ? "stale" : "fresh")
        }
    }

    @Test func `a refused token is renewed once, and the server's explanation is acknowledged`() async throws {
        let tokens = Tokens()
        try await ScriptedServer.play { server in
            try await server.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hello\r\n")
            // user=u^Aauth=Bearer stale^A^A
            let tag = try await server.expect("AUTHENTICATE XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIHN0YWxlAQE=")
            try await server.say("+ eyJzdGF0dXMiOiI0MDEifQ==\r\n")
            #expect(try await server.line() == "")
            try await server.say("\(tag) NO [AUTHENTICATIONFAILED] expired\r\n")
            let second = try await server.expect("AUTHENTICATE XOAUTH2 dXNlcj11AWF1dGg9QmVhcmVyIGZyZXNoAQE=")
            try await server.say("\(second) OK [CAPABILITY IMAP4rev1] in\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port, as: .token(user: "u", source: tokens))
            await session.close()
        }
        #expect(tokens.rejected.withLock { $0 } == [nil, Secret("stale")])
    }

    @Test func `without SASL-IR the response waits for the server, and capabilities are asked for when not told`()
        async throws
    {
        try await ScriptedServer.play { server in
            try await server.say("* OK hello\r\n")
            let asked = try await server.expect("CAPABILITY")
            try await server.say("* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n\(asked) OK\r\n")
            let tag = try await server.expect("AUTHENTICATE PLAIN")
            #expect(server.isQuiet)
            try await server.say("+ \r\n")
            // user, NUL, admin, NUL, pass: the authorization identity comes first (RFC 4616).
            #expect(try await server.line() == "dXNlcgBhZG1pbgBwYXNz")
            try await server.say("* CAPABILITY IMAP4rev1 UIDPLUS\r\n\(tag) OK in\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(
                port, as: .proxy(user: "user", administrator: "admin", password: Secret("pass")))
            #expect(session.capabilities == Capabilities(["IMAP4REV1", "UIDPLUS"]))
            await session.close()
        }
    }

    @Test func `a server without SASL gets LOGIN, with Dovecot's master name and a literal where needed`() async throws
    {
        try await ScriptedServer.play { server in
            try await server.say("* OK [CAPABILITY IMAP4rev1] hello\r\n")
            let tag = try await server.expect("LOGIN \"user*master\" {5}")
            #expect(server.isQuiet)
            try await server.say("+ go\r\n")
            #expect(try await server.line() == "päss")
            try await server.say("\(tag) NO [AUTHENTICATIONFAILED] wrong\r\n")
        } with: { port in
            let error = await #expect(throws: IMAPError.self) {
                try await ScriptedServer.connect(
                    port, as: .master(user: "user", master: "master", password: Secret("päss")))
            }
            #expect(error?.kind == .authenticationFailed)
        }
    }

    @Test func `what is sent in the clear after STARTTLS is answered ends the connection`() async throws {
        try await ScriptedServer.play { server in
            try await server.say("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hello\r\n")
            let tag = try await server.expect("STARTTLS")
            try await server.say("\(tag) OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN X-INJECTED\r\n")
            try await server.untilClosed()
        } with: { port in
            let error = await #expect(throws: IMAPError.self) {
                try await IMAPSession.connect(
                    to: IMAPEndpoint(host: "127.0.0.1", port: port, security: .startTLS),
                    as: .password(user: "user", password: Secret("pass")), on: MultiThreadedEventLoopGroup.singleton)
            }
            #expect(error?.kind == .insecure)
        }
    }

    @Test func `no password leaves when STARTTLS is wanted and not offered`() async throws {
        try await ScriptedServer.play { server in
            try await server.say("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hello\r\n")
            try await server.untilClosed()
            #expect(server.isQuiet)
        } with: { port in
            let error = await #expect(throws: IMAPError.self) {
                try await IMAPSession.connect(
                    to: IMAPEndpoint(host: "127.0.0.1", port: port, security: .startTLS),
                    as: .password(user: "user", password: Secret("pass")), on: MultiThreadedEventLoopGroup.singleton)
            }
            #expect(error?.kind == .insecure)
        }
    }

    @Test func `a server that is full is no wrong password`() async throws {
        try await ScriptedServer.play { server in
            try await server.say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n")
            let tag = try await server.line().prefix { $0 != " " }
            try await server.say("\(tag) NO [LIMIT] Maximum number of connections from user+IP exceeded\r\n")
        } with: { port in
            let error = await #expect(throws: IMAPError.self) { try await ScriptedServer.connect(port) }
            #expect(error?.kind == .tryLater)
            #expect(error?.refusal?.reason == .limit)
        }
    }

    @Test func `a secret says nothing of itself`() {
        var dumped = ""
        let credentials = IMAPCredentials.password(user: "u", password: Secret("hunter2"))
        dump(credentials, to: &dumped)
        #expect(!dumped.contains("hunter2") && !"\(credentials)".contains("hunter2"))
        #expect(!String(reflecting: credentials).contains("hunter2"))
    }

    @Test(arguments: [
        ("mail.example.org", "mail.example.org", true), ("Mail.Example.org.", "mail.EXAMPLE.org", true),
        ("mail.example.org", "*.example.org", true), ("a.mail.example.org", "*.example.org", false),
        ("example.org", "*.org", false), ("mail.example.org", "m*.example.org", false), ("mail.example.org", "", false),
        ("mail.example.org", "example.org", false),
    ])
    func `a certificate's name stands for one host, or for one label`(name: String, pattern: String, expected: Bool) {
        #expect(TLSContexts.matches(name, pattern: pattern) == expected)
    }
}
