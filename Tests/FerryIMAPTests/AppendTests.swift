import FerryCore
@testable import FerryIMAP
import NIOCore
import Testing

@Suite(.timeLimit(.minutes(10))) struct AppendTests {
    private let date = Instant(seconds: 837_596_665)

    private func append(
        _ texts: [String], on session: IMAPSession, single: Bool = false
    ) async throws -> (begun: [Bool], results: [AppendResult]) {
        let appender = try await session.append(to: MailboxName("Ä b", utf8: false), single: single)
        var begun: [Bool] = []
        for text in texts {
            let message = AppendedMessage(
                flags: MessageFlags(.seen), internalDate: date, size: UInt64(text.utf8.count))
            begun.append(try await appender.begin(message))
            // In two pieces, as bodies come.
            try await appender.write(ByteBuffer(string: String(text.prefix(1))))
            try await appender.write(ByteBuffer(string: String(text.dropFirst())))
        }
        return (begun, try await appender.finish())
    }

    private let words = #"(\Seen) "17-Jul-1996 09:44:25 +0000""#

    @Test func `with MULTIAPPEND and LITERAL+ all messages are one command without waiting`() async throws {
        try await ScriptedServer.play { [words] server in
            try await server.logIn("MULTIAPPEND LITERAL+ UIDPLUS")
            let tag = try await server.expect("APPEND \"&AMQ- b\" \(words) {3+}")
            #expect(try await server.line() == "one \(words) {5+}")
            #expect(try await server.line() == "three")
            try await server.say("* 2 EXISTS\r\n\(tag) OK [APPENDUID 9 14,17] done\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let (begun, results) = try await append(["one", "", "three"], on: session)
            #expect(begun == [true, false, true])
            #expect(results[0] == .appended(uidValidity: 9, uid: 14))
            #expect(results[2] == .appended(uidValidity: 9, uid: 17))
            // The empty one was not sent, because it would have ended the command.
            if case .refused(let refusal, true) = results[1] {
                #expect(refusal.reason == .unacceptable)
            } else {
                Issue.record("\(results[1])")
            }
            await session.close()
        }
    }

    @Test func `without LITERAL+ each literal waits, and a NO instead of + names the culprit`() async throws {
        try await ScriptedServer.play { [words] server in
            try await server.logIn("MULTIAPPEND")
            let tag = try await server.expect("APPEND \"&AMQ- b\" \(words) {3}")
            #expect(server.isQuiet)
            try await server.say("+ go\r\n")
            #expect(try await server.line() == "one \(words) {5}")
            #expect(server.isQuiet)
            try await server.say("\(tag) NO [TOOBIG] not that one\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let (begun, results) = try await append(["one", "three", "seven"], on: session)
            #expect(begun == [true, false, false])
            let refusal = Refusal(reason: .tooBig, isBad: false, code: "TOOBIG", text: "not that one")
            #expect(
                results == [
                    .refused(refusal, isCulprit: false), .refused(refusal, isCulprit: true),
                    .refused(refusal, isCulprit: false),
                ])
            await session.close()
        }
    }

    @Test func `without MULTIAPPEND each message has an answer of its own`() async throws {
        try await ScriptedServer.play { [words] server in
            try await server.logIn("LITERAL-")
            let first = try await server.expect("APPEND \"&AMQ- b\" \(words) {3+}")
            #expect(try await server.line() == "one")
            let second = try await server.expect("APPEND \"&AMQ- b\" \(words) {5+}")
            #expect(try await server.line() == "three")
            // Above 4,096 bytes LITERAL- waits.
            let third = try await server.expect("APPEND \"&AMQ- b\" \(words) {5000}")
            try await server.say("\(second) NO [OVERQUOTA] full\r\n\(first) OK\r\n+ go\r\n")
            _ = try await server.bytes(5_000)
            #expect(try await server.line() == "")
            try await server.say("\(third) OK [APPENDUID 3 77]\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let texts = ["one", "three", String(repeating: "x", count: 5_000)]
            let results = try await append(texts, on: session).results
            let refusal = Refusal(reason: .overQuota, isBad: false, code: "OVERQUOTA", text: "full")
            #expect(
                results == [
                    .appended(uidValidity: nil, uid: nil), .refused(refusal, isCulprit: true),
                    .appended(uidValidity: 3, uid: 77),
                ])
            await session.close()
        }
    }

    @Test func `a MULTIAPPEND that is refused early is ended properly, and nothing more is sent`() async throws {
        try await ScriptedServer.play { [words] server in
            try await server.logIn("MULTIAPPEND LITERAL+")
            let tag = try await server.expect("APPEND \"&AMQ- b\" \(words) {70000+}")
            try await server.say("\(tag) NO [TRYCREATE] no such box\r\n")
            // The literal was promised and must come, and the command must end.
            _ = try await server.bytes(70_000)
            _ = try await server.line()
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let appender = try await session.append(to: MailboxName("Ä b", utf8: false))
            try await appender.begin(
                AppendedMessage(flags: MessageFlags(.seen), internalDate: date, size: 70_000))
            try await appender.write(ByteBuffer(repeating: 0x78, count: 69_000))
            // Returns only after the refusal, which was said before.
            try await session.waitForRefusal(appender)
            try await appender.write(ByteBuffer(repeating: 0x78, count: 1_000))
            let message = AppendedMessage(flags: MessageFlags(.seen), internalDate: date, size: 5)
            #expect(try await appender.begin(message) == false)
            try await appender.write(ByteBuffer(string: "never"))
            let results = try await appender.finish()
            #expect(results.count == 2)
            for result in results {
                guard case .refused(let refusal, nil) = result else {
                    Issue.record("\(result)")
                    continue
                }
                #expect(refusal.reason == .mailboxMissing)
            }
            await session.close()
        }
    }

    @Test func `other verbs wait while a message is sent, and go on after it`() async throws {
        try await ScriptedServer.play { [words] server in
            try await server.logIn("MULTIAPPEND LITERAL+")
            let tag = try await server.expect("APPEND \"&AMQ- b\" \(words) {6+}")
            #expect(try await server.line() == "onetwo")
            let noop = try await server.expect("NOOP")
            try await server.say("\(tag) OK\r\n\(noop) OK\r\n")
            try await server.logOut()
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let appender = try await session.append(to: MailboxName("Ä b", utf8: false))
            try await appender.begin(AppendedMessage(flags: MessageFlags(.seen), internalDate: date, size: 6))
            try await appender.write(ByteBuffer(string: "one"))
            async let noop: Void = session.noop()
            try await appender.write(ByteBuffer(string: "two"))
            _ = try await appender.finish()
            try await noop
            await session.close()
        }
    }

    @Test func `too few or too many bytes close the connection, so that nothing arrives in part`() async throws {
        for excess in [true, false] {
            try await ScriptedServer.play { server in
                try await server.logIn("MULTIAPPEND LITERAL+")
                try await server.untilClosed()
            } with: { port in
                let session = try await ScriptedServer.connect(port)
                let appender = try await session.append(to: .inbox)
                try await appender.begin(AppendedMessage(internalDate: nil, size: 4))
                let error = await #expect(throws: IMAPError.self) {
                    try await appender.write(ByteBuffer(string: excess ? "12345" : "123"))
                    _ = try await appender.finish()
                }
                #expect(error?.kind == .sizeMismatch)
                let later = await #expect(throws: IMAPError.self) { try await session.noop() }
                #expect(later?.kind == .cancelled)
            }
        }
    }

    @Test func `a server that does not read makes the writer wait, and its end is told`() async throws {
        try await ScriptedServer.play { server in
            try await server.logIn("MULTIAPPEND LITERAL+")
            _ = try await server.expect("APPEND INBOX () {1073741824+}")
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let appender = try await session.append(to: .inbox)
            try await appender.begin(AppendedMessage(internalDate: nil, size: 1 << 30))
            let piece = ByteBuffer(repeating: 0x78, count: 1 << 16)
            var written = 0
            let error = await #expect(throws: IMAPError.self) {
                while written < 1 << 30 {
                    try await appender.write(piece)
                    written += piece.readableBytes
                }
            }
            #expect(error?.kind == .connectionLost)
            // What fits into the sockets' buffers and no more.
            #expect(written < 64 << 20)
        }
    }
}

extension IMAPSession {
    /// Gives the connection time to take what the server has said already: until the appender knows that it was refused.
    fileprivate func waitForRefusal(_ appender: MessageAppender) async throws {
        while !appender.isRefused { try await Task.sleep(for: .milliseconds(1), clock: .continuous) }
    }
}
