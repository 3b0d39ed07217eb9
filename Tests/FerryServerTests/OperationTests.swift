import FerryAPI
import FerryCore
import FerrySQLite
import FerryStore
import Testing

/// One test per operation of reference 1, by its number, on a real store with the engine's commands.
struct OperationTests {
    @Test("Operation 1: GET …Jobs lists the caller's jobs, newest first")
    func operation1() async throws {
        try await World.run { world, client in
            let first = try await client.create("wave-1")
            world.pass(.seconds(1))
            let second = try await client.create("wave-2")
            let reply = try await client.send("GET \(World.beta)")
            #expect(reply.status == 200)
            #expect(reply.values("id") == [second, first])
            #expect(
                reply.json["@odata.context"]?.string
                    == "https://move.example/beta/$metadata#solutions/migrations/crossTenantMigrationJobs")
            #expect(reply.next == nil)
        }
    }

    @Test("C1 Operation 2: POST …Jobs creates: 201, Location, validate, submitted, targetTenantId is tid")
    func operation2() async throws {
        try await World.run { world, client in
            let reply = try await client.send("POST \(World.v1)", body: World.body("wave-1"))
            #expect(reply.status == 201)
            let id = try #require(reply.json["id"]?.string)
            #expect(reply["Location"] == "https://move.example\(World.v1)/\(id)")
            #expect(reply.json["jobType"]?.string == "validate")
            #expect(reply.json["status"]?.string == "submitted")
            #expect(reply.json["message"]?.string == "")
            #expect(reply.json["targetTenantId"]?.string == World.target.description)
            #expect(reply.json["createdBy"]?.string == "mover@south.example")
            #expect(reply.json["resources"] == .array([.string("\(World.person(0))"), .string("\(World.person(1))")]))
            #expect(try await world.job(id)?.status == .submitted)
        }
    }

    @Test(
        "C13 C14 C15 C17 C18 C19 Operation 3: GET …Jobs/{job} reads by id in any case, by name, in both key syntaxes, on lower-case paths"
    )
    func operation3() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave 1's")
            let plain = try await client.send("GET \(World.v1)/\(id)")
            #expect(plain.status == 200)
            #expect(plain["Content-Type"] == Representation.minimalContentType)
            #expect(plain["OData-Version"] == "4.0")
            #expect(plain["Cache-Control"] == "no-cache")
            for path in [
                "\(World.v1)/\(id.uppercased())", "\(World.v1)/wave%201's", "\(World.v1)/WAVE%201's",
                "\(World.v1)('\(id)')", "\(World.v1)(id='\(id)')", "\(World.v1.lowercased())/\(id)",
            ] {
                let reply = try await client.send("GET \(path)")
                #expect(reply.text == plain.text, "\(path)")
            }
            #expect(try await client.send("GET \(World.v1)/wave-2").status == 404)
        }
    }

    @Test("Operation 4: PATCH changes completeAfterDateTime: 204 without a body, 200 with the job if preferred")
    func operation4() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let patch = try await client.send(
                "PATCH \(World.v1)/\(id)", body: #"{"completeAfterDateTime":"2031-03-04T06:00:00Z"}"#)
            #expect(patch.status == 204)
            #expect(patch.text.isEmpty)
            #expect(patch["Content-Type"] == nil)
            #expect(patch["Content-Length"] == nil)
            let full = try await client.send(
                "PATCH \(World.v1)/\(id)", body: #"{"completeAfterDateTime":"2020-01-01T00:00:00Z"}"#,
                headers: ["Prefer": "return=representation"])
            #expect(full.status == 200)
            #expect(full["Preference-Applied"] == "return=representation")
            #expect(full.json["completeAfterDateTime"]?.string == "2020-01-01T00:00:00Z")
            #expect(try await world.job(id)?.completeAfter == Instant(seconds: 1_577_836_800))
        }
    }

    @Test("Operation 5: DELETE of a final job is 202, of another one 409 resourceTypeMismatch")
    func operation5() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let early = try await client.send("DELETE \(World.v1)/\(id)")
            #expect(early.status == 409)
            #expect(early.code == "Conflict")
            #expect(early.details == ["resourceTypeMismatch"])
            try await world.set(id, to: .completed)
            let reply = try await client.send("DELETE \(World.v1)/\(id)", headers: ["If-Match": "*"])
            #expect(reply.status == 202)
            #expect(reply.text.isEmpty)
            #expect(try await world.job(id)?.status == .pendingDelete)
            #expect(try await client.send("DELETE \(World.v1)/\(id)").status == 409)
        }
    }

    @Test("C34 C35 Operation 6: validate is 200 with the job, by both names, with no body and with {}")
    func operation6() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let reply = try await client.send("POST \(World.v1)/\(id)/validate")
            #expect(reply.status == 200)
            #expect(reply.json["status"]?.string == "validateSubmitted")
            #expect(reply.json["jobType"]?.string == "validate")
            #expect(
                reply.json["@odata.context"]?.string
                    == "https://move.example/v1.0/$metadata#microsoft.graph.crossTenantMigrationJob")
            try await world.set(id, to: .validateFailed)
            #expect(try await client.send("POST \(World.v1)/\(id)/microsoft.graph.validate", body: "{}").status == 200)
        }
    }

    @Test("C39 Operation 7: migrate is 200 from validatePassed, processing and migrate")
    func operation7() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            try await world.set(id, to: .validatePassed, validated: World.start)
            let reply = try await client.send("POST \(World.beta)/\(id)/microsoft.graph.migrate")
            #expect(reply.status == 200)
            #expect(reply.json["status"]?.string == "processing")
            #expect(reply.json["jobType"]?.string == "migrate")
        }
    }

    @Test("Operation 8: cancel is 202 with pendingCancel, id and name")
    func operation8() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let reply = try await client.send("POST \(World.v1)/\(id)/cancel")
            #expect(reply.status == 202)
            #expect(reply.json["id"]?.string == id)
            #expect(reply.json["displayName"]?.string == "wave-1")
            #expect(reply.json["status"]?.string == "pendingCancel")
            #expect(reply.json["message"]?.string?.contains("cancellation request") == true)
        }
    }

    @Test("Operation 9: GET …/users lists the users in the order of resources")
    func operation9() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1", people: 3)
            let reply = try await client.send("GET \(World.v1)/wave-1/users?$count=true")
            #expect(reply.status == 200)
            #expect(reply.values("id") == (0..<3).map { "\(World.person($0))" })
            #expect(reply.json["@odata.count"] == .number("3"))
            #expect(
                reply.json["@odata.context"]?.string
                    == "https://move.example/v1.0/$metadata#solutions/migrations/crossTenantMigrationJobs('\(id)')/users"
            )
        }
    }

    @Test("Operation 10: GET …/users/{task} reads one user, services ODSP, Meeting, Teams, Exchange")
    func operation10() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let reply = try await client.send("GET \(World.v1)/\(id)/users/\("\(World.person(1))".uppercased())")
            #expect(reply.status == 200)
            #expect(reply.json["id"]?.string == "\(World.person(1))")
            guard case .array(let services) = reply.json["currentStatus"] else { throw Complaint(text: reply.text) }
            #expect(services.map { $0["service"]?.string } == ["ODSP", "Meeting", "Teams", "Exchange"])
            #expect(services.allSatisfy { $0["status"]?.string == "notStarted" })
            for unknown in ["\(World.person(9))", "nobody"] {
                #expect(try await client.send("GET \(World.v1)/\(id)/users/\(unknown)").status == 404)
            }
        }
    }

    @Test("C48 C49 Operation 11: cancel of one user is 202 Accepted, leaves the others alone, an unknown one is 404")
    func operation11() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let reply = try await client.send("POST \(World.v1)/\(id)/users/\(World.person(0))/cancel")
            #expect(reply.status == 202)
            #expect(reply.json["status"]?.string == "Accepted")
            #expect(reply.json["message"]?.string?.contains("\(World.person(0))") == true)
            #expect(reply.json["message"]?.string?.contains(id) == true)
            guard let job = JobID(id) else { throw Complaint(text: id) }
            let other = try await world.store.reader.task(job, World.person(1))
            #expect(other?.runs.allSatisfy { $0.status == .notStarted } == true)
            let cancelled = try await world.store.reader.task(job, World.person(0))
            #expect(cancelled?.runs.allSatisfy { $0.status == .pendingCancel || $0.status == .cancelled } == true)
            #expect(try await client.send("POST \(World.v1)/\(id)/users/\(World.person(9))/cancel").status == 404)
            #expect(try await client.send("POST \(World.v1)/none/users/\(World.person(0))/cancel").status == 404)
        }
    }

    @Test("C30 Operation 12: GET …Jobs/$count is a bare number that honours $filter and $search")
    func operation12() async throws {
        try await World.run { _, client in
            for number in 1...3 { _ = try await client.create("wave-\(number)") }
            let reply = try await client.send("GET \(World.v1)/$count", headers: ["Accept": "text/plain;q=0.9"])
            #expect(reply.status == 200)
            #expect(reply.text == "3")
            #expect(reply["Content-Type"] == "text/plain")
            #expect(try await client.send("GET \(World.v1)/$count?$filter=displayName%20eq%20'wave-2'").text == "1")
            #expect(try await client.send("GET \(World.v1)/$count?$search=%22WAVE%22").text == "3")
            #expect(try await client.send("GET \(World.v1)/$count?$top=1").status == 400)
        }
    }

    @Test("Operation 13: GET …/users/$count is a bare number")
    func operation13() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1", people: 3)
            #expect(try await client.send("GET \(World.v1)/\(id)/users/$count").text == "3")
            #expect(try await client.send("GET \(World.v1)/none/users/$count").status == 404)
        }
    }

    @Test("C16 Operation 14: GET, PATCH and DELETE by displayName, its quote doubled or not")
    func operation14() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave 1's")
            for literal in ["wave%201''s", "wave%201's", "wave%201%27s", "WAVE%201''S"] {
                #expect(try await client.send("GET \(World.v1)(displayName='\(literal)')").json["id"]?.string == id)
            }
            let path = "\(World.v1)(displayName='wave%201''s')"
            #expect(
                try await client.send("PATCH \(path)", body: #"{"completeAfterDateTime":"2031-04-01T00:00:00Z"}"#)
                    .status == 204)
            try await world.set(id, to: .failed)
            #expect(try await client.send("DELETE \(path)").status == 202)
            #expect(try await client.send("GET \(World.v1)(displayName='none')").status == 404)
        }
    }

    @Test("Operation 15: validate, migrate and cancel by displayName")
    func operation15() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let path = "\(World.beta)(displayName='wave-1')"
            #expect(try await client.send("POST \(path)/validate").json["status"]?.string == "validateSubmitted")
            try await world.set(id, to: .validatePassed, validated: World.start)
            #expect(try await client.send("POST \(path)/migrate").json["status"]?.string == "processing")
            #expect(try await client.send("POST \(path)/cancel").status == 202)
        }
    }

    @Test("Operation 16: the collection's validate creates a job that only checks: 201, and migrate is 409")
    func operation16() async throws {
        try await World.run { world, client in
            let reply = try await client.send(
                "POST \(World.beta)/microsoft.graph.validate", body: World.body("check-1"))
            #expect(reply.status == 201)
            #expect(reply.json["jobType"]?.string == "validate")
            #expect(reply.json["status"]?.string == "validateSubmitted")
            let id = try #require(reply.json["id"]?.string)
            try await world.set(id, to: .validatePassed, validated: World.start)
            #expect(try await client.send("POST \(World.beta)/\(id)/migrate").status == 409)
            let again = try await client.send("POST \(World.beta)/validate", body: World.body("check-1"))
            #expect(again.details == ["duplicateDisplayNameJob"])
        }
    }

    @Test("Operation 17: GET /solutions/migrations is the root")
    func operation17() async throws {
        try await World.run { _, client in
            let reply = try await client.send("GET /beta/solutions/migrations?$select=id")
            #expect(reply.status == 200)
            #expect(reply.json["id"]?.string == "migrations")
        }
    }

    @Test("Ours: a dry run is started, shown in three formats and stopped")
    func dryRun() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let path = "/ferry/jobs/wave-1/dryRun"
            let none = try await client.send("GET \(path)")
            #expect(none.status == 404 && none.text.contains("POST to this address"))
            let started = try await client.send("POST \(path)")
            #expect(started.status == 202)
            #expect(started.json["state"]?.string == "running" && started.json["forecastsExpected"] == .null)
            #expect(started.json["users"] == .array([]))
            #expect(try await client.send("POST \(path)", body: "{\"a\":1}").status == 400)

            let job = try #require(try await world.job(id))
            let person = try #require(job.people.first)
            try await world.store.transact { (tx) throws(StoreError) in
                var forecast = Forecast()
                var share = Forecast.Share(.files)
                (share.containers, share.listed) = (1, Forecast.Amount(items: 3, bytes: 4_096))
                (share.due, share.skipped) = (
                    Forecast.Amount(items: 2, bytes: 4_000), Forecast.Amount(items: 1, bytes: 96)
                )
                forecast.shares = [share]
                forecast.skip(
                    Forecast.Place(
                        service: .files, container: "Files", item: "=<b>x", code: .targetNameRefused,
                        message: "Too long.",
                        bytes: 96))
                forecast.mention(["left@contoso.example"])
                (forecast.seconds, forecast.pace) = (12.2, .assumed(for: .files))
                forecast.findings = [Finding(code: .fileMoveFailed, message: "No room.", reason: "overQuota")]
                try tx.setForecast(forecast, of: RunID(job: job.id, person: person, workload: .files))
            }
            let json = try await client.send("GET \(path)").json
            #expect(json["total"]?["dueBytes"] == .number("4000") && json["total"]?["skippedItems"] == .number("1"))
            #expect(json["estimatedSeconds"] == .number("13"))
            guard case .array(let places) = json["places"], case .array(let skipped) = json["skipped"],
                case .array(let people) = json["unmappedPeople"], case .array(let users) = json["users"],
                case .array(let workloads) = users.first?["workloads"]
            else { throw CancellationError() }
            #expect(places.first?["code"]?.string == "target.name.refused")
            #expect(places.first?["remedy"]?.string == ErrorCode.targetNameRefused.entry.remedy)
            #expect(skipped.first?["items"] == .number("1") && skipped.first?["bytes"] == .number("96"))
            #expect(people.first?["address"]?.string == "left@contoso.example")
            #expect(workloads.first?["grade"]?.string == "investigate")
            guard case .array(let findings) = workloads.first?["findings"] else { throw CancellationError() }
            #expect(findings.first?["remedy"]?.string == FindingReason.overQuota.entry.remedy)

            let csv = try await client.send("GET \(path)?format=csv")
            #expect(
                csv["Content-Type"] == "text/csv; charset=utf-8"
                    && csv["Content-Disposition"]?.contains("dry-run") == true)
            // A name that a spreadsheet would compute is none any more.
            #expect(csv.text.contains("\"'=<b>x\"") && csv.text.contains("left@contoso.example,1"))
            let html = try await client.send("GET \(path)?format=html")
            #expect(html["Content-Security-Policy"]?.contains("default-src 'none'") == true)
            #expect(html.text.contains("=&lt;b&gt;x") && !html.text.contains("<b>x") && html.text.contains("No room."))
            #expect(try await client.send("GET \(path)?format=pdf").status == 400)

            #expect(try await client.send("DELETE \(path)").status == 202)
            #expect(try await client.send("GET \(path)").json["state"]?.string == "cancelled")
            #expect(try await client.send("DELETE \(path)").status == 409)
            let stranger = try world.token(tenant: World.other)
            #expect(try await client.send("GET \(path)", token: stranger).status == 404)
        }
    }

    @Test("Ours: progress, items and the report in three formats")
    func ours() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let progress = try await client.send("GET /ferry/jobs/wave-1/progress")
            #expect(progress.status == 200)
            #expect(progress["OData-Version"] == nil)
            #expect(progress.json["job"]?["id"]?.string == id)
            #expect(progress.json["job"]?["people"] == .number("2"))
            let items = try await client.send("GET /ferry/jobs/\(id)/items?after=0")
            #expect(items.text == #"{"value":[],"next":null}"#)
            for (format, type) in [("json", "application/json"), ("csv", "text/csv"), ("html", "text/html")] {
                let report = try await client.send("GET /ferry/jobs/\(id)/report?format=\(format)")
                #expect(report.status == 200)
                #expect(report["Content-Type"]?.hasPrefix(type) == true)
                #expect(report.text.contains("\(World.person(1))"))
            }
            #expect(try await client.send("GET /ferry/jobs/none/progress").status == 404)
            let stranger = try world.token(tenant: World.other)
            #expect(try await client.send("GET /ferry/jobs/\(id)/report", token: stranger).status == 404)
        }
    }
}
