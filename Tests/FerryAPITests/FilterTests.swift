import FerryAPI
import FerryCore
import Testing

/// `$filter` (reference 7.4) through the options of a list.
struct FilterTests {
    typealias JobCondition = Predicate<JobField>
    typealias TaskCondition = Predicate<TaskField>

    static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            let digits = String(byte, radix: 16)
            return "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }

    static func jobs(_ filter: String) throws(Failure) -> JobCondition? {
        try Examples.jobs("$filter=" + encoded(filter)).query.predicate
    }

    static func tasks(_ filter: String) throws(Failure) -> TaskCondition? {
        let options = try Examples.options("$filter=" + encoded(filter))
        return try TaskListOptions(
            options, of: Examples.jobID, version: .beta, preferences: Preferences([])
        ).query.predicate
    }

    static let date = Examples.instant("2031-03-01T06:00:00Z")

    static let accepted: [(String, JobCondition)] = [
        ("status eq 'completed'", .compare(.status, .equal, .text("completed"))),
        (
            "status eq microsoft.graph.crossTenantMigrationJobStatus'validatePassed'",
            .compare(.status, .equal, .text("validatePassed"))
        ),
        ("'completed' eq status", .compare(.status, .equal, .text("completed"))),
        ("jobType ne 'migrate'", .compare(.type, .notEqual, .text("migrate"))),
        ("status in ('failed', 'cancelled')", .isIn(.status, [.text("failed"), .text("cancelled")])),
        ("status in ('failed')", .compare(.status, .equal, .text("failed"))),
        ("status eq 'unknownFutureValue'", .always(false)),
        ("status ne 'unknownFutureValue'", .always(true)),
        ("displayName eq 'Anna''s wave'", .compare(.displayName, .equal, .text("Anna's wave"))),
        ("displayName eq ''", .compare(.displayName, .equal, .text(""))),
        ("DISPLAYNAME EQ 'a'", .compare(.displayName, .equal, .text("a"))),
        (
            "id eq '30000000-CCCC-4000-8000-000000000001'",
            .compare(.id, .equal, .text("30000000-cccc-4000-8000-000000000001"))
        ),
        ("sourceTenantId eq 'AB'", .compare(.sourceTenant, .equal, .text("ab"))),
        ("createdDateTime ge 2031-03-01T06:00:00Z", .compare(.created, .greaterOrEqual, .instant(date))),
        ("2031-03-01T06:00:00Z gt createdDateTime", .compare(.created, .less, .instant(date))),
        ("completeAfterDateTime lt 2031-03-01T08:00:00+02:00", .compare(.completeAfter, .less, .instant(date))),
        (
            "lastUpdatedDateTime le 2031-03-01",
            .compare(.updated, .lessOrEqual, .instant(Examples.instant("2031-03-01T00:00:00Z")))
        ),
        ("createdBy eq null", .compare(.createdBy, .equal, .null)),
        ("resourceType eq 'users'", .always(true)),
        ("resourceType ne 'Users'", .always(false)),
        ("startswith(displayName,'wave')", .match(.displayName, .startsWith, "wave", foldingCase: false)),
        ("contains(tolower(displayName), 'wave')", .match(.displayName, .contains, "wave", foldingCase: true)),
        ("contains(tolower(displayName), tolower('WAVE'))", .match(.displayName, .contains, "wave", foldingCase: true)),
        ("contains(tolower(displayName), 'WAVE')", .always(false)),
        (
            "endswith(createdBy,'@south.example') eq true",
            .match(.createdBy, .endsWith, "@south.example", foldingCase: false)
        ),
        ("contains(displayName,'a') eq false", .not(.match(.displayName, .contains, "a", foldingCase: false))),
        ("tolower(displayName) eq 'abc'", .match(.displayName, .equals, "abc", foldingCase: true)),
        ("tolower(createdBy) ne 'abc'", .not(.match(.createdBy, .equals, "abc", foldingCase: true))),
        (
            "tolower(displayName) in ('a', 'B', tolower('C'))",
            .or(
                .or(.match(.displayName, .equals, "a", foldingCase: true), .always(false)),
                .match(.displayName, .equals, "c", foldingCase: true))
        ),
        ("tolower(displayName) eq 'ABC'", .always(false)),
        ("not (status eq 'failed')", .not(.compare(.status, .equal, .text("failed")))),
        ("not contains(displayName,'x')", .not(.match(.displayName, .contains, "x", foldingCase: false))),
        ("true", .always(true)),
        (
            "status eq 'failed' or status eq 'completed' and displayName eq 'a'",
            .or(
                .compare(.status, .equal, .text("failed")),
                .and(.compare(.status, .equal, .text("completed")), .compare(.displayName, .equal, .text("a"))))
        ),
        (
            "(status eq 'failed' or status eq 'completed') and displayName eq 'a'",
            .and(
                .or(.compare(.status, .equal, .text("failed")), .compare(.status, .equal, .text("completed"))),
                .compare(.displayName, .equal, .text("a")))
        ),
        ("workloads/any(w:w eq 'Teams')", .hasWorkload(.chats)),
        ("workloads/any(w: w eq 'odsp' or w eq 'EXCHANGE')", .or(.hasWorkload(.files), .hasWorkload(.mailbox))),
        ("workloads/any(w:w in ('Meeting'))", .hasWorkload(.meetings)),
        ("workloads/any(w:w eq 'Fax')", .always(false)),
        (
            "workloads/all(w:w ne 'Teams')",
            .not(.hasWorkload(.chats))
        ),
    ]

