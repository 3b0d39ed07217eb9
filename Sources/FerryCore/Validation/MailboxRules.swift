/// Checks of mail, calendars and contacts. EXCH-08 is Microsoft's umbrella; the reason says which of its causes it is.
enum MailboxRules {
    static let all: [Rule] = [
        endpointNamed, configured, reachable, apart, targetKnown, sourceReady, sameMailbox, targetReady, addressesOwned,
        unmarked, free, deliverable, roomy, entitled,
    ]

    /// U-10: nobody else's move has left its mark on the source.
    private static let unmarked = Rule.perService(
        id: "U-10", "marks of other moves", codes: [.mailboxProbeFailed], workload: .mailbox, sight: .sourceSide
    ) { _, kind, service in
        guard service.source.sight?.isMarked == true, !service.isContinued else { return [] }
        return [
            finding(
                .mailboxProbeFailed, .leftoverMarker, object: "source \(kind.rawValue)",
                "The source \(kind.rawValue) of the user is marked by a move that this server knows nothing of: it is frozen, "
                    + "or says that its owner has gone. Finish or undo that move, then remove the mark.")
        ]
    }

    /// U-11.
    private static let free = Rule(
        id: "U-11", "legal hold", codes: [.mailboxProbeFailed], workloads: [.mailbox], needs: [.sourceTenant, .source],
        evaluate: { facts, _ in
            guard facts.source?.isOnHold == true else { return [] }
            return [
                finding(
                    .mailboxProbeFailed, .onHold, object: facts.source?.id.description,
                    "The source user is under a legal hold. Lift it in the source's list of people, or leave the user out."
                )
            ]
        })

    /// U-13.
    private static let entitled = Rule(
        id: "U-13", "entitlement", codes: [.mailboxProbeFailed], workloads: [.mailbox],
        needs: [.sourceTenant, .source, .target],
        evaluate: { facts, _ in
            guard facts.isEntitledNowhere(to: .mail) else { return [] }
            return [
                finding(
                    .mailboxProbeFailed, .notLicensed, object: "mail",
                    "The user is entitled to mail on neither side. Add mail to the user's services in one of the lists of "
                        + "people.")
            ]
        })

    /// T-3: the name that the job gives is the one of the trust.
    static let endpointNamed = Rule(
        id: "T-3", "endpoint", codes: [.endpointUnknown], workloads: [.mailbox], needs: [.sourceTenant, .trust],
        applies: { facts, _ in facts.trust != nil },
        evaluate: { facts, _ in
            guard let trust = facts.trust else { return [] }
            let name = facts.exchange?.sourceEndpoint ?? ""
            guard name.lowercased() != trust.endpoint.lowercased() else { return [] }
            return [
                Finding(
                    code: .endpointUnknown,
                    message: "No endpoint '\(name.prefix(80))' leads to the source tenant. Create a job with "
                        + "sourceEndpoint '\(trust.endpoint)', or rename the endpoint in the configuration.",
                    object: String(name.prefix(80)))
            ]
        })

    /// T-4a: whatever the source has, the target has a place for; and there is something to move.
    private static let configured = Rule(
        id: "T-4a", "services", codes: [.mailboxProbeFailed], workloads: [.mailbox], needs: [.sourceTenant],
        applies: { facts, _ in facts.sourceTenant != nil },
        evaluate: { facts, workload in
            let offered = workload.services.filter { facts.sourceTenant?.services.contains($0) == true }
            if offered.isEmpty {
                return [
                    finding(
                        .mailboxProbeFailed, .serviceNotConfigured, object: "source mail",
                        "The source tenant has neither mail nor calendars nor contacts configured. "
                            + "Add the service, or create the job without Exchange.")
                ]
            }
            return offered.filter { !facts.targetTenant.services.contains($0) }.map { kind in
                finding(
                    .mailboxProbeFailed, .serviceNotConfigured, object: "target \(kind.rawValue)",
                    "The source has \(kind.rawValue) and the target has no such service. "
                        + "Add \(kind.rawValue) to the target tenant in the configuration.")
            }
        })

