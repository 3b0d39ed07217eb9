import FerryCore
import Testing

@testable import FerryFormats

@Suite struct JSONDocumentTests {
    @Test(arguments: [
        "null", " true ", "0", "-0.5e+3", #""""#, "[]", "{ }", "[1, [2, {}], \"x\"]", #"{"a":{"b":[1,2]},"a":2}"#,
        #""\u00e9\ud83d\ude00\n""#, "\"\u{E9}\"",
    ])
    func `JSON is accepted`(json: String) {
        #expect(JSONDocument(Array(json.utf8)) != nil)
    }

    @Test(arguments: [
        "", " ", "nul", "01", "-", "1.", "1e", "+1", ".5", "[", "]", "[1,]", "[,1]", "{,}", "{\"a\"}", "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}", "[1 2]", "1 2", "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\t\"", "[1}", "{\"a\":1]", "nullx",
        "'a'",
        "\u{FEFF}1", "[1],",
    ])
    func `What is no JSON is refused`(json: String) {
        #expect(JSONDocument(Array(json.utf8)) == nil)
    }

    @Test func `Octets that are no UTF-8 and endless nesting are refused`() {
        #expect(JSONDocument([0x22, 0xFF, 0x22]) == nil)
        let deep = { (count: Int) in [UInt8](repeating: 0x5B, count: count) + [UInt8](repeating: 0x5D, count: count) }
        #expect(JSONDocument(deep(ContentLimits.maximumJSONDepth)) != nil)
        #expect(JSONDocument(deep(ContentLimits.maximumJSONDepth + 1)) == nil)
        #expect(JSONDocument(deep(1_000_000)) == nil)
    }

