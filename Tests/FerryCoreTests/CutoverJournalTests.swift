import FerryCore
import Testing

/// What becomes of a cutover whose worker stopped (5.7, rule 4; 9.2).
struct CutoverJournalTests {
    private static let budget = Duration.seconds(60)

    private static func journal(
        _ step: CutoverJournal.Step, _ hold: CutoverJournal.Hold?, isUndoing: Bool = false
    ) -> CutoverJournal {
        CutoverJournal(step: step, began: Make.now, hold: hold, isUndoing: isUndoing)
    }

    @Test(arguments: CutoverJournal.Step.allCases, [CutoverJournal.Hold.nothing, .partly, .whole])
    func `before the swap a crash within the budget goes on from the last delta, later it goes back; after it only on`(
        step: CutoverJournal.Step, hold: CutoverJournal.Hold
    ) {
        let found = Self.journal(step, step == .freeze ? nil : hold)
        let early = found.recovery(now: Make.now + .seconds(59), budget: Self.budget)
        let late = found.recovery(now: Make.now + .seconds(60), budget: Self.budget)
        switch step {
        case .freeze:
            #expect(early == .goOn(.freeze) && late == .undo)
        case .lastDelta, .verify:
            #expect(early == .goOn(.lastDelta))
            #expect(late == (hold == .nothing ? .goOn(.lastDelta) : .undo), "nobody waits for what is not frozen")
        case .swap, .redirect, .release:
            #expect(early == .goOn(step) && late == .goOn(step))
        }
    }

    @Test(arguments: CutoverJournal.Step.allCases)
    func `a way back that has begun is gone to its end, whatever the step and the time`(step: CutoverJournal.Step) {
        for delay in [Duration.zero, .seconds(3600)] {
            let found = Self.journal(step, .whole, isUndoing: true)
            #expect(found.recovery(now: Make.now + delay, budget: Self.budget) == .undo)
        }
    }

    @Test func `a clock that went back leaves nothing of the budget, since nobody knows how long the freeze lasted`() {
        let found = Self.journal(.lastDelta, .whole)
        #expect(found.remaining(of: Self.budget, now: Make.now - .seconds(1)) == .zero)
        #expect(found.recovery(now: Make.now - .seconds(1), budget: Self.budget) == .undo)
        #expect(found.remaining(of: Self.budget, now: Make.now + .seconds(20)) == .seconds(40))
        #expect(Self.journal(.lastDelta, .nothing).remaining(of: Self.budget, now: Make.now) == nil)
        #expect(Self.journal(.swap, .whole).remaining(of: Self.budget, now: Make.now) == nil)
    }

    @Test func `meetings do nothing to the source, and without verification nobody compares`() {
        #expect(CutoverJournal.steps(for: .mailbox, verifies: true) == CutoverJournal.Step.allCases)
        #expect(
            CutoverJournal.steps(for: .files, verifies: false) == [.freeze, .lastDelta, .swap, .redirect, .release])
        #expect(CutoverJournal.steps(for: .meetings, verifies: true) == [.lastDelta, .verify, .swap])
        #expect(CutoverJournal.Step.allCases == CutoverJournal.Step.allCases.sorted())
    }

    @Test func `a run that is put off says why and until when, and keeps its state`() {
        for workload in Make.everything {
            for status in RunStatus.allCases {
                var run = Make.run(workload, status)
                run.putOff("The source is slow.", until: Make.now)
                let moves =
                    workload == .mailbox ? status == .finalizing : status == .finalizing || status == .inProgress
                #expect(run.status == status)
                #expect(
                    run.message == (moves ? "The source is slow. It is tried again at 2031-01-01T00:00:00Z." : ""))
            }
        }
    }
}