    /// T-4: both endpoints answer and let us in.
    private static let reachable = Rule.perService(
        id: "T-4", "endpoints answer", codes: [.mailboxProbeFailed], workload: .mailbox
    ) { _, kind, service in
        [("source", service.source), ("target", service.target)].compactMap { side, facts in
            guard case .unreachable(let remark) = facts else { return nil }
            return finding(
                .mailboxProbeFailed, .endpointUnusable, object: "\(side) \(kind.rawValue)",
                "The \(kind.rawValue) service of the \(side) cannot be used.\(remark.asRemark) "
                    + "Run ferry check and mend what it reports.")
        }
    }

    /// T-21 for mailboxes.
    private static let apart = Rule.perService(
        id: "T-21m", "two accounts", codes: [.mailboxProbeFailed], workload: .mailbox
    ) { _, kind, service in
        guard service.isSameStore else { return [] }
        return [
            finding(
                .mailboxProbeFailed, .sameStore, object: kind.rawValue,
                "Source and target \(kind.rawValue) of the user are the same account. Correct the configuration.")
        ]
    }

    /// U-7 for mailboxes.
    private static let targetKnown = Rule(
        id: "U-7m", codes: [.mailboxProbeFailed], workloads: [.mailbox],
        evaluate: { facts, _ in
            guard facts.target == nil else { return [] }
            return [
                finding(
                    .mailboxProbeFailed, .targetMissing, object: facts.person.description,
                    "The target's directory does not have this user. Add the user, or correct the id in a new job.")
            ]
        })

    /// U-19 for mailboxes. Somebody without calendars or contacts simply has none to move.
    private static let sourceReady = Rule.perService(
        id: "U-19m", "source account", codes: [.mailboxProbeFailed], workload: .mailbox, sight: .sourceSide
    ) { _, kind, service in
        guard let source = service.source.sight else { return [] }
        if !source.exists {
            guard kind == .mail else { return [] }
            return [
                finding(
                    .mailboxProbeFailed, .sourceMissing, object: "source mail",
                    "The user has no mail account at the source.\(source.remark.asRemark) "
                        + "Correct the login in the source's list of people, or leave the user out.")
            ]
        }
        guard !source.isReadable else { return [] }
        return [
            finding(
                .mailboxProbeFailed, .sourceNotReadable, object: "source \(kind.rawValue)",
                "The source \(kind.rawValue) of the user cannot be read.\(source.remark.asRemark) "
                    + "Give the account that Ferry uses the right to read it.")
        ]
    }

    /// U-8a: the source mailbox is the one that the mapping was made for.
    private static let sameMailbox = Rule(
        id: "U-8a", codes: [.mailboxProbeFailed], workloads: [.mailbox],
        applies: { facts, _ in facts.source != nil && facts.mailbox != nil },
        evaluate: { facts, _ in
            guard let mailbox = facts.mailbox, mailbox.found != mailbox.recorded else { return [] }
            return [
                finding(
                    .mailboxProbeFailed, .mailboxIdMismatch, object: facts.source?.userPrincipalName,
                    mailbox.difference(of: facts.source?.userPrincipalName ?? "the user"))
            ]
        })

    /// U-8: there is a place at the target, it may be written to, and nothing of somebody else is in it.
    private static let targetReady = Rule.perService(
        id: "U-8", "target account", codes: [.mailboxProbeFailed], workload: .mailbox, sight: .targetSide
    ) { _, kind, service in
        guard !service.isSameStore, let target = service.target.sight else { return [] }
        let object = "target \(kind.rawValue)"
        if !target.isWritable {
            let reason: FindingReason = target.exists ? .targetNotWritable : .targetMissing
            return [
                finding(
                    .mailboxProbeFailed, reason, object: object,
                    "The target \(kind.rawValue) of the user \(target.exists ? "cannot be written to" : "does not exist")."
                        + "\(target.remark.asRemark) Create the account and give Ferry's account the right to write.")
            ]
        }
        guard target.exists, !target.isEmpty, !service.isContinued else { return [] }
        return [
            finding(
                .mailboxProbeFailed, .targetNotEmpty, object: object,
                "The target \(kind.rawValue) of the user is not empty, and Ferry did not put there what it holds. "
                    + "Empty it, or map the source user to somebody else.")
        ]
    }

