import FerryAPI
import FerryCore
import Foundation
import Testing

/// The lines of checklist "Read" and "List" of reference 11.
struct ReadTests {
    @Test("C20 Read: a job of another tenant is 404 and in nobody else's list")
    func otherTenant() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            let stranger = try world.token(tenant: World.other)
            #expect(try await client.send("GET \(World.v1)/\(id)", token: stranger).status == 404)
            #expect(try await client.send("GET \(World.v1)/wave-1/users", token: stranger).status == 404)
            #expect(try await client.send("POST \(World.v1)/\(id)/cancel", token: stranger).status == 404)
            #expect(try await client.send("GET \(World.v1)", token: stranger).values("id") == [])
        }
    }

    @Test("C21 C22 Read: $select chooses, $expand=users brings the users, unknown names are 400")
    func selectAndExpand() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let some = try await client.send("GET \(World.v1)/\(id)?$select=status")
            #expect(
                some.text
                    == #"{"@odata.context":"https://move.example/v1.0/$metadata#solutions/migrations/crossTenantMigrationJobs(status)/$entity","id":"\#(id)","status":"submitted"}"#
            )
            let expanded = try await client.send("GET \(World.v1)/\(id)?expand=users&select=id")
            guard case .array(let users) = expanded.json["users"] else { throw Complaint(text: expanded.text) }
            #expect(users.map { $0["id"]?.string } == [0, 1].map { "\(World.person($0))" })
            let limited = try await client.send("GET \(World.v1)?$expand=users($top=1;$select=id)")
            #expect(limited.text.contains(#""users":[{"id":"\#(World.person(0))"}],"users@odata.nextLink":"#))
            for bad in ["$select=colour", "$expand=jobs", "$top=1", "$flavour=1"] {
                #expect(try await client.send("GET \(World.v1)/\(id)?\(bad)").status == 400, "\(bad)")
            }
        }
    }

    @Test("C23 C24 C26 List: 45 jobs are 3 pages without repeats, stable while jobs are added")
    func paging() async throws {
        try await World.run { world, client in
            var created: [String] = []
            for number in 0..<45 {
                created.append(try await client.create("wave-\(number)"))
                // Some of them are created in the same instant: ties are broken by id.
                if number % 3 == 0 { world.pass(.milliseconds(1)) }
            }
            var seen: [String] = []
            var sizes: [Int] = []
            var path: String? = "\(World.v1)?$count=true"
            while let current = path {
                let page = try await client.send("GET \(current)", headers: ["Accept": "*/*"])
                #expect(page.status == 200)
                #expect(page.json["@odata.count"] == (sizes.isEmpty ? .number("45") : nil))
                sizes.append(page.values("id").count)
                seen += page.values("id")
                path = page.next
                world.pass(.milliseconds(1))
                _ = try await client.create("late-\(sizes.count)")
            }
            #expect(sizes == [20, 20, 5])
            #expect(Set(seen) == Set(created))
            #expect(seen.count == 45)
        }
    }

    @Test("C25 C29 List: $top=5 still pages, $skip counts once, Prefer odata.maxpagesize=3 is applied, $top=0 is empty")
    func pageSizes() async throws {
        try await World.run { world, client in
            for number in 0..<12 {
                _ = try await client.create("wave-\(number)")
                world.pass(.milliseconds(1))
            }
            let first = try await client.send("GET \(World.v1)?$top=5&$skip=1&$orderby=createdDateTime")
            #expect(first.values("displayName") == (1..<6).map { "wave-\($0)" })
            let second = try await client.send("GET \(try #require(first.next))")
            #expect(second.values("displayName") == (6..<11).map { "wave-\($0)" })
            let small = try await client.send("GET \(World.v1)", headers: ["Prefer": "odata.maxpagesize=3"])
            #expect(small.values("id").count == 3)
            #expect(small["Preference-Applied"] == "odata.maxpagesize=3")
            #expect(small.next != nil)
            let none = try await client.send("GET \(World.v1)?$top=0&$count=true")
            #expect(none.values("id").isEmpty)
            #expect(none.next == nil)
            #expect(none.json["@odata.count"] == .number("12"))
        }
    }

    @Test(
        "List: every $orderby leads from page to page, several keys too",
        arguments: [
            "id", "id desc", "displayName,id", "status desc,displayName", "createdDateTime,id desc",
            "lastUpdatedDateTime desc", "completeAfterDateTime,status,displayName desc", "id,displayName",
        ])
    func orders(_ order: String) async throws {
        try await World.run { world, client in
            for number in 0..<11 {
                let id = try await client.create("wave-\(number)")
                if number % 3 == 0 { try await world.set(id, to: .failed) }
                if number % 2 == 0 { world.pass(.milliseconds(1)) }
            }
            let query = "$orderby=\(order.replacingOccurrences(of: " ", with: "%20"))&$select=displayName"
            let whole = try await client.send("GET \(World.v1)?\(query)&$top=50").values("displayName")
            var seen: [String] = []
            var path: String? = "\(World.v1)?\(query)&$top=2"
            while let current = path {
                let page = try await client.send("GET \(current)")
                #expect(page.status == 200)
                seen += page.values("displayName")
                path = page.next
            }
            #expect(seen == whole)
            #expect(seen.count == 11)
        }
    }

    @Test("List: users come 20 to a page, too")
    func userPaging() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1", people: 45)
            var seen: [String] = []
            var path: String? = "\(World.v1)/wave-1/users"
            while let current = path {
                let page = try await client.send("GET \(current)")
                #expect(page.values("id").count <= 20)
                seen += page.values("id")
                path = page.next
            }
            #expect(seen == (0..<45).map { "\(World.person($0))" })
            let filtered = try await client.send(
                "GET \(World.v1)/\(id)/users?filter=currentStatus/any(s:s/status%20eq%20'failed')")
            #expect(filtered.values("id").isEmpty)
        }
    }

    @Test("C27 C28 C31 List: $filter, with and without $ on beta; an unknown property is 400")
    func filters() async throws {
        try await World.run { world, client in
            let id = try await client.create("wave-1")
            _ = try await client.create("wave-2", changing: ["workloads": "[\"ODSP\"]"])
            try await world.set(id, to: .completed)
            for option in [
                "$filter=status%20eq%20'completed'", "filter=status%20eq%20'completed'",
                "$filter=workloads/any(w:w%20eq%20'Teams')", "$filter=endswith(displayName,'-1')",
                "$filter=id%20in%20('\(id.uppercased())')", "$filter=not%20(status%20eq%20'submitted')",
                "$filter=createdDateTime%20le%202031-02-13T08:00:00Z%20and%20contains(tolower(displayName),'1')",
            ] {
                #expect(try await client.send("GET \(World.beta)?\(option)").values("id") == [id], "\(option)")
            }
            let bad = try await client.send("GET \(World.beta)?$filter=colour%20eq%20'red'")
            #expect(bad.status == 400)
            #expect(bad.code == "BadRequest")
            #expect(bad.target == "$filter")
        }
    }

    @Test("Accept and metadata: none has no context, XML is 406")
    func negotiation() async throws {
        try await World.run { _, client in
            let id = try await client.create("wave-1")
            let none = try await client.send(
                "GET \(World.v1)/\(id)", headers: ["Accept": "application/json;odata.metadata=none"])
            #expect(none.json["@odata.context"] == nil)
            #expect(none["Content-Type"]?.contains("odata.metadata=none") == true)
            #expect(
                try await client.send("GET \(World.v1)/\(id)", headers: ["Accept": "application/xml"]).status == 406)
            #expect(try await client.send("GET \(World.v1)/\(id)?$format=xml").status == 406)
            #expect(
                try await client.send("POST \(World.v1)/\(id)/validate", headers: ["Accept": "text/html"]).status == 406
            )
            #expect(try await client.send("GET \(World.v1)/\(id)").json["status"]?.string == "submitted")
        }
    }
}
