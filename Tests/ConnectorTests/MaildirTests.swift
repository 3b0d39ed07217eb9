import FerryConnector
import FerryCore
import FerryFolder
import FerryTestKit
import Foundation
import NIOCore
import Testing

@Suite struct `A Maildir as a source` {
    let tenant: FolderTenant
    var folder: TemporaryFolder { tenant.folder }

    init() throws {
        tenant = try FolderTenant(.mail)
        try makeFolder("")
    }

    private func makeFolder(_ name: String) throws {
        for part in ["cur", "new", "tmp"] { try folder.makeDirectory("source/ada/\(name)/\(part)") }
    }

    @Test func `shows folders as people named them, parents first`() async throws {
        for name in [".B&AOk-te", ".A", ".A.&ZeVnLIqe-", ".v1&AC4-2", ".x&AC8-y", ".A.Sub.Deep"] {
            try makeFolder(name)
        }
        try folder.makeDirectory("source/ada/.ssh")
        try folder.write("A\nB&AOk-te\nINBOX\n", "source/ada/subscriptions")
        let containers = try await tenant.source.source(for: tenant.account).containers()
        #expect(containers.map(\.path).first == ["INBOX"])
        #expect(
            Set(containers.map(\.path)) == [
                ["INBOX"], ["A"], ["A", "日本語"], ["A", "Sub", "Deep"], ["Béte"], ["v1.2"], ["x/y"],
            ])
        let paths = containers.map(\.path)
        let parent = try #require(paths.firstIndex(of: ["A"]))
        let child = try #require(paths.firstIndex(of: ["A", "日本語"]))
        #expect(parent < child)
        let subscribed = containers.filter { $0.details == .mailFolder(isSubscribed: true) }.map(\.path)
        #expect(Set(subscribed) == [["INBOX"], ["A"], ["Béte"]])
    }

    @Test func `has an identity that moves with it, and that another Maildir in its place does not have`() async throws
    {
        func identity(establishing: Bool = false) async throws -> String? {
            try await tenant.source.source(for: tenant.account)
                .mailboxIdentity(recorded: establishing ? nil : "maildir:of-before")
        }
        try folder.write("one", "source/ada/cur/1.a:2,S")
        #expect(try await identity() == nil, "asking leaves nothing behind")
        let first = try #require(try await identity(establishing: true))
        #expect(first.hasPrefix("maildir:"))
        #expect(try await identity() == first)
        #expect(try await identity(establishing: true) == first)
        #expect(try await tenant.listing(["INBOX"]).headers.map(\.name) == ["1.a"], "the mark is no message")
        let (manager, home) = (FileManager.default, folder.path + "/source/ada")
        try manager.moveItem(atPath: home, toPath: folder.path + "/elsewhere")
        try makeFolder("")
        #expect(try await identity() == nil)
        let second = try #require(try await identity(establishing: true))
        #expect(second != first)
        try manager.removeItem(atPath: home)
        try manager.copyItem(atPath: folder.path + "/elsewhere", toPath: home)
        #expect(try await identity() == first)
    }

    @Test func `keeps folders whose names are damaged, each under a path of its own`() async throws {
        for name in [".&AOk-", ".é", ".é (2)", ".&broken", ".A..B", ".INBOX", ".Inbox"] { try makeFolder(name) }
        let containers = try await tenant.source.source(for: tenant.account).containers()
        #expect(containers.count == 8)
        #expect(Set(containers.map(\.path)).count == 8)
        #expect(Set(containers.map(\.name)).count == 8)
        #expect(containers.filter { $0.path.count == 1 && $0.path[0].uppercased() == "INBOX" }.count == 1)
    }

    @Test func `reads flags, keywords and dates from names, and takes new mail as unseen`() async throws {
        try folder.write("0 $Junk\n1 Later\n5 Unused\nnonsense\n99 Beyond\n", "source/ada/dovecot-keywords")
        try folder.write("one", "source/ada/cur/1.a:2,DFPRSTab")
        try folder.write("two", "source/ada/new/2.b")
        try folder.write("six", "source/ada/new/3.c:2,S")
        folder.setModified(1_234_567_890, "source/ada/cur/1.a:2,DFPRSTab")
        let headers = try await tenant.listing(["INBOX"]).headers
        #expect(headers.map(\.name) == ["1.a", "2.b", "3.c"])
        let first = try #require(headers.first?.message)
        #expect(first.flags == [.draft, .flagged, .forwarded, .answered, .seen, .deleted])
        #expect(first.keywords == ["$Junk", "Later"])
        #expect(first.internalDate == Instant(seconds: 1_234_567_890))
        #expect(headers[1].message?.flags == [] && headers[2].message?.flags == [])
    }

    @Test func `lists messages with damaged names and reads them`() async throws {
        let names: [[UInt8]] = [
            Array("foo:2,XYZ".utf8), Array("plain".utf8), Array("with space:2,S".utf8), Array("a:1,x:2,S".utf8),
            Array("latin-".utf8) + [0xE9, 0xFF] + Array(":2,F".utf8), Array(":2,S".utf8), Array("line\nbreak:2,".utf8),
        ]
        for (number, name) in names.enumerated() {
            let path = (Array((folder.path + "/source/ada/cur/").utf8) + name + [0]).map(CChar.init(bitPattern:))
            let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
            try #require(descriptor >= 0)
            try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(
                contentsOf: Data("body \(number)".utf8))
        }
        let session = try await tenant.source.source(for: tenant.account)
        let inbox = try await session.containers()[0]
        let page = try await session.items(in: inbox, after: nil)
        #expect(page.problems.isEmpty)
        #expect(page.headers.count == names.count)
        #expect(page.headers.first { $0.name == "foo" }?.message?.flags == [])
        let reader = try await session.bodies(of: page.headers, in: inbox)
        var bodies = Set<String>()
        while let events = try await reader.next() {
            for case .bytes(let bytes) in events { bodies.insert(String(buffer: bytes)) }
        }
        #expect(bodies == Set(names.indices.map { "body \($0)" }))
    }

    @Test func `follows no link and says so`() async throws {
        try folder.write("secret", "outside")
        try folder.makeDirectory("elsewhere/cur")
        symlink(folder.path + "/outside", folder.path + "/source/ada/cur/1.link:2,S")
        symlink(folder.path + "/elsewhere", folder.path + "/source/ada/.Linked")
        try folder.makeDirectory("source/ada/cur/2.directory")
        let (headers, problems) = try await tenant.listing(["INBOX"])
        #expect(headers.isEmpty)
        #expect(
            Set(problems.map { "\($0.name) \($0.error.code.rawValue)" }) == [
                ".Linked source.name.unusable", "1.link:2,S source.name.unusable",
                "2.directory source.item.unsupported",
            ])
        let containers = try await tenant.source.source(for: tenant.account).containers()
        #expect(containers.map(\.path) == [["INBOX"]])
    }

    @Test(arguments: ["", ".", "..", "a/b", "../ada", "/etc", "nul\u{0}l", ".ferry-frozen"])
    func `refuses a login that is not the name of a folder`(_ login: String) async throws {
        await #expect { try await tenant.source.source(for: FolderTenant.account(login)) } throws: {
            ($0 as? ConnectorError)?.code == .sourceNameUnusable
        }
        await #expect { try await tenant.target.target(for: FolderTenant.account(login)) } throws: {
            ($0 as? ConnectorError)?.code == .sourceNameUnusable
        }
        #expect(try folder.names("target").isEmpty)
    }

    @Test func `refuses a person's folder that is a link`() async throws {
        try folder.makeDirectory("elsewhere")
        symlink(folder.path + "/elsewhere", folder.path + "/source/eve")
        await #expect { try await tenant.source.source(for: FolderTenant.account("eve")) } throws: {
            ($0 as? ConnectorError)?.code == .sourceNameUnusable
        }
    }

    @Test func `finds a message whose flags changed after it was listed`() async throws {
        try folder.write("hello", "source/ada/new/1.a")
        let session = try await tenant.source.source(for: tenant.account)
        let inbox = try await session.containers()[0]
        let headers = try await session.items(in: inbox, after: nil).headers
        rename(folder.path + "/source/ada/new/1.a", folder.path + "/source/ada/cur/1.a:2,RS")
        let reader = try await session.bodies(of: headers, in: inbox)
        let events = try #require(await reader.next())
        #expect(events.count == 2)
        if case .bytes(let bytes) = events[0] { #expect(String(buffer: bytes) == "hello") }
    }

    @Test(arguments: ["shorter", "longer than it was when it was listed"])
    func `fails a message that is not as long as it was listed`(_ content: String) async throws {
        try folder.write("exactly this", "source/ada/cur/1.a:2,")
        let session = try await tenant.source.source(for: tenant.account)
        let inbox = try await session.containers()[0]
        let headers = try await session.items(in: inbox, after: nil).headers
        try folder.writeInPlace(Array(content.utf8), "source/ada/cur/1.a:2,")
        let reader = try await session.bodies(of: headers, in: inbox)
        let last = try #require(await reader.next()?.last)
        guard case .failed(let error) = last else {
            Issue.record("It was taken for complete.")
            return
        }
        #expect(error.code == .sourceItemUnreadable)
    }

    @Test(arguments: [(0, false), (1, false), (2, false), (3, true)])
    func `trusts a folder's time only when it is two seconds old`(_ age: Int64, _ isTrusted: Bool) async throws {
        let tenant = try FolderTenant(.mail) { Instant(seconds: 1_500_000_000 + age) }
        try tenant.folder.makeDirectory("source/ada/cur")
        try tenant.folder.write("hello", "source/ada/cur/1.a:2,")
        try tenant.folder.age("source/ada")
        let session = try await tenant.source.source(for: tenant.account)
        let inbox = try await session.containers()[0]
        let state = try await session.state(of: inbox)
        #expect(try await session.isUnchanged(inbox, since: state) == isTrusted)
        #expect(try await !session.isUnchanged(inbox, since: Cursor([])))
    }
}

