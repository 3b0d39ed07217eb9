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

    @Test(arguments: [Trust.Consent.missing, .disabled])
    func `T-2 a side that does not agree is named, with the remedy`(consent: Trust.Consent) throws {
        let reason = consent == .missing ? "consentMissing" : "consentDisabled"
        var expected = Self.everywhere(["MIGR-001 \(reason)"])
        expected[.files]?.append("MnATrustNoSetupForPartner")
        for side in [Trust.Objection.Side.source, .target] {
            var facts = ready()
            func change(_ facts: inout PersonFacts) {
                if side == .source { facts.trust?.outbound = consent } else { facts.trust?.inbound = consent }
            }
            expect(expected, after: change)
            change(&facts)
            let finding = try #require(ValidationRules.firstFinding(facts, [.mailbox])?.finding)
            #expect(finding.object == side.rawValue)
            #expect(finding.message.hasPrefix("The \(side.rawValue) tenant "))
            let half = side == .source ? "outbound" : "inbound"
            #expect(finding.message.contains(consent == .missing ? "\(half): { enabled: true }" : "\(half).enabled"))
        }
        let both = found { facts in
            facts.trust?.inbound = consent
            facts.trust?.outbound = consent
        }
        #expect(both[.mailbox] == ["MIGR-001 \(reason)", "MIGR-001 \(reason)"])
    }

    @Test func `T-2 a trust for the other direction is none, and is told`() {
        let all = found { facts in
            (facts.trust, facts.mappedSources, facts.source, facts.services) = (nil, [], nil, [:])
            facts.hasOppositeTrust = true
        }
        #expect(all[.mailbox] == ["MIGR-001 trustReversed"])
    }

    @Test func `U-6 MIGR-004 a scope that cannot be read lets nobody leave`() {
        expect(Self.everywhere(["MIGR-004 scopeUnknown"])) { facts in
            facts.trust?.scope = []
            facts.trust?.scopeProblem = "There is no group 'cn=leaving'."
        }
    }

    @Test func `rule 5: what is taken back during a move is one finding; what cannot be read is none`() {
        func withdrawal(_ change: (inout PersonFacts) -> Void) -> String? {
            var facts = ready()
            change(&facts)
            return ValidationRules.withdrawal(facts, for: .mailbox)?.code.rawValue
        }
        #expect(withdrawal { _ in } == nil)
        #expect(withdrawal { $0.trust = nil } == "MIGR-001")
        #expect(withdrawal { $0.trust?.inbound = .disabled } == "MIGR-001")
        #expect(withdrawal { $0.trust?.outbound = .missing } == "MIGR-001")
        #expect(withdrawal { $0.trust?.scope = [] } == "MIGR-002")
        #expect(withdrawal { $0.trust?.endpoint = "other" } == "EXCH-07")
        let unknown = withdrawal { facts in
            facts.trust?.scope = []
            facts.trust?.scopeProblem = "Gone."
        }
        #expect(unknown == nil)
        // The data are no business of this check.
        #expect(withdrawal { $0.services = [:] } == nil)
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

    @Test func `U-7n MnATargetUpnIsInvalid: the target's sign-in name is a name at a domain`() {
        for name in ["ada", "ada@", "a da@fabrikam.example", "ada@b@c"] {
            expect([.files: ["MnATargetUpnIsInvalid nameUnusable"]]) { $0.target?.userPrincipalName = name }
        }
    }

    @Test func `U-10 U-24 EXCH-08 MnASiteMoveIsInprogressOrFinished: somebody else's move has left its mark`() {
        var marked = AccountSight(exists: true, isReadable: true, isWritable: true, isEmpty: false)
        marked.isMarked = true
        let source = SideFacts.seen(marked)
        expect([.mailbox: ["EXCH-08 leftoverMarker"]]) { $0.services[.mail]?.source = source }
        expect([
            .files: ["MnASiteMoveIsInprogressOrFinished leftoverMarker"]
        ]) { $0.services[.files]?.source = source }
        expect([:]) {
            $0.services[.files] = ServiceFacts(source: source, target: Self.empty, isContinued: true)
            $0.services[.mail] = ServiceFacts(source: source, target: Self.empty, isContinued: true)
        }
    }

    @Test func `U-11 U-23 EXCH-08 MnAMoveJobCreationFailed: nobody leaves under a legal hold`() {
        expect([
            .mailbox: ["EXCH-08 onHold"], .files: ["MnAMoveJobCreationFailed onHold"],
        ]) { $0.source?.isOnHold = true }
        expect([:]) { $0.target?.isOnHold = true }
    }

    @Test func `U-13 U-13f EXCH-08 MnAOdbUsersAreNotLicensed: entitled on one side at least`() {
        expect([:]) { $0.source?.entitlements = [.chats, .mail] }
        expect(["EXCH-08 notLicensed"], for: .mailbox) { facts in
            facts.source?.entitlements = [.chats]
            facts.target?.entitlements = [.chats, .files]
        }
        expect(["MnAOdbUsersAreNotLicensed notLicensed"], for: .files) { facts in
            facts.source?.entitlements = [.mail, .chats]
            facts.target?.entitlements = [.mail, .chats]
        }
    }

    @Test func `U-14 U-15 MMS-007 CTTM-005 TMS-003: meetings need mail and chats in both tenants, chats need chats`() {
        expect([.meetings: ["MMS-007 notLicensed"]]) { $0.target?.entitlements = [.chats, .files] }
        expect([
            .chats: ["CTTM-005 notLicensed"], .meetings: ["TMS-003 notLicensed"],
        ]) { $0.source?.entitlements = [.mail, .files] }
        var facts = ready()
        facts.source?.entitlements = [.mail]
        #expect(ValidationRules.findings(facts, for: .chats).first?.message.contains("Contoso") == true)
    }

    @Test func `T-16 MMS-005: a source that cannot forward mail, where the operator insists`() {
        let mute = SideFacts.seen(
            AccountSight(exists: true, isReadable: true, isWritable: true, isEmpty: false, canRedirect: false))
        expect([:]) { $0.services[.mail]?.source = mute }
        expect([.meetings: ["MMS-005 noRedirect"]]) { facts in
            facts.policy.requiresRedirect = true
            facts.services[.mail]?.source = mute
        }
        var unknown = ready()
        unknown.policy.requiresRedirect = true
        let told = ValidationRules.notEvaluated(unknown, for: .meetings)
        #expect(told.map(\.checks) == [["T-16 (redirection)"]])
    }

    /// What a dry run of ten files would say of so many bad names.
    private func forecast(refusing count: Int64) -> Forecast {
        var forecast = Forecast()
        var share = Forecast.Share(.files)
        (share.listed.items, share.due.bytes) = (20 + count, 500)
        forecast.shares = [share]
        for number in 0..<count {
            forecast.skip(
                Forecast.Place(
                    service: .files, container: "Files", item: "bad \(number)", code: .targetNameRefused,
                    message: "Too long.",
                    bytes: 1))
        }
        return forecast
    }

    @Test func `U-21 MnATargetUrlNotValidForRename: more bad paths than anybody could approve`() {
        expect([:]) { $0.forecasts[.files] = forecast(refusing: 10) }
        expect([.files: ["MnATargetUrlNotValidForRename pathRefused"]]) {
            $0.forecasts[.files] = forecast(refusing: 11)
        }
        expect([:]) { facts in
            facts.forecasts[.files] = forecast(refusing: 11)
            facts.policy.holdsSkippedItems = false
        }
        var facts = ready()
        facts.forecasts[.files] = forecast(refusing: 11)
        let finding = ValidationRules.findings(facts, for: .files).first
        #expect(finding?.object == "bad 0" && finding?.message.contains("11 of the paths, such as 'bad 0'") == true)
    }

    @Test func `U-12 U-23 what a dry run has counted is held against the room`() {
        let small = SideFacts.seen(
            AccountSight(exists: true, isReadable: true, isWritable: true, isEmpty: true, roomBytes: 499))
        expect([.files: ["MnAMoveJobCreationFailed overQuota"]]) { facts in
            facts.services[.files] = ServiceFacts(source: Self.seen, target: small, isContinued: true)
            facts.forecasts[.files] = forecast(refusing: 0)
        }
    }

    // MARK: what could not be evaluated

    private func told(_ facts: PersonFacts, _ workload: Workload) -> [String: [String]] {
        Dictionary(
            ValidationRules.notEvaluated(facts, for: workload).map { told in
                (told.reason, told.checks.compactMap { $0.split(separator: " ").first.map(String.init) })
            }, uniquingKeysWith: +)
    }

    @Test func `what cannot be known is told with the reason, each check once`() {
        var facts = ready()
        facts.forecasts[.files] = forecast(refusing: 0)
        #expect(
            told(facts, .mailbox) == [
                "the target does not say how much room it has for mail": ["U-12"],
                "the source does not say how much mail is to come, and no dry run has counted it": ["U-12"],
            ])
        #expect(told(facts, .chats).isEmpty && told(facts, .meetings).isEmpty)
        #expect(told(facts, .files) == ["the target does not say how much room it has for files": ["U-23"]])

        facts.forecasts = [:]
        #expect(told(facts, .files)["no dry run has listed the files"] == ["U-21"])

        facts.services[.mail]?.target = .unreachable("Connection refused")
        #expect(told(facts, .mailbox) == ["the target mail of the user could not be seen": ["U-8", "U-12"]])
        // Whether it can be seen was evaluated: that is the finding.
        #expect(ValidationRules.findings(facts, for: .mailbox).map(\.reason) == ["endpointUnusable"])
    }

    @Test func `whoever is not mapped hides everything that is to be seen of the source`() {
        var facts = ready()
        (facts.mappedSources, facts.source, facts.services) = ([], nil, [:])
        let reasons = told(facts, .files)
        #expect(Set(reasons.keys) == ["no source user is known"])
        #expect(reasons["no source user is known"]?.contains("U-20") == true)
        #expect(ValidationRules.findings(facts, for: .files).map(\.code) == [.mappingMissing, .filesNotMapped])
        facts.sourceTenant = nil
        #expect(Set(told(facts, .files).keys) == ["the source tenant is not known"])
    }

    @Test func `every check that may not be evaluated says what it looks at`() {
        for rule in ValidationRules.all where !rule.needs.isEmpty { #expect(!rule.subject.isEmpty, "\(rule.id)") }
        let note = NotEvaluated(reason: "x", checks: ["U-1 (a)", "U-2 (b)"])
        #expect(note.text == "Not evaluated, because x: U-1 (a), U-2 (b).")
    }

    @Test func `every finding has a remedy, that of its inner cause where there is one`() {
        #expect(finding(.mailboxProbeFailed, .overQuota).remedy == FindingReason.overQuota.entry.remedy)
        #expect(finding(.moveFailed, nil).remedy == FindingCode.moveFailed.entry.remedy)
        #expect(
            Finding(code: .moveFailed, message: "x", reason: ErrorCode.targetFull.rawValue).remedy
                == ErrorCode.targetFull.entry.remedy)
    }

    private func finding(_ code: FindingCode, _ reason: FindingReason?) -> Finding {
        Finding(code: code, message: "x", reason: reason?.rawValue)
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
