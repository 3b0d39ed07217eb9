import FerryConnector
import FerryCore
import FerryEngine
import FerryTestKit
import Logging
import Testing

@Suite struct VerifierTests {
    private func moved(to target: FakeTenant.Settings = .init()) async throws -> CopierWorld {
        let world = try await CopierWorld(to: target)
        world.fill()
        try await world.pass()
        return world
    }

    @Test func `Equal sides have no differences, and every byte on both was read`() async throws {
        let world = try await moved()
        let result = try await world.verify()
        #expect(result.isIdentical)
        #expect(result.differences == [])
        let inbox = try #require(result.containers.first { $0.path == ["INBOX"] })
        #expect(inbox.sourceItems == 25)
        #expect(inbox.targetItems == 25)
        #expect(inbox.identical == 25)
        let bytes = [world.source[world.place(.mail)], world.target[world.newPlace(.mail)]]
            .flatMap(\.folders).flatMap(\.items).reduce(0) { $0 + $1.content.count }
        #expect(result.bytesHashed > bytes)
    }

    @Test func `A message that is missing at the target is found and named`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { $0[["INBOX"]].remove("m4") }
        let result = try await world.verify()
        #expect(result.differenceCount == 1)
        #expect(result.differences.map(\.code) == [.verifyMissing])
        #expect(result.differences.map(\.item) == ["m4"])
        #expect(!result.isIdentical)
    }

    @Test func `A second copy of the same message is found`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { holdings in
            holdings[["INBOX"]].add("again", CopierWorld.message(4), CopierWorld.metadata(4))
        }
        let result = try await world.verify()
        #expect(result.differences.map(\.code) == [.verifyUnexpected])
        #expect(result.containers.first { $0.path == ["INBOX"] }?.unexpected == 1)
    }

    @Test func `Mail that arrives at the target is nobody's fault`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { holdings in
            holdings[["INBOX"]].add("delivered", [1, 2, 3], CopierWorld.metadata(4))
        }
        let result = try await world.verify()
        #expect(result.isIdentical)
        #expect(result.containers.first { $0.path == ["INBOX"] }?.foreign == 1)
        #expect(result.containers.first { $0.path == ["INBOX"] }?.unexpected == 0)
    }

    @Test func `Messages are altered only where nothing else differs`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { $0[["INBOX"]].change("m4") { $0.content[0] ^= 1 } }
        #expect(try await world.verify().alteredMessages == 1)
        world.target.edit(world.newPlace(.mail)) { $0[["INBOX"]].remove("m6") }
        let result = try await world.verify()
        #expect(result.differenceCount == 2)
        #expect(result.alteredMessages == 0)
    }

    @Test func `One flipped bit and one lost flag are found`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { holdings in
            holdings[["INBOX"]].change("m4") { $0.content[0] ^= 1 }
            holdings[["INBOX"]].change("m6") { $0.metadata = CopierWorld.metadata(7) }
        }
        let result = try await world.verify()
        #expect(result.differences.map(\.code) == [.verifyDiffers, .verifyDiffers])
        #expect(Set(result.differences.map(\.item)) == ["m4", "m6"])
        #expect(result.containers.first { $0.path == ["INBOX"] }?.identical == 23)
    }

    @Test func `A missing container is found even if it has no items`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { holdings in
            holdings.folders.removeAll { $0.container.path == ["Empty"] }
        }
        let result = try await world.verify()
        #expect(result.differences.map(\.path) == [["Empty"]])
        #expect(result.differences.map(\.code) == [.verifyMissing])
    }

    @Test func `What people have in containers that nothing was moved into is left alone`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { holdings in
            holdings[["Empty"]].add("welcome", [1], CopierWorld.metadata(0))
            holdings[["Own"]].add("own", [1], CopierWorld.metadata(0))
        }
        #expect(try await world.verify().isIdentical)
    }

    @Test(arguments: [true, false])
    func `A calendar that lays lines out anew keeps its events the same, where that is what it does`(
        rewritesObjects: Bool
    ) async throws {
        var settings = FakeTenant.Settings()
        settings.rewritesObjects = rewritesObjects
        let world = try await moved(to: settings)
        world.target.edit(world.newPlace(.calendar)) { holdings in
            holdings[["Work"]].change("a.ics") { item in
                var lines = String(decoding: item.content, as: UTF8.self).split(separator: "\r\n").map(String.init)
                lines.swapAt(2, 3)
                lines[4] = String(lines[4].prefix(12)) + "\n " + lines[4].dropFirst(12)
                item.content = Array((lines.joined(separator: "\n") + "\n").utf8)
            }
        }
        #expect(try await world.verify().isIdentical == rewritesObjects)
        world.target.edit(world.newPlace(.calendar)) { holdings in
            holdings[["Work"]].change("a.ics") { $0.content.append(contentsOf: "X:1\r\n".utf8) }
        }
        #expect(try await world.verify().differences.map(\.item) == ["a.ics"])
    }

    @Test func `The verifier does not believe the ledger that an item was copied`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { $0[["INBOX"]].items = [] }
        let result = try await world.verify()
        #expect(result.differenceCount == 25)
        #expect(result.containers.first { $0.path == ["INBOX"] }?.missing == 25)
    }

    @Test func `Chats are the same only in the same order`() async throws {
        let world = try await CopierWorld(.chats)
        world.source.edit(world.place(.chats)) { holdings in
            for number in 0..<4 {
                holdings[["Lunch"], .room(state: Array("[]".utf8))].add(
                    "$\(number)", Array(#"{"sender":"@ada:contoso.example","n":\#(number)}"#.utf8), .event)
            }
        }
        try await world.pass()
        #expect(try await world.verify().isIdentical)
        world.target.edit(world.newPlace(.chats)) { holdings in
            let items = holdings[["Lunch"]].items
            holdings[["Lunch"]].items[1].content = items[2].content
            holdings[["Lunch"]].items[2].content = items[1].content
        }
        #expect(try await world.verify().differences.map(\.code) == [.verifyDiffers])
    }

    @Test func `Files are compared with their paths, times and rights`() async throws {
        let world = try await CopierWorld(.files)
        world.source.edit(world.place(.files)) { holdings in
            let time = FileMetadata(modified: Instant(seconds: 1_600_000_000))
            holdings[["Files"], .fileTree].add("docs", [], .fileFolder(time))
            holdings[["Files"]].add("docs/a.txt", [1, 2, 3], .file(time))
            holdings[["Files"]].add("docs/b.txt", [1, 2, 3], .file(time))
        }
        try await world.pass()
        #expect(try await world.verify().isIdentical)
        world.target.edit(world.newPlace(.files)) { holdings in
            holdings[["Files"]].change("docs/a.txt") {
                $0.metadata = .file(FileMetadata(modified: Instant(seconds: 1_600_000_000), isExecutable: true))
            }
            holdings[["Files"]].remove("docs")
        }
        let result = try await world.verify()
        #expect(Set(result.differences.map(\.item)) == ["docs", "docs/a.txt"])
    }

    @Test func `Only the first differences are spelled out, and all are counted`() async throws {
        let world = try await moved()
        world.target.edit(world.newPlace(.mail)) { $0[["INBOX"]].items = [] }
        let verifier = Verifier(
            store: world.store, differenceLimit: 4,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let result = try await verifier.verify(world.transfer(world.run()))
        #expect(result.differences.count == 4)
        #expect(result.differenceCount == 25)
    }
}
