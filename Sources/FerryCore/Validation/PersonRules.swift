/// Checks that concern the person as a whole: other jobs, identity map, tenants, trust, scope.
enum PersonRules {
    static let all: [Rule] = [inOtherJob, mapped, mappedProperly, tenantKnown, trusted, inScope]

    /// U-2. (U-1, a person named twice, is refused when the job is created.)
    private static let inOtherJob = Rule(
        id: "U-2", codes: [.inOtherJob], applies: { facts, _ in !facts.otherJobs.isEmpty },
        evaluate: { facts, _ in
            let names = facts.otherJobs.map { "'\($0)'" }.joined(separator: ", ")
            return [
                finding(
                    .inOtherJob, .inOtherJob, object: facts.otherJobs.first,
                    "The user is also in the active job \(names). Let that job finish, or cancel the user there or here."
                )
            ]
        })

    /// U-3. Says so in general, and once more in the words of the service.
    private static let mapped = Rule(
        id: "U-3", "identity map", codes: [.mappingMissing, .identityNotMapped, .chatsNotMapped, .filesNotMapped],
        needs: [.sourceTenant, .trust],
        applies: { facts, _ in facts.sourceTenant != nil && facts.trust != nil },
        evaluate: { facts, workload in
            guard facts.mappedSources.isEmpty else { return [] }
            let remedy =
                "Add a line with this user to the identity map, or give the target the address of the source user."
            let general = Finding(
                code: .mappingMissing,
                message:
                    "No user of the source tenant is mapped to this user; the source could not be checked. \(remedy)")
            switch workload {
            case .mailbox: return [general]
            case .chats:
                return [
                    general,
                    Finding(code: .chatsNotMapped, message: "Chats cannot move: the user is not mapped. \(remedy)"),
                ]
            case .meetings:
                return [
                    general,
                    Finding(
                        code: .identityNotMapped, message: "Meetings cannot move: the user is not mapped. \(remedy)"),
                ]
            case .files:
                return [
                    general,
                    Finding(code: .filesNotMapped, message: "Files cannot move: the user is not mapped. \(remedy)"),
                ]
            }
        })

    /// U-4. An entry that nobody agreed to, that leads nowhere, or several entries: the mapping exists and cannot be used.
    private static let mappedProperly = Rule(
        id: "U-4", codes: [.mappingIncomplete],
        applies: { facts, _ in facts.sourceTenant != nil && !facts.mappedSources.isEmpty },
        evaluate: { facts, workload in
            if facts.mappedSources.count > 1 {
                // Chats and files have codes of their own for it (U-5).
                guard workload == .mailbox || workload == .meetings else { return [] }
                return [
                    finding(
                        .mappingIncomplete, .mappedTwice,
                        "\(facts.mappedSources.count) source users are mapped to this user. Leave one of them in the map."
                    )
                ]
            }
            if facts.mapState != .completed {
                return [
                    finding(
                        .mappingIncomplete, .mapNotCompleted, object: facts.mapState.rawValue,
                        "The mapping of this user is \(facts.mapState.rawValue), not completed. Review it with ferry map "
                            + "check, then run ferry map complete.")
                ]
            }
            guard facts.source == nil else { return [] }
            return [
                finding(
                    .mappingIncomplete, .sourceUnknown, object: facts.mappedSources.first?.description,
                    "The identity map names a source user that the source's directory does not have. "
                        + "Correct the map or the source's list of people.")
            ]
        })

    /// U-5, in the code of one service.
    static func differs(_ code: FindingCode, _ elsewhere: PersonFacts.MappedElsewhere) -> Finding {
        finding(
            code, .mappedElsewhere, object: elsewhere.source,
            "The source user \(elsewhere.source), who has this user's address, is mapped to \(elsewhere.target). Correct the "
                + "identity map, or create a job with that user.")
    }