    @Test("Filters on jobs become predicates", arguments: accepted.indices)
    func jobFilters(_ index: Int) throws {
        let (text, expected) = Self.accepted[index]
        #expect(try Self.jobs(text) == expected, "\(text)")
    }

    static let taskRows: [(String, TaskCondition)] = [
        ("id eq 'AB'", .compare(.id, .equal, .text("ab"))),
        ("taskType eq 'Users'", .always(true)),
        ("lastUpdatedDateTime gt 2031-03-01T06:00:00Z", .compare(.updated, .greater, .instant(date))),
        (
            "currentStatus/any(s:s/status eq 'failed' and s/service eq 'Teams')", .hasRun(.chats, .failed)
        ),
        ("currentStatus/any(s:s/status eq 'failed')", .hasRun(nil, .failed)),
        ("currentStatus/any(s:s/service eq 'Exchange')", .hasRun(.mailbox, nil)),
        ("currentStatus/any()", .hasRun(nil, nil)),
        (
            "currentStatus/all(x:x/status eq 'completed' or x/status ne 'completed' and x/status ne 'failed')",
            .not(.hasRun(nil, .failed))
        ),
        (
            "currentStatus/any(s:s/status in ('failed','invalid') and s/service eq 'ODSP')",
            .or(.hasRun(.files, .invalid), .hasRun(.files, .failed))
        ),
    ]

    @Test("Filters on users become predicates", arguments: taskRows.indices)
    func taskFilters(_ index: Int) throws {
        let (text, expected) = Self.taskRows[index]
        #expect(try Self.tasks(text) == expected, "\(text)")
    }

    @Test(
        "What cannot be read or said is 400 with its place",
        arguments: [
            ("", 1), ("status", 7), ("status eq", 10), ("status eq 'x", 11), ("status eq 'nonsense'", 11),
            ("status eq completed", 11), ("status gt 'failed'", 1), ("colour eq 'red'", 1), ("message eq 'x'", 1),
            ("status eq 'failed' and", 23), ("(status eq 'failed'", 20), ("status eq 'failed')", 19),
            ("displayName eq 5", 16), ("createdDateTime gt '2031-03-01T06:00:00Z'", 20),
            ("createdDateTime gt 2031-02-30T06:00:00Z", 20), ("displayName = 'a'", 13), ("not displayName eq 'a'", 5),
            ("startswith(status,'c')", 19), ("length(displayName) eq 3", 1), ("startswith(displayName)", 23),
            ("tolower(displayName) gt 'abc'", 1), ("users/any(u:u/id eq 'a')", 1),
            ("workloads/any(w:x eq 'Teams')", 17),
            ("workloads/any(w:w gt 'Teams')", 17), ("workloads/count eq 1", 11), ("createdBy lt null", 1),
            ("exchangeSettings/sourceEndpoint eq 'a'", 1), ("status in ()", 12), ("displayName eq 'a' 'b'", 20),
        ])
    func badFilters(_ filter: String, _ position: Int) throws {
        let failure = try #require(
            failure { () throws(Failure) in _ = try Examples.jobs("$filter=" + Self.encoded(filter)) })
        guard case .badRequest(let message, "$filter") = failure else {
            Issue.record("\(filter): \(failure)")
            return
        }
        #expect(message.hasSuffix("position \(position)."), "\(filter): \(message)")
    }

    @Test("Nesting and the number of comparisons are bounded")
    func filtersAreBounded() {
        let deep = String(repeating: "(", count: 500) + "true" + String(repeating: ")", count: 500)
        #expect(failure { () throws(Failure) in _ = try Self.jobs(deep) }?.answer.status == 400)
        let nots = String(repeating: "not ", count: 500) + "true"
        #expect(failure { () throws(Failure) in _ = try Self.jobs(nots) }?.answer.status == 400)
        let wide = Array(repeating: "true", count: 201).joined(separator: " or ")
        #expect(failure { () throws(Failure) in _ = try Self.jobs(wide) }?.answer.status == 400)
        let list = "id in (" + Array(repeating: "'a'", count: 300).joined(separator: ",") + ")"
        #expect(failure { () throws(Failure) in _ = try Self.jobs(list) }?.answer.status == 400)
    }

    @Test("Random words never do more than fail")
    func filtersSurviveNoise() {
        var random = Noise(seed: 42)
        let words = [
            "status", "eq", "'completed'", "(", ")", "and", "or", "not", "in", ",", "/", "any", ":", "w", "workloads",
            "contains", "tolower", "displayName", "2031-03-01", "null", "true", "'", "currentStatus", "s", " ", "é",
            "-",
        ]
        var understood = 0
        for _ in 0..<4_000 {
            let text = (0..<random.number(below: 12)).map { _ in random.pick(words) }.joined(
                separator: random.pick(["", " "]))
            let outcome = failure { () throws(Failure) in
                _ = try Self.jobs(text)
                _ = try Self.tasks(text)
            }
            if let outcome { #expect(outcome.answer.status == 400, "\(text)") } else { understood += 1 }
        }
        #expect(understood > 0)
    }
}