@Suite struct `A Maildir as a target` {
    let tenant: FolderTenant
    let fixture: MailFixture
    var folder: TemporaryFolder { tenant.folder }

    init() throws {
        fixture = try MailFixture()
        tenant = fixture.tenant
    }

    private func write(_ headers: [ItemHeader], path: [String] = ["INBOX"]) async throws -> [WriteReceipt] {
        let session = try await tenant.target.target(for: tenant.account)
        let container = Container(name: "x", path: path, details: .mailFolder(isSubscribed: true))
        let made = try await session.ensure(container)
        let bodies = headers.map { Result<[UInt8], ConnectorError>.success(Array(repeating: 65, count: Int($0.size))) }
        return try await session.write(headers, bodies: ListBodyReader(bodies), in: made)
    }

    private func header(_ name: String, _ message: MessageMetadata) -> ItemHeader {
        SeedItem(name: name, body: Array("AAAA".utf8), metadata: .message(message)).header
    }

    @Test func `is laid out as Dovecot expects it, for the owner only`() async throws {
        let message = MessageMetadata(
            flags: [.seen, .flagged], keywords: ["Later", "$Junk"], internalDate: Instant(seconds: 1_234_567_890))
        _ = try await write([header("17.M1.host", message)], path: ["Übung", "a.b"])
        let path = "target/ada/.&ANw-bung.a&AC4-b"
        #expect(try folder.names(path) == ["cur", "dovecot-keywords", "maildirfolder", "new", "tmp"])
        #expect(try folder.names(path + "/cur") == ["17.M1.host:2,FSab"])
        #expect(try folder.names(path + "/tmp").isEmpty)
        #expect(try folder.text(path + "/dovecot-keywords") == "0 Later\n1 $Junk\n")
        #expect(try folder.text("target/ada/subscriptions") == "&ANw-bung.a&AC4-b\n")
        #expect(folder.modified(path + "/cur/17.M1.host:2,FSab") == 1_234_567_890)
        #expect(folder.mode(path + "/cur/17.M1.host:2,FSab") == 0o600)
        #expect(folder.mode(path) == 0o700)
    }

