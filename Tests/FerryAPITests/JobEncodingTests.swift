import FerryAPI
import FerryCore
import Testing

/// Answers member for member, against the reference's samples with its values (section 4).
struct JobEncodingTests {
    static func entity(
        _ query: String = "", job: Job = Examples.job, users: QueryPage<UserTask>? = nil,
        as representation: Representation = Examples.beta
    ) throws(Failure) -> String {
        let shape = try JobShape(try Examples.options(query))
        return text(JobEncoder.entity(ExpandedJob(job, users: users), shape: shape, as: representation))
    }

    /// Sample 4.0. The store keeps microseconds, so the sample's seventh digit is not there.
    @Test("A job that was read is the documented sample, in its order")
    func getSample() throws {
        let sample = """
            {
              "@odata.context": "https://move.example/beta/$metadata#solutions/migrations/crossTenantMigrationJobs/$entity",
              "id": "30000000-cccc-4000-8000-000000000001",
              "displayName": "wave-1",
              "status": "completed",
              "jobType": "migrate",
              "message": "The batch and every user in it were migrated without failures.",
              "completeAfterDateTime": "2031-03-01T06:00:00Z",
              "sourceTenantId": "10000000-aaaa-4000-8000-000000000001",
              "targetTenantId": "10000000-aaaa-4000-8000-000000000002",
              "resourceType": "Users",
              "resources": [ "20000000-bbbb-4000-8000-00000000000a", "20000000-bbbb-4000-8000-00000000000b" ],
              "workloads": [ "Exchange", "ODSP", "Teams", "Meeting" ],
              "createdBy": "mover@south.example",
              "createdDateTime": "2031-02-10T08:15:30.123456Z",
              "lastUpdatedDateTime": "2031-03-01T07:41:09Z",
              "exchangeSettings": { "targetDeliveryDomain": "south.example", "sourceEndpoint": "from-north" }
            }
            """
        #expect(try Self.entity() == compact(sample))
    }

