import FerryConnector
import FerryCore
import FerryTestKit
import NIOPosix
import Testing

@testable import FerryIMAP

/// What servers answer when they are asked what has changed, the odd answers included.
@Suite(.timeLimit(.minutes(10))) struct `Asking for changes` {
    private static let condStore = "ENABLE CONDSTORE ESEARCH UNSELECT"
    private static let qresync = condStore + " QRESYNC"

    /// Answers like a server that has one mailbox: EXAMINE and FETCH with what the test says, everything else with OK.
    private static func serve(
        _ server: ScriptedServer.Talk, _ capabilities: String, examine: [String] = [], fetch: [String] = [],
        fetchEnds: String = "OK", search: String? = nil, status: [String] = []
    ) async throws -> [String] {
        try await server.logIn(capabilities)
        var lines: [String] = []
        var statuses = status[...]
        var fetches = fetch[...]
        while true {
            let line = try await server.line()
            let tag = line.prefix { $0 != " " }
            let command = String(line.dropFirst(tag.count + 1))
            lines.append(command)
            var said = ""
            switch command.split(separator: " ").prefix(2).joined(separator: " ") {
            case "LOGOUT":
                try? await server.say("* BYE\r\n\(tag) OK\r\n")
                return lines
            case "EXAMINE INBOX": said = examine.map { "* \($0)\r\n" }.joined()
            case "UID FETCH":
                said = fetches.popFirst() ?? ""
                if fetchEnds != "OK" {
                    try await server.say(said + "\(tag) \(fetchEnds)\r\n")
                    continue
                }
            case "UID SEARCH":
                if let search { said = "* ESEARCH (TAG \"\(tag)\") UID \(search)\r\n" }
            case "LIST \"\"": said = "* LIST () \"/\" INBOX\r\n"
            case "STATUS INBOX": said = "* STATUS INBOX (\(statuses.popFirst() ?? ""))\r\n"
            case "ENABLE QRESYNC": said = "* ENABLED QRESYNC\r\n"
            default: break
            }
            try await server.say(said + "\(tag) OK\r\n")
        }
    }

    private static func row(_ uid: UID, _ flags: String = "") -> String {
        "* \(uid) FETCH (UID \(uid) FLAGS (\(flags)) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 4\(uid)"
            + " MODSEQ (100))\r\n"
    }

    private static let opened = ["5 EXISTS", "OK [UIDVALIDITY 7] x", "OK [UIDNEXT 20] x", "OK [HIGHESTMODSEQ 90] x"]

    private func ask(
        _ capabilities: String, examine: [String] = opened, fetch: [String], fetchEnds: String = "OK",
        search: String? = nil, mostRows: Int = 100
    ) async throws -> MailboxChanges? {
        try await ScriptedServer.play { server in
            let lines = try await Self.serve(
                server, capabilities, examine: examine, fetch: fetch, fetchEnds: fetchEnds, search: search)
            let isTold = capabilities.contains("QRESYNC")
            #expect(
                lines.contains(
                    "UID FETCH 1:4294967295 (UID FLAGS INTERNALDATE RFC822.SIZE) (CHANGEDSINCE 50\(isTold ? " VANISHED" : ""))"
                ), "\(lines)")
            #expect(lines.contains("UID SEARCH RETURN (ALL) ALL") == !isTold)
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let answer = try await session.examine(.inbox, uidValidity: 7, changedSince: 50, mostRows: mostRows)
            #expect(answer.mailbox.name == .inbox)
            #expect(answer.mailbox.isReadOnly)
            await session.close()
            return answer.changes
        }
    }

    @Test func `with QRESYNC gives rows and what vanished, and no news that nobody asked for`() async throws {
        let fetch =
            "* VANISHED (EARLIER) 2,4:6,4294967295\r\n" + Self.row(3, "\\Seen")
            // Somebody changes flags and expunges while we are told: the next pass hears of it.
            + "* 4 FETCH (UID 9 FLAGS (\\Deleted) MODSEQ (101))\r\n* VANISHED 10\r\n* 6 EXISTS\r\n" + Self.row(12)
            + Self.row(3, "\\Answered")
        let changes = try #require(try await ask(Self.qresync, fetch: [fetch]))
        #expect(changes.rows.map(\.uid) == [12, 3])
        #expect(changes.rows.last?.flags?.system == [.answered])
        #expect(changes.rows.last?.size == 43)
        #expect(changes.others.isEmpty)
        #expect(changes.gone == UIDSet([2, 4, 5, 6, .max]))
    }

    @Test func `without QRESYNC takes for gone what a search does not find`() async throws {
        let changes = try #require(
            try await ask(Self.condStore, fetch: [Self.row(3) + Self.row(12)], search: "ALL 3,7:9,12"))
        #expect(changes.rows.map(\.uid) == [3, 12])
        #expect(changes.gone.ranges == [1...2, 4...6, 10...11, 13...UID.max])
        let empty = try #require(
            try await ask(
                Self.condStore, examine: ["0 EXISTS"] + Self.opened.dropFirst(), fetch: [""], search: ""))
        #expect(empty.gone.ranges == [1...UID.max])
    }

    @Test func `keeps no more rows than it was told to`() async throws {
        let fetch = (1...9).map { Self.row($0) }.joined() + Self.row(2, "\\Seen")
        let changes = try #require(try await ask(Self.qresync, fetch: [fetch], mostRows: 4))
        #expect(changes.rows.map(\.uid) == [1, 2, 3, 4])
        #expect(changes.others == UIDSet(5...9), "what has a row is not asked for again")
    }

    @Test(arguments: [
        ["5 EXISTS", "OK [UIDVALIDITY 8] x", "OK [HIGHESTMODSEQ 90] x"],
        ["5 EXISTS", "OK [UIDVALIDITY 7] x", "OK [NOMODSEQ] x"],
        ["5 EXISTS", "OK [UIDVALIDITY 7] x"],
        ["5 EXISTS", "OK [UIDVALIDITY 7] x", "OK [HIGHESTMODSEQ 49] x"],
    ])
    func `believes no mailbox that was made anew, keeps no sequence, or whose sequence went back`(
        _ examine: [String]
    ) async throws {
        #expect(try await ask(Self.qresync, examine: examine, fetch: [Self.row(3)]) == nil)
    }

    @Test(arguments: ["NO [CANNOT] not now", "BAD what is that"])
    func `takes a refusal for "cannot tell"`(_ refusal: String) async throws {
        #expect(try await ask(Self.qresync, fetch: [Self.row(3)], fetchEnds: refusal) == nil)
        let told = try await ask(Self.qresync, fetch: [Self.row(3)], fetchEnds: "NO [EXPUNGEISSUED] some are gone")
        #expect(told?.rows.map(\.uid) == [3])
    }

    // MARK: the connector

    private static func account() -> Account {
        Account(
            tenant: TenantID(GUID(high: 2, low: 2)),
            person: Person(
                id: PersonID(GUID(high: 1, low: 1)), userPrincipalName: "ada@contoso.example", displayName: "Ada",
                mail: "ada@contoso.example"), login: "user")
    }

    /// Asks a source for what has changed since the first status, when the server tells the second.
    private func follow(
        _ before: String, _ after: String, and keys: [ItemKey] = [], cursor: Cursor? = nil, fetch: [String] = []
    ) async throws -> (changes: ContainerChanges?, rest: [ItemHeader]) {
        try await ScriptedServer.play { server in
            // Opening, state, state again.
            _ = try await Self.serve(
                server, Self.qresync, examine: Self.opened, fetch: fetch, status: [before, after])
        } with: { port in
            let connector = IMAPConnector(
                tenant: "Contoso",
                settings: IMAPSettings(
                    endpoint: IMAPEndpoint(host: "127.0.0.1", port: port, security: .none),
                    entrance: .passwords { _ in Secret("pass") }),
                on: MultiThreadedEventLoopGroup.singleton)
            let source = try await connector.source(for: Self.account())
            let inbox = try #require(try await source.containers().first)
            let since = try await source.state(of: inbox)
            _ = try await source.state(of: inbox)
            let changes = try await source.changes(in: inbox, since: cursor ?? since, and: keys)
            var rest: [ItemHeader] = []
            var next = changes?.first.next
            while let cursor = next {
                let page = try await source.items(in: inbox, after: cursor)
                rest += page.headers
                next = page.next
            }
            await source.close()
            return (changes, rest)
        }
    }

    private static let before = "MESSAGES 5 UIDNEXT 18 UIDVALIDITY 7 HIGHESTMODSEQ 50"
    private static let after = "MESSAGES 5 UIDNEXT 20 UIDVALIDITY 7 HIGHESTMODSEQ 90"

    @Test func `gives pages of changes, items that are asked for by key, and what is gone`() async throws {
        let keys = [3, 4, 12].map { ItemKey(uidValidity: 7, uid: $0) }
        let (changes, rest) = try await follow(
            Self.before, Self.after, and: keys,
            fetch: ["* VANISHED (EARLIER) 2,5:6\r\n" + Self.row(3) + Self.row(19), Self.row(12)])
        #expect(changes?.first.headers.map(\.name) == ["UID 3", "UID 19"])
        #expect(rest.map(\.name) == ["UID 12"], "the fourth is gone, and was not missed")
        #expect(
            changes?.gone == [
                ItemKey(uidValidity: 7, uid: 2)...ItemKey(uidValidity: 7, uid: 2),
                ItemKey(uidValidity: 7, uid: 5)...ItemKey(uidValidity: 7, uid: 6),
            ])
        #expect(changes?.items == 5)
        #expect(changes?.bytes == nil, "the server has no STATUS=SIZE")
    }

    @Test(arguments: [
        ("made anew", before, "MESSAGES 5 UIDNEXT 20 UIDVALIDITY 8 HIGHESTMODSEQ 90"),
        ("sequence went back", before, "MESSAGES 5 UIDNEXT 20 UIDVALIDITY 7 HIGHESTMODSEQ 49"),
        ("numbers went back", before, "MESSAGES 5 UIDNEXT 17 UIDVALIDITY 7 HIGHESTMODSEQ 90"),
        ("no sequence now", before, "MESSAGES 5 UIDNEXT 20 UIDVALIDITY 7 HIGHESTMODSEQ 0"),
        ("none told now", before, "MESSAGES 5 UIDNEXT 20 UIDVALIDITY 7"),
        ("no sequence then", "MESSAGES 5 UIDNEXT 18 UIDVALIDITY 7 HIGHESTMODSEQ 0", after),
    ])
    func `lists everything where the server's own word does not hold`(
        _ what: String, _ before: String, _ after: String
    ) async throws {
        #expect(try await follow(before, after).changes == nil, "\(what)")
    }

    @Test func `lists everything for cursors of another form and items that have no number`() async throws {
        for bytes in [[], [0], [1], [2, 0, 0, 0, 7, 0, 0, 0, 9], Array(repeating: 1, count: 20)] as [[UInt8]] {
            #expect(try await follow(Self.before, Self.after, cursor: Cursor(bytes)).changes == nil)
        }
        let keys = [ItemKey(high: 0xDEAD_BEEF_0000_0001, low: 5), ItemKey(uidValidity: 6, uid: 5)]
        for key in keys { #expect(try await follow(Self.before, Self.after, and: [key]).changes == nil) }
    }
}
