import FerryConnector
import FerryCore
import FerryFolder
import FerryFormats
import FerryTestKit
import Foundation
import NIOCore
import Testing

@Suite struct ChatsTests {
    /// Media stand for items, because their bodies may be anything; events have their own tests below.
    private struct Fixture: ConnectorFixture {
        let scratch: TreeScratch
        init() throws {
            scratch = try TreeScratch(.chats)
            try scratch.put("lobby/state.json", ChatsTests.state("Lobby"))
        }

        var source: any Connector { scratch.connector("source") }
        var sourceAccount: Account { scratch.account() }
        var strangerAccount: Account { scratch.account("stranger") }
        var target: any Connector { scratch.connector("target") }
        var targetAccount: Account { scratch.account() }
        var targetReader: any Connector { scratch.connector("target") }
        var home: Container {
            Container(name: "lobby", path: ["Lobby"], details: .room(state: ChatsTests.state("Lobby")))
        }
        var oddContainers: [Container] {
            ["..", ".", "", "../escape", "a/b", "!abc:contoso.example", ".hidden", "%2e%2e", "MOVED", "日本", "nul\0l"]
                .map {
                    Container(name: $0, path: [$0], details: .room(state: ChatsTests.state($0)))
                }
        }
        var canUpdate: Bool { false }
        var takesAnyName: Bool { true }

        func item(_ number: Int, bytes: Int) -> SeedItem {
            SeedItem(
                name: "media/file-\(number)", body: (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) },
                metadata: .media)
        }

        func put(_ items: [SeedItem]) async throws {
            for item in items { try scratch.put("lobby/\(item.name)", item.body) }
        }

        func delete(_ item: SeedItem) async throws {
            try FileManager.default.removeItem(atPath: scratch.path("source/ada/lobby/\(item.name)"))
        }

