import FerryCore
import Testing

/// Rows T1 to T1e and checks R2 to R8.
struct JobCreationTests {
    private func make(
        _ draft: JobDraft, settings: JobSettings = JobSettings(), validationOnly: Bool = false
    ) throws(Refusal) -> Job {
        try Job.make(
            draft, id: JobID(GUID(high: 3, low: 3)), by: Make.principal, now: Make.now, settings: settings,
            validationOnly: validationOnly)
    }

    /// Code and member of every problem of a draft.
    private func problems(_ change: (inout JobDraft) -> Void, settings: JobSettings = JobSettings()) -> [String] {
        var draft = Make.draft()
        change(&draft)
        let refused = refusal { () throws(Refusal) in try make(draft, settings: settings) }
        guard case .invalid(let problems) = refused else { return [] }
        return problems.map { "\($0.code.rawValue) \($0.target)" }
    }

    @Test func `T1 a good draft becomes a submitted job that says nothing yet`() throws {
        let job = try make(Make.draft())
        #expect(job.status == .submitted && job.type == .validate && job.message.isEmpty && job.attempt == 0)
        #expect(job.people == [Make.person(1), Make.person(2)])
        #expect(job.targetTenant == Make.target && job.sourceTenant == Make.source)
        #expect(job.createdBy == "admin@fabrikam.example" && job.created == Make.now && job.updated == Make.now)
        #expect(job.completeAfter == Make.date && job.validated == nil && job.interrupted == nil)
        #expect(job.exchangeSettings?.sourceEndpoint == "EXOHandler")
    }

    @Test func `T1 no workloads means all of them, and names are read in any case`() throws {
        #expect(try make(Make.draft()).workloads == [.mailbox, .chats, .meetings, .files])
        var draft = Make.draft()
        draft.workloads = []
        #expect(try make(draft).workloads.count == 4)
        draft.workloads = ["odsp", "TEAMS", "Odsp"]
        draft.resourceType = "users"
        #expect(try make(draft).workloads == [.files, .chats])
    }

    @Test func `T1 the validate action of the collection makes a job that only checks`() throws {
        #expect(try make(Make.draft(), validationOnly: true).isValidationOnly)
        #expect(try !make(Make.draft()).isValidationOnly)
    }

    @Test func `T1a a taken name is found by the store and has its code`() {
        #expect(FieldProblem.Code.duplicateDisplayNameJob.rawValue == "duplicateDisplayNameJob")
    }

    @Test func `T1b a date that is not in the future is refused`() {
        #expect(problems { $0.completeAfter = Make.now } == ["minThresholdFailed completeAfterDateTime"])
        #expect(problems { $0.completeAfter = Make.now - .seconds(1) } == ["minThresholdFailed completeAfterDateTime"])
        #expect(problems { $0.completeAfter = Make.now + .microseconds(1) }.isEmpty)
        #expect(problems { $0.completeAfter = nil } == ["required completeAfterDateTime"])
    }

    @Test(arguments: [["Meeting"], ["Meeting", "Exchange"], ["Teams", "meeting"]])
    func `T1c meetings need Exchange and Teams`(names: [String]) {
        #expect(problems { $0.workloads = names } == ["invalidValue workloads"])
    }

    @Test func `T1c an unknown workload is refused`() {
        #expect(problems { $0.workloads = ["Exchange", "SharePoint"] } == ["invalidValue workloads"])
    }

    @Test func `T1d Exchange needs both of its settings`() {
        #expect(problems { ($0.sourceEndpoint, $0.targetDeliveryDomain) = (nil, nil) } == ["required exchangeSettings"])
        #expect(problems { $0.sourceEndpoint = " " } == ["required exchangeSettings"])
        #expect(problems { $0.targetDeliveryDomain = nil } == ["required exchangeSettings"])
        #expect(problems { $0.targetDeliveryDomain = "a@b.example" } == ["invalidValue exchangeSettings"])
    }

    @Test func `T1d without Exchange the settings are kept and not required`() throws {
        var draft = Make.draft()
        draft.workloads = ["ODSP"]
        draft.targetDeliveryDomain = nil
        #expect(
            try make(draft).exchangeSettings == ExchangeSettings(sourceEndpoint: "EXOHandler", targetDeliveryDomain: "")
        )
        draft.sourceEndpoint = nil
        #expect(try make(draft).exchangeSettings == nil)
    }

    @Test func `T1e the list of users is not empty, not too long, made of GUIDs and without repetitions`() {
        #expect(problems { $0.resources = [] } == ["required resources"])
        #expect(problems { $0.resources = nil } == ["required resources"])
        #expect(problems { $0.resources = ["ada@contoso.example"] } == ["invalidValue resources"])
        let one = Make.person(1).description
        #expect(problems { $0.resources = [one, one.uppercased()] } == ["duplicateResource resources"])
        let strict = JobSettings(maximumPeople: 1)
        #expect(problems({ _ in }, settings: strict) == ["tooManyResources resources"])
        #expect(problems { $0.resources = (0..<2000).map { Make.person($0).description } }.isEmpty)
        #expect(
            problems { $0.resources = (0...2000).map { Make.person($0).description } } == ["tooManyResources resources"]
        )
    }

    @Test func `T1e only Users can be moved`() {
        #expect(problems { $0.resourceType = "Groups" } == ["invalidValue resourceType"])
        #expect(problems { $0.resourceType = nil } == ["required resourceType"])
    }

    @Test func `R2 a name is present, short, printable, and neither an id nor an operation`() {
        #expect(problems { $0.displayName = nil } == ["required displayName"])
        #expect(problems { $0.displayName = " \t" } == ["required displayName"])
        #expect(problems { $0.displayName = String(repeating: "ä", count: 257) } == ["invalidValue displayName"])
        #expect(problems { $0.displayName = String(repeating: "ä", count: 256) }.isEmpty)
        #expect(problems { $0.displayName = "a\u{7}b" } == ["invalidValue displayName"])
        #expect(problems { $0.displayName = "30000000-0000-0000-0000-00000000000A" } == ["invalidValue displayName"])
        for name in ["validate", "$count", "Delta", "$ref", "microsoft.graph.Validate", "a/b"] {
            #expect(problems { $0.displayName = name } == ["invalidValue displayName"])
        }
    }

    @Test func `R4 the source is another tenant, named by its GUID`() {
        #expect(problems { $0.sourceTenant = nil } == ["required sourceTenantId"])
        #expect(problems { $0.sourceTenant = "contoso.example" } == ["invalidValue sourceTenantId"])
        #expect(problems { $0.sourceTenant = Make.target.description } == ["invalidValue sourceTenantId"])
    }

    @Test func `all problems are reported at once, in the order of the members`() {
        #expect(
            problems { $0 = JobDraft(workloads: ["nothing"]) } == [
                "required displayName", "required sourceTenantId", "required completeAfterDateTime",
                "required resourceType", "required resources", "invalidValue workloads",
            ])
        #expect(problems { $0 = JobDraft() }.last == "required exchangeSettings")
    }

    @Test func `a thousand mistakes do not make a thousand lines`() throws {
        var draft = Make.draft()
        draft.resources = (0..<1000).map { "user-\($0)" }
        guard case .invalid(let problems) = refusal(of: { () throws(Refusal) in try make(draft) }) else {
            Issue.record("the draft was accepted")
            return
        }
        #expect(problems.count == 1)
        #expect(problems[0].message.count < 300 && problems[0].message.contains("995 more"))
    }
}
