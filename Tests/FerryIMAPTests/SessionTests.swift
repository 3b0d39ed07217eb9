import FerryCore
import FerryIMAP
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(10))) struct SessionTests {
    private func box(_ name: String) -> MailboxName { MailboxName(name, utf8: false) }

    @Test func `commands of many callers go out before any is answered, and data finds its command among noise`()
        async throws
    {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let first = try await server.expect("STATUS a (UIDNEXT)")
            let second = try await server.expect("STATUS b (UIDNEXT)")
            let third = try await server.expect("STATUS c (UIDNEXT)")
            try await server.say(
                "* 3 EXISTS\r\n* STATUS c (UIDNEXT 3)\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* STATUS a (UIDNEXT 1)\r\n"
                    + "* OK [X-NOISE] noise\r\n\(third) OK done\r\n* STATUS b (UIDNEXT 2)\r\n* XYZ (1 2)\r\n")
            try await server.say("\(first) OK done\r\n\(second) NO [NOPERM] not you\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let results = try await session.status(of: [box("a"), box("b"), box("c")], .uidNext)
            #expect(try results[0].get().uidNext == 1)
            #expect(throws: IMAPError.self) { try results[1].get() }
            #expect(try results[2].get().uidNext == 3)
            if case .failure(let error) = results[1] {
                #expect(error.kind == .refused)
                #expect(error.refusal?.reason == .noPermission)
            }
            await session.close()
        }
    }

    @Test func `a fetch behind a SELECT gets no data of the mailbox before`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let old = try await server.expect("UID FETCH 5 (UID FLAGS)")
            let select = try await server.expect("EXAMINE b")
            let new = try await server.expect("UID FETCH 5 (UID FLAGS)")
            try await server.say("* 1 FETCH (UID 5 FLAGS (old))\r\n\(old) OK\r\n")
            // Said late, about the mailbox before.
            try await server.say("* 1 FETCH (UID 5 FLAGS (late))\r\n* OK [CLOSED]\r\n* 9 EXISTS\r\n")
            try await server.say("* OK [UIDVALIDITY 7]\r\n\(select) OK [READ-ONLY]\r\n")
            try await server.say("* 1 FETCH (UID 5 FLAGS (new))\r\n\(new) OK\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let (old, (mailbox, new)) = try await inThisOrder {
                try await session.messages(UIDSet(5...5), .flags)
            } then: {
                try await inThisOrder {
                    try await session.select(box("b"), readOnly: true)
                } then: {
                    try await session.messages(UIDSet(5...5), .flags)
                }
            }
            #expect(old.rows.map(\.flags) == [MessageFlags(keywords: ["old"])])
            #expect(mailbox.exists == 9 && mailbox.uidValidity == 7 && mailbox.isReadOnly && mailbox.changed.isEmpty)
            #expect(new.rows.map(\.flags) == [MessageFlags(keywords: ["new"])])
            await session.close()
        }
    }

    @Test func `without LIST-EXTENDED subscriptions come from LSUB and status from STATUS`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let list = try await server.expect("LIST \"\" \"*\"")
            let lsub = try await server.expect("LSUB \"\" \"*\"")
            try await server.say("* LIST () \".\" INBOX\r\n* LIST (\\Noselect) \".\" a\r\n* LIST () \".\" a.b\r\n")
            try await server.say("\(list) OK\r\n* LSUB () \".\" a.b\r\n* LSUB () \".\" gone\r\n\(lsub) OK\r\n")
            let inbox = try await server.expect("STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY)")
            let other = try await server.expect("STATUS a.b (MESSAGES UIDNEXT UIDVALIDITY)")
            try await server.say("* STATUS inbox (MESSAGES 4)\r\n\(inbox) OK\r\n\(other) NO x\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let mailboxes = try await session.list(status: .change)
            #expect(mailboxes.map(\.name) == [.inbox, box("a"), box("a.b")])
            #expect(mailboxes.map { $0.attributes.contains(.subscribed) } == [false, false, true])
            #expect(mailboxes.map { $0.status?.messages } == [4, nil, nil])
            await session.close()
        }
    }

    @Test func `an answer to a command that was not sent breaks the session, and the error names no contents`()
        async throws
    {
        try await ScriptedServer.play { server in
            try await server.logIn()
            _ = try await server.expect("NOOP")
            try await server.say("* 1 FETCH (BODYSTRUCTURE (\"secret\" NIL)\r\n")
            try await server.untilClosed()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let error = await #expect(throws: IMAPError.self) { try await session.noop() }
            #expect(error?.kind == .protocolViolation)
            #expect(error?.message.contains("secret") == false)
            #expect(session.failure?.kind == .protocolViolation)
            // Later verbs fail at once.
            let later = await #expect(throws: IMAPError.self) { try await session.search("ALL") }
            #expect(later?.kind == .protocolViolation)
            await session.close()
        }
    }

    @Test func `a silent server is given up after the response timeout`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            try await server.untilClosed()
        } with: { port in
            var options = SessionOptions()
            // Long enough for a login on a busy machine.
            options.responseTimeout = .seconds(5)
            let session = try await ScriptedServer.connect(port, options: options)
            let error = await #expect(throws: IMAPError.self) { try await session.noop() }
            #expect(error?.kind == .timedOut)
        }
    }

    @Test func `a quiet session is kept alive`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            for _ in 0..<2 { try await server.say("\(server.expect("NOOP")) OK\r\n") }
        } with: { port in
            var options = SessionOptions()
            options.keepalive = .milliseconds(50)
            let session = try await ScriptedServer.connect(port, options: options)
            // The script ends after two NOOPs nobody called for, and with it the connection.
            while session.failure == nil { try await Task.sleep(for: .milliseconds(5), clock: .continuous) }
            #expect(session.failure?.kind == .connectionLost)
        }
    }

    @Test func `cancelling one waiting verb leaves the session to the others`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let first = try await server.expect("UID SEARCH ALL")
            let second = try await server.expect("NOOP")
            try await server.say("* SEARCH 1 2\r\n\(first) OK\r\n\(second) OK\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let error = await #expect(throws: IMAPError.self) { try await session.search("ALL") }
                    #expect(error?.kind == .cancelled)
                }
                group.cancelAll()
                try await group.waitForAll()
            }
            try await session.noop()
            await session.close()
        }
    }

    @Test func `BYE with work in flight says what the server said`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            _ = try await server.expect("NOOP")
            try await server.say("* BYE [UNAVAILABLE] Shutting down\r\n")
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let error = await #expect(throws: IMAPError.self) { try await session.noop() }
            #expect(error?.kind == .tryLater)
            #expect(error?.message.contains("Shutting down") == true)
        }
    }

    @Test func `nobody listening, and a server that turns away, are told apart`() async throws {
        let port = try await ScriptedServer.play { server in
            try await server.say("* BYE Too many connections\r\n")
        } with: { port in
            let error = await #expect(throws: IMAPError.self) { try await ScriptedServer.connect(port) }
            #expect(error?.kind == .tryLater)
            return port
        }
        let error = await #expect(throws: IMAPError.self) { try await ScriptedServer.connect(port) }
        #expect(error?.kind == .unreachable)
    }
}
