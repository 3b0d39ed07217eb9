import FerryAPI
import FerryCore
import Testing

/// Rows of reference 1, and the key syntaxes of 7.3.
struct RoutingTests {
    static let jobs = "/v1.0/solutions/migrations/crossTenantMigrationJobs"
    static let wave = JobReference.key("wave-1")
    static let id = JobReference.key("30000000-cccc-4000-8000-000000000001")
    static let named = JobReference.displayName("wave-1")

    static func route(_ method: String, _ path: String) throws(Failure) -> Operation {
        let target = try RequestTarget(path)
        return try Route(segments: target.segments).resource.operation(for: Method(token: method))
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var number: Int
        var request: String
        var operation: Operation
        var testDescription: String { "\(number): \(request)" }

        init(_ number: Int, _ request: String, _ operation: Operation) {
            self.number = number
            self.request = request
            self.operation = operation
        }
    }

    static let rows: [Row] = [
        Row(1, "GET \(jobs)", .listJobs),
        Row(1, "GET \(jobs)/", .listJobs),
        Row(1, "GET /BETA/Solutions/MIGRATIONS/crosstenantmigrationjobs", .listJobs),
        Row(1, "GET http://127.0.0.1:8080/beta/solutions/migrations/CrossTenantMigrationJobs?$top=1", .listJobs),
        Row(2, "POST \(jobs)", .createJob),
        Row(3, "GET \(jobs)/wave-1", .job(wave)),
        Row(3, "GET \(jobs)/30000000-cccc-4000-8000-000000000001/", .job(id)),
        Row(3, "GET \(jobs)('30000000-cccc-4000-8000-000000000001')", .job(id)),
        Row(3, "GET \(jobs)(id='30000000-cccc-4000-8000-000000000001')", .job(id)),
        Row(3, "GET \(jobs)(%2730000000-cccc-4000-8000-000000000001%27)", .job(id)),
        Row(3, "GET \(jobs)/wave%201%2F2", .job(.key("wave 1/2"))),
        Row(3, "GET \(jobs)/validate", .job(.key("validate"))),
        Row(4, "PATCH \(jobs)/wave-1", .updateJob(wave)),
        Row(5, "DELETE \(jobs)/wave-1", .deleteJob(wave)),
        Row(6, "POST \(jobs)/wave-1/validate", .validateJob(wave)),
        Row(6, "POST \(jobs)/wave-1/microsoft.graph.validate", .validateJob(wave)),
        Row(6, "POST \(jobs)/wave-1/Microsoft.Graph.Validate", .validateJob(wave)),
        Row(6, "POST \(jobs)/validate/validate", .validateJob(.key("validate"))),
        Row(7, "POST \(jobs)/wave-1/migrate", .migrateJob(wave)),
        Row(7, "POST \(jobs)('wave-1')/microsoft.graph.migrate", .migrateJob(wave)),
        Row(8, "POST \(jobs)/wave-1/cancel", .cancelJob(wave)),
        Row(8, "POST \(jobs)/wave-1/microsoft.graph.cancel", .cancelJob(wave)),
        Row(9, "GET \(jobs)/wave-1/users", .listUsers(wave)),
        Row(9, "GET \(jobs)('wave-1')/Users/", .listUsers(wave)),
        Row(10, "GET \(jobs)/wave-1/users/u", .user(wave, "u")),
        Row(10, "GET \(jobs)('wave-1')/users('u')", .user(wave, "u")),
        Row(10, "GET \(jobs)/wave-1/users(id='u')", .user(wave, "u")),
        Row(11, "POST \(jobs)/wave-1/users/u/cancel", .cancelUser(wave, "u")),
        Row(11, "POST \(jobs)('wave-1')/users('u')/microsoft.graph.cancel", .cancelUser(wave, "u")),
        Row(12, "GET \(jobs)/$count", .countJobs),
        Row(12, "GET \(jobs)/%24Count", .countJobs),
        Row(13, "GET \(jobs)/wave-1/users/$count", .countUsers(wave)),
        Row(14, "GET \(jobs)(displayName='wave-1')", .job(named)),
        Row(14, "PATCH \(jobs)(displayname='wave-1')", .updateJob(named)),
        Row(14, "DELETE \(jobs)(displayName='wave-1')", .deleteJob(named)),
        Row(14, "GET \(jobs)(displayName='Anna''s')", .job(.displayName("Anna's"))),
        Row(14, "GET \(jobs)(displayName='wave%201%27s')", .job(.displayName("wave 1's"))),
        Row(14, "GET \(jobs)(displayName='a')b')", .job(.displayName("a')b"))),
        Row(15, "POST \(jobs)(displayName='wave-1')/validate", .validateJob(named)),
        Row(15, "POST \(jobs)(displayName='wave-1')/microsoft.graph.migrate", .migrateJob(named)),
        Row(15, "POST \(jobs)(displayName='wave-1')/cancel", .cancelJob(named)),
        Row(16, "POST \(jobs)/validate", .validateCollection),
        Row(16, "POST \(jobs)/microsoft.graph.validate", .validateCollection),
        Row(17, "GET /beta/solutions/migrations", .migrationsRoot),
        Row(17, "GET /v1.0/solutions/migrations/", .migrationsRoot),
        Row(18, "GET /v1.0", .serviceDocument),
        Row(18, "GET /beta/", .serviceDocument),
        Row(18, "GET /beta/$metadata", .metadata),
        Row(18, "POST /V1.0/%24Batch", .batch),
        Row(18, "POST /ferry/jobs/wave-1/approve", .approveJob(wave)),
        Row(18, "POST /Ferry/jobs/wave-1/Users/u/Approve", .approveUser(wave, "u")),
        Row(18, "GET /ferry/jobs/wave-1/progress", .progress(wave)),
        Row(18, "GET /ferry/jobs/wave-1/items?after=3", .items(wave)),
        Row(18, "GET /Ferry/Jobs/wave-1/Report?format=html", .report(wave)),
        Row(18, "GET /ferry/jobs/wave-1/dryRun?format=csv", .dryRun(wave)),
        Row(18, "POST /ferry/jobs/wave-1/dryrun", .startDryRun(wave)),
        Row(18, "DELETE /ferry/jobs/wave-1/dryRun", .stopDryRun(wave)),
        Row(18, "GET /ferry/jobs/wave-1/manifest", .manifest(wave)),
        Row(18, "GET /ferry/jobs/wave-1/reversal", .reversal(wave)),
        Row(18, "GET /ferry/Manifest-Key", .manifestKey),
        Row(18, "GET /ferry/identity-map?state=mapped", .listIdentities),
        Row(18, "POST /Ferry/Identity-Map", .importIdentities),
        Row(18, "GET /ferry/identity-map/Check", .checkIdentities),
        Row(18, "POST /ferry/identity-map/match", .matchIdentities),
        Row(18, "POST /ferry/identity-map/complete", .completeIdentities),
        Row(18, "GET /ferry/identity-map/a%40b", .identity("a@b")),
        Row(18, "PATCH /ferry/identity-map/a@b", .updateIdentity("a@b")),
        Row(18, "DELETE /ferry/identity-map/a@b", .removeIdentity("a@b")),
    ]

