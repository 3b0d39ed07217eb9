import FerryConnector
import FerryCore
import NIOCore
import NIOPosix
import Testing

@testable import FerryIMAP

/// Over a slow link nothing waits for an answer that it does not need.
@Suite(.timeLimit(.minutes(10))) struct `Writing over a slow link` {
    private static let container = Container(
        name: "Club", path: ["Club"], details: .mailFolder(isSubscribed: true))

    private final class Bodies: BodyReader, Sendable {
        private let left: Box
        // SAFETY: pulled by one task at a time, as `BodyReader` says.
        private final class Box: @unchecked Sendable {
            var bodies: ArraySlice<[UInt8]>
            init(_ bodies: [[UInt8]]) { self.bodies = bodies[...] }
        }

        init(_ bodies: [[UInt8]]) { left = Box(bodies) }

        func next() async throws(ConnectorError) -> [BodyEvent]? {
            left.bodies.popFirst().map { [.bytes(ByteBuffer(bytes: $0)), .end] }
        }
    }

    private static func target(_ port: Int) async throws -> any TargetSession {
        let connector = IMAPConnector(
            tenant: "Fabrikam",
            settings: IMAPSettings(
                endpoint: IMAPEndpoint(host: "127.0.0.1", port: port, security: .none),
                entrance: .passwords { _ in Secret("pass") }),
            on: MultiThreadedEventLoopGroup.singleton)
        let person = Person(
            id: PersonID(GUID(high: 1, low: 1)), userPrincipalName: "ada@fabrikam.example", displayName: "Ada",
            mail: "ada@fabrikam.example")
        return try await connector.target(
            for: Account(tenant: TenantID(GUID(high: 2, low: 2)), person: person, login: "user"))
    }

    private static func enter(_ server: ScriptedServer.Talk) async throws {
        try await server.logIn("MULTIAPPEND LITERAL+ UIDPLUS")
        for _ in 0..<2 {
            let line = try await server.line()
            let tag = line.prefix { $0 != " " }
            if line.contains("LIST") { try await server.say("* LIST () \"/\" INBOX\r\n") }
            try await server.say("\(tag) OK\r\n")
        }
    }

    /// Reads one MULTIAPPEND whose first line has been read; gives the sizes of its messages.
    private static func readAppend(_ server: ScriptedServer.Talk, _ first: String) async throws -> [Int] {
        var sizes: [Int] = []
        var line = first
        while line.hasSuffix("+}") {
            let size = try #require(
                Int(line.dropLast(2).reversed().prefix { $0.isNumber }.reversed().map(String.init).joined()))
            _ = try await server.bytes(size)
            sizes.append(size)
            line = try await server.line()
        }
        return sizes
    }

    @Test func `the next lot goes out before the answer to the one before`() async throws {
        let body = Array("Subject: x\r\n\r\n".utf8) + [UInt8](repeating: 0x61, count: 200 << 10)
        let headers = (1...12).map { number in
            ItemHeader(
                key: ItemKey(uidValidity: 1, uid: UID(number)), version: ItemVersion(1), name: "UID \(number)",
                size: Int64(body.count),
                metadata: .message(MessageMetadata(flags: [], internalDate: Instant(seconds: 1_600_000_000))))
        }
        try await ScriptedServer.play { server in
            try await Self.enter(server)
            var line = try await server.line()
            var open: (tag: Substring, count: Int)?
            var next = 1
            while line.contains("APPEND") {
                let tag = line.prefix { $0 != " " }
                let count = try await Self.readAppend(server, line).count
                // Only now the one before is answered.
                if let answered = open {
                    try await server.say("\(answered.tag) OK [APPENDUID 5 \(next):\(next + answered.count - 1)]\r\n")
                    next += answered.count
                }
                open = (tag, count)
                guard next + count <= 12 else { break }
                line = try await server.line()
            }
            let last = try #require(open)
            #expect(next > 1, "there was more than one lot")
            try await server.say("\(last.tag) OK [APPENDUID 5 \(next):\(next + last.count - 1)]\r\n")
            try await server.logOut()
        } with: { port in
            let target = try await Self.target(port)
            let receipts = try await target.write(
                headers, bodies: Bodies(headers.map { _ in body }), in: Self.container)
            #expect(receipts.map(\.place) == (1...12).map { ItemPlace(uidValidity: 5, uid: $0) })
            await target.close()
        }
    }

    @Test func `a lot that is refused behind another one does not touch it`() async throws {
        let body = Array("Subject: x\r\n\r\n".utf8) + [UInt8](repeating: 0x61, count: 250 << 10)
        let headers = (1...10).map { number in
            ItemHeader(
                key: ItemKey(uidValidity: 1, uid: UID(number)), version: ItemVersion(1), name: "UID \(number)",
                size: Int64(body.count + (number == 3 ? 1 : 0)),
                metadata: .message(MessageMetadata(flags: [], internalDate: Instant(seconds: 1_600_000_000))))
        }
        try await ScriptedServer.play { server in
            try await Self.enter(server)
            var next = 1
            var commands = 0
            while true {
                let line = try await server.line()
                let tag = line.prefix { $0 != " " }
                guard line.contains("APPEND") else {
                    try await server.say("* BYE\r\n\(tag) OK\r\n")
                    break
                }
                commands += 1
                let sizes = try await Self.readAppend(server, line)
                if sizes.contains(body.count + 1) {
                    try await server.say("\(tag) NO [CANNOT] not that one\r\n")
                } else {
                    try await server.say("\(tag) OK [APPENDUID 5 \(next):\(next + sizes.count - 1)]\r\n")
                    next += sizes.count
                }
            }
            #expect(next == 10, "every other message arrived, once")
            #expect(commands <= 8, "the one to blame is found by halves")
        } with: { port in
            let target = try await Self.target(port)
            let bodies = headers.indices.map { $0 == 2 ? body + [0x61] : body }
            let receipts = try await target.write(headers, bodies: Bodies(bodies), in: Self.container)
            for (index, receipt) in receipts.enumerated() {
                switch receipt {
                case .failure(let error):
                    #expect(index == 2)
                    #expect(error.code == .targetItemRefused)
                    #expect(error.context.contains("UID 3"))
                default: #expect(index != 2)
                }
            }
            await target.close()
        }
    }

    @Test func `a message that breaks off does not take the answer to the ones before with it`() async throws {
        let small = Array("Subject: x\r\n\r\nSmall.\r\n".utf8)
        let large = Array("Subject: x\r\n\r\n".utf8) + [UInt8](repeating: 0x61, count: 300 << 10)
        let headers = (1...3).map { number in
            ItemHeader(
                key: ItemKey(uidValidity: 1, uid: UID(number)), version: ItemVersion(1), name: "UID \(number)",
                // The last one is shorter than the source says.
                size: Int64(number == 3 ? large.count + 10 : small.count),
                metadata: .message(MessageMetadata(flags: [], internalDate: Instant(seconds: 1_600_000_000))))
        }
        try await ScriptedServer.play { server in
            try await Self.enter(server)
            let line = try await server.line()
            let sizes = try await Self.readAppend(server, line)
            #expect(sizes == [small.count, small.count])
            // The large one begins before this is answered.
            let next = try await server.line()
            #expect(next.hasSuffix("{\(large.count + 10)+}"))
            try await server.say("\(line.prefix { $0 != " " }) OK [APPENDUID 5 1:2]\r\n")
            try await server.untilClosed()
        } with: { port in
            let target = try await Self.target(port)
            let receipts = try await target.write(
                headers, bodies: Bodies([small, small, large]), in: Self.container)
            let places = receipts.map(\.place)
            #expect(places == [ItemPlace(uidValidity: 5, uid: 1), ItemPlace(uidValidity: 5, uid: 2), nil])
            await target.close()
        }
    }

    @Test func `a folder is made, subscribed and marked in one round trip`() async throws {
        try await ScriptedServer.play { server in
            try await Self.enter(server)
            let tags = [
                try await server.expect("CREATE Club"), try await server.expect("SUBSCRIBE Club"),
                try await server.expect("STATUS Club (UIDNEXT UIDVALIDITY)"),
            ]
            try await server.say(
                "\(tags[0]) OK\r\n\(tags[1]) OK\r\n* STATUS Club (UIDNEXT 1 UIDVALIDITY 7)\r\n\(tags[2]) OK\r\n")
            try await server.logOut()
        } with: { port in
            let target = try await Self.target(port)
            let there = try await target.ensure(Self.container)
            let mark = try #require(AppendMark(try await target.mark(of: there, before: [])))
            #expect(mark == AppendMark(uidValidity: 7, first: 1, before: []))
            await target.close()
        }
    }
}
