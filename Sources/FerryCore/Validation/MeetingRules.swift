extension Need {
    /// Whether the source can forward mail shows in the probe of the mailbox, which a job without Exchange does not make.
    fileprivate static let mailRedirect = Need { facts, _ in
        guard facts.policy.requiresRedirect, facts.services[.mail]?.source.sight?.canRedirect == nil else { return [] }
        return ["the source does not say whether it can forward mail"]
    }
}

/// Checks of meetings. Whether there is a target mailbox (U-18) shows only after its cutover.
enum MeetingRules {
    static let all: [Rule] = [configured, reachable, writable, redirected, readable, entitled]

    private static func missing(at side: String) -> FindingCode {
        side == "source" ? .meetingServiceMissingAtSource : .meetingServiceMissingAtTarget
    }

    /// T-14.
    private static let configured = Rule(
        id: "T-14", "services", codes: [.meetingServiceMissingAtSource, .meetingServiceMissingAtTarget],
        workloads: [.meetings], needs: [.sourceTenant],
        applies: { facts, _ in facts.sourceTenant != nil },
        evaluate: { facts, _ in
            ChatRules.sidesWithout(.calendar, facts).map { side in
                finding(
                    missing(at: side), .serviceNotConfigured, object: "\(side) calendar",
                    "The \(side) tenant has no calendars configured, so there are no meetings to move or no place for "
                        + "them. Add the service, or create the job without Meeting.")
            }
        })

    /// T-14a.
    private static let reachable = Rule.perService(
        id: "T-14a", "endpoints answer", codes: [.meetingServiceMissingAtSource, .meetingServiceMissingAtTarget],
        workload: .meetings
    ) { _, _, service in
        [("source", service.source), ("target", service.target)].compactMap { side, facts in
            guard case .unreachable(let remark) = facts else { return nil }
            return finding(
                missing(at: side), .endpointUnusable, object: "\(side) calendar",
                "The calendar service of the \(side) cannot be used.\(remark.asRemark) "
                    + "Run ferry check and mend what it reports.")
        }
    }

    /// T-15.
    private static let writable = Rule.perService(
        id: "T-15", "target calendar", codes: [.calendarNotWritable], workload: .meetings, sight: .targetSide
    ) { _, _, service in
        guard let target = service.target.sight, !target.isWritable else { return [] }
        return [
            finding(
                .calendarNotWritable, target.exists ? .targetNotWritable : .targetMissing, object: "target calendar",
                "Meetings cannot be written into the target calendar of the user.\(target.remark.asRemark) "
                    + "Create the account and give Ferry's account the right to write.")
        ]
    }

    /// T-16: whoever answers an old invitation reaches the user's new address. Only where the operator insists on it.
    private static let redirected = Rule(
        id: "T-16", "redirection", codes: [.forwardingOffAtSource], workloads: [.meetings],
        needs: [.sourceTenant, .source, .mailRedirect],
        applies: { facts, _ in facts.policy.requiresRedirect },
        evaluate: { facts, _ in
            guard facts.services[.mail]?.source.sight?.canRedirect == false else { return [] }
            return [
                finding(
                    .forwardingOffAtSource, .noRedirect, object: "source mail",
                    "The source cannot forward the user's mail, and settings.requiresRedirect is set. Give the mail service a "
                        + "way to do it (sieve, in the configuration), or leave Meeting out.")
            ]
        })

    /// U-14.
    private static let entitled = Rule(
        id: "U-14", "entitlement", codes: [.mailPlanMissing], workloads: [.meetings],
        needs: [.sourceTenant, .source, .target],
        evaluate: { facts, _ in
            facts.sidesWithout(entitlementTo: .mail).map { side, tenant in
                finding(
                    .mailPlanMissing, .notLicensed, object: "\(side) mail",
                    "The user is not entitled to mail in \(tenant). Add mail to the user's services in the list of people of "
                        + "the \(side).")
            }
        })

    /// T-17: somebody without a calendar has no meetings, which is no failure.
    private static let readable = Rule.perService(
        id: "T-17", "source calendar", codes: [.meetingRightsMissingAtSource], workload: .meetings, sight: .sourceSide
    ) { _, _, service in
        guard let source = service.source.sight, source.exists, !source.isReadable else { return [] }
        return [
            finding(
                .meetingRightsMissingAtSource, .sourceNotReadable, object: "source calendar",
                "The source calendar of the user cannot be read.\(source.remark.asRemark) "
                    + "Give the account that Ferry uses the right to read it.")
        ]
    }
}
