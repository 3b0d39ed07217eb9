/// One check of a person: a pure function from facts to findings (orchestration 4.3, 4.4).
package struct Rule: Sendable {
    /// Number of the check in the reference, such as `U-3`; a letter is added where one row asks several questions.
    package let id: String
    /// The codes it can report.
    package let codes: [FindingCode]
    /// Workloads it speaks about, in the order of evaluation.
    package let workloads: [Workload]
    /// Whether enough is known to ask. What cannot be asked is not reported: another rule says why.
    package let applies: @Sendable (PersonFacts, Workload) -> Bool
    /// Everything found; empty when all is well. Call it only where `applies`.
    package let evaluate: @Sendable (PersonFacts, Workload) -> [Finding]

    package init(
        id: String, codes: [FindingCode], workloads: [Workload] = Rule.everyWorkload,
        applies: @escaping @Sendable (PersonFacts, Workload) -> Bool = { _, _ in true },
        evaluate: @escaping @Sendable (PersonFacts, Workload) -> [Finding]
    ) {
        self.id = id
        self.codes = codes
        self.workloads = workloads
        self.applies = applies
        self.evaluate = evaluate
    }

    /// Exchange, Teams, Meeting, ODSP: the order of evaluation in 4.4.
    package static let everyWorkload: [Workload] = [.mailbox, .chats, .meetings, .files]

    func findings(_ facts: PersonFacts, _ workload: Workload) -> [Finding] {
        workloads.contains(workload) && applies(facts, workload) ? evaluate(facts, workload) : []
    }
}
