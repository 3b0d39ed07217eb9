import FerryCore
import FerryStore
import Testing

extension StoreConformance {
    static let taskBehaviours = [
        Behaviour("makes a task per person and a run per workload with a job") { try await $0.makesTasks() },
        Behaviour("stores what differs in a task's runs") { try await $0.savesTasks() },
        Behaviour("sets all runs in given states at once") { try await $0.setsRuns() },
        Behaviour("counts runs and people by their state") { try await $0.tallies() },
        Behaviour("sums the progress of runs per workload") { try await $0.sumsProgress() },
        Behaviour("knows in which other active jobs a person is") { try await $0.findsActiveJobs() },
        Behaviour("numbers per-item findings so that a reader who follows misses none") {
            try await $0.keepsFindings()
        },
        Behaviour("counts findings, grades and people who wait for an approval") { try await $0.countsLosses() },
        Behaviour("keeps a dry run and its forecasts until the job goes") { try await $0.keepsDryRuns() },
        Behaviour("measures what runs between two tenants have done") { try await $0.measuresRuns() },
        Behaviour("keeps how far the cutover of a run is until it is told to forget it") {
            try await $0.keepsCutovers()
        },
    ]

    private func keepsDryRuns() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: [3, 1, 2], workloads: [.mailbox, .files])
            try await store.insert(job)
            #expect(try await store.reader.dryRun(of: job.id) == nil)
            var forecast = Forecast()
            forecast.shares = [Forecast.Share(.mail)]
            forecast.skip(
                Forecast.Place(
                    service: .mail, container: "A/B", item: "7", code: .targetItemTooLarge, message: "Zu groß.",
                    bytes: 9))
            forecast.findings = [Finding(code: .mailboxProbeFailed, message: "m", reason: "overQuota")]
            (forecast.seconds, forecast.lane, forecast.parallel) = (1.5, "l", 3)
            let (first, second) = (forecast, Forecast())
            let begun = DryRun(began: Samples.start)
            try await store.transact { (tx) throws(StoreError) in
                try tx.setDryRun(begun, of: job.id)
                #expect(try tx.setForecast(second, of: Samples.run(1, 2, .mailbox)))
                #expect(try tx.setForecast(second, of: Samples.run(1, 3, .files)))
                #expect(try !tx.setForecast(first, of: Samples.run(1, 3, .files)))
                // Nothing is kept of what is not there.
                try tx.setForecast(first, of: Samples.run(1, 9, .files))
                try tx.setForecast(first, of: Samples.run(9, 1, .files))
                for key in [
                    WorkKey.dryRun(job.id), .forecast(Samples.run(1, 3, .files)), .run(Samples.run(1, 3, .files)),
                ] {
                    try tx.enqueue(WorkItem(key: key, lane: .control, due: Samples.start))
                }
            }
            #expect(try await store.reader.dryRun(of: job.id) == begun)
            #expect(try await store.reader.forecast(of: Samples.run(1, 3, .files)) == first)
            #expect(try await store.reader.forecast(of: Samples.run(1, 3, .mailbox)) == nil)
            let all = [
                RunForecast(run: Samples.run(1, 3, .files), forecast: first),
                RunForecast(run: Samples.run(1, 2, .mailbox), forecast: second),
            ]
            #expect(try await store.reader.forecasts(of: job.id, from: 0, limit: 10) == all)
            #expect(try await store.reader.forecasts(of: job.id, from: 0, limit: 2) == Array(all[..<1]))
            #expect(try await store.reader.forecasts(of: job.id, from: 1, limit: 2) == Array(all[1...]))
            let ended = DryRun(
                state: .completed, began: Samples.start, ended: Samples.start + .seconds(3), expected: 2, done: 2)
            let keys = try await store.transact { (tx) throws(StoreError) in
                try tx.setDryRun(ended, of: job.id)
                try tx.removeDryRunWork(of: job.id)
                return try tx.lease(room: [.control: 9], limit: 9, term: .seconds(9)).map(\.item.key)
            }
            #expect(keys == [.run(Samples.run(1, 3, .files))])
            #expect(try await store.reader.dryRun(of: job.id) == ended)
            try await store.transact { (tx) throws(StoreError) in try tx.removeForecasts(of: job.id) }
            #expect(try await store.reader.forecasts(of: job.id, from: 0, limit: 10).isEmpty)
            try await store.transact { (tx) throws(StoreError) in
                try tx.setForecast(first, of: Samples.run(1, 3, .files))
                try tx.purge(job)
            }
            #expect(try await store.reader.dryRun(of: job.id) == nil)
            #expect(try await store.reader.forecasts(of: job.id, from: 0, limit: 10).isEmpty)
        }
    }

    private func measuresRuns() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: [1, 2], workloads: [.mailbox, .files])
            try await store.insert([job, Samples.job(2, people: [1], workloads: [.mailbox])])
            #expect(try await store.reader.measured(from: job.sourceTenant, to: job.targetTenant).isEmpty)
            var progress = RunProgress()
            (progress.items, progress.bytes, progress.activeMicroseconds, progress.passes) = (10, 1_000, 5, 1)
            var unfinished = progress
            unfinished.passes = 0
            let (done, begun) = (progress, unfinished)
            try await store.transact { (tx) throws(StoreError) in
                try tx.setProgress(done, of: Samples.run(1, 1, .mailbox))
                try tx.setProgress(done, of: Samples.run(2, 1, .mailbox))
                try tx.setProgress(begun, of: Samples.run(1, 2, .mailbox))
                try tx.setProgress(begun, of: Samples.run(1, 2, .files))
            }
            (progress.items, progress.bytes, progress.activeMicroseconds, progress.passes) = (20, 2_000, 10, 0)
            #expect(
                try await store.reader.measured(from: job.sourceTenant, to: job.targetTenant)
                    == [.mailbox: MeasuredRuns(runs: 2, progress: progress)])
            #expect(try await store.reader.measured(from: job.targetTenant, to: job.sourceTenant).isEmpty)
        }
    }

    private func makesTasks() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: [3, 1, 2], workloads: [.mailbox, .files, .chats])
            try await store.insert([
                job, Samples.job(2, people: [1], workloads: [.meetings]), Samples.job(3, people: []),
            ])
            func task(_ person: Int, at ordinal: Int) -> UserTask {
                UserTask(
                    job: job.id, person: Samples.person(person), ordinal: ordinal, updated: job.updated,
                    runs: [Workload.files, .chats, .mailbox].map {
                        WorkloadRun(
                            id: Samples.run(1, person, $0), status: .notStarted, message: "", findings: [],
                            progress: RunProgress())
                    })
            }
            let all = [task(3, at: 0), task(1, at: 1), task(2, at: 2)]
            #expect(try await store.reader.tasks(TaskQuery(job: job.id)).rows == all)
            #expect(try await store.reader.task(job.id, Samples.person(1)) == all[1])
            #expect(try await store.reader.task(job.id, Samples.person(9)) == nil)
            #expect(try await store.reader.task(Samples.jobID(9), Samples.person(1)) == nil)
            #expect(try await store.reader.tasks(TaskQuery(job: Samples.jobID(3))).rows.isEmpty)
            try await store.transact { (tx) throws(StoreError) in
                #expect(try tx.task(job.id, Samples.person(2)) == all[2])
                #expect(try tx.tasks(job.id, from: 0, limit: 2) == Array(all[..<2]))
                #expect(try tx.tasks(job.id, from: 2, limit: 2) == Array(all[2...]))
                #expect(try tx.tasks(job.id, from: 3, limit: 2).isEmpty)
            }
        }
    }

    private func savesTasks() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: [1, 2], workloads: [.mailbox, .files])
            try await store.insert(job)
            var task = try #require(try await store.reader.task(job.id, Samples.person(2)))
            task.updated = Samples.start + .seconds(50)
            task.runs[1].status = .invalid
            task.runs[1].message = "Zwei Dinge fehlen."
            task.runs[1].findings = [
                Finding(
                    code: .moveFailed, message: "„Straße“ \\ \" \n", reason: "targetNotEmpty", object: "mail/INBOX"),
                Finding(code: .moveFailed, message: "Second"),
            ]
            task.runs[1].progress.items = 5
            task.runs[1].progress.itemsExpected = 9
            task.runs[1].verdict = ConsistencyVerdict(grade: .investigate, lost: 4)
            task.runs[1].approved = 2
            let changed = task
            try await store.transact { (tx) throws(StoreError) in try tx.save(changed) }
            #expect(try await store.reader.task(job.id, Samples.person(2)) == changed)
            let other = try #require(try await store.reader.task(job.id, Samples.person(1)))
            #expect(other.updated == job.updated)
            #expect(other.runs.allSatisfy { $0.status == .notStarted })
            task.runs[1].findings = []
            let mended = task
            try await store.transact { (tx) throws(StoreError) in try tx.save(mended) }
            #expect(try await store.reader.task(job.id, Samples.person(2)) == mended)
            let unknown = UserTask(
                job: job.id, person: Samples.person(9), ordinal: 0, updated: Samples.start, runs: [])
            await #expect(throws: StoreError.conflict) {
                try await store.transact { (tx) throws(StoreError) in try tx.save(unknown) }
            }
        }
    }

    private func setsRuns() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: [1, 2, 3], workloads: [.mailbox, .files])
            try await store.insert([job, Samples.job(2, people: [1])])
            try await store.setStatus([.mailbox: .invalid], job: job.id, person: Samples.person(2))
            try await store.setStatus([.mailbox: .valid, .files: .valid], job: job.id, person: Samples.person(3))
            let later = Samples.start + .seconds(500)
            let changed = try await store.transact { (tx) throws(StoreError) -> Int in
                guard var task = try tx.task(job.id, Samples.person(2)) else { throw .conflict }
                task.runs[1].findings = [Finding(code: .moveFailed, message: "x")]
                try tx.save(task)
                #expect(try tx.setRuns(of: job.id, in: [], to: .error, message: "", at: later) == 0)
                #expect(try tx.setRuns(of: Samples.jobID(9), in: [.valid], to: .error, message: "", at: later) == 0)
                return try tx.setRuns(
                    of: job.id, in: [.notStarted, .invalid], to: .cancelled, message: "Stopped.", at: later)
            }
            #expect(changed == 4)
            let tasks = try await store.reader.tasks(TaskQuery(job: job.id)).rows
            for task in tasks[..<2] {
                #expect(task.updated == later)
                #expect(task.runs.allSatisfy { $0.status == .cancelled && $0.message == "Stopped." })
                #expect(task.runs.allSatisfy { $0.findings.isEmpty })
            }
            #expect(tasks[2].updated == job.updated)
            #expect(tasks[2].runs.allSatisfy { $0.status == .valid && $0.message.isEmpty })
            let other = try #require(try await store.reader.task(Samples.jobID(2), Samples.person(1)))
            #expect(other.runs.allSatisfy { $0.status == .notStarted })
        }
    }

    private func tallies() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: Array(1...5), workloads: [.mailbox, .files])
            try await store.insert([job, Samples.job(2, people: [1])])
            let states: [(person: Int, mailbox: RunStatus, files: RunStatus)] = [
                (1, .completed, .completed), (2, .completed, .cancelled), (3, .cancelled, .cancelled),
                (4, .completed, .failed), (5, .syncing, .cancelled),
            ]
            for state in states {
                try await store.setStatus(
                    [.mailbox: state.mailbox, .files: state.files], job: job.id, person: Samples.person(state.person))
            }
            let expected = RunTally(
                counts: [
                    .init(workload: .mailbox, status: .completed): 3, .init(workload: .mailbox, status: .cancelled): 1,
                    .init(workload: .mailbox, status: .syncing): 1, .init(workload: .files, status: .completed): 1,
                    .init(workload: .files, status: .cancelled): 3, .init(workload: .files, status: .failed): 1,
                ], people: 5, peopleCompleted: 1, peopleCancelled: 2, peopleFailed: 1)
            #expect(try await store.reader.progress(of: job.id).tally == expected)
            try await store.transact { (tx) throws(StoreError) in
                #expect(try tx.tally(job.id) == expected)
                #expect(try tx.hasRun(of: job.id, in: [.syncing, .error]))
                #expect(try !tx.hasRun(of: job.id, in: [.error, .notStarted]))
                #expect(try !tx.hasRun(of: job.id, in: []))
                #expect(try !tx.hasRun(of: Samples.jobID(9), in: Set(RunStatus.allCases)))
                let none = RunTally(counts: [:], people: 0, peopleCompleted: 0, peopleCancelled: 0, peopleFailed: 0)
                #expect(try tx.tally(Samples.jobID(9)) == none)
            }
        }
    }

    private func sumsProgress() async throws {
        try await withStore { store, _ in
            let job = Samples.job(1, people: [1, 2], workloads: [.mailbox, .files])
            try await store.insert(job)
            var expected: [Workload: RunProgress] = [:]
            for (number, run) in [
                Samples.run(1, 1, .mailbox), Samples.run(1, 2, .mailbox), Samples.run(1, 1, .files),
                Samples.run(1, 2, .files),
            ].enumerated() {
                var progress = RunProgress()
                let base = Int64(number + 1)
                progress.items = base
                progress.bytes = base * 1_000_000_000_000
                // One of the files runs has not listed yet.
                progress.itemsExpected = number == 3 ? nil : base * 2
                progress.bytesExpected = number == 3 ? nil : base * 3
                progress.skipped = base * 4
                progress.failed = base * 5
                progress.passes = base * 6
                progress.activeMicroseconds = base * 7
                progress.frozenMicroseconds = base * 8
                let stored = progress
                try await store.transact { (tx) throws(StoreError) in try tx.setProgress(stored, of: run) }
                let task = try #require(try await store.reader.task(job.id, run.person))
                #expect(task[run.workload]?.progress == stored)
                expected[run.workload] = expected[run.workload].map { $0 + stored } ?? stored
            }
            #expect(try await store.reader.progress(of: job.id).progress == expected)
            #expect(try await store.reader.progress(of: Samples.jobID(9)).progress.isEmpty)
        }
    }

    private func findsActiveJobs() async throws {
        try await withStore { store, _ in
            try await store.insert([
                Samples.job(1, people: [1]), Samples.job(2, people: [1, 2], status: .inProgress),
                Samples.job(3, people: [1], status: .validatePassed), Samples.job(4, people: [1], status: .completed),
                Samples.job(5, people: [1], tenant: Samples.stranger), Samples.job(6, people: [2]),
                Samples.job(7, people: [1], isValidationOnly: true),
                Samples.job(8, people: [1], status: .pendingDelete),
                Samples.job(9, people: [1], status: .processing),
            ])
            // Out of job 9 for good; in job 3 only in part.
            try await store.setStatus(
                [.mailbox: .cancelled, .files: .failed], job: Samples.jobID(9), person: Samples.person(1))
            try await store.setStatus([.mailbox: .failed], job: Samples.jobID(3), person: Samples.person(1))
            try await store.transact { (tx) throws(StoreError) in
                func names(_ person: Int, besides job: Int) throws(StoreError) -> [String] {
                    try tx.activeJobs(
                        with: Samples.person(person), in: Samples.target, besides: Samples.jobID(job))
                }
                #expect(try names(1, besides: 1) == ["Wave 2", "Wave 3"])
                #expect(try names(1, besides: 99) == ["Wave 1", "Wave 2", "Wave 3"])
                #expect(try names(2, besides: 6) == ["Wave 2"])
                #expect(try names(3, besides: 1).isEmpty)
            }
        }
    }

    private func keepsFindings() async throws {
        try await withStore { store, _ in
            try await store.insert([Samples.job(1), Samples.job(2)])
            let (mail, files) = (Samples.run(1, 1, .mailbox), Samples.run(1, 2, .files))
            try await store.transact { (tx) throws(StoreError) in
                for number in 1...3 {
                    try tx.addItemFinding(Samples.finding(mail, item: "Größe \(number)"))
                    try tx.addItemFinding(Samples.finding(Samples.run(2, 1), item: "other"))
                }
                try tx.addItemFinding(Samples.finding(files, item: "4", outcome: .failed))
            }
            let all = try await store.reader.itemFindings(of: mail.job, after: 0, limit: 100)
            #expect(all.map(\.item) == ["Größe 1", "Größe 2", "Größe 3", "4"])
            #expect(zip(all, all.dropFirst()).allSatisfy { $0.sequence < $1.sequence })
            var expected = Samples.finding(files, item: "4", outcome: .failed)
            expected.sequence = all[3].sequence
            #expect(all[3] == expected)
            let middle = try await store.reader.itemFindings(of: mail.job, after: all[0].sequence, limit: 2)
            #expect(middle == Array(all[1...2]))
            try await store.transact { (tx) throws(StoreError) in
                try tx.addItemFinding(Samples.finding(files, item: "5", outcome: .copied))
                try tx.removeItemFindings(of: files)
                try tx.addItemFinding(Samples.finding(mail, item: "new"))
            }
            let news = try await store.reader.itemFindings(of: mail.job, after: all[3].sequence, limit: 100)
            #expect(news.map(\.item) == ["5", "new"])
            #expect(try await store.reader.itemFindings(of: mail.job, after: 0, limit: 100).count == 5)
            #expect(try await store.reader.itemFindings(of: Samples.jobID(2), after: 0, limit: 100).count == 3)
        }
    }

    private func countsLosses() async throws {
        try await withStore { store, _ in
            try await store.insert([Samples.job(1), Samples.job(2)])
            let mail = Samples.run(1, 1, .mailbox)
            try await store.transact { (tx) throws(StoreError) in
                for number in 1...3 { try tx.addItemFinding(Samples.finding(mail, item: "\(number)")) }
                try tx.addItemFinding(Samples.finding(mail, item: "4", outcome: .copied))
                try tx.addItemFinding(Samples.finding(Samples.run(1, 2, .mailbox), item: "5"))
                let counts = try tx.findingCounts(of: mail).sorted { $0.count < $1.count }
                #expect(counts.map(\.count) == [1, 3] && counts.map(\.systemFolders) == [0, 0])
                #expect(counts.map(\.outcome) == [.copied, .skipped])
                #expect(try tx.findingCounts(of: Samples.run(2, 1, .mailbox)).isEmpty)
                try tx.addItemFinding(Samples.finding(Samples.run(1, 2, .mailbox), item: "INBOX"))
                #expect(try tx.findingCounts(of: Samples.run(1, 2, .mailbox)).map(\.systemFolders) == [1])
                #expect(try tx.peopleHeld(of: mail.job) == 0)
            }
            for (person, workload) in [(1, Workload.mailbox), (1, .files), (2, .mailbox)] {
                try await store.transact { (tx) throws(StoreError) in
                    guard var task = try tx.task(mail.job, Samples.person(person)) else { return }
                    for index in task.runs.indices where task.runs[index].id.workload == workload {
                        task.runs[index].status = workload == .mailbox ? .finalizing : .inProgress
                        task.runs[index].held(by: ConsistencyVerdict(grade: .investigate, lost: 2))
                        if person == 2 { task.runs[index].approve() }
                    }
                    try tx.save(task)
                }
            }
            #expect(try await store.transact { (tx) throws(StoreError) in try tx.peopleHeld(of: mail.job) } == 1)
            let progress = try await store.reader.progress(of: mail.job)
            #expect(progress.peopleHeld == 1)
            #expect(progress.grades == [.mailbox: [.investigate: 2], .files: [.investigate: 1]])
            #expect(try await store.reader.progress(of: Samples.jobID(2)).grades.isEmpty)
        }
    }

    private func keepsCutovers() async throws {
        try await withStore { store, _ in
            try await store.insert([Samples.job(1), Samples.job(2)])
            let (mail, files) = (Samples.run(1, 1, .mailbox), Samples.run(1, 2, .files))
            let journals: [CutoverJournal] =
                CutoverJournal.Step.allCases.map { CutoverJournal(step: $0, began: Samples.start, hold: .partly) }
                + CutoverJournal.Hold.allCases.map {
                    CutoverJournal(step: .verify, began: Samples.start + .seconds(1), hold: $0, isUndoing: true)
                } + [CutoverJournal(step: .freeze, began: Samples.start)]
            for journal in journals {
                try await store.transact { (tx) throws(StoreError) in try tx.setCutover(journal, of: mail) }
                try await store.transact { (tx) throws(StoreError) in
                    #expect(try tx.cutover(of: mail) == journal)
                    #expect(try tx.cutover(of: files) == nil)
                    #expect(try tx.cutover(of: Samples.run(2, 1, .mailbox)) == nil)
                }
            }
            try await store.transact { (tx) throws(StoreError) in
                try tx.setCutover(journals[0], of: files)
                try tx.setCutover(nil, of: mail)
                // Of whom the store knows nothing, nothing is kept.
                try tx.setCutover(journals[0], of: Samples.run(9, 1, .mailbox))
                #expect(try tx.cutover(of: mail) == nil)
                #expect(try tx.cutover(of: files) == journals[0])
                #expect(try tx.cutover(of: Samples.run(9, 1, .mailbox)) == nil)
                var job = Samples.job(1, status: .pendingDelete)
                job.version = 1
                try tx.purge(job)
                #expect(try tx.cutover(of: files) == nil)
            }
        }
    }
}
