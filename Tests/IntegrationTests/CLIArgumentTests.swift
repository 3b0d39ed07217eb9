import ArgumentParser
import FerryCore
import FoundationEssentials
import Testing

@testable import ferry

struct CLIArgumentTests {
    private let id = "20000000-bbbb-4000-8000-00000000000a"

    @Test func `create turns its flags into the body of the request`() throws {
        let command = try CreateJob.parse([
            "--name", "wave-1", "--source", "s", "--endpoint", "E", "--delivery-domain", "t.example", "--date", "+14d",
            "--user", id, "--user", "b", "--workload", "Teams", "--token", "t",
        ])
        let body = try command.requestBody(now: Instant(seconds: 0))
        let object = try JSONDecoder().decode(Body.self, from: Data(body))
        #expect(
            object
                == Body(
                    displayName: "wave-1", completeAfterDateTime: "1970-01-15T00:00:00Z", sourceTenantId: "s",
                    resourceType: "Users", resources: [id, "b"], workloads: ["Teams"]))
    }

    private struct Body: Decodable, Equatable {
        var displayName: String
        var completeAfterDateTime: String
        var sourceTenantId: String
        var resourceType: String
        var resources: [String]
        var workloads: [String]?
    }

    @Test(arguments: [
        ["--name", "n", "--source", "s", "--user", "u"],
        ["--name", "n", "--source", "s", "--date", "tomorrow", "--user", "u"],
        ["--name", "n", "--source", "s", "--date", "+1d"],
        ["--body", "f.json", "--name", "n"],
        ["--date", "+1d", "--user", "u", "--source", "s"],
    ])
    func `create refuses what cannot become a job`(arguments: [String]) {
        #expect(throws: (any Error).self) { try CreateJob.parse(arguments) }
    }

    @Test(arguments: [
        ("+90s", "1970-01-02T00:01:30Z"), ("+14d", "1970-01-16T00:00:00Z"), ("2031-03-01", "2031-03-01T00:00:00Z"),
        ("2031-03-01T08:00:00+02:00", "2031-03-01T06:00:00Z"),
    ])
    func `dates are given in any usual way`(text: String, expected: String) {
        let instant = JobDate.instant(text, now: Instant(seconds: 86400))
        #expect(instant == JobDate.instant(expected, now: Instant(seconds: 0)))
        #expect(instant != nil)
    }

    @Test func `files of a dry run are written by a dry run only`() throws {
        #expect(throws: (any Error).self) { try ValidateJob.parse(["wave-1", "--token", "t", "--csv", "f.csv"]) }
        #expect(try ValidateJob.parse(["wave-1", "--token", "t", "--dry-run", "--csv", "f.csv"]).csv == "f.csv")
    }

    @Test func `lists of users are lines or a table`() {
        #expect(UserList.ids(in: Array("# wave 1\na\n\n b \n".utf8)) == ["a", "b"])
        #expect(UserList.ids(in: Array("displayName,ID\n\"A, B\",1\nC,2\n".utf8)) == ["1", "2"])
        #expect(UserList.ids(in: []).isEmpty)
    }

    @Test func `options of a list become a query`() {
        #expect(Query.text(filter: nil, top: nil) == "")
        #expect(Query.text(filter: "status eq 'failed'", top: 5) == "?$filter=status%20eq%20%27failed%27&$top=5")
    }

    @Test func `report takes known formats only`() throws {
        #expect(try ReportJob.parse(["wave-1", "--format", "html"]).format == .html)
        #expect(throws: (any Error).self) { try ReportJob.parse(["wave-1", "--format", "pdf"]) }
    }

    @Test func `watch looks once a second at most`() {
        #expect(throws: (any Error).self) { try WatchJob.parse(["wave-1", "--interval", "0"]) }
    }
}
