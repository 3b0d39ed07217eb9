import FerryConnector
import FerryCore
import FerryEngine
import FerryFolder
import FerryStore
import FerryTestKit
import Foundation
import Testing

@testable import FerryIMAP

@Suite struct MoveTests {
    /// What mailboxes hold that trips movers: no Message-ID, the same one twice, twins, 8-bit, malformed headers, large.
    static var messages: [TestMessage] {
        var messages = [
            TestMessage("Subject: plain\r\nMessage-ID: <1@x>\r\n\r\nOne.\r\n", flags: [.seen, .answered]),
            TestMessage("Subject: same id\r\nMessage-ID: <1@x>\r\n\r\nAnother.\r\n", at: 1_500_000_000),
            TestMessage("Subject: no id\r\n\r\nNothing.\r\n", flags: [.flagged], keywords: ["Later", "$Junk"]),
            TestMessage("Subject: twin\r\n\r\nTwin.\r\n", at: 1_400_000_000),
            TestMessage("Subject: twin\r\n\r\nTwin.\r\n", at: 1_400_000_000),
            TestMessage("Subject: draft\r\n\r\n\r\n", at: 1, flags: [.draft, .seen]),
            TestMessage("Subject: body\r\n\r\nGr\u{FC}\u{DF}e, \u{1F6A2}\r\n", flags: [.forwarded]),
            TestMessage("Subject: large\r\n\r\n" + String(repeating: "0123456789abcdef\r\n", count: 40_000)),
        ]
        for number in 0..<60 {
            messages.append(
                TestMessage(
                    "Subject: \(number)\r\n\r\n" + String(repeating: "line \(number)\r\n", count: number * 7),
                    at: 1_600_000_000 + Int64(number), flags: number % 3 == 0 ? [.seen] : []))
        }
        return messages
    }

    private static func fill(_ server: MailServer) async throws {
        try await server.acting { session in
            try await session.put(messages)
            let separator = UInt8(ascii: "/")
            for path in [["Projects"], ["Projects", "2024"], ["Übung & Söhne"], ["日本語"]] {
                let bytes = path.map { MailboxName($0, utf8: false).bytes }.joined(separator: [separator])
                let name = MailboxName(wire: Array(bytes))
                for result in try await session.create([(name: name, specialUse: [])]) { try result.get() }
                try await session.put(Array(messages.dropFirst(path.count).prefix(5)), into: name)
            }
            _ = try await session.subscribe([MailboxName("Projects", utf8: false)])
        }
    }

    /// After the first pass: new mail, changed flags, deleted mail, a folder gone.
    private static func work(_ server: MailServer) async throws {
        try await server.acting { session in
            try await session.put([TestMessage("Subject: new\r\n\r\nNew.\r\n", at: 1_700_000_000)])
            _ = try await session.select(.inbox, readOnly: false, known: nil)
            let uids = Array(try await session.search("ALL").uids)
            _ = try await session.store(
                [
                    (UIDSet(uids[10...14]), .set(MessageFlags(.flagged, keywords: ["Later"]))),
                    (UIDSet(uids[0...0]), .remove(MessageFlags(.seen))),
                ], unchangedSince: nil)
            try await session.expunge(UIDSet(uids[20...22]))
            try await session.unselect()
            try await session.delete(MailboxName("日本語", utf8: false))
        }
    }

    /// Cyrus refuses the messages with NUL, each in a lot with hundreds of others, and several lots are on their way.
    @Test func `A batch goes out over several connections, and refused messages are found in each`() async throws {
        let target = try await MailServer.person(.cyrus)
        var settings = FakeTenant.Settings()
        settings.pageItems = 3_000
        let source = FakeTenant(settings)
        let bad = [3, 700, 701, 1_900]
        source.edit(FakeTenant.Place(.mail, "ada")) { holdings in
            for number in 0..<2_400 {
                let text = "Subject: \(number)\r\n\r\n" + (bad.contains(number) ? "nul\u{0}\r\n" : "line\r\n")
                let date = Instant(seconds: 1_600_000_000 + Int64(number))
                holdings[["INBOX"]].add(
                    "m\(number)", Array(text.utf8), .message(MessageMetadata(flags: [], internalDate: date)))
            }
        }
        let world = try await MoveWorld(
            from: source.connector(.mail), "ada", to: target.connector, target.login)
        let first = try await world.pass()
        #expect(first.progress.items == 2_396 && first.progress.skipped == 4)
        let findings = try await world.findings()
        #expect(Set(findings.map(\.item)) == Set(bad.map { "m\($0)" }))
        #expect(findings.allSatisfy { $0.code == .targetItemRefused })
        #expect(try await world.verify().differences.isEmpty)
        #expect(try await world.pass().changes == 0)
    }

