import FerryCore
import Testing

/// Each rule by its id: what it reports, and that it is silent about a person who is ready.
struct ValidationRuleTests {
    private static let seen = SideFacts.seen(
        AccountSight(exists: true, isReadable: true, isWritable: true, isEmpty: false))
    private static let empty = SideFacts.seen(
        AccountSight(exists: true, isReadable: true, isWritable: true, isEmpty: true))
    private static let workloads: [Workload] = [.mailbox, .chats, .meetings, .files]

    /// A person who may move with everything.
    private func ready() -> PersonFacts {
        let kinds = Set(ServiceKind.allCases)
        let source = Person(
            id: Make.person(101), userPrincipalName: "ada@contoso.example", displayName: "Ada",
            mail: "ada@contoso.example")
        return PersonFacts(
            person: Make.person(1),
            sourceTenant: Tenant(id: Make.source, name: "Contoso", domains: ["contoso.example"], services: kinds),
            targetTenant: Tenant(id: Make.target, name: "Fabrikam", domains: ["fabrikam.example"], services: kinds),
            trust: Trust(source: Make.source, target: Make.target, endpoint: "EXOHandler", scope: [Make.person(101)]),
            mappedSources: [Make.person(101)], source: source,
            target: Person(
                id: Make.person(1), userPrincipalName: "ada@fabrikam.example", displayName: "Ada",
                mail: "ada@fabrikam.example"),
            exchange: ExchangeSettings(sourceEndpoint: "EXOHandler", targetDeliveryDomain: "Fabrikam.example"),
            services: Dictionary(
                uniqueKeysWithValues: kinds.map { ($0, ServiceFacts(source: Self.seen, target: Self.empty)) }))
    }

    /// Codes and reasons found for each workload after a change, such as `Exchange: EXCH-08 targetNotEmpty`.
    private func found(_ change: (inout PersonFacts) -> Void) -> [Workload: [String]] {
        var facts = ready()
        change(&facts)
        var found = [Workload: [String]]()
        for workload in Self.workloads {
            let findings = ValidationRules.findings(facts, for: workload)
            for finding in findings { #expect(finding.message.count > 30 && finding.message.hasSuffix(".")) }
            let texts = findings.map { $0.code.rawValue + ($0.reason.map { " \($0)" } ?? "") }
            if !texts.isEmpty { found[workload] = texts }
        }
        return found
    }

    private func expect(
        _ expected: [Workload: [String]], sourceLocation: SourceLocation = #_sourceLocation,
        after change: (inout PersonFacts) -> Void
    ) {
        #expect(found(change) == expected, sourceLocation: sourceLocation)
    }

    private func expect(
        _ expected: [String], for workload: Workload, sourceLocation: SourceLocation = #_sourceLocation,
        after change: (inout PersonFacts) -> Void
    ) {
        #expect(found(change)[workload] == expected, sourceLocation: sourceLocation)
    }

    /// The same findings for every workload.
    private static func everywhere(_ texts: [String]) -> [Workload: [String]] {
        Dictionary(uniqueKeysWithValues: workloads.map { ($0, texts) })
    }

    private func side(exists: Bool = true, reads: Bool = true, writes: Bool = true, empty: Bool = true) -> SideFacts {
        .seen(AccountSight(exists: exists, isReadable: reads, isWritable: writes, isEmpty: empty))
    }

    @Test func `a person who is ready has no findings`() {
        expect([:]) { _ in }
        #expect(ValidationRules.firstFinding(ready(), Self.workloads) == nil)
    }

    @Test func `U-2 another active job is named`() {
        let all = found { $0.otherJobs = ["wave-0"] }
        #expect(all == Dictionary(uniqueKeysWithValues: Self.workloads.map { ($0, ["CTM-002 inOtherJob"]) }))
        var facts = ready()
        facts.otherJobs = ["wave-0"]
        #expect(ValidationRules.findings(facts, for: .files)[0].message.contains("wave-0"))
    }

    @Test func `U-3 an unmapped user is reported in general and in the words of each service`() {
        let all = found { ($0.mappedSources, $0.source, $0.services) = ([], nil, [:]) }
        #expect(
            all == [
                .mailbox: ["CTM-100"], .chats: ["CTM-100", "CTTM-003"], .meetings: ["CTM-100", "IM-003"],
                .files: ["CTM-100", "MnAIdentityMapEntryDoesNotExistsForSourceUPN"],
            ])
    }

    @Test func `U-4 a mapping that leads nowhere is not complete`() {
        let all = found { ($0.source, $0.services) = (nil, [:]) }
        #expect(all == Dictionary(uniqueKeysWithValues: Self.workloads.map { ($0, ["CTM-101 sourceUnknown"]) }))
    }

