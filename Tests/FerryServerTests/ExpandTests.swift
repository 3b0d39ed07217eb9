import FerryAPI
import FerryCore
import FerryEngine
import FerrySQLite
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Testing

@testable import FerryServer

/// `$expand=users` and large pages: what is streamed (reference 7.4).
struct ExpandTests {
    @Test("A job of 2,000 users is expanded whole, in the order of resources, with their count")
    func everybody() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1", people: 2_000)
            let reply = try await client.send("GET \(World.v1)/\(id)?$select=id&$expand=users($select=id;$count=true)")
            #expect(reply.status == 200)
            guard case .array(let users)? = reply.json["users"] else { throw Complaint(text: reply.text) }
            #expect(users.compactMap { $0["id"]?.string } == (0..<2_000).map { "\(World.person($0))" })
            #expect(reply.json["users@odata.count"] == .number("2000"))
            #expect(reply.json["users@odata.nextLink"] == nil)
            // Like the whole page by page, byte by byte.
            let page = try await client.send("GET \(World.v1)/\(id)/users?$top=999")
            let full = try await client.send("GET \(World.v1)/\(id)?$expand=users")
            let start = try #require(page.text.range(of: #""value":["#)?.upperBound)
            #expect(full.text.contains(page.text[start...].dropLast(2)))
        }
    }

    @Test("The nested options choose, order, skip and cut; the link leads to the others")
    func nestedOptions() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1", people: 450)
            let cut = try await client.send(
                "GET \(World.v1)/\(id)?$expand=users($select=id;$orderby=id%20desc;$skip=3;$top=250)")
            guard case .array(let users)? = cut.json["users"] else { throw Complaint(text: cut.text) }
            #expect(users.compactMap { $0["id"]?.string } == (197...446).reversed().map { "\(World.person($0))" })
            let link = try #require(cut.json["users@odata.nextLink"]?.string)
            let rest = try await client.send("GET \(link.dropFirst("https://move.example".count))")
            #expect(rest.values("id") == (0...196).reversed().map { "\(World.person($0))" })
            let few = try await client.send(
                "GET \(World.v1)?$select=id&$expand=users($filter=id%20eq%20'\(World.person(7))';$select=id)")
            #expect(few.text.contains(#""users":[{"id":"\#(World.person(7))"}]}]"#))
            try await world.set(id, to: .validateFailed, runs: .invalid)
            let none = try await client.send(
                "GET \(World.v1)/\(id)?$expand=users($filter=currentStatus/any(s:s/status%20eq%20'valid');$count=true)")
            #expect(none.text.contains(#""users@odata.count":0,"users":[]}"#))
            #expect(
                try await client.send("GET \(World.v1)/\(id)?$expand=users($top=0)").text.hasSuffix(#""users":[]}"#))
        }
    }

    @Test("A large page of jobs is streamed and reads like small ones")
    func largePages() async throws {
        try await World.run { world, client in
            for number in 0..<70 {
                _ = try await client.create("wave-\(number)")
                if number % 2 == 0 { world.pass(.milliseconds(1)) }
            }
            let large = try await client.send("GET \(World.v1)?$top=60&$count=true&$select=displayName&$skip=1")
            #expect(large.values("displayName").count == 60)
            #expect(large.json["@odata.count"] == .number("70"))
            let rest = try await client.send("GET \(try #require(large.next))")
            #expect(rest.values("displayName").count == 9)
            #expect(Set(large.values("displayName") + rest.values("displayName")).count == 69)
            let all = try await client.send("GET \(World.v1)?$top=999&$filter=startswith(displayName,'wave-')")
            #expect(all.values("id").count == 70)
            #expect(all.next == nil)
            #expect(
                try await client.send("GET \(World.v1)?$top=100&$filter=status%20eq%20'failed'").text.hasSuffix(
                    "\"value\":[]}"))
        }
    }

    @Test("A streamed answer is written in bounded pieces, each read when the last one was taken")
    func pieces() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1", people: 2_000)
            let operations = Operations(
                commands: CommandHandler(store: world.store, effects: world.effects, settings: JobSettings()),
                reader: world.store.reader, identities: nil, directory: nil, manifests: nil, effects: world.effects,
                logger: Logger(label: "test"))
            let call = Call(
                requestID: GUID(high: 1, low: 1),
                principal: Principal(
                    tenant: World.target, subject: "s", name: "n", canRead: true, canWrite: false),
                rawQuery: "$expand=users", preferences: Preferences([]),
                links: Links(base: "https://move.example", version: .v1), body: [], origin: "")
            let answer = try await operations.carryOut(.job(.key(id)), call)
            guard case .stream(let stream) = answer.body else { throw Complaint(text: "not streamed") }
            let sizes = Sizes()
            var writer: any ResponseBodyWriter = sizes
            try await stream(&writer)
            let counted = sizes.all
            #expect(counted.count >= 10)
            #expect(counted.allSatisfy { $0 < 200_000 }, "\(counted)")
            #expect(counted.reduce(0, +) > 800_000)

            // A store that fails meanwhile cuts the answer off.
            await world.store.close()
            await #expect(throws: Failure.self) { try await stream(&writer) }
        }
    }

    /// Takes pieces and remembers how large they were.
    private final class Sizes: ResponseBodyWriter, Sendable {
        private let sizes = Mutex<[Int]>([])

        var all: [Int] { sizes.withLock { $0 } }

        func write(_ buffer: ByteBuffer) async throws { sizes.withLock { $0.append(buffer.readableBytes) } }
        func finish(_: HTTPFields?) async throws {}
    }
}
