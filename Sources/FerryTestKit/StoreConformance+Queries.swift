import FerryCore
import FerryStore
import Testing

extension StoreConformance {
    static let queryBehaviours = [
        Behaviour("pages jobs newest first, of one tenant, without tombstones") { try await $0.pagesJobs() },
        Behaviour("neither repeats nor leaves out a job when others come and go between pages") {
            try await $0.pagesStay()
        },
        Behaviour("pages by any ordering, ties broken by id") { try await $0.ordersJobs() },
        Behaviour("understands every form of a predicate on jobs") { try await $0.filtersJobs() },
        Behaviour("searches display names without regard to case, and takes every character for itself") {
            try await $0.searchesJobs()
        },
        Behaviour("skips and limits") { try await $0.skips() },
        Behaviour("queries the tasks of one job") { try await $0.queriesTasks() },
    ]

    /// Numbers of all jobs of a query, page by page.
    private func numbers(_ query: JobQuery, in store: any Store) async throws -> [[UInt64]] {
        var pages: [[UInt64]] = []
        var query = query
        repeat {
            let page = try await store.reader.jobs(query)
            pages.append(page.rows.map(\.id.guid.low))
            query.after = page.next
        } while query.after != nil && pages.count < 100
        return pages
    }

    private func pagesJobs() async throws {
        try await withStore { store, _ in
            try await store.insert((1...45).map { Samples.job($0) })
            try await store.insert([
                Samples.job(100, tenant: Samples.stranger), Samples.job(101, status: .deleted),
            ])
            let pages = try await numbers(JobQuery(tenant: Samples.target), in: store)
            #expect(pages.map(\.count) == [20, 20, 5])
            #expect(pages.flatMap { $0 } == (1...45).reversed().map { UInt64($0) })
            #expect(try await store.reader.count(JobQuery(tenant: Samples.target)) == 45)
            var query = JobQuery(tenant: Samples.target)
            query.limit = 45
            #expect(try await store.reader.jobs(query).next == nil)
            #expect(try await store.reader.jobs(JobQuery(tenant: Samples.source)).rows.isEmpty)
        }
    }

    private func pagesStay() async throws {
        try await withStore { store, _ in
            try await store.insert((1...45).map { Samples.job($0) })
            var query = JobQuery(tenant: Samples.target)
            let first = try await store.reader.jobs(query)
            // Two new ones on top, the last of the first page and one of the second are gone.
            try await store.insert([Samples.job(90), Samples.job(91)])
            for number in [26, 20] { _ = try await store.change(Samples.jobID(number)) { $0.status = .deleted } }
            query.after = first.next
            let second = try await store.reader.jobs(query)
            query.after = second.next
            let third = try await store.reader.jobs(query)
            #expect(first.rows.map(\.id.guid.low) == (26...45).reversed().map { UInt64($0) })
            #expect((second.rows + third.rows).map(\.id.guid.low) == (1...25).filter { $0 != 20 }.reversed())
            #expect(second.rows.count == 20)
            #expect(third.next == nil)
            query.after = PagePosition(values: [], id: Samples.jobID(3).description)
            #expect(try await store.reader.jobs(query).rows.isEmpty)
        }
    }

