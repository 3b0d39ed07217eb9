import FerryConnector
import FerryCore
import FerryStore
import Logging

/// Takes one run through its cutover, step by step, each of them durable before it begins (`CutoverJournal`).
///
/// A worker that comes after another one that stopped goes the way that the journal says: back, or on. Every step may be
/// repeated. What goes wrong before the swap puts the source back as it was, and the person works on there.
struct CutoverWork: Sendable {
    let workshop: Workshop
    let lease: Lease
    let run: RunID
    let job: Job
    let transfer: Transfer

    private var steps: CutoverSteps { CutoverSteps(transfer) }
    private var touchesSource: Bool { run.workload != .meetings }

    /// What the steps hand on to each other.
    private struct Course: Sendable {
        var progress: RunProgress
        /// A comparison that found messages which the target keeps in another form.
        var altered: TransferVerification?
        /// Nothing that was compared in full is the last word, so it has to be compared again for the record.
        var needsRecord = false
        var remarks: [String] = []
    }

    /// - Parameter found: the journal of a worker that stopped.
    func perform(_ mine: WorkloadRun, _ found: CutoverJournal?) async throws(WorkError) {
        var course = Course(progress: mine.progress)
        var resumed: CutoverJournal?
        var rehearsal: TransferVerification?
        if found?.isBeforeSwap != false, let finding = workshop.planner.withdrawal(of: run, in: job) {
            if let found, touchesSource { try await undo(found) }
            throw .withdrawn(finding)
        }
        if var found {
            if case .goOn(let step) = recovery(of: found) {
                found.step = step
                resumed = found
            } else {
                try await undo(found)
            }
        }
        if resumed == nil { rehearsal = try await prepare(&course) }
        let gate = workshop.gate
        let lane = lease.item.lane
        if touchesSource {
            // Whoever is locked out already does not wait for others.
            do { try await gate.enter(lane, isUrgent: resumed != nil) } catch { throw .connector(.cancelled) }
        }
        defer { if touchesSource { gate.leave(lane) } }
        guard var journal = try await begin(course.progress, resumed) else { return }
        do throws(WorkError) {
            if journal.isBeforeSwap { try await reachSwap(&journal, &course, rehearsal) }
            try await settleIn(&journal, &course)
        } catch {
            let isBackOpen: Bool
            switch error {
            case .store: throw error
            case .withdrawn: isBackOpen = journal.isBeforeSwap
            case .connector(let problem):
                isBackOpen = journal.isBeforeSwap || journal.step < .release && isLast(problem)
            }
            if touchesSource, isBackOpen { try await undo(journal) }
            throw error
        }
        try await completed(course)
    }

    private func recovery(of journal: CutoverJournal) -> CutoverJournal.Recovery {
        journal.recovery(now: workshop.store.now, budget: workshop.settings.freezeBudget)
    }

    // MARK: before anybody notices

    /// Passes while the person still works, so that the freeze has little left to do. A mailbox that takes long to compare
    /// is compared here, and under the freeze only in those places where something has changed since: that comparison is
    /// returned.
    private func prepare(_ course: inout Course) async throws(WorkError) -> TransferVerification? {
        guard touchesSource else { return nil }
        for _ in 0..<2 {
            let result = try await workshop.copier.pass(transfer, under: lease, starting: course.progress)
            course.progress = result.progress
            if result.changes == 0 { break }
        }
        guard workshop.settings.verifiesCutover, takesLong(course.progress) else { return nil }
        return try await workshop.verifier.verify(transfer, isRehearsal: true)
    }

    /// Whether comparing both sides would keep the person out for long: by what there is, at 5,000 items and 50 MB a second,
    /// or where the passes, which have read the source and written the target, show that these sides are slow.
    private func takesLong(_ progress: RunProgress) -> Bool {
        let bySize = Duration.microseconds(progress.items * 200 + progress.bytes / 50)
        return bySize > workshop.settings.longestComparison
            || .microseconds(progress.activeMicroseconds) > workshop.settings.freezeBudget / 2
    }