    @Test(
        arguments: [
            (MailServer.Kind.dovecot, MailServer.Kind.dovecot), (.dovecot, .cyrus), (.cyrus, .dovecot),
        ])
    func `A mailbox moves whole, follows its source, and then costs nothing`(
        from: MailServer.Kind, to: MailServer.Kind
    ) async throws {
        let source = try await MailServer.person(from)
        let target = try await MailServer.person(to)
        try await Self.fill(source)
        let world = try await MoveWorld(from: source, to: target)
        let first = try await world.pass()
        #expect(first.changes == Int64(Self.messages.count + 20))
        try await world.expectSame("first pass")

        try await Self.work(source)
        let second = try await world.pass()
        #expect(second.changes == 1 + 6 + 3 + 5, "new, flags, deleted, the folder's")
        try await world.expectSame("second pass")
        #expect(try await world.pass().changes == 0)
        #expect(try await world.findings().map(\.message) == [])
        // Reading has left no trace.
        let seen = try await source.acting { try await $0.contents() }.filter { $0.metadata.flags.contains(.seen) }
        #expect(
            seen.count == 18, "those that were put as seen, but for the one unread again, the overwritten and deleted")
    }

    @Test func `Mail goes from a server into a folder and from there back to a server`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.dovecot)
        try await Self.fill(source)
        let root = FileManager.default.temporaryDirectory.appending(path: "ferry-tenant-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let folder = FolderConnector(service: .mail, tenant: "Fabrikam", root: root) {
            Instant(seconds: Int64(Date().timeIntervalSince1970))
        }
        let out = try await MoveWorld(from: source.connector, source.login, to: folder, "ada")
        #expect(try await out.pass().changes == Int64(Self.messages.count + 20))
        try await out.expectSame()
        let back = try await MoveWorld(from: folder, "ada", to: target.connector, target.login)
        #expect(try await back.pass().changes == Int64(Self.messages.count + 20))
        try await back.expectSame()
        let (before, after) = (
            try await source.acting { try await $0.contents() }, try await target.acting { try await $0.contents() }
        )
        #expect(Set(before) == Set(after))
        #expect(before.count == after.count)
    }

    @Test func `A mailbox that was made anew at the source is moved anew, without twins`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.dovecot)
        let name = MailboxName("Club", utf8: false)
        func make(_ texts: [String]) async throws {
            try await source.acting { session in
                for result in try await session.create([(name: name, specialUse: [])]) { try result.get() }
                try await session.put(texts.map { TestMessage("Subject: \($0)\r\n\r\n\($0)\r\n") }, into: name)
            }
        }
        try await make(["one", "two"])
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        func validity() async throws -> UInt32? {
            try await source.acting { try await $0.status(of: [name], [.uidValidity]).first?.get().uidValidity }
        }
        let before = try await validity()
        // The server takes UIDVALIDITY from its clock, in seconds, so the first mailbox made anew may be as the old one.
        repeat {
            try await source.acting { try await $0.delete(name) }
            try await make(["two", "three"])
        } while try await validity() == before
        try await world.pass()
        try await world.expectSame()
        let there = try await target.acting { try await $0.contents(of: name) }
        #expect(there.count == 2)
    }

    @Test func `A folder with a purpose goes into the target's own folder for it`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.cyrus)
        try await source.acting { session in
            for result in try await session.create([(name: MailboxName("Sent", utf8: false), specialUse: .sent)]) {
                try result.get()
            }
            try await session.put(
                [TestMessage("Subject: sent\r\n\r\nSent.\r\n")], into: MailboxName("Sent", utf8: false))
        }
        let world = try await MoveWorld(from: source, to: target)
        try await world.pass()
        try await world.expectSame()
        #expect(try await target.acting { try await $0.counts()["Sent"] } == 1)
    }

    @Test func `One message that the target refuses is named, and the rest of its batch goes through`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.cyrus)
        // Cyrus refuses a line without a colon among the headers.
        let bad = TestMessage("Subject: bad\r\nthis is no header\r\n\r\nBad.\r\n")
        let good = (0..<40).map { TestMessage("Subject: \($0)\r\n\r\nGood \($0).\r\n") }
        try await source.acting { _ = try await $0.put(good[..<17] + [bad] + good[17...]) }
        let world = try await MoveWorld(from: source, to: target)
        let result = try await world.pass()
        #expect(result.progress.skipped == 1)
        let findings = try await world.findings()
        #expect(findings.map(\.code) == [.targetItemRefused])
        #expect(findings.map(\.item) == ["UID 18"])
        let arrived = try await target.acting { try await $0.contents() }
        #expect(Set(arrived.map(\.body)) == Set(good.map(\.body)))
        #expect(arrived.count == good.count)
        try await world.expectSame()
    }

    @Test func `A mailbox without room takes what fits, and says what did not`() async throws {
        let source = try await MailServer.person(.dovecot)
        let target = try await MailServer.person(.dovecot, ["--quota", "*:storage=300K"])
        let small = (0..<5).map { TestMessage("Subject: \($0)\r\n\r\nSmall.\r\n") }
        let large = TestMessage("Subject: large\r\n\r\n" + String(repeating: "0123456789abcdef\r\n", count: 30_000))
        try await source.acting { _ = try await $0.put(small + [large]) }
        let world = try await MoveWorld(from: source, to: target)
        let result = try await world.pass()
        #expect(result.progress.failed == 1)
        #expect(try await world.findings().map(\.code) == [.targetFull])
        #expect(try await target.acting { try await $0.counts()["INBOX"] } == 5)
    }

    @Test func `A keyword that the target refuses costs the keyword and not the message`() async throws {
        let root = FileManager.default.temporaryDirectory.appending(path: "ferry-tenant-\(UUID().uuidString)").path
        for part in ["cur", "new", "tmp"] {
            try FileManager.default.createDirectory(atPath: "\(root)/ada/\(part)", withIntermediateDirectories: true)
        }
        defer { try? FileManager.default.removeItem(atPath: root) }
        let long = String(repeating: "k", count: 80)
        try Data("0 \(long)\n1 Good\n".utf8).write(to: URL(fileURLWithPath: "\(root)/ada/dovecot-keywords"))
        try Data("Subject: a\n\nLF only\n".utf8).write(to: URL(fileURLWithPath: "\(root)/ada/cur/1.a.host:2,Sa"))
        try Data("Subject: b\n\nLF only\n".utf8).write(to: URL(fileURLWithPath: "\(root)/ada/cur/2.b.host:2,Sb"))
        let folder = FolderConnector(service: .mail, tenant: "Contoso", root: root) {
            Instant(seconds: Int64(Date().timeIntervalSince1970))
        }
        let target = try await MailServer.person(.dovecot)
        let world = try await MoveWorld(from: folder, "ada", to: target.connector, target.login)
        let result = try await world.pass()
        #expect(result.progress.items == 2)
        #expect(result.progress.skipped + result.progress.failed == 0)
        #expect(try await world.findings().map(\.item) == ["1.a.host"])
        let there = try await target.acting { try await $0.contents() }
        #expect(
            there.map { String(decoding: $0.body, as: UTF8.self) }.sorted() == [
                "Subject: a\r\n\r\nLF only\r\n", "Subject: b\r\n\r\nLF only\r\n",
            ])
        #expect(Set(there.map(\.metadata.keywords)) == [[], ["Good"]])
        #expect(there.allSatisfy { $0.metadata.flags == .seen })
    }
}
