/// How far the cutover of one run is: what a crash must not forget (orchestration 5.7, rule 4).
///
/// The store has it from before the first thing that is done to the source until the run is over. Each step is recorded
/// before it begins, which says of the one before that it is done. Up to `verify` the way back is open, and an accident
/// ends in the source as it was; from `swap` on the target is the person's home, and an accident ends there.
package struct CutoverJournal: Sendable, Hashable {
    /// In the order in which they are done. Raw values are stored.
    package enum Step: String, Sendable, Hashable, CaseIterable, Comparable {
        /// The source refuses changes by its owner. Undone by thawing.
        case freeze
        /// Passes until nothing is left to move. Nothing to undo: what was copied stays as a seed.
        case lastDelta
        /// Both sides are compared. Nothing to undo.
        case verify
        /// The decision, and nothing else: recorded, the person lives at the target. Undone by taking it back, where the
        /// redirection turns out to be impossible.
        case swap
        /// Word of the new address is left at the source. Undone by taking it away.
        case redirect
        /// What arrived at the source since the last delta is carried over. Not undone.
        case release

        package static func < (left: Step, right: Step) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .freeze: 0
            case .lastDelta: 1
            case .verify: 2
            case .swap: 3
            case .redirect: 4
            case .release: 5
            }
        }
    }

    /// How much of the source refuses changes. Raw values are stored.
    package enum Hold: String, Sendable, Hashable, CaseIterable {
        /// Nothing was asked to, or nothing could.
        case nothing
        /// Some services could, others go on changing.
        case partly
        case whole
    }

    /// The step that is being done, or was when its worker stopped.
    package var step: Step
    /// When the freeze was asked for, by the store's clock.
    package var began: Instant
    /// Known once `freeze` is done.
    package var hold: Hold?
    /// The way back has begun and has to be gone to its end.
    package var isUndoing: Bool

    package init(step: Step, began: Instant, hold: Hold? = nil, isUndoing: Bool = false) {
        self.step = step
        self.began = began
        self.hold = hold
        self.isUndoing = isUndoing
    }

    /// What somebody does who finds the journal of a worker that stopped.
    package enum Recovery: Sendable, Hashable {
        /// Put the source back as it was; afterwards the cutover may begin anew.
        case undo
        /// Go on with this step, which may have been done in part or in whole.
        case goOn(Step)
    }

    /// Whether an accident can still end in the source as it was before.
    package var isBeforeSwap: Bool { step < .swap }

    /// The person is kept from working at the source, and not yet at home at the target.
    package var isLockedOut: Bool { isBeforeSwap && hold != .nothing }

    /// Time that is left of the budget; `nil` when nobody is locked out. Nothing is left when the clock went back, since
    /// nobody then knows how long the freeze has lasted.
    package func remaining(of budget: Duration, now: Instant) -> Duration? {
        guard isLockedOut else { return nil }
        let elapsed = now - began
        return elapsed < .zero ? .zero : max(.zero, budget - elapsed)
    }

    /// Never in between: back, or on to the swap and beyond.
    package func recovery(now: Instant, budget: Duration) -> Recovery {
        if isUndoing { return .undo }
        guard isBeforeSwap else { return .goOn(step) }
        if let rest = remaining(of: budget, now: now), rest <= .zero { return .undo }
        // While nobody worked, mail may have been delivered: what was compared is not the last word any more.
        return .goOn(min(step, .lastDelta))
    }

    /// The steps of a run. Meetings are moved after the mailbox, whose cutover has frozen and redirected the source: they
    /// have nothing to do to it.
    package static func steps(for workload: Workload, verifies: Bool) -> [Step] {
        let all: [Step] =
            workload == .meetings
            ? [.lastDelta, .verify, .swap] : [.freeze, .lastDelta, .verify, .swap, .redirect, .release]
        return verifies ? all : all.filter { $0 != .verify }
    }
}
