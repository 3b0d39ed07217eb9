import FerryCore
import NIOCore
import Testing

@testable import FerryDAV

@Suite struct `A multistatus` {
    static let apache = #"""
        <?xml version="1.0" encoding="utf-8"?>
        <D:multistatus xmlns:D="DAV:" xmlns:ns0="DAV:">
        <D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/">
        <D:href>/dav/u0001/a%20b&amp;.txt</D:href>
        <D:propstat><D:prop><lp1:resourcetype/><lp1:getcontentlength>3</lp1:getcontentlength>
        <lp1:getetag>W/"3-660f62e11bf28"</lp1:getetag><lp1:getlastmodified>Mon, 23 Nov 2026 18:58:31 GMT</lp1:getlastmodified>
        <lp2:executable>T</lp2:executable></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>
        <D:propstat><D:prop><lp1:displayname/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
        </D:response>
        <D:response><D:href>/dav/u0001/Caf%c3%a9/</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype>
        </D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>
        <D:response><D:href>/gone</D:href><D:status>HTTP/1.1 423 Locked</D:status>
        <D:error><D:lock-token-submitted/></D:error></D:response>
        <D:sync-token> http://example.test/sync/7 </D:sync-token>
        </D:multistatus>
        """#

    /// What a document gives when it is fed in pieces of so many bytes.
    private func read(
        _ text: String, by size: Int = .max, limits: MultistatusParser.Limits = .init()
    ) throws(XMLFailure) -> (responses: [DAVResponse], token: String?) {
        let parser = MultistatusParser(limits: limits)
        var responses: [DAVResponse] = []
        var rest = ByteBuffer(string: text)
        while let piece = rest.readSlice(length: min(size, rest.readableBytes)), piece.readableBytes > 0 {
            responses += try parser.feed(piece)
        }
        try parser.finish()
        return (responses, parser.syncToken)
    }

    @Test func `is read with its namespaces, states and entities`() throws {
        let (responses, token) = try read(Self.apache)
        #expect(responses.map(\.href) == ["/dav/u0001/a%20b&.txt", "/dav/u0001/Caf%c3%a9/", "/gone"])
        #expect(responses[0].property("DAV: getetag")?.text == "W/\"3-660f62e11bf28\"")
        #expect(responses[0].property("DAV: displayname") == nil)
        #expect(responses[0].properties.last?.status == 404)
        #expect(responses[1].property("DAV: resourcetype")?.children.map(\.name) == ["DAV: collection"])
        #expect(responses[2].status == 423)
        #expect(responses[2].conditions == ["DAV: lock-token-submitted"])
        #expect(token == "http://example.test/sync/7")
        let file = FileEntry(responses[0], name: "a")
        #expect(!file.isFolder && file.size == 3 && file.tag == "3-660f62e11bf28" && file.isExecutable)
        #expect(file.modified?.seconds == 1_795_460_311)
        #expect(FileEntry(responses[1], name: "b").isFolder)
    }

    @Test(arguments: 1...40)
    func `is the same however it is cut`(_ size: Int) throws {
        let whole = try read(Self.apache)
        let cut = try read(Self.apache, by: size)
        #expect(cut.responses == whole.responses)
        #expect(cut.token == whole.token)
    }

    @Test func `gives each response as soon as it is complete`() throws {
        let parser = MultistatusParser()
        let one = "<D:response><D:href>/x</D:href><D:status>HTTP/1.1 200 OK</D:status></D:response>"
        #expect(try parser.feed(ByteBuffer(string: "<D:multistatus xmlns:D='DAV:'>")).isEmpty)
        for _ in 0..<10_000 { #expect(try parser.feed(ByteBuffer(string: one)).count == 1) }
        #expect(try parser.feed(ByteBuffer(string: "</D:multistatus>")).isEmpty)
        try parser.finish()
    }

    @Test(arguments: [
        "<!DOCTYPE x [<!ENTITY a 'b'>]><D:multistatus xmlns:D='DAV:'/>",
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><D:multistatus xmlns:D='DAV:'/>",
        "<D:multistatus xmlns:D='DAV:'>&unknown;</D:multistatus>",
        "<html/>", "", "<D:multistatus xmlns:D='DAV:'>", "<D:multistatus xmlns:D='DAV:'></D:other>",
        "<D:multistatus>", "\u{0}",
    ])
    func `is refused when it is something else`(_ text: String) {
        #expect(throws: XMLFailure.self) { _ = try read(text) }
        #expect(throws: XMLFailure.self) { _ = try read(text, by: 1) }
    }

    @Test func `is refused beyond its limits`() throws {
        func document(_ inside: String) -> String {
            "<D:multistatus xmlns:D='DAV:'><D:response><D:propstat><D:prop>\(inside)</D:prop></D:propstat>"
                + "</D:response></D:multistatus>"
        }
        let limits = MultistatusParser.Limits(text: 100, elements: 10)
        let long = document("<D:a>" + String(repeating: "x", count: 99) + "</D:a>")
        #expect(try read(long, limits: limits).responses.count == 1)
        #expect(throws: XMLFailure.self) {
            _ = try read(document("<D:a>" + String(repeating: "x", count: 101) + "</D:a>"), limits: limits)
        }
        #expect(throws: XMLFailure.self) {
            _ = try read(document(String(repeating: "<D:a/>", count: 11)), limits: limits)
        }
        let deep = String(repeating: "<D:a>", count: 70) + String(repeating: "</D:a>", count: 70)
        #expect(throws: XMLFailure.self) { _ = try read(document(deep)) }
        #expect(throws: XMLFailure.self) {
            _ = try read(document("<D:a b='\(String(repeating: "y", count: 5_000))'/>"))
        }
        let attributes = (0..<70).map { "a\($0)=''" }.joined(separator: " ")
        #expect(throws: XMLFailure.self) { _ = try read(document("<D:a \(attributes)/>")) }
    }
}

@Suite struct `A path of a WebDAV server` {
    @Test func `is read from addresses and paths, and written so that it is read back`() throws {
        #expect(try DAVPath(href: "/dav/a%20b/Caf%C3%A9/").names == ["dav", "a b", "Café"])
        #expect(try DAVPath(href: "http://host:8080/x/y%2Bz?q#f").names == ["x", "y+z"])
        #expect(try DAVPath(href: "https://host").names == [])
        #expect(try DAVPath(href: "/").names == [])
        for name in ["100%", "%41", "a/b".replacing("/", with: ";"), "日本 語", "e\u{301}", "é", "\n", "?#&+"] {
            let path = DAVPath(["top", name])
            #expect(try DAVPath(href: path.encoded(isCollection: true)) == path)
        }
        // Names that differ in their bytes only are two names.
        #expect(DAVPath(["é"]).encoded(isCollection: false) != DAVPath(["e\u{301}"]).encoded(isCollection: false))
    }

    @Test(arguments: ["/a/../b", "/a/%2e%2e/b", "/a//b", "/a%2Fb", "/a%00", "relative", "/./x"])
    func `never leads elsewhere`(_ href: String) {
        #expect(throws: DAVPath.Trouble.misleading) { _ = try DAVPath(href: href) }
    }

    @Test func `is refused when it is not UTF-8`() {
        #expect(throws: DAVPath.Trouble.notText) { _ = try DAVPath(href: "/a/%FF") }
    }
}