    private func ordersJobs() async throws {
        try await withStore { store, _ in
            let names = ["b", "A", "c", "B", "a", "C"]
            try await store.insert(
                (1...6).map { number in
                    Samples.job(
                        number, name: names[number - 1] + String(number),
                        status: number.isMultiple(of: 2) ? .failed : .completed,
                        created: Samples.start + .seconds(number / 3))
                })
            func order(_ order: [Ordering<JobField>], limit: Int = 2) async throws -> [UInt64] {
                var query = JobQuery(tenant: Samples.target)
                query.order = order
                query.limit = limit
                return try await numbers(query, in: store).flatMap { $0 }
            }
            #expect(try await order([Ordering(.created, descending: true)]) == [6, 3, 4, 5, 1, 2])
            #expect(try await order([Ordering(.created)]) == [1, 2, 3, 4, 5, 6])
            #expect(try await order([Ordering(.displayName)]) == [2, 4, 6, 5, 1, 3])
            #expect(try await order([Ordering(.displayName, descending: true)]) == [3, 1, 5, 6, 4, 2])
            #expect(try await order([Ordering(.id, descending: true), Ordering(.status)]) == [6, 5, 4, 3, 2, 1])
            #expect(
                try await order([Ordering(.status, descending: true), Ordering(.created, descending: true)])
                    == [6, 4, 2, 3, 5, 1])
            #expect(try await order([Ordering(.resourceType), Ordering(.type)], limit: 1) == [1, 2, 3, 4, 5, 6])
            #expect(try await order([]) == [1, 2, 3, 4, 5, 6])
            for field in JobField.allCases {
                for isDescending in [false, true] {
                    let paged = try await order([Ordering(field, descending: isDescending)], limit: 1)
                    #expect(try await order([Ordering(field, descending: isDescending)], limit: 100) == paged)
                    #expect(Set(paged).count == 6)
                }
            }
        }
    }

    private func filtersJobs() async throws {
        try await withStore { store, _ in
            try await store.insert([
                Samples.job(1, name: "Alpha_1", workloads: [.mailbox], status: .submitted),
                Samples.job(
                    2, name: "beta%2", workloads: [.files, .chats], status: .completed, type: .migrate,
                    completeAfter: Samples.start, createdBy: "Ünal@south.example"),
                Samples.job(3, name: "GAMMA 3'", workloads: [.mailbox, .meetings], status: .validateFailed),
            ])
            typealias Form = FerryCore.Predicate<JobField>
            func status(_ text: String, _ comparison: Comparison = .equal) -> Form {
                .compare(.status, comparison, .text(text))
            }
            func created(_ comparison: Comparison, _ number: Int) -> Form {
                .compare(.created, comparison, .instant(Samples.start + .seconds(number)))
            }
            let id = Samples.jobID(2).description
            let rows: [(Form, [UInt64])] = [
                (.always(true), [1, 2, 3]), (.always(false), []),
                (status("completed"), [2]), (status("completed", .notEqual), [1, 3]), (status("Completed"), []),
                (status("submitted", .greater), [3]), (status("submitted", .greaterOrEqual), [1, 3]),
                (status("submitted", .less), [2]), (status("submitted", .lessOrEqual), [1, 2]),
                (created(.equal, 2), [2]), (created(.notEqual, 2), [1, 3]), (created(.less, 2), [1]),
                (created(.lessOrEqual, 2), [1, 2]), (created(.greater, 2), [3]), (created(.greaterOrEqual, 2), [2, 3]),
                (.compare(.completeAfter, .less, .instant(Samples.start + .seconds(1))), [2]),
                (.compare(.updated, .greater, .instant(Samples.start + .seconds(2))), [3]),
                (.compare(.id, .equal, .text(id)), [2]), (.compare(.id, .equal, .text(id.uppercased())), [2]),
                (.compare(.id, .greater, .text(id)), [3]), (.compare(.id, .equal, .text("2")), []),
                (.compare(.id, .notEqual, .text("2")), [1, 2, 3]), (.compare(.id, .greater, .text("0")), [1, 2, 3]),
                (.compare(.displayName, .equal, .text("GAMMA 3'")), [3]),
                (.compare(.displayName, .equal, .text("gamma 3'")), []),
                (.compare(.type, .equal, .text("migrate")), [2]),
                (.compare(.createdBy, .equal, .text("admin@south.example")), [1, 3]),
                (.compare(.sourceTenant, .equal, .text(Samples.source.description)), [1, 2, 3]),
                (.compare(.targetTenant, .equal, .text(Samples.source.description)), []),
                (.compare(.resourceType, .equal, .text("users")), [1, 2, 3]),
                (.compare(.resourceType, .notEqual, .text("Users")), []),
                (.compare(.created, .equal, .null), []), (.compare(.created, .notEqual, .null), [1, 2, 3]),
                (.compare(.created, .greater, .null), []), (.not(.compare(.created, .less, .null)), [1, 2, 3]),
                (.compare(.created, .equal, .text("x")), []), (.compare(.status, .notEqual, .null), [1, 2, 3]),
                (.isIn(.status, [.text("completed"), .text("submitted"), .null]), [1, 2]), (.isIn(.status, []), []),
                (.isIn(.id, [.text(id), .text("x")]), [2]),
                (.match(.displayName, .startsWith, "Al", foldingCase: false), [1]),
                (.match(.displayName, .startsWith, "al", foldingCase: false), []),
                (.match(.displayName, .startsWith, "gam", foldingCase: true), [3]),
                (.match(.displayName, .contains, "amm", foldingCase: true), [3]),
                (.match(.displayName, .contains, "%", foldingCase: false), [2]),
                (.match(.displayName, .contains, "_", foldingCase: false), [1]),
                (.match(.displayName, .equals, "gamma 3'", foldingCase: true), [3]),
                (.match(.displayName, .equals, "GAMMA 3'", foldingCase: false), [3]),
                (.match(.displayName, .equals, "gamma", foldingCase: true), []),
                (.match(.displayName, .equals, "", foldingCase: true), []),
                (.match(.createdBy, .equals, "ünal@south.example", foldingCase: true), [2]),
                (.match(.displayName, .endsWith, "3'", foldingCase: false), [3]),
                (.match(.displayName, .endsWith, "A_1", foldingCase: true), [1]),
                (.match(.displayName, .endsWith, "longer than any of them", foldingCase: true), []),
                (.match(.displayName, .contains, "", foldingCase: false), [1, 2, 3]),
                (.match(.createdBy, .startsWith, "ünal", foldingCase: true), [2]),
                (.match(.status, .contains, "Failed", foldingCase: false), [3]),
                (.match(.id, .endsWith, "02", foldingCase: false), [2]),
                (.match(.resourceType, .startsWith, "use", foldingCase: true), [1, 2, 3]),
                (.hasWorkload(.mailbox), [1, 3]), (.hasWorkload(.chats), [2]), (.not(.hasWorkload(.mailbox)), [2]),
                (.hasRun(.mailbox, .notStarted), []),
                (.and(.hasWorkload(.mailbox), status("submitted")), [1]),
                (.or(status("completed"), status("submitted")), [1, 2]),
                (.not(.or(status("completed"), status("submitted"))), [3]),
                (.and(.or(status("completed"), status("submitted")), .not(created(.less, 2))), [2]),
                (.or(status("completed"), .and(status("submitted"), .always(false))), [2]),
            ]
            for (predicate, expected) in rows {
                var query = JobQuery(tenant: Samples.target)
                query.order = [Ordering(.id)]
                query.predicate = predicate
                #expect(try await numbers(query, in: store) == [expected], "\(predicate)")
                #expect(try await store.reader.count(query) == expected.count, "\(predicate)")
                // Newest first, in pages, and from the second one on: other ways lead to the same rows.
                query.order = JobQuery(tenant: Samples.target).order
                query.limit = 1
                #expect(try await numbers(query, in: store).flatMap { $0 } == expected.reversed(), "\(predicate)")
                query.skip = 1
                query.limit = 20
                #expect(
                    try await numbers(query, in: store).flatMap { $0 } == Array(expected.reversed().dropFirst()),
                    "\(predicate)")
            }
        }
    }

    private func searchesJobs() async throws {
        try await withStore { store, _ in
            try await store.insert([
                Samples.job(1, name: "Größe 50%"), Samples.job(2, name: "Grösse_a"), Samples.job(3, name: "GRÖSSE\\b"),
            ])
            for (text, expected) in [
                ("grö", [1, 2, 3]), ("GRÖSSE", [2, 3]), ("0%", [1]), ("e_a", [2]), ("\\", [3]), ("%", [1]), ("x", []),
            ] as [(String, [UInt64])] {
                var query = JobQuery(tenant: Samples.target)
                query.search = text
                query.order = [Ordering(.id)]
                #expect(try await numbers(query, in: store) == [expected], "\(text)")
                query.predicate = .compare(.id, .greater, .text(Samples.jobID(1).description))
                #expect(try await store.reader.count(query) == expected.filter { $0 > 1 }.count, "\(text)")
            }
        }
    }

    private func skips() async throws {
        try await withStore { store, _ in
            try await store.insert((1...5).map { Samples.job($0) })
            var query = JobQuery(tenant: Samples.target)
            query.order = [Ordering(.created)]
            query.limit = 2
            query.skip = 2
            let page = try await store.reader.jobs(query)
            #expect(page.rows.map(\.id.guid.low) == [3, 4])
            query.skip = 0
            query.after = page.next
            #expect(try await numbers(query, in: store) == [[5]])
            query.after = nil
            query.skip = 9
            #expect(try await numbers(query, in: store) == [[]])
            #expect(try await store.reader.count(query) == 5)
            query.skip = 0
            query.limit = 0
            let none = try await store.reader.jobs(query)
            #expect(none.rows.isEmpty && none.next == nil)
        }
    }

    private func queriesTasks() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: [5, 3, 4, 1, 2], workloads: [.mailbox, .files])
            try await store.insert([job, Samples.job(2, people: [1, 2, 3])])
            try await store.setStatus([.mailbox: .failed], job: job.id, person: Samples.person(3))
            try await store.setStatus([.files: .failed, .mailbox: .valid], job: job.id, person: Samples.person(4))
            try await store.transact { (tx) throws(StoreError) in
                guard var task = try tx.task(job.id, Samples.person(1)) else { throw .conflict }
                task.updated = Samples.start + .seconds(70)
                try tx.save(task)
            }
            func people(
                _ predicate: FerryCore.Predicate<TaskField>? = nil, search: String? = nil,
                order: [Ordering<TaskField>] = [Ordering(.ordinal)]
            ) async throws -> [UInt64] {
                var query = TaskQuery(job: job.id)
                query.predicate = predicate
                query.search = search
                query.order = order
                query.limit = 2
                var rows: [UInt64] = []
                repeat {
                    let page = try await store.reader.tasks(query)
                    rows += page.rows.map(\.person.guid.low)
                    query.after = page.next
                } while query.after != nil && rows.count < 100
                #expect(try await store.reader.count(query) == rows.count)
                return rows
            }
            let third = QueryValue.text(Samples.person(3).description.uppercased())
            let moved = QueryValue.instant(Samples.start + .seconds(70))
            #expect(try await people() == [5, 3, 4, 1, 2])
            #expect(try await people(order: [Ordering(.ordinal, descending: true)]) == [2, 1, 4, 3, 5])
            #expect(try await people(order: [Ordering(.id)]) == [1, 2, 3, 4, 5])
            #expect(try await people(order: [Ordering(.updated, descending: true)]) == [1, 2, 3, 4, 5])
            #expect(try await people(order: [Ordering(.updated), Ordering(.id, descending: true)]) == [5, 4, 3, 2, 1])
            #expect(try await people(order: [Ordering(.taskType)]) == [1, 2, 3, 4, 5])
            #expect(try await people(.hasRun(.mailbox, .failed)) == [3])
            #expect(try await people(.hasRun(nil, .failed)) == [3, 4])
            #expect(try await people(.hasRun(.files, nil)) == [5, 3, 4, 1, 2])
            #expect(try await people(.hasRun(.chats, nil)) == [])
            #expect(try await people(.not(.hasRun(nil, .failed))) == [5, 1, 2])
            #expect(try await people(.hasWorkload(.mailbox)) == [])
            #expect(try await people(.compare(.id, .equal, third)) == [3])
            #expect(try await people(.compare(.id, .greater, third)) == [5, 4])
            #expect(try await people(.compare(.updated, .equal, moved)) == [1])
            #expect(try await people(.compare(.updated, .less, moved)) == [5, 3, 4, 2])
            #expect(try await people(.compare(.taskType, .equal, .text("Users"))) == [5, 3, 4, 1, 2])
            #expect(try await people(.compare(.ordinal, .less, .text("2"))) == [5, 3])
            #expect(try await people(.isIn(.id, [third])) == [3])
            #expect(try await people(search: "000004") == [4])
            #expect(try await people(search: "000B-") == [5, 3, 4, 1, 2])
            #expect(try await people(search: "%") == [])
        }
    }
}
