import FerryConnector
import FerryCore
import FerryIMAP
import NIOCore
import NIOPosix
import Testing

/// The session against a real Dovecot: every verb, over every kind of link and login.
@Suite(.timeLimit(.minutes(10))) struct DovecotTests {
    private struct Way: Sendable {
        var name: String
        var endpoint: IMAPEndpoint
        var credentials: IMAPCredentials
        var compress = false
    }

    @Test func `every verb works over plain, compressed, STARTTLS and TLS links, with every kind of password login`()
        async throws
    {
        let server = try await DovecotServer.start()
        let user = "u0001@example.test"
        let trust = IMAPEndpoint.Trust.authorities(path: server.authorities)
        let plain = IMAPEndpoint(host: "127.0.0.1", port: server.port, security: .none)
        let ways = [
            Way(name: "plain", endpoint: plain, credentials: .password(user: user, password: Secret("pw"))),
            Way(
                name: "deflate", endpoint: plain, credentials: .password(user: user, password: Secret("pw")),
                compress: true),
            Way(
                name: "starttls",
                endpoint: IMAPEndpoint(host: "localhost", port: server.port, security: .startTLS, trust: trust),
                credentials: .master(user: user, master: "mover", password: Secret("masterpw"))),
            Way(
                name: "tls",
                endpoint: IMAPEndpoint(host: "127.0.0.1", port: server.tlsPort, security: .implicit, trust: trust),
                credentials: .proxy(user: user, administrator: "mover", password: Secret("masterpw"))),
        ]
        for way in ways {
            var options = SessionOptions()
            options.compress = way.compress
            let session = try await IMAPSession.connect(
                to: way.endpoint, as: way.credentials, options: options, on: MultiThreadedEventLoopGroup.singleton)
            try await use(session, mailbox: "Prüfung \(way.name)")
            await session.close()
            #expect(session.failure?.kind == .cancelled, "\(way.name): \(String(describing: session.failure))")
        }
        server.stop()
    }

    @Test func `a certificate that is not trusted, or for another name, and a wrong password are refused`() async throws
    {
        let server = try await DovecotServer.start()
        let trust = IMAPEndpoint.Trust.authorities(path: server.authorities)
        let right = IMAPCredentials.password(user: "u0001@example.test", password: Secret("pw"))
        var endpoint = IMAPEndpoint(host: "localhost", port: server.tlsPort, security: .implicit)
        for security in [IMAPEndpoint.Security.implicit, .startTLS] {
            endpoint.security = security
            endpoint.port = security == .implicit ? server.tlsPort : server.port
            endpoint.trust = .system
            endpoint.certificateName = nil
            #expect(await refusal(endpoint, right) == .insecure, "\(endpoint)")
            endpoint.trust = trust
            endpoint.certificateName = "elsewhere.example"
            #expect(await refusal(endpoint, right) == .insecure, "\(endpoint)")
            endpoint.certificateName = "localhost"
            #expect(await refusal(endpoint, right) == nil)
        }
        let wrong = IMAPCredentials.password(user: "u0001@example.test", password: Secret("guess"))
        #expect(await refusal(endpoint, wrong) == .authenticationFailed)
        server.stop()
    }

    private func refusal(_ endpoint: IMAPEndpoint, _ credentials: IMAPCredentials) async -> IMAPError.Kind? {
        do throws(IMAPError) {
            let session = try await IMAPSession.connect(
                to: endpoint, as: credentials, on: MultiThreadedEventLoopGroup.singleton)
            await session.close()
            return nil
        } catch {
            return error.kind
        }
    }

    // MARK: the verbs

    private func text(_ number: Int) -> String {
        // One of them is larger than all buffers on the way.
        "Subject: \(number)\r\n\r\n" + String(repeating: "x", count: number == 7 ? 3_000_000 : 100 * number) + "\r\n"
    }

    private func use(_ session: IMAPSession, mailbox name: String) async throws {
        let box = MailboxName(name, utf8: session.usesUTF8)
        #expect(try await session.namespaces().personal.map(\.separator) == [UInt8(ascii: "/")])
        #expect(session.usesQResync && session.serverIdentity["name"] == "Dovecot")
        for _ in 0..<2 { for result in try await session.create([(box, [])]) { try result.get() } }
        for result in try await session.subscribe([box]) { try result.get() }
        let validity = try await fill(box, session)

        let (selected, rows) = try await inThisOrder {
            try await session.select(box, readOnly: false)
        } then: {
            try await session.messages(UIDSet(1...4_294_967_295), [.flags, .size, .internalDate, .modSeq]).rows
        }
        #expect(selected.exists == 40 && selected.uidNext == 41 && selected.allowsNewKeywords)
        #expect(selected.uidValidity == validity)
        #expect(rows.map(\.uid) == Array(1...40))
        #expect(rows.allSatisfy { $0.internalDate == Instant(seconds: 1_000_000_000) && $0.modSeq != nil })
        #expect(rows.allSatisfy { $0.flags?.keywords == ["$Forwarded"] && $0.flags?.system.contains(.seen) == true })
        try await readBack(Array(21...40) + Array(1...20), session)

        let headers = try await session.headers(of: UIDSet([2, 3]), fields: ["Subject"])
        #expect(
            headers.map { String(decoding: $0.header ?? [], as: UTF8.self) } == [1, 2].map { "Subject: \($0)\r\n\r\n" })
        try await change(box, session, since: selected)
        try await session.unselect()
        try await session.rename(box, to: MailboxName("Renamed", utf8: session.usesUTF8))
        try await session.delete(MailboxName("Renamed", utf8: session.usesUTF8))
    }

    /// Forty messages: twenty in one command, twenty one by one.
    private func fill(_ box: MailboxName, _ session: IMAPSession) async throws -> UInt32? {
        for single in [false, true] {
            let appender = try await session.append(to: box, single: single)
            for number in 0..<20 {
                let text = text(number)
                let message = AppendedMessage(
                    flags: MessageFlags(.seen, keywords: ["$Forwarded"]), internalDate: Instant(seconds: 1_000_000_000),
                    size: UInt64(text.utf8.count))
                #expect(try await appender.begin(message))
                try await appender.write(ByteBuffer(string: text))
            }
            for (number, result) in try await appender.finish().enumerated() {
                guard case .appended(_, let uid) = result else { Issue.record("\(result)"); continue }
                #expect(uid == UID(number + (single ? 21 : 1)))
            }
        }
        let listed = try await session.list(status: .change).first { $0.name == box }
        #expect(listed?.attributes.contains(.subscribed) == true)
        #expect(listed?.status?.messages == 40 && listed?.status?.uidNext == 41)
        return listed?.status?.uidValidity
    }

    private func readBack(_ uids: [UID], _ session: IMAPSession) async throws {
        let fetch = try await session.bodies(of: uids)
        var contents: [UID: [UInt8]] = [:]
        var order: [UID] = []
        var content: [UInt8] = []
        while let events = try await fetch.next() {
            for event in events {
                switch event {
                case .began(let uid, _):
                    order.append(uid)
                    content = []
                case .bytes(let bytes): content += bytes.readableBytesView
                case .ended(let uid): contents[uid] = content
                case .absent, .unreadable: Issue.record("\(event)")
                }
            }
        }
        #expect(order == uids)
        for uid in uids { #expect(contents[uid] == Array(text(Int(uid - 1) % 20).utf8), "message \(uid)") }
    }

    private func change(_ box: MailboxName, _ session: IMAPSession, since before: SelectedMailbox) async throws {
        let changes: [(UIDSet, FlagChange)] = [
            (UIDSet(3...5), .add(MessageFlags(.flagged))), (UIDSet(5...5), .remove(MessageFlags(.flagged))),
            (UIDSet(6...6), .set(MessageFlags(.answered))),
        ]
        #expect(try await session.store(changes).map { try $0.get() } == [UIDSet(), UIDSet(), UIDSet()])
        #expect(try await session.search("FLAGGED") == UIDSet(3...4))
        // Changed since: left alone.
        let late = try await session.store([(UIDSet(4...4), .add(MessageFlags(.draft)))], unchangedSince: 1)
        #expect(try late.map { try $0.get() } == [UIDSet(4...4)])
        try await session.expunge(UIDSet(1...2))
        #expect(try await session.search("ALL") == UIDSet(3...40))

        let known = KnownState(uidValidity: before.uidValidity ?? 0, modSeq: before.highestModSeq ?? 0)
        let again = try await session.select(box, readOnly: true, known: known)
        #expect(again.isReadOnly && again.vanished == UIDSet(1...2) && Set(again.changed.map(\.uid)) == [3, 4, 5, 6])

        #expect(try await session.myRights(in: box).contains("a"))
        let friend = "u0002@example.test"
        try await session.setRights("lr", of: friend, in: box)
        #expect(try await session.rights(of: box).contains(AccessRights(identifier: friend, rights: "lr")))
        try await session.deleteRights(of: friend, in: box)
        #expect(try await session.rights(of: box).contains { $0.identifier == friend } == false)
        #expect(try await session.quota(of: box).isEmpty)
        // Another connection's news are not lost for those who look again.
        #expect(try await session.status(of: [box], .messages).map { try $0.get().messages } == [38])
    }
}
