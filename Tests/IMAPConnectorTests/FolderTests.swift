import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

@testable import FerryIMAP

/// Folders that people rename, delete and nest between two passes.
@Suite struct `Folders of a mailbox` {
    private struct World {
        let source: MailServer
        let target: MailServer
        let move: MoveWorld

        init(_ from: MailServer.Kind, _ to: MailServer.Kind) async throws {
            source = try await MailServer.person(from)
            target = try await MailServer.person(to)
            move = try await MoveWorld(from: source, to: target)
        }

        func make(_ folder: String, _ count: Int) async throws {
            let name = World.name(folder)
            try await source.acting { session in
                if name != .inbox {
                    for result in try await session.create([(name: name, specialUse: [])]) { try result.get() }
                }
                try await session.put(
                    (0..<count).map { number in
                        TestMessage(
                            "Subject: \(folder) \(number)\r\n\r\nIn \(folder).\r\n", at: 1_600_000_000 + Int64(number),
                            flags: number % 2 == 0 ? .seen : [])
                    }, into: name)
            }
        }

        /// A pass, after which the target has what the source has, in the same folders, and the next finds nothing to do.
        func pass(_ what: Comment, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int64 {
            let changes = try await move.pass().changes
            try await move.expectSame(what, sourceLocation: sourceLocation)
            let here = try await source.acting { try await $0.counts() }.filter { $0.value > 0 }
            let there = try await target.acting { try await $0.counts() }.filter { $0.value > 0 }
            #expect(here == there, what, sourceLocation: sourceLocation)
            #expect(try await move.pass().changes == 0, what, sourceLocation: sourceLocation)
            #expect(try await move.findings().isEmpty, what, sourceLocation: sourceLocation)
            return changes
        }

        static func name(_ path: String) -> MailboxName {
            path == "INBOX" ? .inbox : MailboxName(path, utf8: false)
        }

        func rename(_ old: String, _ new: String) async throws {
            try await source.acting { try await $0.rename(World.name(old), to: World.name(new)) }
        }
    }

    @Test(arguments: [(MailServer.Kind.dovecot, MailServer.Kind.dovecot), (.cyrus, .dovecot), (.dovecot, .cyrus)])
    func `that are renamed take their mail along, once`(from: MailServer.Kind, to: MailServer.Kind) async throws {
        let world = try await World(from, to)
        try await world.make("INBOX", 2)
        try await world.make("Projects", 5)
        try await world.make("Projects/2024", 4)
        try await world.make("Club", 3)
        #expect(try await world.pass("first") == 14)
        try await world.rename("Club", "Society")
        #expect(try await world.pass("renamed") == 3 + 3, "removed here, written there")
        // With what is below.
        try await world.rename("Projects", "Work")
        #expect(try await world.pass("renamed with its children") == 2 * 9)
        // And another takes the name that has become free; mail that came since goes along.
        try await world.rename("Society", "Projects")
        try await world.make("Club", 2)
        #expect(try await world.pass("a name that is used again") == 3 + 3 + 2)
        // Two change places.
        try await world.rename("Projects", "Other")
        try await world.rename("Club", "Projects")
        try await world.rename("Other", "Club")
        let changes = try await world.pass("two that have changed places")
        #expect(changes == 2 * (3 + 2), "\(changes)")
    }

    @Test(arguments: [(MailServer.Kind.dovecot, MailServer.Kind.dovecot), (.dovecot, .cyrus)])
    func `that are deleted, emptied or cannot hold mail leave nothing behind`(
        from: MailServer.Kind, to: MailServer.Kind
    ) async throws {
        let world = try await World(from, to)
        try await world.make("Parent/Child/Leaf", 3)
        try await world.make("Parent/Other", 2)
        let parent = try await world.source.acting { session in
            try await session.list().first { $0.name == World.name("Parent") }
        }
        #expect(parent?.isSelectable != true, "it is there for the names below it alone")
        #expect(try await world.pass("first") == 5)
        // Now mail can be in it.
        try await world.make("Parent", 4)
        #expect(try await world.pass("a folder that could not hold mail") == 4)
        // And now no more; what is below stays.
        try await world.source.acting { try await $0.delete(World.name("Parent")) }
        #expect(try await world.pass("deleted, with folders below it") == 4)
        try await world.source.acting { try await $0.delete(World.name("Parent/Child/Leaf")) }
        #expect(try await world.pass("deleted") == 3)
        try await world.make("Parent/Child/Leaf", 1)
        #expect(try await world.pass("made anew") == 1)
    }

    @Test(arguments: [MailServer.Kind.dovecot, .cyrus])
    func `lose nothing when INBOX is renamed, which moves its mail away`(_ kind: MailServer.Kind) async throws {
        let world = try await World(kind, .dovecot)
        try await world.make("INBOX", 5)
        #expect(try await world.pass("first") == 5)
        do {
            // RFC 9051 section 6.3.6: a new folder gets the mail, and INBOX is empty.
            try await world.rename("INBOX", "Old mail")
        } catch {
            try Test.cancel("\(kind) does not rename INBOX: \(error)")
        }
        try await world.make("INBOX", 2)
        #expect(try await world.pass("INBOX renamed") == 5 + 5 + 2)
    }
}
