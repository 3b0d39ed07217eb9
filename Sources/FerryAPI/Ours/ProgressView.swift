package import FerryCore

/// How far a job is, made on reading (`GET /ferry/jobs/{job}/progress`).
package struct ProgressView: Sendable {
    package var job: Job
    package var progress: [Workload: RunProgress]
    package var tally: RunTally
    /// Runs that were judged (9.4).
    package var grades: [Workload: [ConsistencyGrade: Int]]
    /// People who wait for an approval.
    package var peopleHeld: Int
    /// When it was read; rates and the estimate are of this moment.
    package var now: Instant

    package init(
        job: Job, progress: [Workload: RunProgress], tally: RunTally, grades: [Workload: [ConsistencyGrade: Int]] = [:],
        peopleHeld: Int = 0, now: Instant
    ) {
        self.grades = grades
        self.peopleHeld = peopleHeld
        self.job = job
        self.progress = progress
        self.tally = tally
        self.now = now
    }

    /// The job's workloads in the order of the wire.
    var workloads: [Workload] { job.workloads.sorted() }

    func progress(of workload: Workload) -> RunProgress { progress[workload] ?? RunProgress() }

    /// Sum over the workloads; unknown expectations make the sum's unknown.
    var total: RunProgress {
        let parts = workloads.map(progress(of:))
        guard var sum = parts.first else { return RunProgress() }
        for part in parts.dropFirst() { sum = sum + part }
        return sum
    }

    /// States in which a run's bytes move.
    private static let moving: Set<RunStatus> = [.syncing, .inProgress, .finalizing]

    /// When the slowest workload will be through at its average rate, not before the job's date; `nil` while a listing
    /// is missing, nothing was measured, or the job is not under way.
    ///
    /// Rates are per run and second of work, so they are multiplied with the runs that are moving now.
    package var estimatedEnd: Instant? {
        switch job.status {
        case .processing, .inProgress, .cuttingOver: break
        case .submitted, .approved, .completed, .completedWithErrors, .failed, .cancelled, .pendingCancel,
            .adminActionRequired, .validateSubmitted, .validateProcessing, .validateInProgress, .validatePassed,
            .validateFailed, .pendingDelete, .deleted:
            return nil
        }
        var longest = 0.0
        for workload in workloads {
            let progress = progress(of: workload)
            guard let expected = progress.itemsExpected else { return nil }
            let remaining = max(0, expected - progress.items - progress.skipped - progress.failed)
            guard remaining > 0 else { continue }
            guard let rate = Self.rate(progress.items, progress) else { return nil }
            let runs = Double(max(1, tally.runs(in: Self.moving, of: workload)))
            longest = max(longest, Double(remaining) / (rate * runs))
        }
        guard longest < 1e9 else { return nil }
        return max(now + .microseconds(Int64(longest * 1e6)), job.completeAfter)
    }

    /// Amount per second of work; `nil` before anything was measured.
    static func rate(_ amount: Int64, _ progress: RunProgress) -> Double? {
        guard amount > 0, progress.activeMicroseconds > 0 else { return nil }
        return Double(amount) / (Double(progress.activeMicroseconds) / 1e6)
    }

    /// Amount per second over all workloads with the runs that are moving now; `nil` while nothing moves.
    private func currentRate(_ amount: (RunProgress) -> Int64) -> Double? {
        var sum: Double?
        for workload in workloads {
            let progress = progress(of: workload)
            let runs = tally.runs(in: Self.moving, of: workload)
            guard runs > 0, let rate = Self.rate(amount(progress), progress) else { continue }
            sum = (sum ?? 0) + rate * Double(runs)
        }
        return sum
    }

    /// The view as JSON, names in camel case.
    package var json: [UInt8] {
        var json = JSONWriter(capacity: 2_048)
        json.object { json in
            json.key("job")
            json.object { json in
                json.member("id", job.id.guid)
                json.member("displayName", job.displayName)
                json.member("status", job.status.wireName)
                json.member("completeAfterDateTime", job.completeAfter)
                people(into: &json)
            }
            json.member("asOf", now)
            json.key("estimatedEnd")
            if let estimatedEnd { json.instant(estimatedEnd) } else { json.null() }
            json.member("itemsPerSecond", decimal: currentRate(\.items))
            json.member("bytesPerSecond", decimal: currentRate(\.bytes))
            json.key("workloads")
            json.array { json in
                for workload in workloads {
                    json.object { json in
                        json.member("workload", workload.wireName)
                        states(of: workload, into: &json)
                        json.key("grades")
                        json.object { json in
                            for grade in ConsistencyGrade.allCases {
                                if let count = grades[workload]?[grade] { json.member(grade.rawValue, count) }
                            }
                        }
                        Self.amounts(progress(of: workload), into: &json)
                    }
                }
            }
        }
        return json.bytes
    }

    func people(into json: inout JSONWriter) {
        json.member("people", tally.people)
        json.member("peopleCompleted", tally.peopleCompleted)
        json.member("peopleCancelled", tally.peopleCancelled)
        json.member("peopleFailed", tally.peopleFailed)
        json.member("peopleWaiting", peopleHeld)
    }

    /// Runs per state, states without runs left out.
    private func states(of workload: Workload, into json: inout JSONWriter) {
        json.key("states")
        json.object { json in
            for status in RunStatus.allCases {
                let count = tally.runs(in: [status], of: workload)
                if count > 0 { json.member(status.wireName, count) }
            }
        }
    }

    /// Amounts of one run or the sum of several; rates are per run and second of work.
    static func amounts(_ progress: RunProgress, into json: inout JSONWriter) {
        json.member("items", progress.items)
        json.member("bytes", progress.bytes)
        json.member("itemsExpected", ifKnown: progress.itemsExpected)
        json.member("bytesExpected", ifKnown: progress.bytesExpected)
        json.member("skipped", progress.skipped)
        json.member("failed", progress.failed)
        json.member("passes", progress.passes)
        json.member("activeSeconds", decimal: Double(progress.activeMicroseconds) / 1e6)
        json.member("frozenSeconds", decimal: Double(progress.frozenMicroseconds) / 1e6)
        json.member("itemsPerSecond", decimal: rate(progress.items, progress))
        json.member("bytesPerSecond", decimal: rate(progress.bytes, progress))
    }
}