    @Test func `gives a message another name when its own is not safe or not its identity`() async throws {
        let message = MessageMetadata(flags: [], internalDate: Instant(seconds: 5))
        var numbered = header("123", message)
        numbered.key = ItemKey(high: 0, low: 123)
        let pretender = header("5.F0000000000000000000000000000007b.ferry", message)
        _ = try await write([header("../x", message), numbered, pretender])
        let names = try folder.names("target/ada/cur")
        #expect(names.count == 3)
        #expect(names.contains("5.F0000000000000000000000000000007b.ferry:2,"))
        #expect(names.allSatisfy { $0.hasPrefix("5.F") && $0.hasSuffix(".ferry:2,") })
    }

    @Test func `has a message once when it is written again with other flags`() async throws {
        var message = MessageMetadata(flags: [], internalDate: Instant(seconds: 5))
        _ = try await write([header("1.a", message)])
        message.flags = [.seen]
        _ = try await write([header("1.a", message)])
        #expect(try folder.names("target/ada/cur") == ["1.a:2,S"])
        rename(folder.path + "/target/ada/cur/1.a:2,S", folder.path + "/target/ada/new/1.a")
        _ = try await write([header("1.a", message)])
        #expect(try folder.names("target/ada/cur") == ["1.a:2,S"])
        #expect(try folder.names("target/ada/new").isEmpty)
    }

