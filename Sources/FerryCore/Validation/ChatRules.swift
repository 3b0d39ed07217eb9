/// Checks of chats.
enum ChatRules {
    static let all: [Rule] = [configured, reachable, apart, permitted, mappedOnce, targetKnown, entitled, addressed]

    /// T-6.
    private static let configured = Rule(
        id: "T-6", "services", codes: [.chatServiceMissing], workloads: [.chats], needs: [.sourceTenant],
        applies: { facts, _ in facts.sourceTenant != nil },
        evaluate: { facts, _ in
            sidesWithout(.chats, facts).map { side in
                finding(
                    .chatServiceMissing, .serviceNotConfigured, object: "\(side) chats",
                    "The \(side) tenant has no chats configured. Add the service, or create the job without Teams.")
            }
        })

    /// T-13.
    private static let reachable = Rule.perService(
        id: "T-13", "endpoints answer", codes: [.chatTenantCheckFailed], workload: .chats
    ) { _, _, service in
        [("source", service.source), ("target", service.target)].compactMap { side, facts in
            guard case .unreachable(let remark) = facts else { return nil }
            return finding(
                .chatTenantCheckFailed, .endpointUnusable, object: "\(side) chats",
                "The chat service of the \(side) cannot be used.\(remark.asRemark) Run ferry check and mend what it reports."
            )
        }
    }

    /// T-21 for chats.
    private static let apart = Rule.perService(
        id: "T-21c", "two accounts", codes: [.chatTenantCheckFailed], workload: .chats
    ) { _, _, service in
        guard service.isSameStore else { return [] }
        return [
            finding(
                .chatTenantCheckFailed, .sameStore, object: "chats",
                "Source and target chats of the user are the same account. Correct the configuration.")
        ]
    }

    /// T-8: read at the source, write at the target.
    private static let permitted = Rule.perService(
        id: "T-8", "rights", codes: [.chatRightMissing], workload: .chats, sight: .bothSides
    ) { _, _, service in
        var findings = [Finding]()
        if let source = service.source.sight, source.exists, !source.isReadable {
            findings.append(
                finding(
                    .chatRightMissing, .sourceNotReadable, object: "source chats",
                    "The source chats of the user cannot be read.\(source.remark.asRemark) "
                        + "Give the account that Ferry uses the right to read them."))
        }
        if let target = service.target.sight, target.exists, !target.isWritable {
            findings.append(
                finding(
                    .chatRightMissing, .targetNotWritable, object: "target chats",
                    "Chats cannot be written at the target.\(target.remark.asRemark) "
                        + "Give the account that Ferry uses the right to import."))
        }
        return findings
    }

    /// U-5.
    private static let mappedOnce = Rule(
        id: "U-5c", codes: [.chatMappingDiffers], workloads: [.chats],
        applies: { facts, _ in facts.mappedSources.count > 1 || facts.mappedElsewhere != nil },
        evaluate: { facts, _ in
            if let elsewhere = facts.mappedElsewhere { return [PersonRules.differs(.chatMappingDiffers, elsewhere)] }
            return [
                finding(
                    .chatMappingDiffers, .mappedTwice,
                    "\(facts.mappedSources.count) source users are mapped to this user. Leave one of them in the map.")
            ]
        })

    /// U-7.
    private static let targetKnown = Rule(
        id: "U-7", codes: [.personUnknown], workloads: [.chats, .meetings],
        evaluate: { facts, _ in
            guard facts.target == nil else { return [] }
            return [
                finding(
                    .personUnknown, .targetMissing, object: facts.person.description,
                    "The target's directory does not have this user. Add the user, or correct the id in a new job.")
            ]
        })

    /// U-15: in both tenants. Meetings need it for their links.
    private static let entitled = Rule(
        id: "U-15", "entitlement", codes: [.chatLicenseMissing, .meetingChatLicenseMissing],
        workloads: [.chats, .meetings], needs: [.sourceTenant, .source, .target],
        evaluate: { facts, workload in
            facts.sidesWithout(entitlementTo: .chats).map { side, tenant in
                finding(
                    workload == .chats ? .chatLicenseMissing : .meetingChatLicenseMissing, .notLicensed,
                    object: "\(side) chats",
                    "The user is not entitled to chats in \(tenant). Add chats to the user's services in the list of people "
                        + "of the \(side).")
            }
        })

    /// U-16: an account to read from, and one that is there or can be made.
    private static let addressed = Rule.perService(
        id: "U-16", "accounts", codes: [.chatAddressMissing], workload: .chats, sight: .bothSides
    ) { _, _, service in
        var findings = [Finding]()
        if let source = service.source.sight, !source.exists {
            findings.append(
                finding(
                    .chatAddressMissing, .sourceMissing, object: "source chats",
                    "The user has no chat account at the source.\(source.remark.asRemark) "
                        + "Correct the login in the source's list of people, or leave Teams out."))
        }
        if let target = service.target.sight, !target.exists, !target.isWritable {
            findings.append(
                finding(
                    .chatAddressMissing, .targetMissing, object: "target chats",
                    "The user has no chat account at the target.\(target.remark.asRemark) Create it."))
        }
        return findings
    }

    /// Which of the two tenants lack the service, source first. The source must be known.
    static func sidesWithout(_ kind: ServiceKind, _ facts: PersonFacts) -> [String] {
        (facts.sourceTenant?.services.contains(kind) == true ? [] : ["source"])
            + (facts.targetTenant.services.contains(kind) ? [] : ["target"])
    }
}
