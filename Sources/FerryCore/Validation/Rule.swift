/// One check of a person: a pure function from facts to findings (orchestration 4.3, 4.4).
package struct Rule: Sendable {
    /// Number of the check in the reference, such as `U-3`; a letter is added where one row asks several questions.
    package let id: String
    /// What it looks at, in a few words, for those who are told that it could not.
    package let subject: String
    /// The codes it can report.
    package let codes: [FindingCode]
    /// Workloads it speaks about, in the order of evaluation.
    package let workloads: [Workload]
    /// What must be known to ask. Where it is not, the check is told as not evaluated, and why.
    package let needs: [Need]
    /// Whether there is anything to ask.
    package let applies: @Sendable (PersonFacts, Workload) -> Bool
    /// Everything found; empty when all is well. Call it only where `applies`.
    package let evaluate: @Sendable (PersonFacts, Workload) -> [Finding]

    package init(
        id: String, _ subject: String = "", codes: [FindingCode], workloads: [Workload] = Rule.everyWorkload,
        needs: [Need] = [],
        applies: @escaping @Sendable (PersonFacts, Workload) -> Bool = { _, _ in true },
        evaluate: @escaping @Sendable (PersonFacts, Workload) -> [Finding]
    ) {
        self.id = id
        self.subject = subject
        self.codes = codes
        self.workloads = workloads
        self.needs = needs
        self.applies = applies
        self.evaluate = evaluate
    }

    /// Exchange, Teams, Meeting, ODSP: the order of evaluation in 4.4.
    package static let everyWorkload: [Workload] = [.mailbox, .chats, .meetings, .files]

    func findings(_ facts: PersonFacts, _ workload: Workload) -> [Finding] {
        workloads.contains(workload) && applies(facts, workload) ? evaluate(facts, workload) : []
    }

    /// Why the check says nothing, or not everything, of the workload; empty when it was evaluated.
    func obstacles(_ facts: PersonFacts, _ workload: Workload) -> [String] {
        guard workloads.contains(workload) else { return [] }
        for need in needs {
            let missing = need.missing(facts, workload)
            // What comes later cannot be known without what comes first.
            if !missing.isEmpty { return missing }
        }
        return []
    }
}

/// Something that must be known before a check makes sense.
package struct Need: Sendable {
    /// What is not known, each as the end of a sentence that begins with "because"; empty when all is.
    package let missing: @Sendable (PersonFacts, Workload) -> [String]

    package init(_ missing: @escaping @Sendable (PersonFacts, Workload) -> [String]) { self.missing = missing }

    static let sourceTenant = known("the source tenant is not known") { $0.sourceTenant }
    static let trust = known("the tenants have no trust") { $0.trust }
    static let source = known("no source user is known") { $0.source }
    static let target = known("the target user is not known") { $0.target }
    /// The services of the workload were seen on both sides.
    static let bothSides = sight(ofSource: true, ofTarget: true)
    static let sourceSide = sight(ofSource: true, ofTarget: false)
    static let targetSide = sight(ofSource: false, ofTarget: true)

    private static func known<Fact>(
        _ words: String, _ fact: @escaping @Sendable (PersonFacts) -> Fact?
    ) -> Need {
        Need { facts, _ in fact(facts) == nil ? [words] : [] }
    }

    private static func sight(ofSource: Bool, ofTarget: Bool) -> Need {
        Need { facts, workload in
            workload.services.flatMap { kind -> [String] in
                guard let service = facts.services[kind] else {
                    let isOffered =
                        facts.sourceTenant?.services.contains(kind) == true
                        && facts.targetTenant.services.contains(kind)
                    return isOffered ? ["the \(kind.rawValue) of the user could not be looked at"] : []
                }
                return [("source", service.source, ofSource), ("target", service.target, ofTarget)]
                    .compactMap { side, facts, isWanted in
                        isWanted && facts.sight == nil && facts != .notConfigured
                            ? "the \(side) \(kind.rawValue) of the user could not be seen" : nil
                    }
            }
        }
    }
}

/// Checks of a workload that could not be evaluated for the same reason.
package struct NotEvaluated: Sendable, Hashable {
    /// The end of a sentence that begins with "because".
    package var reason: String
    /// Numbers of the checks with what they look at: `U-12 (room at the target)`.
    package var checks: [String]

    package init(reason: String, checks: [String]) {
        self.reason = reason
        self.checks = checks
    }

    /// As a sentence.
    package var text: String { "Not evaluated, because \(reason): \(checks.joined(separator: ", "))." }
}
