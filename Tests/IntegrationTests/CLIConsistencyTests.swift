import Foundation
import Testing

@testable import ferry

/// Grades in `ferry job show` and `ferry job users`, which Graph's types have no room for.
struct CLIConsistencyTests {
    private static let job = """
        {"id":"j","displayName":"wave-1","status":"adminActionRequired","jobType":"migrate","message":"","completeAfterDateTime":"d",
        "sourceTenantId":"s","targetTenantId":"t","resources":["a","b"],"workloads":["ODSP","Exchange"],"createdBy":"admin",
        "createdDateTime":"c","lastUpdatedDateTime":"u"}
        """

    private func decode<Body: Decodable>(_ text: String) throws -> Body {
        try JSONDecoder().decode(Body.self, from: Data(text.utf8))
    }

    private func progress(waiting: Int, grades: String) throws -> ProgressBody {
        try decode(
            """
            {"job":{"id":"j","displayName":"wave-1","status":"adminActionRequired","people":2,"peopleCompleted":0,
            "peopleCancelled":0,"peopleFailed":0,"peopleWaiting":\(waiting)},"asOf":"now","estimatedEnd":null,"workloads":[
            {"workload":"ODSP","states":{},"grades":{},"items":0,"bytes":0,"skipped":0,"failed":0,"passes":0,"activeSeconds":0,
            "frozenSeconds":0},
            {"workload":"Exchange","states":{"finalizing":2},"grades":\(grades),"items":0,"bytes":0,"skipped":0,"failed":0,
            "passes":0,"activeSeconds":0,"frozenSeconds":0}]}
            """)
    }

    @Test func `the card of a job names the grades and how many wait for an approval`() throws {
        let consistency = JobConsistency(try progress(waiting: 1, grades: #"{"investigate":1,"perfect":12}"#))
        let lines = JobCard.lines(try decode(Self.job), consistency, style: Style(isEnabled: false))
        #expect(lines.contains("  grades    Exchange 12 perfect, 1 investigate"))
        #expect(lines.contains("  waiting   1 person, for ferry job approve"))
        #expect(!JobCard.lines(try decode(Self.job), style: Style(isEnabled: false)).contains { $0.contains("grades") })
    }

    @Test func `with --json they are an annotation, and everything else stays byte for byte`() throws {
        let consistency = JobConsistency(try progress(waiting: 1, grades: #"{"investigate":1}"#))
        let text = try Ours.annotated(Array(Self.job.utf8), with: consistency)
        #expect(text.hasPrefix(Self.job.dropLast()))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let annotation = try #require(object["@ferry.consistency"] as? [String: Any])
        #expect(annotation["peopleWaiting"] as? Int == 1)
        #expect(annotation["grades"] as? [String: [String: Int]] == ["Exchange": ["investigate": 1]])
    }

    @Test func `users are listed with the grade of each workload, what is lost, and whether it waits`() throws {
        let report: ReportBody = try decode(
            """
            {"users":[{"id":"a","workloads":[{"workload":"Exchange","grade":"investigate","lost":2,"waitsForApproval":true},
            {"workload":"ODSP","grade":null,"lost":0,"waitsForApproval":false}]},{"id":"b","workloads":[]}]}
            """)
        let tasks: [TaskBody] = try decode(
            """
            [{"id":"a","lastUpdatedDateTime":"u","currentStatus":[{"service":"ODSP","status":"synced"},
            {"service":"Exchange","status":"finalizing"}]},
            {"id":"b","lastUpdatedDateTime":"u","currentStatus":[{"service":"ODSP","status":"synced"},
            {"service":"Exchange","status":"synced"}]}]
            """)
        let consistency = PeopleConsistency(report)
        let lines = ListJobUsers.lines(tasks, consistency, style: Style(isEnabled: false))
        #expect(lines[1] == "a     synced  finalizing (investigate, 2 lost, waits)  u")
        #expect(lines[2].hasPrefix("b     synced  synced "))
        let judged = try Ours.annotated(Array(#"{"value":[]}"#.utf8), with: consistency.only(["a", "b"]))
        #expect(
            judged
                == #"{"value":[],"@ferry.consistency":{"a":[{"grade":"investigate","lost":2,"waitsForApproval":true,"#
                + #""workload":"Exchange"}]}}"#)
    }
}