    /// U-9.
    private static let addressesOwned = Rule(
        id: "U-9", "foreign addresses", codes: [.mailboxProbeFailed], workloads: [.mailbox], needs: [.target],
        applies: { facts, _ in facts.target != nil && !facts.targetTenant.domains.isEmpty },
        evaluate: { facts, _ in
            let foreign = (facts.target?.addresses ?? []).compactMap(\.mailDomain).filter {
                !facts.targetTenant.owns($0)
            }
            return Set(foreign).sorted().map { domain in
                finding(
                    .mailboxProbeFailed, .foreignAddress, object: domain,
                    "The target user has an address in \(domain), which the target does not own. "
                        + "Remove the address, or add the domain to the tenant.")
            }
        })

    /// U-9a: the source will know where to forward to.
    private static let deliverable = Rule(
        id: "U-9a", "delivery address", codes: [.mailboxProbeFailed], workloads: [.mailbox], needs: [.target],
        applies: { facts, _ in facts.target != nil && facts.exchange != nil },
        evaluate: { facts, _ in
            let domain = (facts.exchange?.targetDeliveryDomain ?? "").lowercased()
            let problem: String? =
                if !facts.targetTenant.domains.isEmpty, !facts.targetTenant.owns(domain) {
                    "The target does not own targetDeliveryDomain '\(domain.prefix(80))'. Name a domain that it owns in a "
                        + "new job, or add the domain to the tenant."
                } else if facts.target?.addresses.contains(where: { $0.mailDomain == domain }) == false {
                    "The target user has no address in targetDeliveryDomain '\(domain.prefix(80))', so the source could "
                        + "not forward mail. Give the user such an address."
                } else {
                    nil
                }
            return problem.map {
                [finding(.mailboxProbeFailed, .noDeliveryAddress, object: String(domain.prefix(80)), $0)]
            } ?? []
        })

    /// U-12.
    private static let roomy = Rule.perService(
        id: "U-12", "room at the target", codes: [.mailboxProbeFailed], workload: .mailbox, sight: .room
    ) { facts, kind, _ in
        guard let missing = facts.missingRoom(kind, .mailbox) else { return [] }
        return [
            finding(
                .mailboxProbeFailed, .overQuota, object: "target \(kind.rawValue)",
                "The target \(kind.rawValue) has \(missing) bytes too little room for what the source holds. "
                    + "Raise the quota or clean up the source.")
        ]
    }
}

extension PersonFacts {
    /// Bytes of a service that are still to come to the target: what the source says it holds, unless part of that has
    /// been copied already; else what a dry run has counted.
    func bytesToCome(_ kind: ServiceKind, _ workload: Workload) -> Int64? {
        if let service = services[kind], !service.isContinued, let bytes = service.source.sight?.bytes { return bytes }
        return forecasts[workload]?.shares.first { $0.service == kind }?.due.bytes
    }

    /// Bytes that are to come beyond the target's free room; `nil` when they fit, and when that is not known.
    func missingRoom(_ kind: ServiceKind, _ workload: Workload) -> Int64? {
        guard let bytes = bytesToCome(kind, workload), let room = services[kind]?.target.sight?.roomBytes, bytes > room
        else { return nil }
        return bytes - room
    }
}

extension Need {
    /// Both sides were seen, and say how much there is and how much room. Only of mail and files anybody keeps an eye on
    /// that.
    static let room = Need { facts, workload in
        let unseen = Need.bothSides.missing(facts, workload)
        guard unseen.isEmpty else { return unseen }
        return workload.services.filter { $0 == .mail || $0 == .files }.flatMap { kind -> [String] in
            guard let service = facts.services[kind], service.source.sight?.exists == true else { return [] }
            let isUncounted = facts.bytesToCome(kind, workload) == nil
            return
                (service.target.sight?.roomBytes == nil
                ? ["the target does not say how much room it has for \(kind.rawValue)"] : [])
                + (isUncounted
                    ? ["the source does not say how much \(kind.rawValue) is to come, and no dry run has counted it"]
                    : [])
        }
    }
}

extension Tenant {
    /// Whether the domain is the tenant's, without regard to case.
    func owns(_ domain: String) -> Bool { domains.contains { $0.lowercased() == domain.lowercased() } }
}

extension String {
    /// What follows the last `@`, lower case; `nil` for a text without one.
    var mailDomain: String? {
        lastIndex(of: "@").map { self[index(after: $0)...].lowercased() }
    }
}