    @Test func `U-5 U-5c several source users for one target user`() {
        let all = found { facts in
            facts.mappedSources.append(Make.person(102))
            (facts.source, facts.services) = (nil, [:])
        }
        #expect(
            all == [
                .mailbox: ["CTM-101 mappedTwice"], .meetings: ["CTM-101 mappedTwice"], .chats: ["CTTM-009 mappedTwice"],
                .files: ["MnAIdentityMapEntryTooManyForSourceUPN mappedTwice"],
            ])
    }

    @Test func `U-4 a mapping that nobody agreed to names its state`() {
        expect(Self.everywhere(["CTM-101 mapNotCompleted"])) { $0.mapState = .mapped }
        var facts = ready()
        facts.mapState = .mapped
        #expect(
            ValidationRules.firstFinding(facts, [.files])?.finding.message.contains("is mapped, not completed") == true)
    }

    @Test func `U-5b U-5c the source user is mapped to somebody else`() {
        let all = found { facts in
            (facts.mappedSources, facts.source, facts.services) = ([], nil, [:])
            facts.mappedElsewhere = .init(source: "ada@contoso.example", target: "eve@fabrikam.example")
        }
        #expect(
            all == [
                .mailbox: ["CTM-100"], .chats: ["CTM-100", "CTTM-003", "CTTM-009 mappedElsewhere"],
                .meetings: ["CTM-100", "IM-003"],
                .files: [
                    "CTM-100", "MnAIdentityMapEntryDoesNotExistsForSourceUPN",
                    "MnAIdentityMapEntryDoesNotMatchRequest mappedElsewhere",
                ],
            ])
    }

    @Test func `U-8a the source mailbox is the one that was recorded`() {
        expect([:]) { $0.mailbox = MailboxIdentityFacts(recorded: "a", found: "a") }
        expect([.mailbox: ["EXCH-08 mailboxIdMismatch"]]) {
            $0.mailbox = MailboxIdentityFacts(recorded: "a", found: "b")
        }
        expect([.mailbox: ["EXCH-08 mailboxIdMismatch"]]) {
            $0.mailbox = MailboxIdentityFacts(recorded: "a", found: nil)
        }
    }

    @Test func `U-6 a user outside the scope may not leave`() {
        expect(Self.everywhere(["MIGR-002 notInScope"])) { $0.trust?.scope = [] }
        expect([:]) { $0.trust?.scope = nil }
    }

    @Test func `U-7 U-7m U-7f a target user that the directory does not have`() {
        let all = found { ($0.target, $0.services) = (nil, [:]) }
        #expect(
            all == [
                .mailbox: ["EXCH-08 targetMissing"], .chats: ["CTTM-015 targetMissing"],
                .meetings: ["CTTM-015 targetMissing"], .files: ["MnATargetUserDoesNotExist targetMissing"],
            ])
    }

    @Test func `T-1 an unknown source tenant hides what cannot be known`() {
        let all = found { facts in
            (facts.sourceTenant, facts.trust, facts.source) = (nil, nil, nil)
            (facts.mappedSources, facts.services) = ([], [:])
        }
        #expect(all == Dictionary(uniqueKeysWithValues: Self.workloads.map { ($0, ["CTTM-014"]) }))
    }

    @Test func `T-2 T-19 no trust`() {
        let all = found { ($0.trust, $0.mappedSources, $0.source, $0.services) = (nil, [], nil, [:]) }
        #expect(
            all == [
                .mailbox: ["MIGR-001"], .chats: ["MIGR-001"], .meetings: ["MIGR-001"],
                .files: ["MIGR-001", "MnATrustNoSetupForPartner"],
            ])
    }

    @Test func `T-3 the endpoint's name must be the one of the trust`() {
        expect([.mailbox: ["EXCH-07"]]) { $0.exchange?.sourceEndpoint = "other" }
        expect([:]) { $0.exchange?.sourceEndpoint = "exohandler" }
    }

    @Test func `T-4 an endpoint that does not answer`() {
        expect([
            .mailbox: ["EXCH-08 endpointUnusable"]
        ]) { $0.services[.contacts]?.target = .unreachable("Connection refused") }
        var facts = ready()
        facts.services[.mail]?.source = .unreachable("Login refused.")
        let finding = ValidationRules.findings(facts, for: .mailbox).first
        #expect(finding?.object == "source mail" && finding?.message.contains("Login refused. Run") == true)
    }

    @Test func `T-4a a service that only the source has has nowhere to go`() {
        expect([.mailbox: ["EXCH-08 serviceNotConfigured"]]) { $0.targetTenant.services.remove(.contacts) }
        expect([:]) { $0.sourceTenant?.services.remove(.contacts) }
        expect([:]) { $0.sourceTenant?.services = [.chats, .files, .calendar] }
        expect(["EXCH-08 serviceNotConfigured"], for: .mailbox) { $0.sourceTenant?.services = [.chats, .files] }
    }

    @Test func `T-6 T-14 T-19a services that are not configured`() {
        expect([.chats: ["CTTM-002 serviceNotConfigured"]]) { $0.sourceTenant?.services.remove(.chats) }
        expect([.meetings: ["MMS-001 serviceNotConfigured"]]) { $0.sourceTenant?.services.remove(.calendar) }
        expect(["MMS-002 serviceNotConfigured"], for: .meetings) { $0.targetTenant.services.remove(.calendar) }
        expect([.files: ["FeatureIsNotEnabled serviceNotConfigured"]]) { $0.targetTenant.services.remove(.files) }
    }

    @Test func `T-13 T-14a T-21a U-19a services that do not answer`() {
        let down = SideFacts.unreachable("Timed out")
        expect([.chats: ["CTTM-016 endpointUnusable"]]) { $0.services[.chats]?.source = down }
        expect([
            .mailbox: ["EXCH-08 endpointUnusable"], .meetings: ["MMS-001 endpointUnusable"],
        ]) { $0.services[.calendar]?.source = down }
        expect(["MMS-002 endpointUnusable"], for: .meetings) { $0.services[.calendar]?.target = down }
        expect([
            .files: ["MnAOdbFailedToGetUrlForSourceUPN endpointUnusable"]
        ]) { $0.services[.files]?.source = down }
        expect([
            .files: ["MnATargetSideEnvironmentHasConditionsThatBlockTheMove endpointUnusable"]
        ]) { $0.services[.files]?.target = down }
    }

    @Test func `T-8 chats that cannot be read or written`() {
        expect([.chats: ["CTTM-010 sourceNotReadable"]]) { $0.services[.chats]?.source = side(reads: false) }
        expect([.chats: ["CTTM-010 targetNotWritable"]]) { $0.services[.chats]?.target = side(writes: false) }
    }

    @Test func `T-15 T-17 calendars that cannot be written or read`() {
        expect(["MMS-003 targetNotWritable"], for: .meetings) { $0.services[.calendar]?.target = side(writes: false) }
        expect(["MMS-008 sourceNotReadable"], for: .meetings) { $0.services[.calendar]?.source = side(reads: false) }
        expect([:]) { $0.services[.calendar]?.source = side(exists: false, reads: false) }
    }

    @Test func `T-21 T-21m T-21c source and target are the same`() {
        expect([.files: ["MnAPartnersOnTheSameFarm sameStore"]]) { $0.services[.files]?.isSameStore = true }
        expect([.mailbox: ["EXCH-08 sameStore"]]) { $0.services[.mail]?.isSameStore = true }
        expect([.chats: ["CTTM-016 sameStore"]]) { $0.services[.chats]?.isSameStore = true }
    }

    @Test func `U-8 the target mailbox is writable, and empty unless an earlier attempt filled it`() {
        let full = side(empty: false)
        expect([.mailbox: ["EXCH-08 targetNotEmpty"]]) { $0.services[.mail]?.target = full }
        expect([:]) { $0.services[.mail] = ServiceFacts(source: Self.seen, target: full, isContinued: true) }
        expect([.mailbox: ["EXCH-08 targetNotWritable"]]) { $0.services[.mail]?.target = side(writes: false) }
        expect([
            .mailbox: ["EXCH-08 targetMissing"]
        ]) { $0.services[.mail]?.target = side(exists: false, writes: false) }
        expect([:]) { $0.services[.mail]?.target = side(exists: false) }
    }

    @Test func `U-9 no address of a foreign domain at the target`() {
        let all = found { $0.target?.aliases = ["ada@contoso.example", "a@FABRIKAM.example"] }
        #expect(all == [.mailbox: ["EXCH-08 foreignAddress"]])
    }

    @Test func `U-9a the source can forward to an address in the delivery domain`() {
        expect([.mailbox: ["EXCH-08 noDeliveryAddress"]]) { $0.exchange?.targetDeliveryDomain = "contoso.example" }
        expect([.mailbox: ["EXCH-08 noDeliveryAddress"]]) { facts in
            facts.targetTenant.domains.append("mail.fabrikam.example")
            facts.exchange?.targetDeliveryDomain = "mail.fabrikam.example"
        }
    }

    @Test func `U-12 U-23 the target has room for what the source holds`() {
        let large = SideFacts.seen(
            AccountSight(exists: true, isReadable: true, isWritable: true, isEmpty: false, bytes: 100))
        let small = SideFacts.seen(
            AccountSight(exists: true, isReadable: true, isWritable: true, isEmpty: true, roomBytes: 99))
        expect([
            .mailbox: ["EXCH-08 overQuota"]
        ]) { $0.services[.mail] = ServiceFacts(source: large, target: small) }
        expect([
            .files: ["MnAMoveJobCreationFailed overQuota"]
        ]) { $0.services[.files] = ServiceFacts(source: large, target: small) }
        expect([:]) { $0.services[.mail] = ServiceFacts(source: large, target: Self.empty) }
        expect([
            .files: ["MnAMoveJobCreationFailed sourceNotReadable"]
        ]) { $0.services[.files]?.source = side(reads: false) }
    }

    @Test func `U-16 U-19 U-19m the source account is there`() {
        let gone = side(exists: false, reads: false)
        expect([.chats: ["CTTM-018 sourceMissing"]]) { $0.services[.chats]?.source = gone }
        expect([
            .chats: ["CTTM-018 targetMissing"]
        ]) { $0.services[.chats]?.target = side(exists: false, writes: false) }
        expect([.files: ["MnAOdbForSourceUPNDoesNotExist sourceMissing"]]) { $0.services[.files]?.source = gone }
        expect([.mailbox: ["EXCH-08 sourceMissing"]]) { $0.services[.mail]?.source = gone }
        expect([:]) { $0.services[.contacts]?.source = gone }
        expect([.mailbox: ["EXCH-08 sourceNotReadable"]]) { $0.services[.mail]?.source = side(reads: false) }
    }

    @Test func `U-20 the target has no files of somebody else`() {
        let full = side(empty: false)
        expect([
            .files: ["MnASiteMoveTargetUrlHasWriteConflict targetNotEmpty"]
        ]) { $0.services[.files]?.target = full }
        expect([:]) { $0.services[.files] = ServiceFacts(source: Self.seen, target: full, isContinued: true) }
        expect([
            .files: ["MnATargetUserIsNotSpoEnabled targetNotWritable"]
        ]) { $0.services[.files]?.target = side(writes: false) }
    }

    @Test func `U-25 what could not be looked at is no verdict`() {
        expect(Self.everywhere(["CTM-102 busy"])) { $0.gap = .busy("the mail server is overloaded.") }
        expect(Self.everywhere(["CTM-103 fault"])) { $0.gap = .fault("an answer could not be read.") }
    }

    // MARK: order

    @Test func `everything is reported, general things first, then the services' own`() {
        let all = found { facts in
            facts.otherJobs = ["wave-0"]
            facts.trust?.scope = []
            facts.exchange?.sourceEndpoint = "other"
            facts.services[.mail]?.target = side(empty: false)
            facts.services[.contacts]?.target = side(empty: false)
        }
        #expect(
            all[.mailbox] == [
                "CTM-002 inOtherJob", "MIGR-002 notInScope", "EXCH-07", "EXCH-08 targetNotEmpty",
                "EXCH-08 targetNotEmpty",
            ])
    }

    @Test func `the first finding follows the order of evaluation, not of the selection`() {
        var facts = ready()
        facts.services[.files]?.target = side(empty: false)
        facts.services[.chats]?.isSameStore = true
        #expect(ValidationRules.firstFinding(facts, [.files, .chats])?.workload == .chats)
        #expect(ValidationRules.firstFinding(facts, [.files])?.finding.code == .fileTargetNotEmpty)
        facts.trust?.scope = []
        let first = ValidationRules.firstFinding(facts, [.files, .chats])
        #expect(first?.finding.code == .notInScope && first?.workload == .chats)
        #expect(ValidationRules.firstFinding(facts, []) == nil)
    }

    @Test func `rules have ids of their own, and report only the codes they name`() {
        #expect(Set(ValidationRules.all.map(\.id)).count == ValidationRules.all.count)
        var worst = ready()
        for kind in ServiceKind.allCases {
            worst.services[kind] = ServiceFacts(
                source: side(reads: false), target: side(writes: false, empty: false), isSameStore: true)
        }
        worst.gap = .busy("everything.")
        worst.otherJobs = ["x"]
        worst.target = nil
        for rule in ValidationRules.all {
            for workload in rule.workloads where rule.applies(worst, workload) {
                for finding in rule.evaluate(worst, workload) {
                    #expect(rule.codes.contains(finding.code), "\(rule.id)")
                }
            }
        }
    }
}