    @Test("What an action answers has the type as its context")
    func actionContext() {
        let answer = text(JobEncoder.result(Examples.job, ofAction: true, as: Examples.v1))
        #expect(
            answer.hasPrefix(
                "{\"@odata.context\":\"https://move.example/v1.0/$metadata#microsoft.graph.crossTenantMigrationJob\",\"id\""
            ))
    }

    @Test(
        "The context names the selection, and id is always there",
        arguments: [
            (
                "$select=status,id",
                #"{"@odata.context":"https://move.example/beta/$metadata#solutions/migrations/crossTenantMigrationJobs(status,id)/$entity","id":"30000000-cccc-4000-8000-000000000001","status":"completed"}"#
            ),
            (
                "$select=DISPLAYNAME",
                #"{"@odata.context":"https://move.example/beta/$metadata#solutions/migrations/crossTenantMigrationJobs(displayName)/$entity","id":"30000000-cccc-4000-8000-000000000001","displayName":"wave-1"}"#
            ),
            (
                "$select=exchangeSettings/sourceEndpoint",
                #"{"@odata.context":"https://move.example/beta/$metadata#solutions/migrations/crossTenantMigrationJobs(exchangeSettings/sourceEndpoint)/$entity","id":"30000000-cccc-4000-8000-000000000001","exchangeSettings":{"sourceEndpoint":"from-north"}}"#
            ),
        ])
    func selections(_ query: String, _ expected: String) throws {
        #expect(try Self.entity(query) == expected)
    }

    @Test("$select=* is everything")
    func star() throws {
        #expect(try Self.entity("$select=*") == (try Self.entity()))
    }

    @Test("Absent settings are null, absent people an empty list, and text is escaped")
    func nullsAndEscapes() throws {
        let plain = Examples.job
        let job = Job(
            id: plain.id, targetTenant: plain.targetTenant, sourceTenant: plain.sourceTenant,
            displayName: "a\"b\\c\n\u{1}ü", exchangeSettings: nil, workloads: [.files], people: [],
            createdBy: "", created: plain.created, updated: plain.updated, completeAfter: plain.completeAfter,
            status: .deleted, type: .validate, message: "", validated: nil, attempt: 0, isValidationOnly: false,
            version: 1)
        let answer = try Self.entity(job: job)
        #expect(answer.contains(#""displayName":"a\"b\\c\n\u0001ü""#))
        #expect(answer.contains(#""resources":[],"workloads":["ODSP"]"#))
        #expect(answer.hasSuffix(#""exchangeSettings":null}"#))
    }

    @Test("Metadata none leaves the context out, full adds address and type")
    func metadataLevels() throws {
        let none = try Self.entity(as: Representation(links: Examples.beta.links, metadata: .none))
        #expect(none.hasPrefix(#"{"id":"#))
        let full = try Self.entity(as: Representation(links: Examples.beta.links, metadata: .full))
        let address =
            "https://move.example/beta/solutions/migrations/crossTenantMigrationJobs('30000000-cccc-4000-8000-000000000001')"
        #expect(
            full.contains(
                ##""@odata.type":"#microsoft.graph.crossTenantMigrationJob","@odata.id":"\##(address)","@odata.editLink":"\##(address)","users@odata.navigationLink":"\##(address)/users","id":"##
            ))
    }

    /// Sample 4.4.
    static let task = """
        { "id": "20000000-bbbb-4000-8000-00000000000a",
          "taskType": "Users",
          "lastUpdatedDateTime": "2031-02-10T08:20:02Z",
          "currentStatus": [
            { "service": "ODSP",     "status": "valid",   "message": "", "errors": [] },
            { "service": "Meeting",  "status": "valid",   "message": "", "errors": [] },
            { "service": "Teams",    "status": "valid",   "message": "", "errors": [] },
            { "service": "Exchange", "status": "invalid", "message": "",
              "errors": [ { "code": "MIGR-003", "message": "No usable migration endpoint named from-north." } ] }
          ] }
        """

    @Test("Users are the documented sample, services in its order")
    func usersSample() {
        let answer = text(
            TaskEncoder.list(
                [Examples.task], of: Examples.jobID, count: nil, nextLink: nil, selection: .everything, as: Examples.v1)
        )
        #expect(
            answer
                == #"{"@odata.context":"https://move.example/v1.0/$metadata#solutions/migrations/crossTenantMigrationJobs('30000000-cccc-4000-8000-000000000001')/users","value":["#
                + compact(Self.task) + "]}")
        let one = text(TaskEncoder.entity(Examples.task, selection: .everything, as: Examples.v1))
        #expect(
            one
                == #"{"@odata.context":"https://move.example/v1.0/$metadata#solutions/migrations/crossTenantMigrationJobs('30000000-cccc-4000-8000-000000000001')/users/$entity","#
                + compact(Self.task).dropFirst())
    }

    @Test("A finding's inner cause and object are for machines, in innerError")
    func innerErrors() {
        var task = Examples.task
        task.runs[3].findings = [Finding(code: .moveFailed, message: "m", reason: "targetNotEmpty", object: "INBOX")]
        let answer = text(TaskEncoder.entity(task, selection: .everything, as: Examples.v1))
        #expect(
            answer.contains(
                #"{"code":"MIGR-003","message":"m","innerError":{"code":"targetNotEmpty","object":"INBOX","#
                    + #""remedy":"Empty it or choose another target person."}}"#))
    }

    @Test("Expanded users stand in the job, with a link to those that are left out")
    func expansion() throws {
        let query = "$select=id&$expand=users($select=id;$top=1)"
        let page = QueryPage(
            rows: [Examples.task], next: PagePosition(values: [.text("0")], id: Examples.ada.description))
        let answer = try Self.entity(query, users: page)
        let start =
            #"{"@odata.context":"https://move.example/beta/$metadata#solutions/migrations/crossTenantMigrationJobs(id,users(id))/$entity","id":"30000000-cccc-4000-8000-000000000001","users":[{"id":"20000000-bbbb-4000-8000-00000000000a"}],"users@odata.nextLink":"https://move.example/beta/solutions/migrations/crossTenantMigrationJobs/30000000-cccc-4000-8000-000000000001/users?$select=id&$top=1&$skiptoken="#
        #expect(answer.hasPrefix(start), "\(answer)")
        let link = try #require(answer.split(separator: "\"").dropLast().last)
        let next = try TaskListOptions(
            try Examples.options(String(try RequestTarget(String(link)).rawQuery)), of: Examples.jobID, version: .beta,
            preferences: Preferences([]))
        #expect(next.query.after == page.next)
        #expect(
            try Self.entity("$expand=users", users: QueryPage(rows: [], next: nil)).hasPrefix(
                #"{"@odata.context":"https://move.example/beta/$metadata#solutions/migrations/crossTenantMigrationJobs(users())/$entity""#
            ))
    }

    @Test("A job that is written in pieces reads like one that is written at once")
    func pieces() throws {
        let link = PagePosition(values: [.text("0")], id: Examples.ada.description)
        for next in [nil, link] {
            for rows in [[], [Examples.task], [Examples.task, Examples.task, Examples.task]] {
                let shape = try JobShape(try Examples.options("$expand=users($select=id;$count=true)"))
                let job = ExpandedJob(Examples.job, users: QueryPage(rows: rows, next: next), count: 3)
                var written = JobEncoder.opening(of: job, shape: shape, as: Examples.beta)
                for (place, row) in rows.enumerated() {
                    written += TaskEncoder.elements(
                        [row], isFirst: place == 0, selection: shape.users?.selection ?? .everything,
                        as: Examples.beta)
                }
                written += JobEncoder.closing(of: Examples.jobID, after: next, shape: shape, as: Examples.beta)
                #expect(text(written) == text(JobEncoder.entity(job, shape: shape, as: Examples.beta)))
                #expect(text(written).contains(#""users@odata.count":3,"users":["#))
            }
        }
    }

    @Test("A list has context, count, link and value, in this order")
    func lists() throws {
        let shape = try JobShape(try Examples.options("$select=id"))
        let answer = text(
            JobEncoder.list(
                [ExpandedJob(Examples.job)], count: 45, nextLink: "https://x/y", shape: shape, as: Examples.v1))
        #expect(
            answer
                == #"{"@odata.context":"https://move.example/v1.0/$metadata#solutions/migrations/crossTenantMigrationJobs(id)","@odata.count":45,"@odata.nextLink":"https://x/y","value":[{"id":"30000000-cccc-4000-8000-000000000001"}]}"#
        )
        let empty = text(JobEncoder.list([], count: nil, nextLink: nil, shape: JobShape(), as: Examples.v1))
        #expect(empty.hasSuffix(#"crossTenantMigrationJobs","value":[]}"#))
    }

    @Test("Cancel answers with the words of the samples")
    func cancels() {
        var job = Examples.job
        job.status = .pendingCancel
        #expect(
            text(CancelEncoder.job(job, as: Examples.v1))
                == #"{"@odata.context":"https://move.example/v1.0/$metadata#microsoft.graph.crossTenantMigrationCancelResponse","id":"30000000-cccc-4000-8000-000000000001","displayName":"wave-1","status":"pendingCancel","message":"The cancellation request for batch 30000000-cccc-4000-8000-000000000001 was accepted."}"#
        )
        #expect(
            text(CancelEncoder.person(Examples.ada, of: job))
                == #"{"status":"Accepted","message":"The cancellation request for user 20000000-bbbb-4000-8000-00000000000a in batch 30000000-cccc-4000-8000-000000000001 was accepted."}"#
        )
    }

    @Test("The root has an id")
    func root() {
        #expect(
            text(RootEncoder.root(.everything, as: Examples.beta))
                == #"{"@odata.context":"https://move.example/beta/$metadata#solutions/migrations/$entity","id":"migrations"}"#
        )
    }

    @Test("Wire names are those of the enums, each once")
    func wireNames() {
        #expect(JobStatus.allCases.map(\.wireName) == JobStatus.allCases.map(\.rawValue))
        #expect(RunStatus.allCases.map(\.wireName) == RunStatus.allCases.map(\.rawValue))
        #expect(Workload.allCases.map(\.wireName) == ["ODSP", "Meeting", "Teams", "Exchange"])
        for workload in Workload.allCases { #expect(Workload(wireName: workload.wireName.lowercased()) == workload) }
        #expect(Workload(wireName: "Fax") == nil)
    }
}
