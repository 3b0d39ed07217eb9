import FerryConnector
import FerryCore

/// Keeps up with a container by what its source says of changes, as the copier does.
private struct Follower {
    let fixture: any ConnectorFixture
    let session: any SourceSession
    let container: Container
    /// Versions by key: the ledger.
    private(set) var known: [ItemKey: ItemVersion] = [:]
    /// When the ledger was right.
    private var state: Cursor
    /// Headers that the last answer had.
    private(set) var told: [ItemHeader] = []

    /// Lists everything; `meanwhile` happens between the state and the listing.
    init(
        _ fixture: any ConnectorFixture, _ session: any SourceSession, _ container: Container,
        meanwhile: () async throws -> Void = {}
    ) async throws {
        (self.fixture, self.session, self.container) = (fixture, session, container)
        state = try await session.state(of: container)
        try await meanwhile()
        for header in try await Self.pages(session, container, try await session.items(in: container, after: nil)) {
            known[header.key] = header.version
        }
    }

    /// `false` when the source cannot tell.
    mutating func follow(
        and keys: [ItemKey] = [], meanwhile: () async throws -> Void = {}
    ) async throws -> Bool {
        try await fixture.settle()
        let now = try await session.state(of: container)
        try await meanwhile()
        guard let changes = try await session.changes(in: container, since: state, and: keys) else { return false }
        told = try await Self.pages(session, container, changes.first)
        for key in known.keys where changes.gone.contains(where: { $0.contains(key) }) { known[key] = nil }
        for header in told { known[header.key] = header.version }
        if let items = changes.items {
            try expect(items == Int64(known.count), "\(items) items are told, \(known.count) were followed.")
        }
        state = now
        return true
    }

    private static func pages(
        _ session: any SourceSession, _ container: Container, _ first: ItemPage
    ) async throws -> [ItemHeader] {
        var headers = first.headers
        var cursor = first.next
        while let next = cursor {
            let page = try await session.items(in: container, after: next)
            try expect(page.problems.isEmpty, "Problems: \(page.problems.map(\.error.context))")
            headers += page.headers
            cursor = page.next
        }
        try expect(Set(headers.map(\.key)).count == headers.count, "An item is in two pages.")
        return headers
    }

    /// What is followed is what another session lists.
    func expectRight(_ when: String) async throws {
        let listed = try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
            let container = try await fixture.homeContainer(of: session)
            return try await Self.pages(session, container, try await session.items(in: container, after: nil))
        }
        let versions = Dictionary(listed.map { ($0.key, $0.version) }, uniquingKeysWith: { first, _ in first })
        try expect(versions == known, "\(when): \(known.count) items are followed, \(versions.count) are there.")
    }
}

extension ConnectorConformance {
    /// For sources that name what has changed; nothing to do for others.
    package static var deltaChecks: [Check] {
        [
            Check(description: "names what is new, changed and gone since a state, pass after pass") { fixture in
                guard fixture.tellsChanges else { return }
                var items = (0..<30).map { fixture.item($0, bytes: 40) }
                try await fixture.put(items)
                try await fixture.settle()
                try await follow(fixture) { follower in
                    items[3] = fixture.changed(items[3])
                    try await fixture.put([items[3], fixture.item(100, bytes: 40)])
                    try await fixture.delete(items[7])
                    try expect(try await follower.follow(), "It does not say what has changed.")
                    try await follower.expectRight("After new, changed and gone items")
                    try expect(follower.told.count < items.count, "Everything was listed.")

                    try expect(try await follower.follow(), "It cannot tell that nothing has happened.")
                    try await follower.expectRight("After nothing")

                    // The newest of all, which no number is above then.
                    try await fixture.delete(fixture.item(100, bytes: 40))
                    try expect(try await follower.follow(), "It cannot tell that the newest item is gone.")
                    try await follower.expectRight("After the newest item went")

                    try await fixture.put([fixture.item(101, bytes: 40)])
                    try await fixture.delete(fixture.item(101, bytes: 40))
                    try expect(try await follower.follow(), "It cannot tell of an item that came and went.")
                    try await follower.expectRight("After an item came and went")

                    for item in items where item.name != items[7].name { try await fixture.delete(item) }
                    try expect(try await follower.follow(), "It cannot tell that everything is gone.")
                    try await follower.expectRight("After everything went")
                }
            },
            Check(description: "names what happens between a state and what is asked then, at once or the next time") {
                fixture in
                guard fixture.tellsChanges else { return }
                let items = (0..<10).map { fixture.item($0, bytes: 40) }
                try await fixture.put(items)
                try await fixture.settle()
                try await follow(fixture) {
                    try await fixture.put([fixture.item(50, bytes: 40), fixture.changed(items[1])])
                    try await fixture.delete(items[2])
                } _: { follower in
                    try expect(try await follower.follow(), "It does not say what has changed.")
                    try await follower.expectRight("After changes between a state and a listing")
                    let isTold = try await follower.follow {
                        try await fixture.put([fixture.item(51, bytes: 40), fixture.changed(items[3])])
                        try await fixture.delete(items[4])
                        try await fixture.delete(fixture.item(50, bytes: 40))
                    }
                    try expect(isTold, "It cannot tell what happens meanwhile.")
                    try expect(try await follower.follow(), "It cannot tell what happened meanwhile.")
                    try await follower.expectRight("After changes between a state and the question")
                }
            },
            Check(description: "names more changes than a page holds, each once, and items that are asked for by key") {
                fixture in
                guard fixture.tellsChanges else { return }
                let items = (0..<60).map { fixture.item($0, bytes: 40) }
                try await fixture.put(items)
                try await fixture.settle()
                try await follow(fixture) { follower in
                    let asked = Array(follower.known.keys.sorted().prefix(40))
                    let before = follower.known
                    try await fixture.put((100..<2_300).map { fixture.item($0, bytes: 40) })
                    try expect(try await follower.follow(and: asked), "It does not say what has changed.")
                    try await follower.expectRight("After many new items")
                    try expect(
                        Set(follower.told.map(\.key)).isSuperset(of: asked), "Not every item that was asked for came.")
                    let others = Set(before.keys).subtracting(asked)
                    try expect(follower.told.allSatisfy { !others.contains($0.key) }, "Unchanged items came unasked.")
                    try await fixture.delete(items[0])
                    let rest = Array(before.keys)
                    try expect(try await follower.follow(and: rest), "It cannot tell that one is gone.")
                    try await follower.expectRight("After one of those that are asked for went")
                    // More may come: Dovecot's STATUS of the selected mailbox has an old HIGHESTMODSEQ.
                    let told = Set(follower.told.map(\.key))
                    try expect(
                        told.isSuperset(of: follower.known.keys.filter(Set(rest).contains)),
                        "Not every item that was asked for came again.")
                }
            },
        ]
    }

    private static func follow(
        _ fixture: any ConnectorFixture, meanwhile: () async throws -> Void = {},
        _ body: (inout Follower) async throws -> Void
    ) async throws {
        try await fixture.reading(fixture.source, fixture.sourceAccount) { session in
            let container = try await fixture.homeContainer(of: session)
            var follower = try await Follower(fixture, session, container, meanwhile: meanwhile)
            try await body(&follower)
        }
    }
}