    @Test func `Values are found by name and read`() throws {
        let bytes = Array(
            #"{"n": 12, "s":"a\u00e9\ud83d\ude00\ud83dx\/", "\u0073":"last", "l":[1,[2],3], "f":1.0}"#.utf8)
        let document = try #require(JSONDocument(bytes))
        #expect(document[document.root, "n"].flatMap(document.integer) == 12)
        #expect(document[document.root, "f"].flatMap(document.integer) == nil)
        #expect(document.members(of: document.root, named: "s").map(document.string) == ["aé😀\u{FFFD}x/", "last"])
        let list = try #require(document[document.root, "l"])
        #expect(document.children(of: list).map { text(Array(bytes[document.range(of: $0)])) } == ["1", "[2]", "3"])
        #expect(document[list, "x"] == nil)
        for sample in ["", "a\"b\\c\n\u{0}é😀"] {
            let quoted = try #require(JSONDocument(JSONDocument.quoted(sample)))
            #expect(quoted.string(quoted.root) == sample)
        }
    }
}

@Suite struct MatrixTests {
    @Test func `An event is read`() throws {
        let event = try #require(MatrixEvent.parse(Fixture.event))
        #expect(event.id == "$1")
        #expect(event.type == "m.room.message")
        #expect(event.sender == "@Ada:contoso.example")
        #expect(event.stateKey == nil)
        #expect(event.sent == nil, "a number with an exponent is no timestamp")
        #expect(event.media.map(\.text) == ["mxc://contoso.example/abc_-1"], "a path is no identifier")
        let timed = try #require(MatrixEvent.parse(Array(#"{"type":"x","origin_server_ts":1714566600123}"#.utf8)))
        #expect(timed.sent.map(RFC3339.format) == "2024-05-01T12:30:00.123Z")
        #expect(MatrixEvent.parse(Array(#"{"type":"x","origin_server_ts":9223372036854775807}"#.utf8))?.sent == nil)
        for broken in ["", "[]", "{}", #"{"type":1}"#, "null"] { #expect(MatrixEvent.parse(Array(broken.utf8)) == nil) }
    }

    @Test func `A room has a name and members, the last word counting`() throws {
        let state = try #require(
            RoomState.parse(
                Array(
                    #"""
                    [{"type":"m.room.name","state_key":"","content":{"name":"Old"}},
                     {"type":"m.room.name","state_key":"","content":{"name":"Plans"}},
                     {"type":"m.room.topic","state_key":"","content":{"topic":""}},
                     {"type":"m.room.member","state_key":"@a:x","content":{"membership":"invite","displayname":"A"}},
                     {"type":"m.room.member","state_key":"@b:x","content":{"membership":"join"}},
                     {"type":"m.room.member","state_key":"@a:x","content":{"membership":"join","displayname":"A"}},
                     {"type":"m.room.message","content":{}}, 7, {}]
                    """#.utf8)))
        #expect(state.name == "Plans")
        #expect(state.topic == nil)
        #expect(state.members.map(\.user) == ["@a:x", "@b:x"])
        #expect(state.members.map(\.membership) == ["join", "join"])
        #expect(state.events == 6)
        #expect(RoomState.parse(Array("{}".utf8)) == nil)
    }

    @Test func `User ids change in their places and nowhere else`() {
        let expected = text(Fixture.event)
            .replacing("\"@Ada:contoso.example\"", with: "\"@ada.l:fabrikam.example\"")
            .replacing("\"@grace:contoso.example\"", with: "\"@grace:fabrikam.example\"")
        #expect(text(EventRewriting.rewrite(Fixture.event, addresses: .fixture)) == expected)
        #expect(expected.contains("\"body\":\"@ada:contoso.example hi\""))
    }

    @Test(arguments: [
        (
            #"{"type":"m.room.member","state_key":"@ada:contoso.example"}"#,
            #"{"type":"m.room.member","state_key":"@ada.l:fabrikam.example"}"#
        ),
        (
            #"{"type":"m.room.power_levels","content":{"users":{"@ada:contoso.example": 100, "@x:y":50}}}"#,
            #"{"type":"m.room.power_levels","content":{"users":{"@ada.l:fabrikam.example": 100, "@x:y":50}}}"#
        ),
        (
            #"{"type":"m.room.create","content":{"creator":"@ada:contoso.example"}}"#,
            #"{"type":"m.room.create","content":{"creator":"@ada.l:fabrikam.example"}}"#
        ),
        (
            #"{"type":"x","content":{"creator":"@ada:contoso.example"}}"#,
            #"{"type":"x","content":{"creator":"@ada:contoso.example"}}"#
        ),
        (
            #"{"unsigned":{"redacted_because":{"sender":"@ada:contoso.example"}},"sender":"@ada:contoso.example"}"#,
            #"{"unsigned":{"redacted_because":{"sender":"@ada.l:fabrikam.example"}},"sender":"@ada.l:fabrikam.example"}"#
        ),
        (
            #"{"sender":"\u0040ada:contoso.example","sender":"@grace:contoso.example"}"#,
            #"{"sender":"@ada.l:fabrikam.example","sender":"@grace:fabrikam.example"}"#
        ),
        (#"{"sender":"ada@contoso.example"}"#, #"{"sender":"ada@contoso.example"}"#),
        (#"{"sender":7,"content":[],"unsigned":null}"#, #"{"sender":7,"content":[],"unsigned":null}"#),
    ])
    func `Each place is known`(old: String, new: String) {
        #expect(text(EventRewriting.rewrite(Array(old.utf8), addresses: .fixture)) == new)
        #expect(text(EventRewriting.rewrite(state: Array("[\(old)]".utf8), addresses: .fixture)) == "[\(new)]")
        #expect(text(EventRewriting.rewrite(Array(old.utf8), addresses: .stranger)) == old)
    }

    @Test(arguments: [#"{"sender":"@ada:contoso.example""#, #"["@ada:contoso.example"]"#, "", "7"])
    func `What is no event, or no state, stays as it is`(json: String) {
        #expect(text(EventRewriting.rewrite(Array(json.utf8), addresses: .fixture)) == json)
        #expect(text(EventRewriting.rewrite(state: Array(json.utf8), addresses: .fixture)) == json)
        #expect(MatrixEvent.parse(Array(json.utf8)) == nil)
    }

    @Test func `Any bytes are survived, and strangers change none of them`() {
        var mutator = Mutator(
            seed: 99, fixtures: [Fixture.event, Array(#"{"content":{"users":{"@ada:contoso.example":1}}}"#.utf8)],
            tokens: ["{", "}", "\"", "\\", "\\ud83d", "[", ",", ":", #""sender":"@ada:contoso.example","#])
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = mutator.next()
            _ = MatrixEvent.parse(bytes)
            _ = RoomState.parse(bytes)
            if JSONDocument(bytes) != nil { accepted += 1 }
            let once = EventRewriting.rewrite(bytes, addresses: .fixture)
            #expect(EventRewriting.rewrite(once, addresses: .fixture) == once)
            #expect(EventRewriting.rewrite(bytes, addresses: .stranger) == bytes)
        }
        #expect(accepted > 500, "the mutations leave enough that is JSON")
    }
}
