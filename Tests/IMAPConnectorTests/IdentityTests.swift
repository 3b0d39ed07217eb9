import FerryConnector
import FerryCore
import FerryEngine
import FerryTestKit
import Testing

@testable import FerryIMAP

/// Which mailbox it is, at real servers (orchestration 9.1, "ExchangeGuid").
@Suite struct `The identity of a mailbox over IMAP` {
    private static func identity(of server: MailServer, recorded: String? = nil) async throws -> String? {
        let session = try await server.connector.source(for: server.account())
        let found = try await session.mailboxIdentity(recorded: recorded)
        await session.close()
        return found
    }

    @Test(arguments: MailServer.Kind.allCases)
    func `stays the same while mail comes and goes, and names server, account and UIDVALIDITY`(
        _ kind: MailServer.Kind
    ) async throws {
        let server = try await MailServer.person(kind)
        _ = try await server.acting { try await $0.put([TestMessage("Subject: a\r\n\r\nA.\r\n")]) }
        let first = try #require(try await Self.identity(of: server))
        #expect(first.hasPrefix("imap://\(server.login)@127.0.0.1/INBOX;UIDVALIDITY="))
        try await server.acting { session in
            _ = try await session.put([TestMessage("Subject: b\r\n\r\nB.\r\n")])
            _ = try await session.select(.inbox, readOnly: false, known: nil)
            try await session.expunge(UIDSet(Array(try await session.search("ALL").uids).prefix(1)))
        }
        #expect(try await Self.identity(of: server) == first)
        #expect(try await Self.identity(of: server, recorded: first) == first)
        // Of somebody else's mailbox nothing is the same.
        let other = try await MailServer.person(kind)
        #expect(try await Self.identity(of: other, recorded: first) != first)
    }

    @Test func `fails the pass after the mailbox was replaced, and leaves the target alone`() async throws {
        let (source, target) = (try await MailServer.person(.dovecot), try await MailServer.person(.dovecot))
        _ = try await source.acting { try await $0.put([TestMessage("Subject: a\r\n\r\nA.\r\n")]) }
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        let recorded = try #require(try await Self.identity(of: source))
        // As when the INBOX is made anew, for another person who is given the same login.
        try await source.doveadm("mailbox", "update", "-u", source.login, "--uid-validity", "1999999999", "INBOX")
        _ = try await source.acting { try await $0.put([TestMessage("Subject: other\r\n\r\nOther.\r\n")]) }
        let found = try #require(try await Self.identity(of: source, recorded: recorded))
        try #require(found != recorded)
        let error = await #expect(throws: WorkError.self) { try await world.pass() }
        guard case .connector(let problem) = error else { throw CancellationError() }
        #expect(problem.code == .sourceReplaced && problem.disposition == .failRun)
        #expect(problem.context.contains(recorded) && problem.context.contains(found))
        try await target.acting { session in
            _ = try await session.select(.inbox, readOnly: true, known: nil)
            #expect(Array(try await session.search("ALL").uids).count == 1)
        }
    }
}
