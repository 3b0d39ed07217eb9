import FerryCore
import FerryStore
import Testing

extension StoreConformance {
    static let ledgerBehaviours = [
        Behaviour("adds each checkpoint to the ledger, the last record of a key counts") {
            try await $0.appendsCheckpoints()
        },
        Behaviour("stores progress and findings with a checkpoint") { try await $0.storesProgressWithCheckpoint() },
        Behaviour("keeps an intent until the next checkpoint") { try await $0.keepsIntents() },
        Behaviour("replaces a ledger as a whole") { try await $0.replacesLedgers() },
        Behaviour("tells routes and containers apart") { try await $0.separatesLedgers() },
        Behaviour("gives a long ledger back as it was written") { try await $0.keepsLongLedgers() },
    ]

    private static let inbox = ContainerID("mail/INBOX")

    private func checkpoint(
        _ entries: [LedgerEntry] = [], removed: [ItemKey] = [], intent: BatchIntent? = nil,
        container: ContainerID = inbox, route: Route = Samples.route(1), progress: RunProgress = RunProgress(),
        findings: [ItemFinding] = []
    ) -> Checkpoint {
        Checkpoint(
            run: Samples.run(1, 1), route: route, container: container, entries: entries, removed: removed,
            intent: intent, progress: progress, findings: findings)
    }

    /// A store with a job and a lease on its first run.
    private func withLease(_ body: (any Store, Lease) async throws -> Void) async throws {
        try await withStore { store, _ in
            try await store.insert(Samples.job(1))
            let lease = try await store.leased(Samples.work(on: Samples.run(1, 1)))
            try await body(store, lease)
        }
    }

    private func appendsCheckpoints() async throws {
        try await withLease { store, lease in
            #expect(try await store.reader.ledger(Samples.route(1), Self.inbox) == ContainerLedger())
            let steps: [(Checkpoint, [LedgerEntry])] = [
                (
                    checkpoint([Samples.entry(3), Samples.entry(1), Samples.entry(2, outcome: .skipped)]),
                    [Samples.entry(1), Samples.entry(2, outcome: .skipped), Samples.entry(3)]
                ),
                (
                    checkpoint([Samples.entry(2, version: 2), Samples.entry(9, outcome: .failed)]),
                    [
                        Samples.entry(1), Samples.entry(2, version: 2), Samples.entry(3),
                        Samples.entry(9, outcome: .failed),
                    ]
                ),
                (
                    checkpoint(removed: [Samples.key(1), Samples.key(9), Samples.key(77)]),
                    [Samples.entry(2, version: 2), Samples.entry(3)]
                ),
                (
                    checkpoint([Samples.entry(1, version: 5)], removed: [Samples.key(3)]),
                    [Samples.entry(1, version: 5), Samples.entry(2, version: 2)]
                ),
                (checkpoint(), [Samples.entry(1, version: 5), Samples.entry(2, version: 2)]),
            ]
            for (step, expected) in steps {
                try await store.transact { (tx) throws(StoreError) in try tx.checkpoint(step, under: lease) }
                let ledger = try await store.reader.ledger(Samples.route(1), Self.inbox)
                #expect(ledger == ContainerLedger(entries: LedgerEntries(expected)))
            }
        }
    }

    private func storesProgressWithCheckpoint() async throws {
        try await withLease { store, lease in
            let run = Samples.run(1, 1)
            var progress = RunProgress()
            progress.items = 7
            progress.bytes = 7_000
            progress.itemsExpected = 9
            progress.activeMicroseconds = 12
            let step = checkpoint(
                [Samples.entry(1)], progress: progress,
                findings: [Samples.finding(run, item: "a"), Samples.finding(run, item: "b", outcome: .failed)])
            try await store.transact { (tx) throws(StoreError) in try tx.checkpoint(step, under: lease) }
            let task = try #require(try await store.reader.task(run.job, run.person))
            #expect(task[.mailbox]?.progress == progress)
            #expect(task[.files]?.progress == RunProgress())
            let findings = try await store.reader.itemFindings(of: run.job, after: 0, limit: 9)
            #expect(findings.map(\.item) == ["a", "b"])
            #expect(findings.map(\.outcome) == [.skipped, .failed])
        }
    }