    /// T-1.
    private static let tenantKnown = Rule(
        id: "T-1", codes: [.tenantUnknown],
        evaluate: { facts, _ in
            guard facts.sourceTenant == nil else { return [] }
            return [
                Finding(
                    code: .tenantUnknown,
                    message:
                        "No tenant with the job's sourceTenantId is configured. Create a job with the right id, or "
                        + "add the tenant to the configuration.")
            ]
        })

    /// T-2: a record in this direction, to which both sides agree.
    static let trusted = Rule(
        id: "T-2", "trust", codes: [.trustMissing], needs: [.sourceTenant],
        applies: { facts, _ in facts.sourceTenant != nil },
        evaluate: { facts, _ in
            guard let trust = facts.trust else {
                return [
                    facts.hasOppositeTrust
                        ? finding(
                            .trustMissing, .trustReversed,
                            "The trust between the two tenants is for the other direction. Add an entry under trust in "
                                + "the configuration, from the source to the target.")
                        : Finding(
                            code: .trustMissing,
                            message:
                                "The two tenants do not trust each other in this direction. Add an entry under trust in "
                                + "the configuration, from the source to the target.")
                ]
            }
            return trust.objections.map { objection in
                finding(
                    .trustMissing, objection.consent == .missing ? .consentMissing : .consentDisabled,
                    object: objection.side.rawValue, objection.message)
            }
        })

    /// U-6.
    static let inScope = Rule(
        id: "U-6", "scope", codes: [.notInScope, .trustOrScopeUnclear], needs: [.sourceTenant, .trust, .source],
        applies: { facts, _ in facts.trust?.scope != nil && facts.source != nil },
        evaluate: { facts, _ in
            guard let trust = facts.trust, let scope = trust.scope, let source = facts.source,
                !scope.contains(source.id)
            else { return [] }
            if let problem = trust.scopeProblem {
                return [
                    finding(
                        .trustOrScopeUnclear, .scopeUnknown, object: trust.endpoint,
                        "Nobody can say whether the source user may leave. \(problem)")
                ]
            }
            return [
                finding(
                    .notInScope, .notInScope, object: trust.endpoint,
                    "The source user is not among those who may leave. Add the user to the scope of the trust.")
            ]
        })
}

/// A finding with a reason that machines can read.
func finding(_ code: FindingCode, _ reason: FindingReason, object: String? = nil, _ message: String) -> Finding {
    Finding(code, reason, object: object, message)
}

extension Rule {
    /// A check of what was seen of a service; reports per service in the order of the workload.
    /// - Parameter sight: which sides it looks at; `nil` for a check of whether they can be seen.
    static func perService(
        id: String, _ subject: String, codes: [FindingCode], workload: Workload, sight: Need? = nil,
        _ evaluate: @escaping @Sendable (PersonFacts, ServiceKind, ServiceFacts) -> [Finding]
    ) -> Rule {
        Rule(
            id: id, subject, codes: codes, workloads: [workload],
            needs: [.sourceTenant, .source, .target] + (sight.map { [$0] } ?? []),
            applies: { facts, _ in facts.source != nil },
            evaluate: { facts, workload in
                workload.services.flatMap { kind in facts.services[kind].map { evaluate(facts, kind, $0) } ?? [] }
            })
    }
}

extension PersonFacts {
    /// Whether both people are known and neither may have the service.
    func isEntitledNowhere(to service: ServiceKind) -> Bool {
        guard let source, let target else { return false }
        return !source.mayHave(service) && !target.mayHave(service)
    }

    /// The sides on which the person may not have the service, source first, with the tenants' names.
    func sidesWithout(entitlementTo service: ServiceKind) -> [(side: String, tenant: String)] {
        (source?.mayHave(service) == false ? [("source", sourceTenant?.name ?? "")] : [])
            + (target?.mayHave(service) == false ? [("target", targetTenant.name)] : [])
    }
}

extension String {
    /// The text as the end of a sentence of ours: with one full stop, and a space before it.
    var asRemark: String {
        let trimmed = last == "." ? String(dropLast()) : self
        return isEmpty ? "" : " \(trimmed)."
    }
}
