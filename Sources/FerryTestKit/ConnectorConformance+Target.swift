import FerryConnector
import FerryCore
import FerryFormats

extension ConnectorConformance {
    static var targetChecks: [Check] {
        [
            Check(description: "writes what a source reads, and gives it back the same") { fixture in
                let items = (0..<1200).map { fixture.item($0, bytes: [0, 300, 10_000][$0 % 3]) }
                try await fixture.put(items)
                let container = try await copy(fixture)
                try await expectArrived(items, container, fixture)
            },
            Check(description: "says true things about itself") { fixture in
                try await fixture.writing { session in
                    let capabilities = session.capabilities
                    try expect((1...4096).contains(capabilities.batchItems), "batchItems is out of range.")
                    try expect(capabilities.batchBytes > 0, "batchBytes is not positive.")
                    try expect((capabilities.largestItemBytes ?? 1) > 0, "largestItemBytes is not positive.")
                }
            },
            Check(description: "does not double what is written again, in this session or the next") { fixture in
                let items = (0..<40).map { fixture.item($0, bytes: 500) }
                var container = fixture.home
                for round in 0..<3 {
                    try await fixture.writing { session in
                        guard session.capabilities.isIdempotent else { return }
                        container = try await session.ensure(fixture.home)
                        _ = try await writeAll(items, session, container, fixture)
                        if round == 1 { _ = try await writeAll(items, session, container, fixture) }
                        try await session.finish(container)
                        try await expectArrived(items, container, fixture)
                    }
                }
            },
            Check(description: "replaces an item that is written again with another content") { fixture in
                var items = (0..<5).map { fixture.item($0, bytes: 500) }
                try await fixture.writing { session in
                    guard session.capabilities.isIdempotent else { return }
                    let container = try await session.ensure(fixture.home)
                    _ = try await writeAll(items, session, container, fixture)
                    let other = fixture.item(50, bytes: 700)
                    items[3].body = other.body
                    items[3].metadata = other.metadata
                    _ = try await writeAll([items[3]], session, container, fixture)
                    try await session.finish(container)
                    try await expectArrived(items, container, fixture)
                }
            },
            Check(description: "updates metadata without the body, and says which item it does not have") { fixture in
                guard fixture.canUpdate else { return }
                var items = (0..<4).map { fixture.item($0, bytes: 500) }
                try await fixture.writing { session in
                    let container = try await session.ensure(fixture.home)
                    let places = try await writeAll(items, session, container, fixture).map(\.place)
                    for index in 0..<3 {
                        let other = fixture.item(index + 20, bytes: 0)
                        items[index].metadata = fixture.keepingWhatStays(of: items[index].metadata, in: other.metadata)
                    }
                    let missing = fixture.item(99, bytes: 10)
                    var headers = (items + [missing]).map(\.header)
                    for (index, place) in places.enumerated() { headers[index].place = place }
                    let receipts = try await session.update(headers, in: container)
                    guard let receipts else { throw ConformanceFailure("update() gave no receipts.") }
                    try expect(receipts.count == 5, "\(receipts.count) receipts for 5 items.")
                    guard case .failure(let error) = receipts[4], error.code == .targetConflict else {
                        throw ConformanceFailure("An item that is not there was not refused with target.conflict.")
                    }
                    try await session.finish(container)
                    try await expectArrived(items, container, fixture)
                }
            },
            Check(description: "removes what it is told to and nothing else") { fixture in
                let items = (0..<10).map { fixture.item($0, bytes: 100) }
                try await fixture.writing { session in
                    let container = try await session.ensure(fixture.home)
                    let receipts = try await writeAll(items, session, container, fixture)
                    let written = zip(items, receipts).map { item, receipt in
                        PlacedItem(key: item.header.key, place: receipt.place)
                    }
                    try await session.remove(
                        written[..<4] + [PlacedItem(key: ItemKey(name: "never written"))], in: container)
                    try await session.remove([written[0]], in: container)
                    try await session.finish(container)
                    try await expectArrived(Array(items[4...]), container, fixture)
                }
            },
            Check(description: "makes every container once, whatever its name is") { fixture in
                let wanted = [fixture.home] + fixture.oddContainers
                try await fixture.writing { session in
                    var names = Set<String>()
                    for (number, container) in wanted.enumerated() {
                        let made = try await session.ensure(container)
                        let again = try await session.ensure(container)
                        try expect(made == again, "ensure() gives two answers for \(container.path).")
                        try expect(names.insert(made.name).inserted, "Two containers became \(made.name).")
                        let item = fixture.item(number, bytes: 50)
                        _ = try await writeAll([item], session, made, fixture)
                        try await session.finish(made)
                        try await expectArrived([item], made, fixture)
                    }
                }
                try expect(try await fixture.isOutsideUntouched(), "Something outside the account has changed.")
            },
            Check(description: "never leaves the account, whatever items are called") { fixture in
                guard fixture.takesAnyName else { return }
                let names = [
                    "../escape", "../../escape", "/tmp/ferry-escape", "..", ".", "", "a/../../../b", "nul\u{0}l",
                    "new\nline",
                    "con:2,S", ".hidden", "cur", "tmp/x", String(repeating: "long", count: 2000), "ferry-tmp.1.1",
                    ".ferry-tmp.1.1", "back\\slash", "%2e%2e%2f", "\u{202E}txt.exe",
                ]
                let items = names.enumerated().map { number, name in
                    var item = fixture.item(number, bytes: 60)
                    item.name = name
                    return item
                }
                try await fixture.writing { session in
                    let container = try await session.ensure(fixture.home)
                    let receipts = try await fixture.write(items, session, container)
                    let written = zip(items, receipts).filter { if case .written = $0.1 { true } else { false } }
                    try await session.finish(container)
                    try await expectArrived(written.map(\.0), container, fixture)
                }
                try expect(try await fixture.isOutsideUntouched(), "Something outside the account has changed.")
            },
            Check(description: "writes a large item in pieces") { fixture in
                let item = fixture.item(0, bytes: 6 << 20)
                try await fixture.writing { session in
                    let container = try await session.ensure(fixture.home)
                    _ = try await writeAll([item], session, container, fixture)
                    try await session.finish(container)
                    try await expectArrived([item], container, fixture)
                }
            },
        ]
    }