    @Test func `keeps a message whose keywords no longer fit into the folder`() async throws {
        let headers = (0..<30).map { number in
            header(
                "\(number).a",
                MessageMetadata(flags: [], keywords: ["Word\(number)"], internalDate: Instant(seconds: 5)))
        }
        _ = try await write(headers)
        #expect(try folder.names("target/ada/cur").count == 30)
        #expect(try folder.text("target/ada/dovecot-keywords").split(separator: "\n").count == 26)
    }

    @Test func `clears away what a crash has left, and nothing of others`() async throws {
        let message = MessageMetadata(flags: [], internalDate: Instant(seconds: 5))
        _ = try await write([])
        try folder.write("half", "target/ada/tmp/.ferry-tmp.1.1")
        try folder.write("theirs", "target/ada/tmp/1700000000.delivery")
        try folder.makeDirectory("target/ada/.ferry-tmp.folder/cur")
        _ = try await write([header("1.a", message)])
        #expect(try folder.names("target/ada/tmp") == ["1700000000.delivery"])
        #expect(folder.exists("target/ada/.ferry-tmp.folder/cur"))
        #expect(try await tenant.listing(["INBOX"], of: tenant.target).headers.map(\.name) == ["1.a"])
    }

    @Test func `leaves no file of a message whose body fails or whose batch stops`() async throws {
        let items = (0..<3).map { fixture.item($0, bytes: 1000) }
        let failure = ConnectorError(.sourceItemUnreadable, .retry(after: nil), "Made for this test.")
        let session = try await tenant.target.target(for: tenant.account)
        let inbox = try await session.ensure(fixture.home)
        let failing = ListBodyReader([.success(items[0].body), .failure(failure)], before: items[1].body)
        _ = try await session.write(items[..<2].map(\.header), bodies: failing, in: inbox)
        #expect(try folder.names("target/ada/cur").count == 1)
        #expect(try folder.names("target/ada/tmp").isEmpty)
        let stopping = ListBodyReader(
            [.success(items[1].body), .failure(failure)], before: items[2].body, stop: failure)
        await #expect(throws: ConnectorError.self) {
            try await session.write(items.map(\.header), bodies: stopping, in: inbox)
        }
        #expect(try folder.names("target/ada/cur").count == 1)
        #expect(try folder.names("target/ada/tmp").isEmpty)
    }

    @Test func `refuses a folder whose name is too long`() async throws {
        let session = try await tenant.target.target(for: tenant.account)
        let long = Container(
            name: "x", path: [String(repeating: "語", count: 120)], details: .mailFolder(isSubscribed: false))
        await #expect { try await session.ensure(long) } throws: { ($0 as? ConnectorError)?.code == .targetNameRefused }
    }
}
