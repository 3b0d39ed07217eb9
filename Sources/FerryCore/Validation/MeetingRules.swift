/// Checks of meetings. Whether there is a target mailbox (U-18) shows only after its cutover.
enum MeetingRules {
    static let all: [Rule] = [configured, reachable, writable, readable]

    private static func missing(at side: String) -> FindingCode {
        side == "source" ? .meetingServiceMissingAtSource : .meetingServiceMissingAtTarget
    }

    /// T-14.
    private static let configured = Rule(
        id: "T-14", codes: [.meetingServiceMissingAtSource, .meetingServiceMissingAtTarget], workloads: [.meetings],
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
        id: "T-14a", codes: [.meetingServiceMissingAtSource, .meetingServiceMissingAtTarget], workload: .meetings
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
        id: "T-15", codes: [.calendarNotWritable], workload: .meetings
    ) { _, _, service in
        guard let target = service.target.sight, !target.isWritable else { return [] }
        return [
            finding(
                .calendarNotWritable, target.exists ? .targetNotWritable : .targetMissing, object: "target calendar",
                "Meetings cannot be written into the target calendar of the user.\(target.remark.asRemark) "
                    + "Create the account and give Ferry's account the right to write.")
        ]
    }

    /// T-17: somebody without a calendar has no meetings, which is no failure.
    private static let readable = Rule.perService(
        id: "T-17", codes: [.meetingRightsMissingAtSource], workload: .meetings
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
