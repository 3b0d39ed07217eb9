import FerryConnector
import FerryCore
import Synchronization
import Testing

@testable import FerryIMAP

/// What Dovecot and Cyrus cannot be brought to do: they always let owners administer their mailboxes.
@Suite(.timeLimit(.minutes(10))) struct `Freezing on a server that refuses` {
    private final class Lists: Sendable {
        let rights = Mutex<[String: [String: String]]>([
            "INBOX": ["ada": "lrswipkxtea", "bob": "lrs"], "Club": ["ada": "lrswipkxtea"],
        ])
    }

    /// Answers as a server with ACL; `refuses` decides on each change.
    private static func serve(
        _ lists: Lists, _ server: ScriptedServer.Talk,
        refuses: @Sendable (_ verb: String, _ mailbox: String, _ identifier: String) -> Bool
    ) async throws {
        try await server.logIn("ACL")
        while true {
            let line = try await server.line()
            let words = line.split(separator: " ").map { $0.filter { $0 != "\"" } }
            let tag = words[0]
            switch words[1] {
            case "LIST":
                try await server.say("* LIST () \"/\" INBOX\r\n* LIST () \"/\" Club\r\n\(tag) OK\r\n")
            case "GETACL":
                let entries = lists.rights.withLock { $0[words[2]] ?? [:] }
                let text = entries.sorted { $0.key < $1.key }.map { "\"\($0.key)\" \($0.value)" }
                try await server.say("* ACL \(words[2]) \(text.joined(separator: " "))\r\n\(tag) OK\r\n")
            case "SETACL", "DELETEACL":
                guard !refuses(words[1], words[2], words[3]) else {
                    try await server.say("\(tag) NO [NOPERM] not you\r\n")
                    continue
                }
                lists.rights.withLock { $0[words[2], default: [:]][words[3]] = words.count > 4 ? words[4] : nil }
                try await server.say("\(tag) OK\r\n")
            case "LOGOUT":
                return try await server.say("* BYE\r\n\(tag) OK\r\n")
            default:
                try await server.say("\(tag) OK\r\n")
            }
        }
    }

    @Test(arguments: ["ada", "-ferry.frozen.ada"])
    func `leaves every mailbox as it was, and says which one stood in the way`(_ refused: String) async throws {
        let lists = Lists()
        let before = lists.rights.withLock { $0 }
        try await ScriptedServer.play { server in
            try await Self.serve(lists, server) { verb, mailbox, identifier in
                verb == "SETACL" && mailbox == "Club" && identifier == refused
                    && lists.rights.withLock { $0["Club"]?[identifier] } == (refused == "ada" ? "lrswipkxtea" : nil)
                    && (refused != "ada" || lists.rights.withLock { $0["INBOX"]?["ada"] } == "lrpa")
            }
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            let error = await #expect(throws: ConnectorError.self) { try await AccessFreeze(session: session).freeze() }
            #expect(error?.code == .sourceForbidden)
            #expect(error?.disposition == .skip, "the move goes on without")
            #expect(error?.context.contains("Club") == true)
            await session.close()
        }
        #expect(lists.rights.withLock { $0 } == before)
    }

    @Test func `takes nobody's rights while a record of them is not there`() async throws {
        let lists = Lists()
        let early = Mutex(0)
        try await ScriptedServer.play { server in
            try await Self.serve(lists, server) { verb, _, identifier in
                // The records of all mailboxes come before the first change that takes something.
                if verb == "SETACL", !identifier.hasPrefix("-") {
                    let records = lists.rights.withLock { $0.values.map { $0.keys.count { $0.hasPrefix("-") } } }
                    if records.reduce(0, +) < 3 { early.withLock { $0 += 1 } }
                }
                return false
            }
        } with: { port in
            let session = try await ScriptedServer.connect(port)
            try await AccessFreeze(session: session).freeze()
            await session.close()
        }
        #expect(early.withLock { $0 } == 0)
        let left = lists.rights.withLock { $0 }
        #expect(left["INBOX"]?["ada"] == "lrpa")
        #expect(left["INBOX"]?["bob"] == "lr")
        #expect(left["INBOX"]?["-ferry.frozen.ada"] == "lrswipkxtea")
    }
}
