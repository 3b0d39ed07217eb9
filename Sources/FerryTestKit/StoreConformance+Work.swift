import FerryCore
import FerryStore
import Testing

extension StoreConformance {
    static let workBehaviours = [
        Behaviour("leases what is due, earliest first, within the room of each lane and the limit") {
            try await $0.leases()
        },
        Behaviour("never gives one item to two of many concurrent workers") { try await $0.leasesDisjointly() },
        Behaviour("refuses results of a lease that has expired") { try await $0.fencesExpired() },
        Behaviour("extends leases that are held, and says which are lost") { try await $0.renews() },
        Behaviour("ends leased work, or puts it back") { try await $0.finishes() },
        Behaviour("keeps work that was enqueued again while it was held") { try await $0.keepsEnqueuedAgain() },
        Behaviour("removes work, and its leases with it") { try await $0.removesWork() },
        Behaviour("brings the runs of a job forward") { try await $0.bringsForward() },
        Behaviour("knows its lanes and when there is something to do next") { try await $0.knowsWhatIsNext() },
        Behaviour("tells every listener of new work, after the commit") { try await $0.signalsWork() },
    ]

    private static let mail = LaneID("mail")
    private static let chat = LaneID("chat")

    private func leases() async throws {
        try await withStore { store, clock in
            let items = [
                Samples.work(on: Samples.run(1, 1), due: Samples.start - .seconds(3), lane: Self.mail, attempts: 4),
                Samples.work(on: Samples.run(1, 2), due: Samples.start - .seconds(2), lane: Self.chat),
                Samples.work(on: Samples.run(1, 3), due: Samples.start - .seconds(1), lane: Self.mail),
                Samples.work(on: Samples.run(1, 4), due: Samples.start, lane: Self.mail),
                Samples.work(on: Samples.run(1, 5), due: Samples.start + .seconds(1), lane: Self.mail),
                Samples.work(1, due: Samples.start - .seconds(9)),
                WorkItem(key: .check(Samples.jobID(1), Samples.person(1)), lane: .control, due: Samples.start),
            ]
            try await store.transact { (tx) throws(StoreError) in for item in items.reversed() { try tx.enqueue(item) }
            }
            #expect(try await store.lease([:]).isEmpty)
            #expect(try await store.lease([Self.mail: 0]).isEmpty)
            #expect(try await store.lease([Self.mail: 5], limit: 0).isEmpty)
            let first = try await store.lease([Self.mail: 2, Self.chat: 5], limit: 2)
            #expect(first.map(\.item) == Array(items[..<2]))
            #expect(first.allSatisfy { $0.expires == clock.now + .seconds(60) })
            let second = try await store.lease([Self.mail: 1, Self.chat: 5])
            #expect(second.map(\.item) == [items[2]])
            let third = try await store.lease([Self.mail: 9, Self.chat: 5, .control: 9])
            #expect(
                third.map(\.item) == [items[5], items[3], items[6]]
                    || third.map(\.item) == [items[5], items[6], items[3]])
            let tokens = (first + second + third).map(\.token)
            #expect(zip(tokens, tokens.dropFirst()).allSatisfy { $0 < $1 } && tokens[0] > 0)
            #expect(try await store.lease([Self.mail: 9, Self.chat: 9, .control: 9]).isEmpty)
            clock.advance(by: .seconds(1))
            #expect(try await store.lease([Self.mail: 9]).map(\.item) == [items[4]])
        }
    }

    private func leasesDisjointly() async throws {
        try await withStore { store, _ in
            try await store.transact { (tx) throws(StoreError) in
                for number in 1...200 { try tx.enqueue(Samples.work(number)) }
            }
            let taken = try await withThrowingTaskGroup(of: [Lease].self) { group in
                for _ in 1...2 {
                    group.addTask {
                        var mine: [Lease] = []
                        while true {
                            let leases = try await store.lease([.control: 7])
                            if leases.isEmpty { return mine }
                            mine += leases
                        }
                    }
                }
                return try await group.reduce(into: [Lease]()) { $0 += $1 }
            }
            #expect(taken.count == 200)
            #expect(Set(taken.map(\.item.key)).count == 200)
            #expect(Set(taken.map(\.token)).count == 200)
        }
    }

    /// What only the holder of a lease may do.
    private enum LeasedVerb: CaseIterable {
        case require, finish, putBack, checkpoint, replaceLedger, removeLedger

        func run(_ tx: any StoreTransaction, _ lease: Lease, _ checkpoint: Checkpoint) throws(StoreError) {
            let (route, container) = (checkpoint.route, checkpoint.container)
            switch self {
            case .require: try tx.require(lease)
            case .finish: try tx.finish(lease, next: nil)
            case .putBack: try tx.finish(lease, next: lease.item)
            case .checkpoint: try tx.checkpoint(checkpoint, under: lease)
            case .replaceLedger: try tx.replaceLedger(route, container, with: ContainerLedger(), under: lease)
            case .removeLedger: try tx.removeLedger(route, container, under: lease)
            }
        }
    }

    private func fencesExpired() async throws {
        try await withStore { store, clock in
            try await store.insert(Samples.job(1))
            let run = Samples.run(1, 1)
            let container = ContainerID("mail/INBOX")
            let item = Samples.work(on: run)
            let old = try await store.leased(item, term: .seconds(30))
            try await store.transact { (tx) throws(StoreError) in try tx.require(old) }
            clock.advance(by: .seconds(30))
            var progress = RunProgress()
            progress.items = 1
            let checkpoint = Checkpoint(
                run: run, route: Samples.route(1), container: container, entries: [Samples.entry(1)],
                progress: progress,
                findings: [Samples.finding(run, item: "1")])
            // First nobody else has it, then somebody does.
            for verb in LeasedVerb.allCases {
                await #expect(throws: StoreError.leaseLost, "\(verb)") {
                    try await store.transact { (tx) throws(StoreError) in try verb.run(tx, old, checkpoint) }
                }
            }
            let new = try #require(try await store.lease([item.lane: 1]).first)
            #expect(new.item == item)
            #expect(new.token > old.token)
            for verb in LeasedVerb.allCases {
                await #expect(throws: StoreError.leaseLost, "\(verb)") {
                    try await store.transact { (tx) throws(StoreError) in try verb.run(tx, old, checkpoint) }
                }
            }
            #expect(try await store.reader.ledger(Samples.route(1), container) == ContainerLedger())
            #expect(try await store.reader.itemFindings(of: run.job, after: 0, limit: 9).isEmpty)
            #expect(try await store.reader.task(run.job, run.person)?[run.workload]?.progress == RunProgress())
            try await store.transact { (tx) throws(StoreError) in
                try tx.checkpoint(checkpoint, under: new)
                try tx.finish(new, next: nil)
            }
            #expect(
                try await store.reader.ledger(Samples.route(1), container).entries == LedgerEntries(checkpoint.entries))
        }
    }

    private func renews() async throws {
        try await withStore { store, clock in
            try await store.transact { (tx) throws(StoreError) in
                for number in 1...3 { try tx.enqueue(Samples.work(number)) }
            }
            let long = try await store.lease([.control: 2], term: .seconds(60))
            let short = try await store.lease([.control: 1], term: .seconds(10))
            clock.advance(by: .seconds(10))
            try await store.transact { (tx) throws(StoreError) in try tx.removeWork(long[1].item.key) }
            let kept = try await store.transact { (tx) throws(StoreError) in
                try tx.renew(long + short, term: .seconds(60))
            }
            #expect(kept == [long[0].token])
            clock.advance(by: .seconds(55))
            try await store.transact { (tx) throws(StoreError) in try tx.require(long[0]) }
            clock.advance(by: .seconds(5))
            await #expect(throws: StoreError.leaseLost) {
                try await store.transact { (tx) throws(StoreError) in try tx.require(long[0]) }
            }
        }
    }

    private func finishes() async throws {
        try await withStore { store, clock in
            let item = Samples.work(1)
            let lease = try await store.leased(item)
            var next = item
            next.lane = Self.chat
            next.due = clock.now + .seconds(5)
            next.attempts = 2
            let again = next
            try await store.transact { (tx) throws(StoreError) in try tx.finish(lease, next: again) }
            await #expect(throws: StoreError.leaseLost) {
                try await store.transact { (tx) throws(StoreError) in try tx.finish(lease, next: nil) }
            }
            #expect(try await store.lease([.control: 1, Self.chat: 1]).isEmpty)
            clock.advance(by: .seconds(5))
            let second = try #require(try await store.lease([.control: 1, Self.chat: 1]).first)
            #expect(second.item == again)
            try await store.transact { (tx) throws(StoreError) in try tx.finish(second, next: nil) }
            #expect(try await store.reader.nextDue() == nil)
        }
    }

    private func keepsEnqueuedAgain() async throws {
        try await withStore { store, clock in
            let item = Samples.work(1)
            func enqueueAgain(due: Duration, finishing next: Duration?) async throws -> Instant? {
                let lease = try await store.leased(item)
                let again = Samples.work(1, due: clock.now + due, attempts: 3)
                try await store.transact { (tx) throws(StoreError) in try tx.enqueue(again) }
                // It is still held.
                #expect(try await store.lease([.control: 1]).isEmpty)
                let back = next.map { Samples.work(1, due: clock.now + $0) }
                try await store.transact { (tx) throws(StoreError) in
                    try tx.require(lease)
                    try tx.finish(lease, next: back)
                }
                return try await store.reader.nextDue()
            }
            let start = clock.now
            #expect(try await enqueueAgain(due: .seconds(5), finishing: nil) == start + .seconds(5))
            #expect(try await enqueueAgain(due: .seconds(5), finishing: .seconds(9)) == start + .seconds(5))
            #expect(try await enqueueAgain(due: .seconds(5), finishing: .seconds(2)) == start + .seconds(2))
            // What was enqueued before the lease does not count as again.
            clock.advance(by: .seconds(5))
            let lease = try #require(try await store.lease([.control: 1]).first)
            #expect(lease.item.attempts == 3)
            try await store.transact { (tx) throws(StoreError) in try tx.finish(lease, next: nil) }
            #expect(try await store.reader.nextDue() == nil)
        }
    }

    private func removesWork() async throws {
        try await withStore { store, _ in
            let run = Samples.run(1, 1)
            try await store.transact { (tx) throws(StoreError) in
                try tx.enqueue(Samples.work(1))
                try tx.enqueue(Samples.work(on: run, lane: .control))
                try tx.enqueue(WorkItem(key: .check(run.job, run.person), lane: .control, due: Samples.start))
                try tx.enqueue(Samples.work(on: Samples.run(2, 1), lane: .control))
            }
            let leases = try await store.lease([.control: 9])
            #expect(leases.count == 4)
            try await store.transact { (tx) throws(StoreError) in try tx.removeWork(of: run.job) }
            for lease in leases {
                let isKept = lease.item.key == .job(run.job) || lease.item.key.job != run.job
                let kept = try await store.transact { (tx) throws(StoreError) in
                    try tx.renew([lease], term: .seconds(60))
                }
                #expect(kept.isEmpty != isKept, "\(lease.item.key)")
            }
            try await store.transact { (tx) throws(StoreError) in try tx.removeWork(.job(run.job)) }
            let left = try await store.transact { (tx) throws(StoreError) in try tx.renew(leases, term: .seconds(60)) }
            #expect(left.count == 1)
        }
    }

    private func bringsForward() async throws {
        try await withStore { store, clock in
            let early = clock.now - .seconds(5)
            try await store.transact { (tx) throws(StoreError) in
                try tx.enqueue(Samples.work(on: Samples.run(1, 1), due: early))
                try tx.enqueue(Samples.work(on: Samples.run(1, 2), due: Samples.start + .seconds(500)))
                try tx.enqueue(Samples.work(on: Samples.run(2, 1), due: Samples.start + .seconds(500)))
                try tx.enqueue(Samples.work(1, due: Samples.start + .seconds(500)))
                try tx.bringForward(Samples.jobID(1), to: Samples.start)
            }
            let leases = try await store.lease([Self.mail: 9, .control: 9])
            #expect(leases.map(\.item.key) == [.run(Samples.run(1, 1)), .run(Samples.run(1, 2))])
            #expect(leases.map(\.item.due) == [early, Samples.start])
        }
    }

    private func knowsWhatIsNext() async throws {
        try await withStore { store, clock in
            func lanes() async throws -> Set<LaneID> {
                try await store.transact { (tx) throws(StoreError) in try tx.lanes() }
            }
            #expect(try await store.reader.nextDue() == nil)
            #expect(try await lanes().isEmpty)
            try await store.transact { (tx) throws(StoreError) in
                try tx.enqueue(Samples.work(1, due: Samples.start + .seconds(20)))
                try tx.enqueue(Samples.work(2, due: Samples.start + .seconds(90), lane: Self.chat))
                try tx.enqueue(Samples.work(3, due: Samples.start + .seconds(95), lane: Self.chat))
                try tx.enqueue(Samples.work(4, due: Samples.start, lane: Self.mail))
            }
            #expect(try await lanes() == [.control, Self.chat, Self.mail])
            #expect(try await store.reader.nextDue() == Samples.start)
            _ = try await store.lease([Self.mail: 1], term: .seconds(10))
            #expect(try await store.reader.nextDue() == Samples.start + .seconds(10))
            clock.advance(by: .seconds(10))
            let lease = try #require(try await store.lease([Self.mail: 1], term: .seconds(30)).first)
            #expect(try await store.reader.nextDue() == Samples.start + .seconds(20))
            try await store.transact { (tx) throws(StoreError) in try tx.finish(lease, next: nil) }
            #expect(try await lanes() == [.control, Self.chat])
        }
    }

    private func signalsWork() async throws {
        try await withStore { store, _ in
            var streams: [AsyncStream<Void>.Iterator] = []
            for _ in 1...2 { streams.append(store.workChanges().makeAsyncIterator()) }
            try await store.transact { (tx) throws(StoreError) in
                try tx.enqueue(Samples.work(1, due: Samples.start + .seconds(50)))
            }
            for index in streams.indices { #expect(await streams[index].next() != nil) }
            try await store.transact { (tx) throws(StoreError) in
                try tx.enqueue(Samples.work(1, due: Samples.start))
            }
            for index in streams.indices { #expect(await streams[index].next() != nil) }
            let lease = try #require(try await store.lease([.control: 1]).first)
            try await store.transact { (tx) throws(StoreError) in
                try tx.finish(lease, next: Samples.work(1, due: Samples.start + .seconds(5)))
            }
            for index in streams.indices { #expect(await streams[index].next() != nil) }
            // Several commits that nobody has heard of make one hint; then the streams end with the store.
            for number in 2...4 {
                try await store.transact { (tx) throws(StoreError) in try tx.enqueue(Samples.work(number)) }
            }
            await store.close()
            for index in streams.indices {
                #expect(await streams[index].next() != nil)
                #expect(await streams[index].next() == nil)
            }
        }
    }
}
