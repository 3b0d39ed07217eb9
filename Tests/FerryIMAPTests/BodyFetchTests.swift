import FerryIMAP
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(10))) struct BodyFetchTests {
    /// What was told about each message, its bytes joined.
    private func all(_ fetch: BodyFetch) async throws -> [String] {
        var told: [String] = []
        var content = ""
        while let events = try await fetch.next() {
            for event in events {
                switch event {
                case .began(let uid, let size): content = "\(uid)/\(size):"
                case .bytes(let bytes): content += String(decoding: bytes.readableBytesView, as: UTF8.self)
                case .ended: told.append(content)
                case .absent(let uid): told.append("\(uid) absent")
                case .unreadable(let uid, let refusal): told.append("\(uid) unreadable \(refusal?.text ?? "")")
                }
            }
        }
        return told
    }

    @Test
    func `the next fetch leaves while the last body of the one before arrives, and bodies come in the order asked`()
        async throws
    {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let first = try await server.expect("UID FETCH 5:6 (UID BODY.PEEK[])")
            try await server.say("* 5 FETCH (UID 5 BODY[] {4}\r\nfive)\r\n* 8 EXISTS\r\n* 6 FETCH (FLAGS () UID 6)\r\n")
            #expect(server.isQuiet)
            try await server.say("* 6 FETCH (FLAGS () UID 6 BODY[] {3}\r\ns")
            let second = try await server.expect("UID FETCH 1:2 (UID BODY.PEEK[])")
            try await server.say("ix)\r\n\(first) OK\r\n* 1 FETCH (UID 1 BODY[] \"one\")\r\n")
            try await server.say("* 2 FETCH (BODY[] {3}\r\ntwo UID 2)\r\n\(second) OK\r\n")
            let third = try await server.expect("UID FETCH 1 (UID BODY.PEEK[])")
            try await server.say("* 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n\(third) OK\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            #expect(
                try await all(session.bodies(of: [5, 6, 1, 2, 1])) == [
                    "5/4:five", "6/3:six", "1/3:one", "2/3:two", "1/0:",
                ])
            await session.close()
        }
    }

    @Test func `what is gone, NIL or refused is told for each message`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let first = try await server.expect("UID FETCH 1:4 (UID BODY.PEEK[])")
            try await server.say("* 2 FETCH (UID 2 BODY[] {1}\r\n2)\r\n* 3 FETCH (UID 3 BODY[] NIL)\r\n\(first) OK\r\n")
            let second = try await server.expect("UID FETCH 2:3 (UID BODY.PEEK[])")
            try await server.say("* 2 FETCH (UID 2 BODY[] {1}\r\n2)\r\n\(second) NO [SERVERBUG] broken\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            #expect(
                try await all(session.bodies(of: [1, 2, 3, 4, 2, 3])) == [
                    "1 absent", "2/1:2", "3 unreadable ", "4 absent", "2/1:2", "3 unreadable broken",
                ])
            #expect(try await all(session.bodies(of: [])) == [])
            await session.close()
        }
    }

    @Test func `a body whose UID comes late and is another one's is not taken for what was asked`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let tag = try await server.expect("UID FETCH 1:3 (UID BODY.PEEK[])")
            try await server.say(
                "* 1 FETCH (BODY[] {3}\r\ntwo UID 2)\r\n* 2 FETCH (BODY[] {5}\r\nthree UID 3)\r\n\(tag) OK\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            #expect(
                try await all(session.bodies(of: [1, 2, 3])) == ["1 unreadable ", "2 unreadable ", "3/5:three"])
            await session.close()
        }
    }

    @Test func `BYE in the middle of a literal gives what came, then the loss`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            _ = try await server.expect("UID FETCH 1 (UID BODY.PEEK[])")
            try await server.say("* 1 FETCH (UID 1 BODY[] {100}\r\nhalf * BYE")
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let fetch = try await session.bodies(of: [1])
            var events: [FetchEvent] = []
            let error = await #expect(throws: IMAPError.self) {
                while let more = try await fetch.next() { events += more }
            }
            #expect(error?.kind == .connectionLost)
            #expect(events == [.began(1, size: 100), .bytes(ByteBuffer(string: "half * BYE"))])
        }
    }

    @Test func `a slow reader stops the socket, so little waits in memory however much the server sends`() async throws
    {
        let size = 64 << 20
        try await ScriptedServer.play { server in
            try await server.logIn()
            let tag = try await server.expect("UID FETCH 1 (UID BODY.PEEK[])")
            try await server.say("* 1 FETCH (UID 1 BODY[] {\(size)}\r\n")
            let piece = ByteBuffer(repeating: 0x79, count: 1 << 20)
            for _ in 0..<(size >> 20) { try await server.say(piece) }
            try await server.say(")\r\n\(tag) OK\r\n")
            try await server.logOut()
        } with: { port in
            var options = SessionOptions()
            options.readAheadBytes = 128 << 10
            let session = try await ScriptedServer.connect(port, options: options)
            let fetch = try await session.bodies(of: [1])
            var total = 0
            var largest = 0
            while let events = try await fetch.next() {
                var bytes = 0
                for case .bytes(let buffer) in events { bytes += buffer.readableBytes }
                total += bytes
                largest = max(largest, bytes)
                // Lets the server run ahead as far as it can before the next bunch is taken.
                for _ in 0..<200 { await Task.yield() }
            }
            #expect(total == size)
            // The limit, and the read that crossed it.
            #expect(largest <= options.readAheadBytes + 256 << 10, "\(largest) bytes waited")
            await session.close()
        }
    }

    @Test func `a cancelled fetch frees the session once its answers have passed`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let tag = try await server.expect("UID FETCH 1:2 (UID BODY.PEEK[])")
            try await server.say("* 1 FETCH (UID 1 BODY[] {1000000}\r\n")
            let noop = try await server.expect("NOOP")
            try await server.say(ByteBuffer(repeating: 0x7A, count: 1_000_000))
            try await server.say(")\r\n* 2 FETCH (UID 2 BODY[] {3}\r\nabc)\r\n\(tag) OK\r\n\(noop) OK\r\n")
            try await server.logOut()
        } with: { port in
            var options = SessionOptions()
            options.readAheadBytes = 64 << 10
            let session = try await ScriptedServer.connect(port, options: options)
            let fetch = try await session.bodies(of: [1, 2])
            #expect(try await fetch.next() == [.began(1, size: 1_000_000)])
            await fetch.cancel()
            try await session.noop()
            let error = await #expect(throws: IMAPError.self) { try await fetch.next() }
            #expect(error?.kind == .cancelled)
            await session.close()
        }
    }

    @Test func `a fetch that its owner forgets does not block the session`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn()
            let tag = try await server.expect("UID FETCH 1 (UID BODY.PEEK[])")
            try await server.say("* 1 FETCH (UID 1 BODY[] {3000000}\r\n")
            try await server.say(ByteBuffer(repeating: 0x7A, count: 3_000_000))
            try await server.say(")\r\n\(tag) OK\r\n")
            let noop = try await server.expect("NOOP")
            try await server.say("\(noop) OK\r\n")
            try await server.logOut()
        } with: { port in
            var options = SessionOptions()
            options.readAheadBytes = 64 << 10
            let session = try await ScriptedServer.connect(port, options: options)
            _ = try await session.bodies(of: [1]).next()
            try await session.noop()
            await session.close()
        }
    }
}