    @Test("Every operation of the table has a path", arguments: rows)
    func everyOperationHasAPath(_ row: Row) throws {
        let words = row.request.split(separator: " ", maxSplits: 1)
        #expect(try Self.route(String(words[0]), String(words[1])) == row.operation)
    }

    @Test("The table names each of the 17 operations")
    func theTableIsComplete() {
        #expect(Set(Self.rows.map(\.number)).isSuperset(of: 1...17))
    }

    @Test(
        "A segment or version that does not exist is 400",
        arguments: [
            "/v2.0/solutions/migrations", "/v1.0/solution", "/v1.0/solutions/moves", "\(jobs)x", "\(jobs)(7)",
            "\(jobs)('a'", "\(jobs)(name='a')", "\(jobs)/$ref", "\(jobs)/$query", "\(jobs)/wave-1/foo",
            "\(jobs)/wave-1/validate/again", "\(jobs)/wave-1/users/$value", "\(jobs)/wave-1/users/u/validate",
            "\(jobs)/wave-1/users(displayName='a')", "\(jobs)/%zz", "\(jobs)/%C3", "\(jobs)/a%", "ferry",
            "/ferry/jobs/a/else", "/ferry/jobs/a/users/b/cancel", "/ferry/people", "\(jobs)/$count/x",
        ])
    func unknownSegmentsAreBad(_ path: String) {
        #expect(failure { () throws(Failure) in _ = try Self.route("GET", path) }?.answer.status == 400)
    }

    @Test("A path that ends too early is 404", arguments: ["/", "/beta/solutions", "/ferry", "/ferry/jobs/a"])
    func shortPathsAreNotFound(_ path: String) {
        #expect(failure { () throws(Failure) in _ = try Self.route("GET", path) }?.answer.status == 404)
    }

    @Test(
        "A known path with another method is 405 and says what is allowed",
        arguments: [
            ("PUT \(jobs)", "GET, POST"), ("PATCH \(jobs)", "GET, POST"), ("POST \(jobs)/wave-1", "GET, PATCH, DELETE"),
            ("HEAD \(jobs)/wave-1", "GET, PATCH, DELETE"), ("GET \(jobs)/wave-1/migrate", "POST"),
            ("POST \(jobs)/wave-1/users", "GET"), ("PATCH \(jobs)/wave-1/users/u", "GET"),
            ("DELETE \(jobs)/wave-1/users/u", "GET"), ("DELETE \(jobs)/wave-1/users/u/$ref", ""),
            ("PATCH /beta/solutions/migrations", "GET"), ("DELETE /v1.0/solutions/migrations", "GET"),
            ("POST \(jobs)/$count", "GET"), ("BREW \(jobs)", "GET, POST"),
            ("PUT \(jobs)/validate", "GET, PATCH, DELETE, POST"), ("POST /ferry/jobs/a/report", "GET"),
        ])
    func otherMethodsAreNotAllowed(_ request: String, _ allow: String) {
        let words = request.split(separator: " ", maxSplits: 1)
        let failure = failure { () throws(Failure) in _ = try Self.route(String(words[0]), String(words[1])) }
        #expect(failure?.answer.status == 405)
        #expect(failure?.answer.allow.map(Method.list) == allow)
    }

    @Test("Reads need the read permission, everything else the other one")
    func accessFollowsTheMethod() throws {
        for row in Self.rows {
            let operation = row.operation
            let expected: Operation.Access =
                switch operation {
                case .serviceDocument, .metadata, .manifestKey: .anonymous
                case .batch: .authenticated
                default: row.request.hasPrefix("GET") ? .read : .write
                }
            #expect(operation.access == expected, "\(row.request)")
        }
    }
}
