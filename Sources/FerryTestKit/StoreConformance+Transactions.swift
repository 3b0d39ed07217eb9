import FerryCore
import FerryStore
import Testing

extension StoreConformance {
    static let transactionBehaviours = [
        Behaviour("undoes all that a closure did when it throws") { try await $0.undoes() },
        Behaviour("shows a transaction what it did itself") { try await $0.readsOwnWrites() },
        Behaviour("carries concurrent callers together, and one that throws takes nobody along") {
            try await $0.carriesConcurrentCallers()
        },
        Behaviour("runs concurrent transactions as if one after the other") { try await $0.isSerializable() },
        Behaviour("shows the clock as it is when a transaction starts") { try await $0.showsTheClock() },
        Behaviour("answers no more once it is closed, and closes twice") { try await $0.closes() },
    ]

    private func undoes() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1)
            try await store.insert(job)
            await #expect(throws: StoreError.duplicateName) {
                try await store.transact { (tx) throws(StoreError) in
                    var changed = job
                    changed.status = .failed
                    try tx.save(changed)
                    try tx.insert(Samples.job(2))
                    try tx.enqueue(Samples.work(1))
                    try tx.insert(Samples.job(3, name: job.displayName))
                }
            }
            #expect(try await store.reader.job(.key(job.id.description), in: Samples.target) == job)
            #expect(try await store.reader.jobs(JobQuery(tenant: Samples.target)).rows == [job])
            #expect(try await store.reader.nextDue() == nil)
            // Whether the job is still what the store believes it to be.
            #expect(try await store.change(job.id) { $0.status = .completed }.version == 2)
        }
    }

    private func readsOwnWrites() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1)
            try await store.transact { (tx) throws(StoreError) in
                try tx.insert(job)
                #expect(try tx.job(job.id) == job)
                var changed = job
                changed.status = .failed
                changed.people = [Samples.person(2)]
                let saved = try tx.save(changed)
                #expect(try tx.job(job.id) == saved)
                #expect(try tx.job(.displayName("wave 1"), in: Samples.target) == saved)
                #expect(try tx.save(saved).version == 3)
                #expect(try tx.task(job.id, Samples.person(1)) != nil)
            }
            #expect(try await store.reader.job(.key("Wave 1"), in: Samples.target)?.people == [Samples.person(2)])
        }
    }

    private func carriesConcurrentCallers() async throws {
        try await withStore { store, _ in
            for round in 0..<4 {
                let first = round * 100
                let results = await withTaskGroup(of: (Int, Result<Int, StoreError>).self) { group in
                    for number in first..<first + 64 {
                        group.addTask {
                            do throws(StoreError) {
                                let value = try await store.transact { (tx) throws(StoreError) -> Int in
                                    try tx.insert(Samples.job(number))
                                    try tx.enqueue(Samples.work(number))
                                    if number == first + 31 { throw .leaseLost }
                                    return number
                                }
                                return (number, .success(value))
                            } catch {
                                return (number, .failure(error))
                            }
                        }
                    }
                    return await group.reduce(into: [Int: Result<Int, StoreError>]()) { $0[$1.0] = $1.1 }
                }
                for (number, result) in results {
                    #expect(result == (number == first + 31 ? .failure(.leaseLost) : .success(number)))
                    let found = try await store.reader.job(.key(Samples.jobID(number).description), in: Samples.target)
                    #expect((found != nil) == (number != first + 31))
                }
                #expect(try await store.reader.count(JobQuery(tenant: Samples.target)) == (round + 1) * 63)
            }
            #expect(try await store.lease([.control: 1_000], limit: 1_000).count == 4 * 63)
        }
    }

    private func isSerializable() async throws {
        try await withStore { store, _ in
            try await store.insert(Samples.job(1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...64 {
                    group.addTask { _ = try await store.change(Samples.jobID(1)) { $0.attempt += 1 } }
                }
                try await group.waitForAll()
            }
            let job = try #require(try await store.reader.job(.key("Wave 1"), in: Samples.target))
            #expect(job.attempt == 64)
            #expect(job.version == 65)
        }
    }

    private func showsTheClock() async throws {
        try await withStore { store, clock in
            #expect(store.now == Samples.start)
            clock.advance(by: .milliseconds(1))
            #expect(store.now == Samples.start + .milliseconds(1))
            let seen = try await store.transact { (tx) throws(StoreError) in
                clock.advance(by: .seconds(1))
                return tx.now
            }
            #expect(seen == Samples.start + .milliseconds(1))
        }
    }

    private func closes() async throws {
        try await withStore { store, _ in
            try await store.insert(Samples.job(1))
            try await store.reader.ping()
            await withTaskGroup(of: Void.self) { group in
                for _ in 1...3 { group.addTask { await store.close() } }
            }
            await #expect(throws: StoreError.closed) { try await store.insert(Samples.job(2)) }
            // Also what it had in memory.
            await #expect(throws: StoreError.closed) {
                _ = try await store.reader.job(.key("Wave 1"), in: Samples.target)
            }
            await #expect(throws: StoreError.closed) { try await store.reader.ping() }
            await #expect(throws: StoreError.closed) {
                _ = try await store.reader.jobs(JobQuery(tenant: Samples.target))
            }
        }
    }
}
