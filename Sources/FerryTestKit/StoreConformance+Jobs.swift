import FerryCore
import FerryStore
import Testing

extension StoreConformance {
    static let jobBehaviours = [
        Behaviour("gives an inserted job back as it was, by id, by name and by key") { try await $0.findsJobs() },
        Behaviour("takes a key for an id first and for a name second") { try await $0.triesIdsBeforeNames() },
        Behaviour("saves a job only over the version that was read") { try await $0.savesOverReadVersion() },
        Behaviour("keeps all that may change of a job") { try await $0.keepsChanges() },
        Behaviour("lets a display name be taken once per tenant, without regard to case") {
            try await $0.keepsNamesUnique()
        },
        Behaviour("frees a name as soon as deletion was accepted") { try await $0.freesNames() },
        Behaviour("never answers with an old state of a job, however often it is read") { try await $0.isNeverStale() },
        Behaviour("leaves a tombstone of a purged job, and nothing else") { try await $0.purges() },
        Behaviour("removes tombstones by their age") { try await $0.removesTombstones() },
    ]

    private func findsJobs() async throws {
        try await withStore { store, _ in
            let job = Samples.job(0xAB, name: "Überführung Süd", people: Array(1...5), workloads: [.mailbox, .chats])
            var bare = Samples.job(2, people: [9], workloads: [.files], type: .migrate, isValidationOnly: true)
            bare.message = "Something to say"
            bare.validated = Samples.start
            bare.attempt = 3
            bare.status = .adminActionRequired
            bare.interrupted = .cuttingOver
            try await store.insert([job, bare])
            // The first read may come from the file and the second from memory.
            for _ in 1...2 {
                for reference in [
                    JobReference.key(job.id.description), .key(job.id.description.uppercased()),
                    .key("Überführung Süd"), .key("ÜBERFÜHRUNG SÜD"), .displayName("überführung süd"),
                ] {
                    #expect(try await store.reader.job(reference, in: Samples.target) == job)
                    #expect(try await store.reader.job(reference, in: Samples.stranger) == nil)
                    let seen = try await store.transact { (tx) throws(StoreError) in
                        try tx.job(reference, in: Samples.target)
                    }
                    #expect(seen == job)
                }
                #expect(try await store.reader.job(.displayName(job.id.description), in: Samples.target) == nil)
                #expect(try await store.reader.job(.key("nobody's"), in: Samples.target) == nil)
                #expect(try await store.reader.job(.key(bare.displayName), in: Samples.target) == bare)
            }
            let byID = try await store.transact { (tx) throws(StoreError) in try tx.job(job.id) }
            #expect(byID == job)
            await #expect(throws: StoreError.conflict) {
                try await store.insert(Samples.job(0xAB, name: "Another name"))
            }
        }
    }

    private func triesIdsBeforeNames() async throws {
        try await withStore { store, _ in
            let first = Samples.job(1)
            let namesake = Samples.job(2, name: first.id.description.uppercased())
            let odd = Samples.job(3, name: Samples.jobID(77).description)
            try await store.insert([first, namesake, odd])
            for _ in 1...2 {
                let reader = store.reader
                #expect(try await reader.job(.key(first.id.description), in: Samples.target)?.id == first.id)
                #expect(try await reader.job(.displayName(first.id.description), in: Samples.target)?.id == namesake.id)
                #expect(try await reader.job(.key(odd.displayName), in: Samples.target)?.id == odd.id)
            }
        }
    }

    private func savesOverReadVersion() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1)
            try await store.insert(job)
            let saved = try await store.change(job.id) { $0.status = .validateSubmitted }
            #expect(saved.version == job.version + 1)
            #expect(saved.status == .validateSubmitted)
            #expect(try await store.reader.job(.key(job.id.description), in: Samples.target) == saved)
            await #expect(throws: StoreError.conflict) {
                try await store.transact { (tx) throws(StoreError) in _ = try tx.save(job) }
            }
            await #expect(throws: StoreError.conflict) {
                try await store.transact { (tx) throws(StoreError) in _ = try tx.save(Samples.job(99)) }
            }
            #expect(try await store.reader.job(.key(job.id.description), in: Samples.target) == saved)
        }
    }

    private func keepsChanges() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1)
            try await store.insert(job)
            var expected = job
            expected.updated = Samples.start + .seconds(9)
            expected.completeAfter = Samples.start + .seconds(99)
            expected.status = .adminActionRequired
            expected.type = .migrate
            expected.message = "Zeile 1\nZeile 2 '\"; --"
            expected.validated = Samples.start + .microseconds(7)
            expected.attempt = 2
            expected.interrupted = .inProgress
            let changed = expected
            _ = try await store.change(job.id) { $0 = changed }
            expected.version += 1
            let query = JobQuery(tenant: Samples.target)
            // By way of the file, whatever the memory says.
            #expect(try await store.reader.jobs(query).rows == [expected])
            expected.validated = nil
            expected.interrupted = nil
            let cleared = expected
            _ = try await store.change(job.id) { $0 = cleared }
            expected.version += 1
            #expect(try await store.reader.jobs(query).rows == [expected])
        }
    }

    private func keepsNamesUnique() async throws {
        try await withStore { store, _ in
            try await store.insert([Samples.job(1, name: "Ärzte West"), Samples.job(2, name: "Other")])
            for name in ["Ärzte West", "ÄRZTE WEST", "ärzte west"] {
                await #expect(throws: StoreError.duplicateName) {
                    try await store.insert(Samples.job(3, name: name))
                }
            }
            try await store.insert(Samples.job(4, name: "ärzte west", tenant: Samples.stranger))
            try await store.insert(Samples.job(5, name: "Arzte West"))
            let names = try await store.transact { (tx) throws(StoreError) -> [String] in
                do throws(StoreError) {
                    try tx.insert(Samples.job(6, name: "OTHER"))
                } catch .duplicateName {
                    try tx.insert(Samples.job(6, name: "Other, again"))
                }
                var names: [String] = []
                for number in [2, 6] {
                    if let job = try tx.job(Samples.jobID(number)) { names.append(job.displayName) }
                }
                return names
            }
            #expect(names == ["Other", "Other, again"])
            #expect(try await store.reader.count(JobQuery(tenant: Samples.target)) == 4)
        }
    }

    private func freesNames() async throws {
        try await withStore { store, _ in
            let name = JobReference.displayName("Wave")
            try await store.insert(Samples.job(1, name: "Wave", status: .completed))
            #expect(try await store.reader.job(name, in: Samples.target)?.id == Samples.jobID(1))
            let leaving = try await store.change(Samples.jobID(1)) { $0.status = .pendingDelete }
            #expect(try await store.reader.job(name, in: Samples.target) == nil)
            #expect(try await store.reader.job(.key(leaving.id.description), in: Samples.target) == leaving)
            try await store.insert(Samples.job(2, name: "WAVE"))
            #expect(try await store.reader.job(name, in: Samples.target)?.id == Samples.jobID(2))
            _ = try await store.change(Samples.jobID(1)) { $0.status = .deleted }
            _ = try await store.change(Samples.jobID(2)) { $0.status = .deleted }
            try await store.insert(Samples.job(3, name: "wave"))
            #expect(try await store.reader.job(name, in: Samples.target)?.id == Samples.jobID(3))
        }
    }

    private func isNeverStale() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1)
            try await store.insert(job)
            let reference = JobReference.key(job.id.description)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...4 {
                    group.addTask {
                        var last: Int64 = 0
                        while last < 100 {
                            let version = try #require(
                                try await store.reader.job(reference, in: Samples.target)?.version)
                            try #require(version >= last, "went back from \(last) to \(version)")
                            last = version
                            await Task.yield()
                        }
                    }
                }
                for attempt in 1..<100 {
                    let saved = try await store.change(job.id) { $0.attempt = attempt }
                    #expect(try await store.reader.job(reference, in: Samples.target) == saved)
                    #expect(try await store.reader.job(.displayName("WAVE 1"), in: Samples.target) == saved)
                }
                try await group.waitForAll()
            }
        }
    }

    private func purges() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: [1, 2, 3], status: .pendingDelete)
            let other = Samples.job(2, people: [1])
            try await store.insert([job, other])
            let lease = try await store.leased(Samples.work(1))
            let tombstone = try await store.transact { (tx) throws(StoreError) -> Job? in
                for number in [1, 2] {
                    let run = Samples.run(number, 1)
                    try tx.enqueue(Samples.work(on: run))
                    try tx.enqueue(WorkItem(key: .check(run.job, run.person), lane: .control, due: Samples.start))
                    try tx.addItemFinding(Samples.finding(run, item: "7"))
                }
                try tx.require(lease)
                var dead = job
                dead.status = .deleted
                try tx.purge(dead)
                try tx.finish(lease, next: nil)
                return try tx.job(job.id)
            }
            var expected = job
            expected.status = .deleted
            expected.people = []
            expected.version += 1
            #expect(tombstone == expected)
            #expect(try await store.reader.job(.key(job.id.description), in: Samples.target) == expected)
            #expect(try await store.reader.job(.displayName(job.displayName), in: Samples.target) == nil)
            #expect(try await store.reader.jobs(JobQuery(tenant: Samples.target)).rows == [other])
            #expect(try await store.reader.count(JobQuery(tenant: Samples.target)) == 1)
            #expect(try await store.reader.task(job.id, Samples.person(1)) == nil)
            #expect(try await store.reader.tasks(TaskQuery(job: job.id)).rows.isEmpty)
            #expect(try await store.reader.progress(of: job.id).tally.counts.isEmpty)
            #expect(try await store.reader.itemFindings(of: job.id, after: 0, limit: 10).isEmpty)
            #expect(try await store.reader.task(other.id, Samples.person(1)) != nil)
            #expect(try await store.reader.itemFindings(of: other.id, after: 0, limit: 10).count == 1)
            let left = try await store.lease([.control: 10, LaneID("mail"): 10])
            #expect(Set(left.map(\.item.key.job)) == [other.id])
            await #expect(throws: StoreError.conflict) {
                try await store.transact { (tx) throws(StoreError) in try tx.purge(job) }
            }
        }
    }

    private func removesTombstones() async throws {
        try await withStore { store, _ in
            for number in 1...3 {
                var job = Samples.job(number, people: [], status: number == 3 ? .completed : .deleted)
                job.updated = Samples.start + .seconds(number)
                try await store.insert(job)
            }
            func exists(_ number: Int) async throws -> Bool {
                try await store.reader.job(.key(Samples.jobID(number).description), in: Samples.target) != nil
            }
            for number in 1...3 { #expect(try await exists(number)) }
            try await store.transact { (tx) throws(StoreError) in
                try tx.removeTombstones(before: Samples.start + .seconds(2))
            }
            #expect(try await !exists(1))
            #expect(try await exists(2))
            try await store.transact { (tx) throws(StoreError) in
                try tx.removeTombstones(before: Samples.start + .seconds(1_000))
            }
            #expect(try await !exists(2))
            #expect(try await exists(3))
        }
    }
}