    static var faultChecks: [Check] {
        [
            Check(description: "reports an item that goes away before it is read, and reads the others") { fixture in
                let items = (0..<6).map { fixture.item($0, bytes: 200) }
                try await fixture.put(items)
                try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
                    let container = try await fixture.homeContainer(of: session)
                    let headers = try await fixture.headers(session, container)
                    try await fixture.delete(items[3])
                    let bodies = try await fixture.contents(of: session.bodies(of: headers, in: container))
                    try expect(bodies.count == headers.count, "\(bodies.count) bodies for \(headers.count) headers.")
                    for (header, body) in zip(headers, bodies) {
                        switch body {
                        case .success(let bytes):
                            try expect(header.name != items[3].name, "The deleted item has a body.")
                            try expect(items.contains { $0.body == bytes }, "The body of \(header.name) differs.")
                        case .failure(let error):
                            try expect(header.name == items[3].name, "\(header.name) failed: \(error.context)")
                            try expect(error.code == .sourceItemVanished, "The code is \(error.code).")
                        }
                    }
                }
            },
            Check(description: "leaves nothing behind of an item whose body fails") { fixture in
                let items = (0..<3).map { fixture.item($0, bytes: 200) }
                let failure = ConnectorError(.sourceItemUnreadable, .retry(after: nil), "Made for this test.")
                try await fixture.writing { session in
                    let container = try await session.ensure(fixture.home)
                    let bodies = ListBodyReader(
                        [.success(items[0].body), .failure(failure), .success(items[2].body)],
                        before: Array(items[1].body.prefix(100)))
                    let receipts = try await session.write(items.map(\.header), bodies: bodies, in: container)
                    try expect(receipts.count == 3, "\(receipts.count) receipts for 3 items.")
                    guard case .written(Int64(items[0].body.count), _) = receipts[0],
                        case .failure(let error) = receipts[1],
                        case .written = receipts[2]
                    else { throw ConformanceFailure("The receipts are \(receipts).") }
                    try expect(error.code == .sourceItemUnreadable, "The code is \(error.code).")
                    try await session.finish(container)
                    try await expectArrived([items[0], items[2]], container, fixture)
                }
            },
            Check(description: "is complete after a batch that stopped in the middle was written again") { fixture in
                let items = (0..<6).map { fixture.item($0, bytes: 200) }
                let stop = ConnectorError(.sourceUnreachable, .retry(after: nil), "Made for this test.")
                try await fixture.writing { session in
                    guard session.capabilities.isIdempotent else { return }
                    let container = try await session.ensure(fixture.home)
                    do {
                        _ = try await session.write(
                            items.map(\.header),
                            bodies: ListBodyReader(items[..<3].map { .success($0.body) }, stop: stop), in: container)
                        throw ConformanceFailure("A batch whose bodies stopped was reported as written.")
                    } catch let error as ConnectorError {
                        try expect(error.code == .sourceUnreachable, "The code is \(error.code).")
                    }
                    _ = try await writeAll(items, session, container, fixture)
                    try await session.finish(container)
                    try await expectArrived(items, container, fixture)
                }
            },
        ]
    }

    /// The simplest copier there can be.
    private static func copy(_ fixture: any ConnectorFixture) async throws -> Container {
        try await fixture.reading(fixture.source, fixture.sourceAccount) { reader in
            let source = try await fixture.homeContainer(of: reader)
            let headers = try await fixture.headers(reader, source)
            return try await fixture.writing { writer in
                let target = try await writer.ensure(source)
                var rest = headers[...]
                while !rest.isEmpty {
                    let batch = Array(rest.prefix(writer.capabilities.batchItems))
                    rest = rest.dropFirst(batch.count)
                    let bodies = try await reader.bodies(of: batch, in: source)
                    let receipts = try await writer.write(batch, bodies: bodies, in: target)
                    try expect(receipts.count == batch.count, "\(receipts.count) receipts for \(batch.count) items.")
                    for (header, receipt) in zip(batch, receipts) {
                        guard case .written(header.size, _) = receipt else {
                            throw ConformanceFailure("\(header.name) of \(header.size) bytes: \(receipt)")
                        }
                    }
                }
                try await writer.finish(target)
                return target
            }
        }
    }

    private static func writeAll(
        _ items: [SeedItem], _ session: any TargetSession, _ container: Container, _ fixture: any ConnectorFixture
    ) async throws -> [WriteReceipt] {
        let receipts = try await fixture.write(items, session, container)
        try expect(receipts.count == items.count, "\(receipts.count) receipts for \(items.count) items.")
        for (item, receipt) in zip(items, receipts) {
            guard case .written(Int64(item.body.count), _) = receipt else {
                throw ConformanceFailure("\(item.name) of \(item.body.count) bytes: \(receipt)")
            }
        }
        return receipts
    }

    private static func expectArrived(
        _ items: [SeedItem], _ container: Container, _ fixture: any ConnectorFixture
    ) async throws {
        let arrived = try await fixture.arrived(container)
        try expect(arrived.count == items.count, "\(arrived.count) items are there, \(items.count) were written.")
        try expect(
            Set(arrived) == Set(items.map { Survivor(body: $0.body, metadata: fixture.kept($0.metadata)) }),
            "Contents or metadata differ from what was written.")
    }
}
