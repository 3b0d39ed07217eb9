import FerryCore
import FerryStore
import Testing

extension StoreConformance {
    static let mapBehaviours = [
        Behaviour("gives the identity map back as it was stored, and raises its revision with every change") {
            try await $0.keepsMap()
        },
        Behaviour("keeps what an entry was before it was replaced or removed") { try await $0.keepsMapHistory() },
        Behaviour("keeps the maps of pairs of tenants apart") { try await $0.keepsMapsApart() },
        Behaviour("records mailboxes beside the map") { try await $0.keepsMailboxes() },
    ]

    private static let pair = TenantPair(source: Samples.source, target: Samples.target)

    private static func source(_ number: Int) -> PersonID { PersonID(GUID(high: 0xA, low: UInt64(number))) }

    private static func entry(
        _ number: Int, to target: Int?, _ state: MapState = .mapped, _ origin: MapOrigin = .match,
        by author: String = "ü"
    ) -> MapEntry {
        MapEntry(
            source: source(number), target: target.map(Samples.person), state: state, origin: origin,
            changed: Samples.start + .microseconds(number), author: author)
    }

    private func keepsMap() async throws {
        try await withStore { store, _ in
            #expect(try await store.reader.map(of: Self.pair) == StoredMap())
            let entries = [
                Self.entry(1, to: 1), Self.entry(2, to: nil, .unmapped, .import), Self.entry(3, to: 1, .completed),
            ]
            try await store.transact { (tx) throws(StoreError) in try tx.save(entries.reversed(), in: Self.pair) }
            #expect(try await store.reader.map(of: Self.pair) == StoredMap(revision: 1, entries: entries))
            let again = Self.entry(2, to: 7, .completed)
            try await store.transact { (tx) throws(StoreError) in
                #expect(try tx.mapEntry(of: Self.source(2), in: Self.pair) == entries[1])
                try tx.save([again], in: Self.pair)
                try tx.save([], in: Self.pair)
                #expect(try tx.mapEntry(of: Self.source(2), in: Self.pair) == again)
                #expect(try tx.mapEntry(of: Self.source(9), in: Self.pair) == nil)
            }
            #expect(try await store.reader.mapRevision(of: Self.pair) == 2)
            #expect(try await store.reader.map(of: Self.pair).entries == [entries[0], again, entries[2]])
            #expect(try await store.reader.peopleLeaving(Samples.source) == Set((1...3).map(Self.source)))
            #expect(try await store.reader.peopleLeaving(Samples.target) == [])
        }
    }

    private func keepsMapHistory() async throws {
        try await withStore { store, clock in
            let (first, second) = (Self.entry(1, to: 1), Self.entry(1, to: 2, .completed, .import))
            try await store.transact { (tx) throws(StoreError) in try tx.save([first], in: Self.pair) }
            clock.advance(by: .seconds(60))
            try await store.transact { (tx) throws(StoreError) in try tx.save([second], in: Self.pair) }
            #expect(
                try await store.reader.mapHistory(of: first.source, in: Self.pair)
                    == [FormerMapEntry(entry: first, until: Samples.start + .seconds(60))])
            clock.advance(by: .seconds(60))
            let removed = try await store.transact { (tx) throws(StoreError) in
                (
                    try tx.removeMapEntry(of: first.source, in: Self.pair),
                    try tx.removeMapEntry(of: first.source, in: Self.pair)
                )
            }
            #expect(removed == (true, false))
            #expect(try await store.reader.map(of: Self.pair) == StoredMap(revision: 3, entries: []))
            #expect(
                try await store.reader.mapHistory(of: first.source, in: Self.pair).map(\.entry) == [second, first])
            #expect(try await store.reader.mapHistory(of: Self.source(2), in: Self.pair) == [])
        }
    }

    private func keepsMapsApart() async throws {
        try await withStore { store, _ in
            let other = TenantPair(source: Samples.stranger, target: Samples.target)
            try await store.transact { (tx) throws(StoreError) in
                try tx.save([Self.entry(1, to: 1)], in: Self.pair)
                try tx.save([Self.entry(1, to: 2)], in: other)
                try tx.setMailbox("a", of: Self.source(1), in: Self.pair)
                try tx.removeMapEntry(of: Self.source(1), in: other)
            }
            #expect(try await store.reader.map(of: Self.pair).entries == [Self.entry(1, to: 1)])
            #expect(try await store.reader.map(of: other).entries == [])
            #expect(try await store.reader.mailbox(of: Self.source(1), in: other) == nil)
            #expect(try await store.reader.mailbox(of: Self.source(1), in: Self.pair) == "a")
        }
    }

    private func keepsMailboxes() async throws {
        try await withStore { store, _ in
            try await store.transact { (tx) throws(StoreError) in
                try tx.setMailbox("first", of: Self.source(1), in: Self.pair)
                try tx.setMailbox("second", of: Self.source(1), in: Self.pair)
                try tx.setMailbox("other", of: Self.source(2), in: Self.pair)
                try tx.setMailbox("gone", of: Self.source(3), in: Self.pair)
                try tx.setMailbox(nil, of: Self.source(3), in: Self.pair)
            }
            #expect(
                try await store.reader.mailboxes(of: Self.pair)
                    == [Self.source(1): "second", Self.source(2): "other"])
            // The map says nothing of these people, and still there is something to remove.
            let removed = try await store.transact { (tx) throws(StoreError) in
                try tx.removeMapEntry(of: Self.source(2), in: Self.pair)
            }
            #expect(removed)
            #expect(try await store.reader.mailboxes(of: Self.pair) == [Self.source(1): "second"])
            #expect(try await store.reader.mapRevision(of: Self.pair) == 0)
        }
    }
}