    private func keepsIntents() async throws {
        try await withLease { store, lease in
            let first = BatchIntent(keys: [Samples.key(5), ItemKey(high: .max, low: .max)], mark: [0, 255, 1])
            let second = BatchIntent(keys: [], mark: [])
            let steps = [
                (checkpoint(intent: first), first), (checkpoint([Samples.entry(5)], intent: second), second),
                (checkpoint([Samples.entry(6)]), nil),
            ]
            for (step, expected) in steps {
                try await store.transact { (tx) throws(StoreError) in try tx.checkpoint(step, under: lease) }
                let ledger = try await store.reader.ledger(Samples.route(1), Self.inbox)
                #expect(ledger.intent == expected)
            }
        }
    }

    private func replacesLedgers() async throws {
        try await withLease { store, lease in
            let full = ContainerLedger(
                entries: [Samples.entry(1), Samples.entry(4, version: 9, outcome: .elsewhere)], cursor: [1, 0, 255],
                intent: BatchIntent(keys: [Samples.key(9)], mark: [7]))
            let step = checkpoint([Samples.entry(1), Samples.entry(2), Samples.entry(3)])
            try await store.transact { (tx) throws(StoreError) in
                try tx.checkpoint(step, under: lease)
                try tx.replaceLedger(Samples.route(1), Self.inbox, with: full, under: lease)
            }
            #expect(try await store.reader.ledger(Samples.route(1), Self.inbox) == full)
            let more = checkpoint([Samples.entry(2)], removed: [Samples.key(4)])
            try await store.transact { (tx) throws(StoreError) in try tx.checkpoint(more, under: lease) }
            let merged = ContainerLedger(entries: [Samples.entry(1), Samples.entry(2)], cursor: [1, 0, 255])
            #expect(try await store.reader.ledger(Samples.route(1), Self.inbox) == merged)
            for empty in [ContainerLedger(cursor: []), ContainerLedger()] {
                try await store.transact { (tx) throws(StoreError) in
                    try tx.replaceLedger(Samples.route(1), Self.inbox, with: empty, under: lease)
                }
                #expect(try await store.reader.ledger(Samples.route(1), Self.inbox) == empty)
                #expect(try await store.reader.ledgerContainers(Samples.route(1)) == [Self.inbox])
            }
            try await store.transact { (tx) throws(StoreError) in
                try tx.replaceLedger(Samples.route(1), Self.inbox, with: full, under: lease)
                try tx.removeLedger(Samples.route(1), Self.inbox, under: lease)
                try tx.removeLedger(Samples.route(1), ContainerID("mail/never"), under: lease)
            }
            #expect(try await store.reader.ledger(Samples.route(1), Self.inbox) == ContainerLedger())
            #expect(try await store.reader.ledgerContainers(Samples.route(1)).isEmpty)
        }
    }

    private func separatesLedgers() async throws {
        try await withLease { store, lease in
            let sent = ContainerID("mail/Gesendet/Größe")
            var backwards = Samples.route(1)
            swap(&backwards.sourcePerson, &backwards.targetPerson)
            let steps = [
                checkpoint([Samples.entry(1)]), checkpoint([Samples.entry(2)], container: sent),
                checkpoint([Samples.entry(3)], route: Samples.route(1, .files)),
                checkpoint([Samples.entry(4)], route: Samples.route(2)),
                checkpoint([Samples.entry(5)], route: backwards),
            ]
            try await store.transact { (tx) throws(StoreError) in
                for step in steps { try tx.checkpoint(step, under: lease) }
            }
            for step in steps {
                let ledger = try await store.reader.ledger(step.route, step.container)
                #expect(ledger.entries == LedgerEntries(step.entries))
            }
            #expect(try await store.reader.ledgerContainers(Samples.route(1)) == [sent, Self.inbox])
            #expect(try await store.reader.ledgerContainers(Samples.route(2)) == [Self.inbox])
            #expect(try await store.reader.ledgerContainers(Samples.route(3)).isEmpty)
            #expect(try await store.reader.ledger(Samples.route(1), ContainerID("mail/inbox")) == ContainerLedger())
        }
    }

    private func keepsLongLedgers() async throws {
        try await withLease { store, lease in
            let batches = (0..<50).map { batch in
                checkpoint((0..<100).map { Samples.entry($0 * 50 + batch, version: batch) })
            }
            try await store.transact { (tx) throws(StoreError) in
                for batch in batches[..<25] { try tx.checkpoint(batch, under: lease) }
            }
            for batch in batches[25...] {
                try await store.transact { (tx) throws(StoreError) in try tx.checkpoint(batch, under: lease) }
            }
            let ledger = try await store.reader.ledger(Samples.route(1), Self.inbox)
            #expect(Array(ledger.entries) == (0..<5_000).map { Samples.entry($0, version: $0 % 50) })
        }
    }
}
