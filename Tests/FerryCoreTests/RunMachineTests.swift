import FerryCore
import Testing

/// Events of one workload of one person (3.3), and of the person (3.4).
struct RunMachineTests {
    /// From which states each event leads where; from all others it changes nothing.
    private typealias Event = (
        name: String, apply: (inout WorkloadRun) -> Void, mailbox: [RunStatus: RunStatus],
        others: [RunStatus: RunStatus]
    )

    private static let failing: [RunStatus] = [
        .notStarted, .inProgress, .syncing, .synced, .finalizing, .forceComplete,
    ]

    private static func all(_ states: [RunStatus], to end: RunStatus) -> [RunStatus: RunStatus] {
        Dictionary(uniqueKeysWithValues: states.map { ($0, end) })
    }

    private static func events() -> [Event] {
        let check: [RunStatus: RunStatus] = [.notStarted: .inProgress]
        let stop = all([.notStarted, .syncing, .synced, .valid, .invalid], to: .pendingCancel)
        let reset = all(
            Set(RunStatus.allCases).subtracting([.completed, .cancelled, .pendingCancel]).map { $0 }, to: .notStarted)
        return [
            ("checkBegan", { $0.checkBegan() }, check, check),
            (
                "valid", { $0.judged([]) }, all([.notStarted, .inProgress], to: .valid),
                all([.notStarted, .inProgress], to: .valid)
            ),
            (
                "invalid", { $0.judged([Make.finding]) }, all([.notStarted, .inProgress], to: .invalid),
                all([.notStarted, .inProgress], to: .invalid)
            ),
            ("T15 admitted", { $0.admitted() }, [.notStarted: .syncing], [.notStarted: .synced]),
            (
                "T14 refused", { $0.refused(Make.finding) }, all([.notStarted, .syncing, .synced], to: .failed),
                all([.notStarted, .syncing, .synced], to: .failed)
            ),
            ("T16 copied", { $0.copied() }, [.syncing: .synced], [.syncing: .synced]),
            ("T21 T23 enteredCutover", { $0.enteredCutover() }, [.synced: .finalizing], [.synced: .inProgress]),
            ("T23 completed", { $0.completed(message: "m") }, [.finalizing: .completed], [.inProgress: .completed]),
            (
                "failed", { $0.failed([Make.finding], message: "m") }, all(failing, to: .failed),
                all(failing, to: .failed)
            ),
            ("faulted", { $0.faulted(Make.finding) }, all(failing, to: .error), all(failing, to: .error)),
            (
                "stopRequested", { $0.stopRequested() },
                stop.merging([.inProgress: .pendingCancel, .error: .error]) { $1 }, stop
            ),
            (
                "stopRequested while checking", { $0.stopRequested(isChecking: true) },
                all([.notStarted, .inProgress, .valid, .invalid, .error], to: .pendingCancel),
                all([.notStarted, .inProgress, .valid, .invalid, .error], to: .pendingCancel)
            ),
            ("stopped", { $0.stopped() }, [.pendingCancel: .cancelled], [.pendingCancel: .cancelled]),
            ("reset", { $0.reset() }, reset, reset),
        ]
    }

