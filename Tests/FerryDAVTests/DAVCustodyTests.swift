import FerryConnector
import FerryCore
import FerryHTTP
import FerryTestKit
import NIOCore
import Testing

@testable import FerryDAV

@Suite struct `Custody of files over WebDAV` {
    /// What the person does meanwhile, and how the server answers.
    private static func write(_ server: FileServer, _ name: String) async throws -> Int {
        let session = HTTPSession(
            HTTPConnections(server.endpoint, connections: 1), as: .password(user: server.login, password: Secret("pw")))
        var reply = try await session.send(
            HTTPRequest("PUT", "/dav/\(server.login)/\(name)", body: ByteBuffer(string: "mine")))
        await reply.drain()
        return reply.head.status
    }

    private static let item = SeedItem(
        name: "late", body: [1, 2, 3], metadata: .file(FileMetadata(modified: Instant(seconds: 1_600_000_000))))

    private static func custody(_ server: FileServer) async throws -> any SourceCustody {
        try #require(try await server.connector.source(for: server.account()).custody)
    }

    @Test func `keeps everybody from writing, whatever happens in between, until it is undone`() async throws {
        let server = try await FileServer.person(.apache)
        let target = try await server.connector.target(for: server.account())
        _ = try await target.ensure(DAVFileSource.container)
        #expect(try await Self.write(server, "before") == 201)
        try await Self.custody(server).freeze()
        #expect(try await Self.write(server, "before") == 423)
        // Apache says so with a multistatus where something is new.
        #expect(try await Self.write(server, "new") == 207)
        #expect(server.content("new") == nil)
        let receipts = try await target.write(
            [Self.item.header], bodies: ListBodyReader([.success(Self.item.body)]), in: DAVFileSource.container)
        guard case .failure(let refused) = receipts.first else {
            Issue.record("\(receipts)")
            return
        }
        #expect(refused.code == .targetConflict)
        // Another process finds it so, and can read everything.
        try await Self.custody(server).freeze()
        let source = try await server.connector.source(for: server.account())
        #expect(try await source.items(in: DAVFileSource.container, after: nil).headers.map(\.name) == ["before"])
        try await Self.custody(server).thaw()
        #expect(try await Self.write(server, "new") == 201)
        try await Self.custody(server).thaw()
    }

    @Test(arguments: [true, false])
    func `leaves word where the person has gone, frozen or not, and takes it back`(_ isFrozen: Bool) async throws {
        let server = try await FileServer.person(.apache)
        let target = try await server.connector.target(for: server.account())
        _ = try await target.ensure(DAVFileSource.container)
        if isFrozen { try await Self.custody(server).freeze() }
        for address in ["ada@fabrikam.example", "lovelace@fabrikam.example"] {
            try await Self.custody(server).redirect(to: address)
            let word = String(decoding: server.content(".ferry-moved") ?? [], as: UTF8.self)
            #expect(word == "# Left by Ferry: this account has moved to\n\(address)\n")
        }
        let source = try await server.connector.source(for: server.account())
        #expect(try await source.items(in: DAVFileSource.container, after: nil).headers.isEmpty, "it is no item")
        try await Self.custody(server).removeRedirect()
        #expect(server.content(".ferry-moved") == nil)
        if isFrozen { #expect(try await Self.write(server, "new") == 207) }
        try await Self.custody(server).removeRedirect()
        try await Self.custody(server).thaw()
    }

    @Test func `is not possible where somebody holds a lock, and nothing is changed then`() async throws {
        let server = try await FileServer.person(.apache)
        let target = try await server.connector.target(for: server.account())
        _ = try await target.ensure(DAVFileSource.container)
        #expect(try await Self.write(server, "open") == 201)
        let editor = HTTPSession(
            HTTPConnections(server.endpoint, connections: 1), as: .password(user: server.login, password: Secret("pw")))
        let body =
            #"<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>"#
            + "<D:owner>An editor</D:owner></D:lockinfo>"
        var reply = try await editor.send(
            HTTPRequest(
                "LOCK", "/dav/\(server.login)/open", headers: [("Timeout", "Infinite")], body: ByteBuffer(string: body))
        )
        await reply.drain()
        #expect(reply.head.status == 200)
        let error = await #expect(throws: ConnectorError.self) { try await Self.custody(server).freeze() }
        #expect(error?.disposition == .skip)
        #expect(try await Self.write(server, "other") == 201)
        try await Self.custody(server).thaw()
    }

    @Test func `is not possible where locks cannot be found again`() async throws {
        let server = try await FileServer.person(.rclone)
        let target = try await server.connector.target(for: server.account())
        _ = try await target.ensure(DAVFileSource.container)
        let error = await #expect(throws: ConnectorError.self) { try await Self.custody(server).freeze() }
        #expect(error?.disposition == .skip)
        let session = HTTPSession(
            HTTPConnections(server.endpoint, connections: 1), as: .password(user: "mover", password: Secret("masterpw"))
        )
        var reply = try await session.send(
            HTTPRequest("PUT", "/\(server.login)/free", body: ByteBuffer(string: "x")))
        await reply.drain()
        #expect(reply.head.status == 201)
    }

    @Test func `knows its own lock by its owner, and only one that lasts`() {
        let own = "Ferry keeps these files as they are, because their owner moves"
        let uuid = "e71d4fae-5dec-22d6-fea5-00a0c91e6be4"
        #expect(DAVCustody.token("\n\(own)\nInfinite\nopaquelocktoken:\(uuid)\n") == "opaquelocktoken:\(uuid)")
        #expect(DAVCustody.token("\(own)Second-604800urn:uuid:\(uuid)/a") == "urn:uuid:\(uuid)")
        #expect(DAVCustody.token("\(own)Second-600urn:uuid:\(uuid)") == nil)
        #expect(DAVCustody.token("AnotherInfiniteurn:uuid:\(uuid)") == nil)
        #expect(DAVCustody.token("\(own)Infinite1234") == nil)
        #expect(DAVCustody.token("\(own)Infiniteurn:uuid:\(uuid.dropLast())") == nil)
    }
}
