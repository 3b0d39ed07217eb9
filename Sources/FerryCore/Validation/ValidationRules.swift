/// All checks, and the two ways to use them: everything while validating, the first failure before migrating.
package enum ValidationRules {
    /// In the order of evaluation (4.4): what holds for the whole person, then each service's own checks.
    package static let all: [Rule] = general + services

    /// Checks whose answer is the same for every workload.
    package static let general: [Rule] = PersonRules.all

    /// Checks of one service, in the order tenant before person.
    package static let services: [Rule] =
        MailboxRules.all + ChatRules.all + MeetingRules.all + FileRules.all + [unchecked]

    /// Everything that is wrong with a workload, in the order of evaluation.
    package static func findings(_ facts: PersonFacts, for workload: Workload) -> [Finding] {
        all.flatMap { $0.findings(facts, workload) }
    }

    /// What could not be evaluated of a workload, and why: one entry for each reason, in the order of evaluation.
    package static func notEvaluated(_ facts: PersonFacts, for workload: Workload) -> [NotEvaluated] {
        var found: [NotEvaluated] = []
        for rule in all {
            for reason in rule.obstacles(facts, workload) {
                let check = "\(rule.id) (\(rule.subject))"
                if let index = found.firstIndex(where: { $0.reason == reason }) {
                    found[index].checks.append(check)
                } else {
                    found.append(NotEvaluated(reason: reason, checks: [check]))
                }
            }
        }
        return found
    }

    /// The one failure that is shown when the check is repeated before a migration, with the workload it concerns.
    /// `nil` when the person may start. The order of `workloads` does not matter.
    package static func firstFinding(
        _ facts: PersonFacts, _ workloads: [Workload]
    ) -> (workload: Workload, finding: Finding)? {
        let ordered = Rule.everyWorkload.filter(workloads.contains)
        for rule in general {
            for workload in ordered {
                if let finding = rule.findings(facts, workload).first { return (workload, finding) }
            }
        }
        for workload in ordered {
            for rule in services {
                if let finding = rule.findings(facts, workload).first { return (workload, finding) }
            }
        }
        return nil
    }

    /// Rule 5 after table 2.2, and 4.4: what the two sides agreed to is asked again while a person is moved. The first thing
    /// that is lost; `nil` while all holds. A scope that cannot be read is no reason to stop what began with it.
    package static func withdrawal(_ facts: PersonFacts, for workload: Workload) -> Finding? {
        for rule in [PersonRules.trusted, PersonRules.inScope, MailboxRules.endpointNamed] {
            if let finding = rule.findings(facts, workload).first, finding.code != .trustOrScopeUnclear {
                return finding
            }
        }
        return nil
    }

    /// U-25: the check could not be carried out. Last, because what the others found is certain.
    private static let unchecked = Rule(
        id: "U-25", codes: [.validationBusy, .validationFault], applies: { facts, _ in facts.gap != nil },
        evaluate: { facts, _ in
            switch facts.gap {
            case .busy(let what):
                [
                    Finding(
                        code: .validationBusy,
                        message: "The user could not be checked now: \(what) Try again later.", reason: "busy")
                ]
            case .fault(let what):
                [
                    Finding(
                        code: .validationFault,
                        message: "The check of the user broke off: \(what) Try again; if it stays, look into the log.",
                        reason: "fault")
                ]
            case nil: []
            }
        })
}