    @Test func `every event in every state`() {
        for event in Self.events() {
            for workload in Workload.allCases {
                for status in RunStatus.allCases {
                    var run = Make.run(workload, status)
                    run.message = "before"
                    run.findings = [Make.finding]
                    let before = run
                    event.apply(&run)
                    let table = workload == .mailbox ? event.mailbox : event.others
                    let expected = table[status] ?? status
                    #expect(run.status == expected, "\(event.name) of \(workload) from \(status)")
                    if table[status] == nil { #expect(run == before, "\(event.name) of \(workload) from \(status)") }
                }
            }
        }
    }

    @Test func `T14 a refused run shows exactly one finding`() {
        var run = Make.run(.mailbox, .notStarted)
        run.refused(Make.finding)
        #expect(run.findings == [Make.finding])
    }

    @Test func `a new step forgets the findings of the last one, a reset keeps the progress`() {
        var run = Make.run(.mailbox, .notStarted)
        run.progress.items = 5
        run.failed([Make.finding, Make.finding], message: "It broke.")
        #expect(run.findings.count == 2 && run.message == "It broke.")
        run.reset()
        #expect(run.findings.isEmpty && run.message.isEmpty && run.progress.items == 5)
    }

    // MARK: the person

    @Test func `T21 a synced mailbox enters the cutover when the date has passed`() {
        let task = Make.task(all: .synced)
        #expect(task.readyForCutover(dateHasPassed: false, settings: JobSettings()) == [])
        #expect(task.readyForCutover(dateHasPassed: true, settings: JobSettings()) == [.mailbox])
    }

    @Test func `T21 without a mailbox chats and files wait for the date only`() {
        let task = Make.task([.chats: .synced, .files: .synced])
        #expect(task.readyForCutover(dateHasPassed: false, settings: JobSettings()) == [])
        #expect(task.readyForCutover(dateHasPassed: true, settings: JobSettings()) == [.files, .chats])
    }

    @Test func `T23 the completed mailbox lets the others go`() {
        let task = Make.task([.mailbox: .completed, .chats: .synced, .meetings: .synced, .files: .inProgress])
        #expect(task.readyForCutover(dateHasPassed: true, settings: JobSettings()) == [.meetings, .chats])
        // A retry with a date that was moved on: nobody notices anything before it.
        #expect(task.readyForCutover(dateHasPassed: false, settings: JobSettings()) == [])
    }

    @Test func `the others wait while the mailbox is on its way`() {
        for status in [RunStatus.syncing, .finalizing, .failed, .cancelled, .pendingCancel] {
            let task = Make.task([.mailbox: status, .chats: .synced, .meetings: .synced, .files: .synced])
            #expect(task.readyForCutover(dateHasPassed: true, settings: JobSettings()) == [], "\(status)")
        }
    }

    @Test(arguments: [RunStatus.failed, .error])
    func `a failed mailbox holds the others back`(status: RunStatus) {
        var task = Make.task([.mailbox: status, .chats: .synced, .meetings: .synced, .files: .notStarted])
        #expect(task.mailboxFailed(settings: JobSettings()) == true)
        #expect(task[.meetings]?.findings.map(\.code.rawValue) == ["MMS-011"])
        #expect(task[.chats]?.findings.map(\.code.rawValue) == ["MIGR-003"])
        #expect(task[.files]?.findings.map(\.reason) == ["mailboxNotMigrated"])
        #expect(task.outcome == .failedEntirely)
        #expect(task.mailboxFailed(settings: JobSettings()) == false)
    }

    @Test func `with the setting chats and files go on without the mailbox, meetings never`() {
        let alone = JobSettings(continuesWithoutMailbox: true)
        var task = Make.task([.mailbox: .failed, .chats: .synced, .meetings: .synced, .files: .synced])
        #expect(task.mailboxFailed(settings: alone) == true)
        #expect(task[.meetings]?.status == .failed)
        #expect(task.readyForCutover(dateHasPassed: true, settings: alone) == [.files, .chats])
    }

    @Test func `nobody is held back by a mailbox that has not failed`() {
        var task = Make.task([.mailbox: .syncing, .chats: .synced])
        let before = task
        #expect(task.mailboxFailed(settings: JobSettings()) == false)
        #expect(task == before)
    }

    @Test func `T14 a refused person shows one finding in all and does not start`() {
        var task = Make.task(all: .notStarted)
        task.refused(Make.finding, at: .chats)
        #expect(task.runs.flatMap(\.findings) == [Make.finding])
        #expect(task[.chats]?.findings == [Make.finding])
        #expect(task.runs.allSatisfy { $0.status == .failed } && task[.mailbox]?.message.contains("Teams") == true)
        // What an earlier attempt completed stays.
        var retry = Make.task([.mailbox: .completed, .files: .notStarted])
        retry.refused(Make.finding, at: .files)
        #expect(retry[.mailbox]?.status == .completed && retry.outcome == .failedInPart)
    }

    @Test func `T33 a stopped person leaves as a whole, completed parts stay`() {
        var task = Make.task([.mailbox: .completed, .chats: .failed, .meetings: .synced, .files: .synced])
        task.stopRequested(isChecking: false)
        task.stopped()
        #expect(task[.mailbox]?.status == .completed)
        #expect([Workload.chats, .meetings, .files].allSatisfy { task[$0]?.status == .cancelled })
        #expect(task.outcome == .cancelled && task.isFinal)
    }

    @Test func `T31 a person in the cutover is not stopped`() {
        for task in [
            Make.task([.mailbox: .finalizing, .files: .synced]),
            Make.task([.mailbox: .completed, .chats: .inProgress, .files: .synced]),
        ] {
            var stopped = task
            stopped.stopRequested(isChecking: false)
            #expect(stopped == task)
        }
        var checked = Make.task(all: .inProgress)
        checked.stopRequested(isChecking: true)
        #expect(checked.runs.allSatisfy { $0.status == .pendingCancel })
    }

    @Test func `outcomes of a person`() {
        #expect(Make.task(all: .completed).outcome == .completed)
        #expect(Make.task(all: .failed).outcome == .failedEntirely)
        #expect(Make.task([.mailbox: .completed, .files: .error]).outcome == .failedInPart)
        #expect(Make.task([.mailbox: .completed, .files: .synced]).outcome == .unfinished)
        #expect(Make.task(all: .valid).outcome == .unfinished)
        #expect(Make.task([.mailbox: .syncing, .files: .synced]).summary == "ODSP synced, Exchange syncing")
    }
}
