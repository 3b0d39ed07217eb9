import FerryCore
import Testing

/// The grades of 9.4, and the gate of 5.5.
struct ConsistencyTests {
    private static func losses(_ content: Int64, _ metadata: Int64 = 0, of attempted: Int64) -> Losses {
        var losses = Losses(attempted: attempted)
        losses.content = content
        losses.metadata = metadata
        return losses
    }

    @Test func `Perfect loses nothing, Good only metadata, Investigate a few contents, Poor more`() {
        func grade(_ content: Int64, _ metadata: Int64, of attempted: Int64) -> ConsistencyGrade {
            Self.losses(content, metadata, of: attempted).verdict(for: .mailbox).grade
        }
        #expect(grade(0, 0, of: 100) == .perfect)
        #expect(grade(0, 90, of: 100) == .good)
        #expect(grade(1, 0, of: 100) == .investigate)
        #expect(grade(10, 5, of: 100) == .investigate)
        #expect(grade(11, 0, of: 100) == .poor)
        // 0.1 % counts where that is more than ten.
        #expect(grade(100, 0, of: 100_000) == .investigate)
        #expect(grade(101, 0, of: 100_000) == .poor)
        #expect(grade(11, 0, of: 10_999) == .poor && grade(11, 0, of: 11_000) == .investigate)
    }

    @Test func `a missing system folder is Poor, however little else is lost`() {
        var losses = Self.losses(1, of: 1_000_000)
        losses.lacksSystemFolder = true
        #expect(losses.verdict(for: .mailbox).grade == .poor)
    }

    @Test func `chats may lose a fifth of their events`() {
        #expect(Self.losses(20, of: 100).verdict(for: .chats).grade == .good)
        #expect(Self.losses(21, of: 100).verdict(for: .chats).grade == .poor)
        #expect(Self.losses(0, of: 0).verdict(for: .chats).grade == .perfect)
    }

    @Test(arguments: ErrorCode.allCases)
    func `what is skipped is lost but for what never moves; what was copied is there`(code: ErrorCode) {
        let skipped = Losses.kind(.skipped, code)
        switch code {
        case .sourceItemVanished: #expect(skipped == .nothing)
        case .sourceItemUnsupported: #expect(skipped == .metadata)
        default: #expect(skipped == .content)
        }
        #expect(Losses.kind(.copied, code) == (code == .sourceItemLate ? .nothing : .metadata))
        #expect(Losses.kind(.elsewhere, code) == .nothing)
        #expect(Losses.kind(.failed, code) == .content)
    }

    @Test(arguments: RunStatus.allCases, ConsistencyGrade.allCases)
    func `only a run in its cutover waits, only for Investigate, and only until somebody agrees`(
        status: RunStatus, grade: ConsistencyGrade
    ) {
        for workload in Make.everything {
            var run = Make.run(workload, status)
            let verdict = ConsistencyVerdict(grade: grade, lost: 3)
            let before = run
            run.held(by: verdict)
            #expect((run != before) == run.isInCutover)
            #expect(run.status == status)
            let waits = run.isInCutover && grade == .investigate
            #expect(run.waitsForApproval == waits)
            run.approve()
            #expect(!run.waitsForApproval)
            #expect(run.approved == (waits ? 3 : 0))
        }
    }

    @Test func `T33: whoever waits for an approval may be cancelled whatever the date, whoever is being moved may not`()
    {
        for workload in Make.everything {
            let job = Make.job(.adminActionRequired, type: .migrate, interrupted: .cuttingOver)
            let late = job.completeAfter + .seconds(1)
            var task = Make.task([workload: workload == .mailbox ? .finalizing : .inProgress])
            let settings = JobSettings()
            let moving = conflict { () throws(Refusal) in try job.checkCancel(of: task, now: late, settings: settings) }
            #expect(moving == .cancelNotPossible)
            task.runs[0].held(by: ConsistencyVerdict(grade: .investigate, lost: 3))
            #expect(task.waitsForApproval)
            let waiting = refusal { () throws(Refusal) in try job.checkCancel(of: task, now: late, settings: settings) }
            #expect(waiting == nil)
            var stopped = task
            stopped.stopRequested(isChecking: false)
            #expect(stopped.runs[0].status == .pendingCancel && !stopped.waitsForApproval)
            task.runs[0].approve()
            task.stopRequested(isChecking: false)
            #expect(task.runs[0].isInCutover)
        }
    }

    @Test func `what was agreed to passes the gate, one item more does not, and Poor never does`() {
        var run = Make.run(.mailbox, .finalizing)
        run.held(by: ConsistencyVerdict(grade: .investigate, lost: 3))
        #expect(!run.accepts(ConsistencyVerdict(grade: .investigate, lost: 1)))
        run.approve()
        #expect(run.accepts(ConsistencyVerdict(grade: .investigate, lost: 3)))
        #expect(!run.accepts(ConsistencyVerdict(grade: .investigate, lost: 4)))
        #expect(!run.accepts(ConsistencyVerdict(grade: .poor, lost: 3)))
        #expect(run.accepts(ConsistencyVerdict(grade: .perfect, lost: 0)))
        run.failed([Make.finding], message: "")
        run.reset()
        #expect(run.verdict == nil && run.approved == 3)
    }

    @Test(arguments: JobStatus.allCases)
    func `an approval is refused by jobs that nobody has to decide about`(status: JobStatus) {
        let answer = refusal { () throws(Refusal) in try Make.job(status).checkApproval() }
        if status == .adminActionRequired {
            #expect(answer == nil)
        } else {
            guard case .conflict(.invalidJobStatus, let message) = answer else {
                Issue.record("refused as \(String(describing: answer))")
                return
            }
            #expect(message.contains(status.rawValue))
        }
    }
}
