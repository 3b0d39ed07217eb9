package import FerryConnector
import FerryCore
import FerryFormats
import NIOCore

extension SeedItem {
    /// The header under which a source with this item's name as identity hands it over.
    package var header: ItemHeader {
        ItemHeader(
            key: ItemKey(name: name), version: ItemVersion(1), name: name, size: Int64(body.count), metadata: metadata)
    }
}

extension ConnectorConformance {
    static var sourceChecks: [Check] {
        [
            Check(description: "lists every item exactly once, with its size and metadata") { fixture in
                let items = (0..<2500).map { fixture.item($0, bytes: 40 + $0 % 50) }
                try await fixture.put(items)
                try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
                    let container = try await fixture.homeContainer(of: session)
                    let headers = try await fixture.headers(session, container)
                    try expect(headers.count == items.count, "\(headers.count) headers for \(items.count) items.")
                    try expect(Set(headers.map(\.key)).count == items.count, "Keys are not unique.")
                    let listed = headers.map { Listed(name: $0.name, size: $0.size, metadata: $0.metadata) }
                    let put = items.map { Listed(name: $0.name, size: Int64($0.body.count), metadata: $0.metadata) }
                    let isExact = !headers.contains(where: \.sizeIsHint)
                    try expect(
                        !isExact || Set(listed) == Set(put), "Names, sizes or metadata differ from what was put.")
                }
            },
            Check(description: "lists the same keys and versions again, in another session and from a kept cursor") {
                fixture in
                try await fixture.put((0..<2100).map { fixture.item($0, bytes: 40) })
                let first = try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
                    let container = try await fixture.homeContainer(of: session)
                    let page = try await session.items(in: container, after: nil)
                    return (page, try await fixture.headers(session, container))
                }
                try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
                    let container = try await fixture.homeContainer(of: session)
                    var headers = first.0.headers
                    var cursor = first.0.next
                    while let next = cursor {
                        let page = try await session.items(in: container, after: next)
                        headers += page.headers
                        cursor = page.next
                    }
                    headers = fixture.items(in: headers)
                    try expect(Set(headers) == Set(first.1), "A resumed listing differs from the whole one.")
                    try expect(headers.count == first.1.count, "A resumed listing repeats items.")
                }
            },
            Check(description: "gives bodies in the order asked for, byte for byte") { fixture in
                let items = (0..<300).map { fixture.item($0, bytes: [0, 1, 4096, 70_000][$0 % 4]) }
                try await fixture.put(items)
                try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
                    let container = try await fixture.homeContainer(of: session)
                    let headers = try await fixture.headers(session, container)
                    // A fixed shuffle: 7 and 300 have no common divisor.
                    let asked = headers.indices.map { headers[$0 * 7 % headers.count] }
                    let bodies = try await fixture.contents(of: session.bodies(of: asked, in: container))
                    try expect(bodies.count == asked.count, "\(bodies.count) bodies for \(asked.count) headers.")
                    let expected = Dictionary(items.map { ($0.name, $0.body) }) { first, _ in first }
                    for (header, body) in zip(asked, bodies) {
                        try expect(try body.get() == expected[header.name], "The body of \(header.name) differs.")
                    }
                }
            },
            Check(description: "lists an empty container as empty") { fixture in
                let item = fixture.item(0, bytes: 40)
                try await fixture.put([item])
                try await fixture.delete(item)
                try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
                    let container = try await fixture.homeContainer(of: session)
                    try expect(try await fixture.headers(session, container).isEmpty, "An empty container has items.")
                }
            },
            Check(description: "streams a large item in bounded bunches") { fixture in
                let item = fixture.item(0, bytes: 6 << 20)
                try await fixture.put([item])
                try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
                    let container = try await fixture.homeContainer(of: session)
                    let headers = try await fixture.headers(session, container)
                    let reader = try await session.bodies(of: headers, in: container)
                    var total = 0
                    while let events = try await reader.next() {
                        let bytes = events.reduce(0) { sum, event in
                            if case .bytes(let bytes) = event { sum + bytes.readableBytes } else { sum }
                        }
                        try expect(bytes <= 2 << 20, "A bunch of \(bytes) bytes is more than about a mebibyte.")
                        total += bytes
                    }
                    try expect(total == item.body.count, "\(total) bytes came of \(item.body.count).")
                }
            },
            Check(description: "says that a stranger has no account, without making one") { fixture in
                do {
                    _ = try await fixture.source.source(for: fixture.strangerAccount)
                    throw ConformanceFailure("An account that does not exist was opened.")
                } catch let error as ConnectorError {
                    try expect(error.code == .sourceNotFound, "The code is \(error.code), not source.notFound.")
                }
                for role in [AccountRole.source, .target] {
                    let facts = try await fixture.source.probe(fixture.strangerAccount, as: role)
                    try expect(!facts.exists && facts.isEmpty, "A probe sees an account that does not exist.")
                }
            },
            Check(description: "probes an account with and without items truthfully") { fixture in
                let item = fixture.item(0, bytes: 40)
                try await fixture.put([item])
                let full = try await fixture.source.probe(fixture.sourceAccount, as: .source)
                try expect(full.exists && full.isReadable && !full.isEmpty, "A probe does not see the only item.")
                try await fixture.delete(item)
                let empty = try await fixture.source.probe(fixture.sourceAccount, as: .source)
                try expect(empty.exists && empty.isEmpty, "A probe sees items where none is left.")
            },
        ]
    }

    static var changeChecks: [Check] {
        [
            Check(description: "finds a container unchanged only while it is") { fixture in
                var items = (0..<5).map { fixture.item($0, bytes: 40) }
                try await fixture.put(items)
                try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
                    let container = try await fixture.homeContainer(of: session)
                    func expectNoticed(_ what: String, _ change: () async throws -> Void) async throws {
                        try await fixture.settle()
                        let state = try await session.state(of: container)
                        try expect(
                            try await session.isUnchanged(container, since: state),
                            "Nothing changed and it says so not.")
                        try await change()
                        try expect(
                            try await !session.isUnchanged(container, since: state), "\(what) was not noticed.")
                    }
                    try await expectNoticed("A new item") { try await fixture.put([fixture.item(9, bytes: 40)]) }
                    items[2] = fixture.changed(items[2])
                    try await expectNoticed("A changed item") { try await fixture.put([items[2]]) }
                    try await expectNoticed("A deleted item") { try await fixture.delete(items[0]) }
                }
            },
            Check(description: "gives a changed item another version and the others the same") { fixture in
                var items = (0..<5).map { fixture.item($0, bytes: 40) }
                try await fixture.put(items)
                try await fixture.settle()
                let before = try await versions(fixture)
                items[2] = fixture.changed(items[2])
                try await fixture.put([items[2]])
                let after = try await versions(fixture)
                for item in items {
                    try expect(before[item.name] != nil, "\(item.name) is not listed.")
                    try expect(
                        (before[item.name] == after[item.name]) == (item.name != items[2].name),
                        "The version of \(item.name) is wrong.")
                }
            },
        ]
    }

    private static func versions(_ fixture: any ConnectorFixture) async throws -> [String: ItemVersion] {
        try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
            let container = try await fixture.homeContainer(of: session)
            let headers = try await fixture.headers(session, container)
            return Dictionary(headers.map { ($0.name, $0.version) }) { first, _ in first }
        }
    }
}

private struct Listed: Hashable {
    var name: String
    var size: Int64
    var metadata: ItemMetadata
}
