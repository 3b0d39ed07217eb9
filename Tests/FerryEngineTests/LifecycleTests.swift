import FerryConnector
import FerryCore
import FerryEngine
import FerryStore
import FerryTestKit
import Testing

/// Cancel, migrate again and delete in every phase of a job, each phase stopped exactly where it begins: what is answered,
/// and how everything ends (rows T10, T12 and T28 to T40 of the orchestration reference, and 5.6).
@Suite(.timeLimit(.minutes(10))) struct LifecycleTests {
    enum Phase: String, CaseIterable, Sendable {
        case submitted, validateSubmitted, validateProcessing, validateInProgress, validatePassed, validateFailed
        /// Validation has failed, and the job's date has passed.
        case validateFailedTooLate
        case processing, syncing, waiting
        /// In sync, the date has passed, and nobody has begun.
        case due
        case freeze, lastDelta, verify, swap, redirect, release
        case adminActionRequired, pendingCancel, cancelled, completed, completedWithErrors, failed, pendingDelete
        case deleted
    }

    enum Action: String, CaseIterable, Sendable { case cancelJob, cancelUser, migrate, delete }

    struct Case: Sendable, CustomTestStringConvertible {
        var phase: Phase
        var action: Action
        /// The row that decides, and whether it accepts.
        var row: String
        var isAccepted: Bool
        var end: JobStatus

        var testDescription: String { "\(row): \(action.rawValue) while \(phase.rawValue)" }
    }

    // MARK: the table

    static let cases: [Case] = Phase.allCases.flatMap { phase in
        Action.allCases.map { action in
            let (row, isAccepted) = judgement(phase, action)
            return Case(
                phase: phase, action: action, row: row, isAccepted: isAccepted,
                end: isAccepted ? end(phase, after: action) : end(phase))
        }
    }

    /// Nobody has noticed anything yet.
    private static let early: Set<Phase> = [
        .submitted, .validateSubmitted, .validateProcessing, .validateInProgress, .validatePassed, .validateFailed,
        .validateFailedTooLate, .processing, .syncing, .waiting,
    ]
    private static let final: Set<Phase> = [.cancelled, .completed, .completedWithErrors, .failed]

    private static func judgement(_ phase: Phase, _ action: Action) -> (row: String, isAccepted: Bool) {
        switch action {
        case .cancelJob: early.contains(phase) ? ("T29 T30", true) : ("T32", false)
        case .cancelUser:
            // Whoever waits for an approval may get a no, although the date has passed.
            phase == .deleted
                ? ("T34", false)
                : early.contains(phase) || phase == .adminActionRequired ? ("T33", true) : ("T35", false)
        case .migrate:
            switch phase {
            case .validatePassed: ("T10", true)
            case .completedWithErrors, .failed: ("T28", true)
            default: ("T12", false)
            }
        case .delete: final.contains(phase) ? ("T38 T40", true) : ("T39", false)
        }
    }

    /// What becomes of the job when nothing is done to it but that its date comes.
    private static func end(_ phase: Phase) -> JobStatus {
        switch phase {
        case .submitted: .submitted
        case .validateSubmitted, .validateProcessing, .validateInProgress, .validatePassed: .validatePassed
        case .validateFailed, .validateFailedTooLate: .validateFailed
        case .processing, .syncing, .waiting, .due, .freeze, .lastDelta, .verify, .swap, .redirect, .release,
            .adminActionRequired, .completed:
            .completed
        case .pendingCancel, .cancelled: .cancelled
        case .completedWithErrors: .completedWithErrors
        case .failed: .failed
        case .pendingDelete, .deleted: .deleted
        }
    }

    private static func end(_ phase: Phase, after action: Action) -> JobStatus {
        switch action {
        case .cancelJob: .cancelled
        // Rule 4: the one who failed is out, and what the other got is still fresh.
        case .cancelUser: phase == .validateFailed || phase == .validateFailedTooLate ? .validatePassed : end(phase)
        case .migrate: .completed
        case .delete: .deleted
        }
    }

    // MARK: the test

    @Test(arguments: cases)
    func answersAndEnds(_ expected: Case) async throws {
        let isUnmapped = expected.phase == .validateFailed || expected.phase == .validateFailedTooLate
        var directory = StaticDirectory(people: 2)
        if isUnmapped {
            directory.pairs.removeLast()
            directory.cache()
        }
        let world = try await EngineWorld(people: 2, directory: directory)
        let job = try await bring(world, to: expected.phase)
        let before = try await world.job(job)
        let chosen = isUnmapped ? 2 : 1

        let desk = world.makeEngine()
        let key = JobReference.key(job.description)
        var refusal: Refusal?
        do {
            switch expected.action {
            case .cancelJob: _ = try await world.send(.cancel(key), to: desk)
            case .cancelUser:
                _ = try await world.send(.cancelPerson(key, Samples.person(chosen).description), to: desk)
            case .migrate: _ = try await world.send(.migrate(key), to: desk)
            case .delete: _ = try await world.send(.delete(key), to: desk)
            }
        } catch let error as Refusal {
            refusal = error
        }
        #expect((refusal == nil) == expected.isAccepted, "\(refusal.map { "\($0)" } ?? "accepted")")
        if let refusal {
            if expected.row == "T34" {
                #expect(refusal == .personNotFound(Samples.person(chosen).description))
            } else if case .conflict(let reason, let message) = refusal {
                let reasons: [Action: ConflictReason] = [
                    .cancelJob: .cancelNotPossible, .cancelUser: .cancelNotPossible, .migrate: .invalidJobStatus,
                    .delete: .resourceTypeMismatch,
                ]
                #expect(reason == reasons[expected.action])
                #expect(!message.isEmpty)
            } else {
                Issue.record("It was refused with \(refusal)")
            }
            #expect(try await world.job(job) == before)
        }

        // What was in the way is mended, and the date comes.
        world.source.faults.clear()
        world.target.faults.clear()
        let now = try await world.job(job)
        if [.processing, .inProgress].contains(now.status), now.completeAfter > world.time.now {
            _ = try await world.send(.reschedule(key, completeAfter: world.time.now), to: desk)
        }
        try await world.run { (tx) throws(StoreError) in
            guard try tx.job(job)?.status == expected.end else { return false }
            return try !tx.hasRun(of: job, in: [.pendingCancel])
        }
        try await expectEnd(expected, world, job, cancelled: expected.isAccepted ? chosen : nil)
        await world.remove()
    }

    /// What people find.
    private func expectEnd(_ expected: Case, _ world: EngineWorld, _ job: JobID, cancelled: Int?) async throws {
        if expected.end == .deleted {
            let people = try await world.job(job).people
            #expect(people.isEmpty)
            return
        }
        for number in 1...2 {
            let task = try await world.task(job, number)
            let mail = world.source[.init(.mail, world.login(number))]
            let isOut = expected.end == .cancelled || expected.action == .cancelUser && cancelled == number
            if isOut {
                #expect(task.outcome == .cancelled, "\(task.summary)")
                #expect(!mail.isFrozen && mail.redirect == nil)
            } else if expected.end == .completed {
                #expect(task.outcome == .completed, "\(task.summary)")
                #expect(mail.isFrozen && mail.redirect != nil)
                try world.expectEverything(number)
            }
            let run = RunID(job: job, person: Samples.person(number), workload: .mailbox)
            let journal = try await world.store.transact { (tx) throws(StoreError) in try tx.cutover(of: run) }
            #expect(journal == nil)
        }
    }

    // MARK: the way to each phase

    private func bring(_ world: EngineWorld, to phase: Phase) async throws -> JobID {
        let desk = world.makeEngine()
        let job = try await world.create(world.draft(), at: desk).id
        let key = JobReference.key(job.description)
        if phase == .submitted { return job }
        _ = try await world.send(.validate(key), to: desk)
        switch phase {
        case .validateSubmitted: return job
        case .validateProcessing, .validateInProgress, .validateFailed, .validateFailedTooLate:
            let status = JobStatus(rawValue: phase.rawValue) ?? .validateFailed
            try await world.run(job, until: status)
            if phase == .validateFailedTooLate { world.time.advance(by: .seconds(2 * 86_400)) }
            return job
        default: try await world.run(job, until: .validatePassed)
        }
        if phase == .validatePassed { return job }
        injectTrouble(phase, world)
        _ = try await world.send(.migrate(key), to: desk)
        let mailbox = RunID(job: job, person: Samples.person(1), workload: .mailbox)
        switch phase {
        case .processing: return job
        case .syncing:
            try await world.run { (tx) throws(StoreError) in
                let run = try tx.task(job, Samples.person(1))?[.mailbox]
                return run?.status == .syncing && run.map { $0.progress.items > 0 } ?? false
            }
            return job
        default:
            if phase == .failed { break }
            try await world.run { (tx) throws(StoreError) in
                try tx.tasks(job, from: 0, limit: 2).allSatisfy { $0[.mailbox]?.status == .synced }
            }
        }
        if phase == .waiting { return job }
        if [.pendingCancel, .cancelled, .pendingDelete, .deleted].contains(phase) {
            _ = try await world.send(.cancel(key), to: desk)
            if phase == .pendingCancel { return job }
            try await world.run(job, until: .cancelled)
            if phase == .cancelled { return job }
            _ = try await world.send(.delete(key), to: desk)
            if phase == .deleted { try await world.run(job, until: .deleted) }
            return job
        }
        _ = try await world.send(.reschedule(key, completeAfter: world.time.now), to: desk)
        if phase == .due { return job }
        if let step = CutoverJournal.Step(rawValue: phase.rawValue) {
            try await world.run { (tx) throws(StoreError) in try tx.cutover(of: mailbox)?.step == step }
        } else if phase == .adminActionRequired {
            try await world.run { (tx) throws(StoreError) in try tx.peopleHeld(of: job) == 2 }
        } else if let status = JobStatus(rawValue: phase.rawValue) {
            try await world.run(job, until: status)
        }
        return job
    }

    /// What makes the job end, or wait, as the phase says.
    private func injectTrouble(_ phase: Phase, _ world: EngineWorld) {
        let refused = ConnectorError(.targetItemRefused, .skip, "The target does not take it.")
        let gone = ConnectorError(.targetForbidden, .failRun, "The target refuses the person.")
        switch phase {
        case .adminActionRequired:
            world.target.faults.inject(.spoil(names: ["m2"], refused), at: .write, times: 100_000)
        case .completedWithErrors:
            // The last of the room: one that was tried again in the middle would stand at the end of this target's rooms.
            world.target.faults.inject(.spoil(names: ["$2-3"], gone), at: .write, times: 100_000)
        case .failed: world.target.faults.inject(.refuse(gone), at: .openTarget, times: 100_000)
        default: break
        }
    }

    // MARK: copies of those who leave

    private static let purging: EngineSettings = {
        var settings = EngineWorld.quick
        settings.jobs.purgesCancelledCopies = true
        return settings
    }()

    private func synced(
        _ world: EngineWorld, _ settings: EngineSettings, named name: String = "Wave 1"
    ) async throws -> JobID {
        let desk = world.makeEngine(settings: settings)
        let job = try await world.create(world.draft(name), at: desk).id
        _ = try await world.send(.validate(.key(job.description)), to: desk)
        try await world.run(job, until: .validatePassed, settings: settings)
        _ = try await world.send(.migrate(.key(job.description)), to: desk)
        try await world.run(settings: settings) { (tx) throws(StoreError) in
            try tx.tasks(job, from: 0, limit: 9).allSatisfy { task in
                task.runs.allSatisfy { $0.status == .synced && ($0.id.workload == .meetings || $0.progress.passes > 0) }
            }
        }
        return job
    }

    private static let own = EngineWorld.message(1, 900)

    private func putOwn(into world: EngineWorld) {
        world.target.edit(.init(.mail, world.targetLogin(1))) { $0[["INBOX"]].add("own", Self.own, EngineWorld.mail) }
    }

    @Test(arguments: [true, false])
    func `5.6 T33: copies of a cancelled user are removed, and nothing that people put there`(idempotent: Bool)
        async throws
    {
        var target = FakeTenant.Settings()
        target.isIdempotent = idempotent
        let world = try await EngineWorld(people: 2, target: target)
        let job = try await synced(world, Self.purging)
        putOwn(into: world)
        let desk = world.makeEngine(settings: Self.purging)
        _ = try await world.send(.cancelPerson(.key(job.description), Samples.person(1).description), to: desk)
        // A target that is away for a moment is asked again.
        world.target.faults.inject(.refuse(Fault.disconnected), at: .remove)
        try await world.run(settings: Self.purging) { (tx) throws(StoreError) in
            try tx.task(job, Samples.person(1))?.outcome == .cancelled
        }
        for service in ServiceKind.allCases {
            let left = world.target[.init(service, world.targetLogin(1))].folders.flatMap(\.items)
            #expect(left.map(\.content) == (service == .mail ? [Self.own] : []), "\(service)")
        }
        let mailbox = try await world.task(job, 1)[.mailbox]
        #expect(mailbox?.message.hasSuffix("What was copied was removed from the target.") == true)
        #expect(mailbox?.progress.items == 0)
        #expect(world.source[.init(.mail, world.login(1))].folders.flatMap(\.items).count == 6)
        _ = try await world.send(.reschedule(.key(job.description), completeAfter: world.time.now), to: desk)
        try await world.run(job, until: .completed, settings: Self.purging)
        try world.expectEverything(2)
        await world.remove()
    }

    @Test func `5.6 T30: a cancelled job takes everybody's copies back, one user before the others`() async throws {
        let world = try await EngineWorld(people: 2)
        let job = try await synced(world, Self.purging)
        let desk = world.makeEngine(settings: Self.purging)
        // The first is on the list already when the job as a whole is cancelled.
        _ = try await world.send(.cancelPerson(.key(job.description), Samples.person(1).description), to: desk)
        try await world.run(settings: Self.purging) { (tx) throws(StoreError) in
            try tx.task(job, Samples.person(1))?.runs.contains(where: \.isBeingCleared) ?? false
        }
        _ = try await world.send(.cancel(.key(job.description)), to: desk)
        try await world.run(job, until: .cancelled, settings: Self.purging)
        for number in 1...2 {
            for service in ServiceKind.allCases {
                let left = world.target[.init(service, world.targetLogin(number))].folders.flatMap(\.items)
                #expect(left.isEmpty)
            }
        }
        await world.remove()
    }

    @Test func `5.6: what cannot be removed stays and is told, and what has become somebody's home is left alone`()
        async throws
    {
        let world = try await EngineWorld(people: 1)
        let first = try await synced(world, Self.purging)
        let desk = world.makeEngine(settings: Self.purging)
        world.target.faults.inject(
            .refuse(ConnectorError(.targetForbidden, .failRun, "The target is read-only.")), at: .remove, times: 100)
        _ = try await world.send(.cancel(.key(first.description)), to: desk)
        try await world.run(first, until: .cancelled, settings: Self.purging)
        #expect(try await world.task(first, 1)[.mailbox]?.message.contains("The target is read-only.") == true)
        #expect(world.holdings(1, .mail)[["INBOX"]]?.count == 5)
        world.target.faults.clear()

        let second = try await synced(world, Self.purging, named: "Wave 2")
        _ = try await world.send(.reschedule(.key(second.description), completeAfter: world.time.now), to: desk)
        try await world.run(second, until: .completed, settings: Self.purging)
        putOwn(into: world)
        // Somebody moves them once more by mistake, and notices.
        let third = try await synced(world, Self.purging, named: "Wave 3")
        _ = try await world.send(.cancel(.key(third.description)), to: desk)
        try await world.run(third, until: .cancelled, settings: Self.purging)
        #expect(try await world.task(third, 1)[.mailbox]?.message.hasSuffix("where the user lives.") == true)
        #expect(world.holdings(1, .mail)[["INBOX"]]?.count == 6)
        #expect(world.holdings(1, .files)[["Files"]]?.count == 2)
        await world.remove()
    }
}