        func settle() async throws { scratch.settle() }
        func isOutsideUntouched() async throws -> Bool { scratch.isOutsideUntouched() }
    }

    static func state(_ name: String) -> [UInt8] {
        [UInt8(ascii: "[")] + Array(#"{"type":"m.room.name","state_key":"","content":{"name":"#.utf8)
            + JSONDocument.quoted(name) + Array("}}]".utf8)
    }

    private static func event(_ number: Int, _ body: String = "hello") -> String {
        #"{"event_id":"$\#(number)","type":"m.room.message","sender":"@ada:contoso.example","content":{"body":"\#(body)"}}"#
    }

    private static func lines(_ events: some Sequence<String>) -> [UInt8] { events.flatMap { Array("\($0)\n".utf8) } }

    @Test(arguments: ConnectorConformance.checks)
    func `Chats conform`(_ check: ConnectorConformance.Check) async throws {
        try await check.run(Fixture())
    }

    @Test func `A room arrives with its state, its events in order, and its media`() async throws {
        let scratch = try TreeScratch(.chats)
        let timeline = Self.lines((0..<2_500).map { Self.event($0, String(repeating: "x", count: $0 % 90)) })
        try scratch.put("!r:contoso.example/state.json", Self.state("Plans"))
        try scratch.put("!r:contoso.example/timeline.jsonl", timeline)
        try scratch.put("!r:contoso.example/media/abc", [1, 2, 3])
        for _ in 0..<2 {
            let receipts = try await scratch.copy(batch: 300)
            #expect(receipts.count == 2_501)
            #expect(receipts.allSatisfy { if case .written = $0 { true } else { false } })
            #expect(scratch.content("target/ada/!r:contoso.example/timeline.jsonl") == timeline)
            #expect(scratch.content("target/ada/!r:contoso.example/state.json") == Self.state("Plans"))
            #expect(scratch.content("target/ada/!r:contoso.example/media/abc") == [1, 2, 3])
        }
    }

    @Test func `Rooms are called by their names, or else by their directories`() async throws {
        let scratch = try TreeScratch(.chats)
        try scratch.put("a/state.json", Self.state("Größe"))
        try scratch.put("b/timeline.jsonl", [])
        try scratch.put("MOVED", [])
        let session = try await scratch.connector("source").source(for: scratch.account())
        let rooms = try await session.containers()
        #expect(rooms.map(\.name) == ["a", "b"])
        #expect(rooms.map(\.path) == [["Größe"], ["b"]])
        #expect(rooms.map(\.details) == [.room(state: Self.state("Größe")), .room(state: Array("[]".utf8))])
    }

    @Test func `Bodies are found whether their page was the last one or long ago`() async throws {
        let scratch = try TreeScratch(.chats)
        let events = (0..<20_000).map { Self.event($0) }
        try scratch.put("r/timeline.jsonl", Self.lines(events))
        let session = try await scratch.connector("source").source(for: scratch.account())
        let container = try #require(try await session.containers().first)
        let headers = try await scratch.list(session, container).headers
        #expect(headers.count == 20_000)
        #expect(headers.prefix(2).map(\.name) == ["$0", "$1"])
        #expect(headers.prefix(2).map(\.key) == [ItemKey(name: "$0"), ItemKey(name: "$1")])
        for picked in [Array(headers[..<300]), Array(headers.suffix(3)), [headers[9_000], headers[17]]] {
            let reader = try await session.bodies(of: picked, in: container)
            var bodies = [String]()
            var body = ""
            while let bunch = try await reader.next() {
                for event in bunch {
                    if case .bytes(let bytes) = event {
                        body += String(buffer: bytes)
                    } else {
                        bodies.append(body)
                        body = ""
                    }
                }
            }
            #expect(bodies == picked.compactMap { Int($0.name.dropFirst()).map { events[$0] } })
        }
    }

    @Test func `Lines that are no events are reported by their number, and the others move`() async throws {
        let scratch = try TreeScratch(.chats)
        let good = Self.event(1) + "\n\nnot json\n{}\n" + Self.event(2)
        try scratch.put("r/timeline.jsonl", Array(good.utf8))
        let session = try await scratch.connector("source").source(for: scratch.account())
        let container = try #require(try await session.containers().first)
        let found = try await scratch.list(session, container)
        #expect(found.headers.map(\.name) == ["$1", "$2"])
        #expect(found.problems.map(\.name) == ["line 3", "line 4"])
        #expect(found.problems.map(\.error.code) == [.sourceItemMalformed, .sourceItemMalformed])
    }

    @Test(arguments: ["{", "{}", "[1]x", "\"\""])
    func `A room whose state cannot be read stays, and says why`(state: String) async throws {
        let scratch = try TreeScratch(.chats)
        try scratch.put("r/state.json", Array(state.utf8))
        try scratch.put("s/state.json", Self.state("S"))
        let session = try await scratch.connector("source").source(for: scratch.account())
        let rooms = try await session.containers()
        #expect(rooms.count == 2)
        let error = try await #require(throws: ConnectorError.self) { try await session.state(of: rooms[0]) }
        #expect(error.code == .sourceItemMalformed)
        #expect(error.disposition == .skip)
        _ = try await session.state(of: rooms[1])
    }

    @Test(arguments: [true, false])
    func `What a crash left of an append is mended`(isWhole: Bool) async throws {
        let scratch = try TreeScratch(.chats)
        let events = (0..<5).map { Self.event($0) }
        try scratch.put("r/timeline.jsonl", Self.lines(events))
        try await scratch.copy()
        let torn = Self.lines(events[..<3]) + Array(events[3].utf8.prefix(isWhole ? .max : 20))
        try Data(torn).write(to: URL(fileURLWithPath: scratch.path("target/ada/r/timeline.jsonl")))
        try await scratch.copy(batch: 2)
        #expect(scratch.content("target/ada/r/timeline.jsonl") == Self.lines(events))
    }

    @Test func `An event that comes again with another content takes the place of the first`() async throws {
        let scratch = try TreeScratch(.chats)
        var events = (0..<5).map { Self.event($0) }
        try scratch.put("r/timeline.jsonl", Self.lines(events))
        try await scratch.copy()
        events[1] = Self.event(1, "rewritten, and longer than it was")
        events.append(Self.event(5))
        try scratch.put("r/timeline.jsonl", Self.lines(events))
        try await scratch.copy()
        #expect(scratch.content("target/ada/r/timeline.jsonl") == Self.lines(events))
        #expect(scratch.targetTree() == ["r", "r/state.json", "r/timeline.jsonl"])
    }

    @Test func `Lines of others are kept as they are`() async throws {
        let scratch = try TreeScratch(.chats)
        let foreign = Array("# notes\n\n".utf8) + Array("x".utf8)
        try scratch.put("r/timeline.jsonl", Self.lines([Self.event(1)]))
        try FileManager.default.createDirectory(atPath: scratch.path("target/ada/r"), withIntermediateDirectories: true)
        let before = Array("# notes\n\n".utf8) + Self.lines([Self.event(1, "old")])
        try Data(before + foreign.suffix(1)).write(
            to: URL(fileURLWithPath: scratch.path("target/ada/r/timeline.jsonl")))
        try await scratch.copy()
        #expect(
            scratch.content("target/ada/r/timeline.jsonl") == Array("# notes\n\n".utf8) + Self.lines([Self.event(1)]))
    }

    @Test(arguments: ["not json", "{}", "", "{\"type\":\"x\",\n\"a\":1}"])
    func `A line that is no event is refused, and the events around it are written`(line: String) async throws {
        let scratch = try TreeScratch(.chats)
        let target = try await scratch.connector("target").target(for: scratch.account())
        let room = try await target.ensure(Container(name: "r", path: ["R"], details: .room(state: Self.state("R"))))
        let bodies = [Self.event(1), line, Self.event(2)]
        let headers = bodies.enumerated().map { number, body in
            ItemHeader(
                key: ItemKey(name: "$\(number)"), version: ItemVersion(1), name: "$\(number)",
                size: Int64(body.utf8.count), metadata: .event)
        }
        let receipts = try await target.write(
            headers, bodies: ListBodyReader(bodies.map { .success(Array($0.utf8)) }), in: room)
        guard case .written = receipts[0], case .failure(let error) = receipts[1], case .written = receipts[2] else {
            Issue.record("The receipts are \(receipts).")
            return
        }
        #expect(error.code == .targetItemRefused)
        #expect(scratch.content("target/ada/r/timeline.jsonl") == Self.lines([bodies[0], bodies[2]]))
    }

    @Test func `Removing takes media and leaves events`() async throws {
        let scratch = try TreeScratch(.chats)
        try scratch.put("r/timeline.jsonl", Self.lines([Self.event(1)]))
        for name in ["a", "b"] { try scratch.put("r/media/\(name)", [1]) }
        try await scratch.copy()
        let target = try await scratch.connector("target").target(for: scratch.account())
        let room = try await target.ensure(Container(name: "r", path: ["r"], details: .room(state: Array("[]".utf8))))
        try await target.remove(
            ["media/a", "$1", "media/x"].map { PlacedItem(key: ItemKey(name: $0)) }, in: room)
        #expect(scratch.targetTree() == ["r", "r/media", "r/media/b", "r/state.json", "r/timeline.jsonl"])
        #expect(scratch.content("target/ada/r/timeline.jsonl") == Self.lines([Self.event(1)]))
    }
}
