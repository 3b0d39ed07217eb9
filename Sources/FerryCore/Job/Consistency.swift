/// How much of a run arrived (orchestration 5.5 and 9.4), from best to worst. Raw values are stored and travel in `/ferry`.
package enum ConsistencyGrade: String, Sendable, Hashable, CaseIterable {
    /// Everything, as it was.
    case perfect
    /// Every content; some item lost something besides (a date, keywords, a right), or is of a kind that never moves.
    case good
    /// A few contents would stay behind: somebody has to agree to that.
    case investigate
    /// Too much would stay behind for anybody to agree to.
    case poor
}

/// What the grade of a run is made of.
package struct ConsistencyVerdict: Sendable, Hashable {
    package var grade: ConsistencyGrade
    /// Items whose content is at the source only.
    package var lost: Int64

    package init(grade: ConsistencyGrade, lost: Int64) {
        self.grade = grade
        self.lost = lost
    }
}

/// What a run leaves behind, or could not keep, counted over its findings.
package struct Losses: Sendable, Hashable {
    /// What one finding means for its item.
    package enum Kind: Sendable, Hashable {
        case nothing, metadata, content
    }

    /// Items that were to move.
    package var attempted: Int64
    package var content: Int64 = 0
    package var metadata: Int64 = 0
    /// A folder that everybody needs (the inbox, sent mail) is missing as a whole.
    package var lacksSystemFolder = false

    package init(attempted: Int64) { self.attempted = attempted }

    /// What is skipped is lost, but for what is of a kind that never moves and for what its owner has deleted meanwhile;
    /// what was copied and has a finding lost something besides its content.
    package static func kind(_ outcome: ItemOutcome, _ code: ErrorCode) -> Kind {
        switch (outcome, code) {
        case (.elsewhere, _), (.copied, .sourceItemLate), (.skipped, .sourceItemVanished): .nothing
        case (.copied, _), (.skipped, .sourceItemUnsupported): .metadata
        case (.skipped, _), (.failed, _): .content
        }
    }

    package mutating func add(_ outcome: ItemOutcome, _ code: ErrorCode, count: Int64 = 1) {
        switch Self.kind(outcome, code) {
        case .nothing: return
        case .metadata: metadata += count
        case .content: content += count
        }
    }

    /// The grade by 9.4: losses of content up to 0.1 % of what was attempted, but ten in any case, can be agreed to. Chats
    /// are copies anyway and have a rule of their own (3.3): a fifth of the events may be missing.
    package func verdict(for workload: Workload) -> ConsistencyVerdict {
        ConsistencyVerdict(grade: grade(for: workload), lost: content)
    }

    private func grade(for workload: Workload) -> ConsistencyGrade {
        if lacksSystemFolder { return .poor }
        if content == 0 { return metadata == 0 ? .perfect : .good }
        if workload == .chats { return content * 5 <= attempted ? .good : .poor }
        return content <= max(10, attempted / 1000) ? .investigate : .poor
    }
}

extension WorkloadRun {
    /// Somebody has to agree to what would be left behind before the run can go on.
    package var waitsForApproval: Bool {
        guard isInCutover, let verdict, verdict.grade == .investigate else { return false }
        return verdict.lost > approved
    }

    /// Whether a run with this verdict may go through its cutover; `poor` never may.
    package func accepts(_ verdict: ConsistencyVerdict) -> Bool {
        switch verdict.grade {
        case .perfect, .good: true
        case .investigate: verdict.lost <= approved
        case .poor: false
        }
    }

    /// The gate of 5.5 is closed: the run stays in its cutover until somebody agrees. From the states of a cutover.
    package mutating func held(by verdict: ConsistencyVerdict) {
        guard isInCutover else { return }
        self.verdict = verdict
        message =
            "\(verdict.lost) items cannot be moved and would be left at the source; see the report. Approve that, or mend"
            + " them: they are tried again by themselves. Until then the user works on at the source."
    }

    /// Somebody agrees to what the verdict says would be left behind. Does nothing unless the run waits for that.
    package mutating func approve() {
        guard waitsForApproval, let verdict else { return }
        approved = verdict.lost
        message = ""
    }
}
