import FerryCore
import FerryFormats
import Testing

@testable import ferry

struct DemoTenantTests {
    private let now = Instant(seconds: 1_800_000_000)

    private func files(people: Int = 6, seed: UInt64 = 1) throws -> [DemoFile] {
        var files: [DemoFile] = []
        try DemoTenants(people: people, seed: seed, now: now).write { files.append($0) }
        return files
    }

    private func digest(_ files: [DemoFile]) -> ContentDigest {
        var hasher = ContentHasher()
        for file in files {
            hasher.update(
                Array("\(file.path)\u{0}\(file.modified?.microseconds ?? 0)\u{0}\(file.isExecutable)\u{0}".utf8))
            if case .bytes(let bytes) = file.content { hasher.update(bytes) }
        }
        return hasher.finish()
    }

    private func contents(_ files: [DemoFile], where isWanted: (String) -> Bool) -> [(path: String, bytes: [UInt8])] {
        files.compactMap { file in
            guard case .bytes(let bytes) = file.content, isWanted(file.path) else { return nil }
            return (file.path, bytes)
        }
    }

    @Test func `the same seed gives the same bytes, another one others`() throws {
        let first = digest(try files())
        #expect(first == digest(try files()))
        #expect(first != digest(try files(seed: 2)))
    }

    @Test(arguments: [1, 2, 150])
    func `any number of people have names and addresses of their own`(people: Int) {
        let cast = DemoTenants(people: people, seed: 7, now: now).cast
        #expect(cast.count == people)
        for side in [\CastMember.source, \CastMember.target] {
            let persons = cast.map { $0[keyPath: side] }
            #expect(Set(persons.map(\.id)).count == people)
            #expect(
                Set(persons.flatMap { $0.addresses.map { $0.lowercased() } }).count
                    == persons.flatMap(\.addresses).count)
            #expect(persons.allSatisfy { $0.mail.allSatisfy { $0.isASCII } })
        }
    }

    @Test func `no file is written twice and everything lies below its tenant`() throws {
        let files = try files(people: 20)
        let paths = files.filter { $0.content != .folder }.map(\.path)
        #expect(Set(paths).count == paths.count)
        #expect(files.allSatisfy { !$0.path.contains("//") && !$0.path.contains("..") })
        #expect(files.last?.path == "ferry.yaml")
    }

    @Test func `the configuration is one that Ferry reads`() throws {
        let written = Dictionary(
            try files().compactMap { file -> (String, [UInt8])? in
                guard case .bytes(let bytes) = file.content else { return nil }
                return ("/demo/" + file.path, bytes)
            }, uniquingKeysWith: { $1 })
        struct Missing: Error {}
        let configuration = try ConfigurationReader(file: "/demo/ferry.yaml") { path in
            guard let bytes = written[path] else { throw Missing() }
            return bytes
        }.read()
        #expect(configuration.tenants.map(\.people.count) == [6, 6])
        #expect(configuration.tenants[0].services.count == 5)
        #expect(configuration.tenants[1].services[.chats] == .folder(path: "/demo/fabrikam/chats"))
        #expect(configuration.trusts[0].identities.pairs?.count == 6)
    }

    @Test func `messages parse, say their size, and threads hang together`() throws {
        let messages = contents(try files(people: 12)) { $0.contains("/cur/") || $0.contains("/new/") }
        #expect(messages.count > 300)
        var ids: Set<String> = []
        var references: Set<String> = []
        for (path, bytes) in messages {
            let headers = MessageHeaders.parse(bytes)
            #expect(headers.bodyOffset != nil)
            #expect(headers.date != nil)
            #expect(headers.subject != nil)
            #expect(path.contains(",S=\(bytes.count)"))
            if let id = headers.messageID { ids.insert(id) }
            if let reference = headers.first("in-reply-to") {
                references.insert(String(decoding: reference, as: UTF8.self).trimmed)
            }
            let tooLong = bytes.split(separator: UInt8(ascii: "\n")).contains { $0.count > 998 }
            #expect(!tooLong, "RFC 5322 section 2.1.1")
        }
        #expect(references.count > 50)
        #expect(references.isSubset(of: ids.union(ids.map { "<\($0)>" })))
    }

    @Test func `every charset and folder names of many scripts occur`() throws {
        let files = try files(people: 16)
        let text = contents(files) { $0.contains("/cur/") }.map { String(decoding: $0.bytes, as: UTF8.self) }.joined()
        for charset in Charset.allCases { #expect(text.contains("=?\(charset.rawValue)?"), "\(charset)") }
        for charset in Charset.allCases { #expect(text.contains("charset=\(charset.rawValue)"), "\(charset)") }
        #expect(files.contains { $0.path.contains("/.Projects.Caf&AOk-/") })
    }

    @Test func `calendars and cards are made of content lines of at most 75 octets`() throws {
        let objects = contents(try files(people: 8)) { $0.hasSuffix(".ics") || $0.hasSuffix(".vcf") }
        #expect(objects.count > 100)
        for (path, bytes) in objects {
            var lines = ContentLines(bytes)
            var open: [String] = []
            while let location = lines.next() {
                let line = try #require(lines.line(at: location), "\(path)")
                let value = String(decoding: line.valueOctets, as: UTF8.self)
                if line.name == "BEGIN" { open.append(value) }
                if line.name == "END" { #expect(open.popLast() == value, "\(path)") }
            }
            #expect(open.isEmpty, "\(path)")
            #expect(bytes.split(separator: UInt8(ascii: "\n")).allSatisfy { $0.count <= 76 }, "\(path)")
        }
        let text = objects.map { String(decoding: $0.bytes, as: UTF8.self) }.joined()
        for needle in [
            "RRULE:", "RECURRENCE-ID", "STATUS:CANCELLED", "VALUE=DATE", "BEGIN:VALARM", "BEGIN:VTODO", "VERSION:3.0",
            "VERSION:4.0",
        ] {
            #expect(text.contains(needle), "\(needle)")
        }
    }

    @Test func `chats are Matrix events of members, in the order of time`() throws {
        let files = try files(people: 12)
        let media = Set(
            files.map(\.path).filter { $0.contains("/media/") }.compactMap { $0.split(separator: "/").last })
        var kinds: Set<String> = []
        for (path, bytes) in contents(files, where: { $0.hasSuffix("timeline.jsonl") }) {
            let statePath = path.replacing("timeline.jsonl", with: "state.json")
            let state = try #require(contents(files) { $0 == statePath }.first.flatMap { RoomState.parse($0.bytes) })
            let members = Set(state.members.map(\.user))
            #expect(members.count > 1)
            var last = Instant.distantPast
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                let event = try #require(MatrixEvent.parse(Array(line)))
                #expect(event.sender.map(members.contains) == true)
                let sent = try #require(event.sent)
                #expect(sent > last)
                last = sent
                kinds.insert(event.type)
                for reference in event.media { #expect(media.contains(reference.identifier[...])) }
            }
        }
        #expect(kinds == ["m.room.message", "m.reaction"])
        #expect(!media.isEmpty)
    }

    @Test func `charsets say what programs of their time said`() {
        #expect(Charset.koi8r.encode("Привет, ё") == [0xF0, 0xD2, 0xC9, 0xD7, 0xC5, 0xD4, 0x2C, 0x20, 0xA3])
        #expect(Charset.latin1.encode("Größe") == [0x47, 0x72, 0xF6, 0xDF, 0x65])
        #expect(Charset.latin1.encode("Привет") == nil)
        #expect(
            Charset.iso2022jp.encode("会議a") == [0x1B, 0x24, 0x42, 0x32, 0x71, 0x35, 0x44, 0x1B, 0x28, 0x42, 0x61])
        #expect(
            Charset.iso2022jp.encode("はい、ソ") == [
                0x1B, 0x24, 0x42, 0x24, 0x4F, 0x24, 0x24, 0x21, 0x22, 0x25, 0x3D, 0x1B, 0x28, 0x42,
            ])
        for story in Stories.conversations + Stories.notices {
            for text in story.messages {
                let filled = Template.fill(text, ["to": "A", "from": "B", "project": "C", "n": "4"])
                #expect(story.charset.encode(filled) != nil, "\(story.subject)")
            }
        }
    }

    @Test func `base64 and quoted-printable are those of RFC 2045`() {
        #expect(
            String(decoding: MIME.base64(Array("any carnal pleas".utf8)), as: UTF8.self) == "YW55IGNhcm5hbCBwbGVhcw==")
        #expect(MIME.base64Lines([UInt8](repeating: 0, count: 100)).split(separator: 10).allSatisfy { $0.count <= 77 })
        #expect(String(decoding: MIME.quotedPrintable(Array("a=ü \r\nb".utf8)), as: UTF8.self) == "a=3D=C3=BC=20\r\nb")
        let long = MIME.quotedPrintable(Array(String(repeating: "ö", count: 60).utf8))
        #expect(long.split(separator: 10).allSatisfy { $0.count <= 77 })
        #expect(MIME.headerText("Größe", .latin1) == "=?iso-8859-1?Q?Gr=F6=DFe?=")
        for word in MIME.headerText(String(repeating: "桜", count: 80), .utf8).split(separator: "\r\n ") {
            #expect(word.utf8.count <= 75)
        }
    }
}