    /// Rows T21 and T23: from here on the person cannot be cancelled. `nil` when they were, or the date was moved, just
    /// before; and when the run has to wait for an approval (5.5).
    /// - Parameter resumed: the journal of an earlier worker, to go on with; `nil` for a new one.
    private func begin(
        _ progress: RunProgress, _ resumed: CutoverJournal?
    ) async throws(WorkError) -> CutoverJournal? {
        let (settings, run) = (workshop.settings, run)
        let first = CutoverJournal.steps(for: run.workload, verifies: settings.verifiesCutover)[0]
        return try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) -> CutoverJournal? in
            guard var job = try tx.job(run.job), var task = try tx.task(job.id, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run })
            else {
                try tx.finish(lease, next: nil)
                return nil
            }
            var next = lease.item
            next.attempts = 0
            let isReady = task.readyForCutover(
                dateHasPassed: tx.now >= job.completeAfter, settings: settings.jobs
            ).contains(run.workload)
            if task.runs[index].status == .synced, isReady { task.runs[index].enteredCutover() }
            guard task.runs[index].isInCutover else {
                next.due = max(tx.now, job.completeAfter)
                try tx.finish(lease, next: task.runs[index].status == .synced ? next : nil)
                return nil
            }
            let verdict = try Self.verdict(on: run, progress, in: tx)
            // Too much lost is a failure, and found by whoever goes on; after the swap nothing is asked any more.
            let isForSomebody = verdict.grade == .investigate && !task.runs[index].accepts(verdict)
            let isHeld = isForSomebody && resumed == nil && settings.jobs.holdsSkippedItems
            task.runs[index].message = ""
            // Where nobody is asked, nothing must look as if somebody were.
            task.runs[index].verdict = isForSomebody && !isHeld ? nil : verdict
            if isHeld { task.runs[index].held(by: verdict) }
            task.runs[index].progress = progress
            task.updated = tx.now
            try tx.save(task)
            // Counting everybody for each person would cost the square of the people.
            if job.phase == .inProgress { job.personEntersCutover(now: tx.now, tally: try tx.tally(job.id)) }
            try Workshop.heed(&job, isHeld: isHeld, in: tx)
            try Workshop.save(job, in: tx)
            if isHeld {
                // What was mended meanwhile is found by the next passes.
                next.due = tx.now + settings.deltaInterval
                try tx.finish(lease, next: next)
                return nil
            }
            let journal =
                resumed ?? CutoverJournal(step: first, began: tx.now, hold: first == .freeze ? nil : .nothing)
            try tx.setCutover(journal, of: run)
            return journal
        }
    }

    // MARK: the consistency gate

    private static func verdict(
        on run: RunID, _ progress: RunProgress, in tx: any StoreTransaction
    ) throws(StoreError) -> ConsistencyVerdict {
        var losses = Losses(attempted: progress.itemsExpected ?? progress.items + progress.skipped)
        for found in try tx.findingCounts(of: run) {
            losses.add(found.outcome, found.code, count: found.count)
            if found.outcome == .skipped, found.systemFolders > 0 { losses.lacksSystemFolder = true }
        }
        return losses.verdict(for: run.workload)
    }

    /// Nothing more is lost than was agreed to. What is found here for the first time sends the run back, and the next try
    /// finds it before anybody is locked out.
    private func passGate(_ progress: RunProgress) async throws(WorkError) {
        guard workshop.settings.jobs.holdsSkippedItems else { return }
        let run = run
        let (verdict, isAccepted) = try await workshop.transact(under: lease) { (tx) throws(StoreError) in
            let verdict = try Self.verdict(on: run, progress, in: tx)
            let mine = try tx.task(run.job, run.person)?[run.workload]
            return (verdict, mine?.accepts(verdict) ?? true)
        }
        guard !isAccepted else { return }
        throw .connector(
            ConnectorError(
                .targetIncomplete, verdict.grade == .poor ? .failRun : .retry(after: .zero),
                "\(verdict.lost) items cannot be moved and would be left at the source; see the report."))
    }

    // MARK: steps

    private func record(_ step: CutoverJournal.Step, _ journal: inout CutoverJournal) async throws(WorkError) {
        journal.step = step
        try await keep(journal)
    }

    private func keep(_ journal: CutoverJournal) async throws(WorkError) {
        let (run, route) = (run, transfer.route)
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.setCutover(journal, of: run)
            guard journal.step == .swap, !journal.isUndoing else { return }
            // From here on what lies at the target is no copy any more, but the person's.
            try tx.replaceLedger(route, .home, with: ContainerLedger(cursor: [1]), under: lease)
        }
    }

    /// The source is as it was before the cutover.
    private func forget(_ journal: CutoverJournal) async throws(WorkError) {
        let (run, route) = (run, transfer.route)
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            try tx.setCutover(nil, of: run)
            if !journal.isBeforeSwap { try tx.removeLedger(route, .home, under: lease) }
        }
    }

    /// After this problem nobody tries again.
    private func isLast(_ problem: ConnectorError) -> Bool {
        switch problem.disposition {
        case .cancelled: false
        case .retry: workshop.settings.backoff.isExhausted(after: lease.item.attempts + 1)
        case .skip, .failRun, .hold: true
        }
    }

    /// Puts the source back as it was, and forgets the cutover. A source that cannot be reached stays on the list until it
    /// can: nobody is left locked out.
    private func undo(_ journal: CutoverJournal) async throws(WorkError) {
        var journal = journal
        if !journal.isUndoing {
            journal.isUndoing = true
            try await keep(journal)
        }
        do throws(WorkError) {
            // The person goes on working there, so mail must arrive there, too.
            if journal.step >= .redirect { try await steps.removeRedirect() }
            try await steps.thaw()
        } catch {
            guard case .connector(let problem) = error else { throw error }
            workshop.logger.error(
                "A source cannot be thawed; it is tried again",
                metadata: ["job": "\(run.job)", "person": "\(run.person)", "code": "\(problem.code.rawValue)"])
            throw .connector(
                ConnectorError(
                    problem.code, problem.disposition == .cancelled ? .cancelled : .retry(after: nil),
                    "The source is still frozen and cannot be thawed: \(problem.context)", underlying: problem))
        }
        try await forget(journal)
    }

    /// Freeze, last delta, verify: up to the point where the target is the person's home.
    private func reachSwap(
        _ journal: inout CutoverJournal, _ course: inout Course, _ rehearsal: TransferVerification?
    ) async throws(WorkError) {
        let state = (journal, course)
        (journal, course) = try await withinBudget(journal) { () async throws(WorkError) in
            var (journal, course) = state
            if journal.step == .freeze {
                journal.hold = try await steps.freeze()
                try await record(.lastDelta, &journal)
            }
            let changed = try await lastDelta(journal, &course)
            if workshop.settings.verifiesCutover {
                try await record(.verify, &journal)
                try await compare(&course, only: rehearsal.flatMap { $0.unsettled(besides: changed) })
            }
            try await passGate(course.progress)
            return (journal, course)
        }
        // The last moment at which either side may change its mind.
        if let finding = workshop.planner.withdrawal(of: run, in: job) { throw .withdrawn(finding) }
        try await record(.swap, &journal)
    }

    /// Passes until nothing is left: one empty pass over what is frozen, two in a row over what goes on changing
    /// (orchestration 9.2). Says where something was done.
    private func lastDelta(
        _ journal: CutoverJournal, _ course: inout Course
    ) async throws(WorkError) -> Set<ContainerPlace> {
        let isWhole = journal.hold == .whole || !touchesSource
        let limit = max(1, workshop.settings.lastPasses) * (isWhole ? 1 : 2)
        var changed: Set<ContainerPlace> = []
        var quiet = 0
        for _ in 0..<limit where quiet < (isWhole ? 1 : 2) {
            let result = try await workshop.copier.pass(transfer, under: lease, starting: course.progress)
            course.progress = result.progress
            changed.formUnion(result.changedPlaces)
            quiet = result.changes == 0 || result.progress.passes == 1 && isWhole ? quiet + 1 : 0
        }
        try refuseFailures(course.progress)
        return changed
    }

    private func refuseFailures(_ progress: RunProgress) throws(WorkError) {
        guard progress.failed > 0 else { return }
        throw .connector(
            ConnectorError(
                .sourceItemUnreadable, .retry(after: nil),
                "\(progress.failed) items could not be moved; see the report."))
    }

    /// Both sides are the same, or a pass makes them so. What differs although a pass has nothing to do is the target's
    /// doing and will not go away.
    ///
    /// Mail goes on coming in whoever is frozen. Where it never stops for as long as a comparison takes, the last one is
    /// enough if all that it missed has just been carried over.
    private func compare(_ course: inout Course, only places: Set<ContainerPlace>?) async throws(WorkError) {
        var places = places
        course.needsRecord = places != nil
        let rounds = max(1, workshop.settings.lastPasses)
        for round in 1...rounds {
            if places?.isEmpty == true { return }
            let verification = try await workshop.verifier.verify(transfer, only: places)
            if verification.isIdentical { return }
            // Now that there is doubt, no source is believed that says what has changed.
            let result = try await workshop.copier.pass(
                transfer, under: lease, starting: course.progress, comparingEverything: true)
            course.progress = result.progress
            if result.changes == 0 {
                guard verification.alteredMessages > 0 else { throw Self.differ(verification) }
                course.altered = verification
                return
            }
            course.needsRecord = true
            if round == rounds, verification.lacksOnly(result.changes) { return }
            places = verification.unsettled(besides: result.changedPlaces)
        }
        throw .connector(
            ConnectorError(
                .verifyDiffers, .retry(after: nil), "The source went on changing while both sides were compared."))
    }

    private static func differ(_ verification: TransferVerification) -> WorkError {
        .connector(
            ConnectorError(
                .verifyDiffers, .retry(after: nil),
                "\(verification.differenceCount) items differ between the two sides after the last pass."))
    }

    // MARK: at the new home

    /// Redirect and release: the source tells where the person is, and gives out what came meanwhile.
    private func settleIn(_ journal: inout CutoverJournal, _ course: inout Course) async throws(WorkError) {
        guard touchesSource else { return }
        if journal.step < .release {
            try await record(.redirect, &journal)
            // First the old one, if the person comes back: two that name each other would send mail in a circle.
            if try await workshop.isHome(transfer.route.opposite) { try await steps.removeTargetRedirect() }
            try await steps.redirect(to: RunWork.forwardingAddress(transfer, job))
            try await record(.release, &journal)
            if journal.hold != .nothing {
                let time = workshop.store.now - journal.began
                course.progress.frozenMicroseconds = max(0, time.wholeMicroseconds)
            }
        }
        var arrivals: Int64 = 0
        var changes: Int64 = 0
        for _ in 0..<max(1, workshop.settings.lastPasses) {
            let result = try await workshop.copier.pass(
                transfer, under: lease, starting: course.progress, reportingArrivals: true)
            course.progress = result.progress
            arrivals += result.arrivals
            changes += result.changes
            if result.changes == 0 { break }
        }
        try refuseFailures(course.progress)
        if arrivals > 0 {
            course.remarks.append(
                "\(arrivals) items came to the source after the last delta and were carried over; see the report.")
        }
        if workshop.settings.verifiesCutover, course.needsRecord || changes > 0 {
            try await compareForTheRecord(&course)
        }
    }

    /// What the manifest will say of the run. The person may be at work at the target already, so what differs now holds
    /// nothing up.
    private func compareForTheRecord(_ course: inout Course) async throws(WorkError) {
        let verification = try await workshop.verifier.verify(transfer)
        if verification.isIdentical { return }
        course.altered = verification
    }

    /// Rows T23 to T27: the run is over, and so may be the person and the job.
    private func completed(_ course: Course) async throws(WorkError) {
        let (planner, settings, run) = (workshop.planner, workshop.settings.jobs, run)
        let findings = (course.altered?.differences ?? []).map { difference in
            ItemFinding(
                run: run,
                container: ContainerID("\(difference.service.rawValue)/\(difference.path.joined(separator: "/"))"),
                item: difference.item, outcome: .copied, code: difference.code,
                message: "\(difference.message) It was copied, and the target's server keeps it in another form.",
                at: workshop.effects.now())
        }
        var remarks = course.remarks
        if course.progress.skipped > 0 {
            remarks.append(
                "\(course.progress.skipped) items cannot be moved and were left at the source; see the report.")
        }
        if let altered = course.altered {
            remarks.append(
                altered.alteredMessages > 0
                    ? "\(altered.alteredMessages) items were copied, but the target's server keeps them in another form;"
                        + " see the report."
                    : "\(altered.differenceCount) items differ between the two sides since the swap; see the report.")
        }
        let message = remarks.joined(separator: " ")
        let progress = course.progress
        // What an earlier move in the other direction knew is not true any more.
        let back = transfer.route.opposite
        let outdated: [ContainerID]
        do throws(StoreError) { outdated = try await workshop.store.reader.ledgerContainers(back) } catch {
            throw .store(error)
        }
        try await workshop.transact(under: lease) { [lease] (tx) throws(StoreError) in
            for container in outdated { try tx.removeLedger(back, container, under: lease) }
            try tx.finish(lease, next: nil)
            try tx.setCutover(nil, of: run)
            guard let job = try tx.job(run.job), var task = try tx.task(job.id, run.person),
                let index = task.runs.firstIndex(where: { $0.id == run })
            else { return }
            task.runs[index].progress = progress
            task.runs[index].completed(message: message)
            for finding in findings { try tx.addItemFinding(finding) }
            task.runs[index].verdict = try Self.verdict(on: run, progress, in: tx)
            task.updated = tx.now
            let ready = task.readyForCutover(dateHasPassed: tx.now >= job.completeAfter, settings: settings)
            for workload in ready where workload != run.workload {
                let dependant = RunID(job: job.id, person: run.person, workload: workload)
                try tx.enqueue(
                    WorkItem(key: .run(dependant), lane: planner.lane(for: dependant, of: job), due: tx.now))
            }
            try Workshop.settle(task, of: job, unfinished: RunStatus.unfinished, in: tx)
        }
    }

    // MARK: the budget

    private enum Lap<Value: Sendable>: Sendable {
        case finished(Result<Value, WorkError>)
        case timeIsUp
        case stopped
    }

    /// Cuts work off that keeps somebody locked out for longer than the budget.
    private func withinBudget<Value: Sendable>(
        _ journal: CutoverJournal, _ body: @escaping @Sendable () async throws(WorkError) -> Value
    ) async throws(WorkError) -> Value {
        let budget = workshop.settings.freezeBudget
        guard let rest = journal.remaining(of: budget, now: workshop.store.now) else { return try await body() }
        let clock = workshop.effects.clock
        let result = await withTaskGroup(of: Lap<Value>.self) { race -> Result<Value, WorkError>? in
            race.addTask(name: "cutover") {
                do throws(WorkError) { return .finished(.success(try await body())) } catch {
                    return .finished(.failure(error))
                }
            }
            race.addTask(name: "freeze budget") {
                do { try await clock.sleep(for: rest) } catch { return .stopped }
                return .timeIsUp
            }
            var isOver = false
            while let lap = await race.next() {
                switch lap {
                case .finished(.failure(.connector(let problem))) where isOver && problem.disposition == .cancelled:
                    return nil
                case .finished(let result):
                    race.cancelAll()
                    return result
                case .timeIsUp:
                    isOver = true
                    race.cancelAll()
                case .stopped: continue
                }
            }
            return nil
        }
        guard let result else {
            throw .connector(
                ConnectorError(
                    .sourceFreezeOverrun, .retry(after: nil),
                    "The last changes could not be moved within the \(budget.components.seconds) seconds for which the"
                        + " source may be frozen, so it was thawed again and the user works on there."))
        }
        return try result.get()
    }
}

extension TransferVerification {
    /// Nothing differs but that so many items at most had not come to the target yet.
    fileprivate func lacksOnly(_ count: Int64) -> Bool {
        let missing = containers.reduce(0) { $0 + $1.missing }
        return missing == differenceCount && missing <= count
    }

    /// Where both sides have to be looked at again after a comparison: where it found differences,
    /// and where something has changed since. `nil`: everywhere, since not all differences are spelled out.
    fileprivate func unsettled(besides changed: Set<ContainerPlace>) -> Set<ContainerPlace>? {
        guard differenceCount == differences.count else { return nil }
        return changed.union(differences.map { ContainerPlace(service: $0.service, path: $0.path) })
    }
}
