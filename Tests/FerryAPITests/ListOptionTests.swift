import FerryAPI
import FerryCore
import Testing

/// Query options besides `$filter`, and paging (reference 7.3, 7.4, 7.6).
struct ListOptionTests {
    @Test("Without options a page holds the 20 newest jobs")
    func defaults() throws {
        let list = try Examples.jobs("")
        var expected = JobQuery(tenant: Examples.target)
        expected.limit = 20
        #expect(list.query == expected)
        #expect(list.query.order == [Ordering(.created, descending: true)])
        #expect(!list.wantsCount)
    }

    @Test(
        "Options are read in every spelling",
        arguments: [
            "$top=5&$skip=2&$count=true&$orderby=displayName%20desc,id",
            "top=5&skip=2&count=true&orderby=displayName+desc,id",
            "$TOP=5&$Skip=2&$Count=TRUE&$orderBy=displayname%20DESC,id%20asc&unknown=ignored",
        ])
    func spellings(_ query: String) throws {
        let list = try Examples.jobs(query)
        #expect(list.query.limit == 5)
        #expect(list.query.skip == 2)
        #expect(list.query.order == [Ordering(.displayName, descending: true), Ordering(.id)])
        #expect(list.wantsCount)
    }

    @Test(
        "What cannot be is 400",
        arguments: [
            "$top=-1", "$top=many", "$top=", "$skip=-1", "$count=perhaps", "$top=1&top=2", "$apply=x", "$deltatoken=1",
            "$select=colour", "$select=id,,status", "$expand=jobs", "$expand=users($filter=x)", "$expand=users(",
            "$orderby=message",
            "$orderby=id up", "$orderby=id,id", "$orderby=", "$search=wave", "$search=%22%22",
            "$search=%22a%22%20OR%20%22b%22",
            "$skiptoken=abc", "$skiptoken=", "$filter=%zz",
        ])
    func badOptions(_ query: String) {
        #expect(failure { () throws(Failure) in _ = try Examples.jobs(query) }?.answer.status == 400, "\(query)")
    }

    @Test("$expand=users takes options of its own, quotes and parentheses in them")
    func expansions() throws {
        let text =
            "$expand=users($select=id;$filter=id%20in%20('a;b)','c');$orderby=id%20desc;$top=5;$skip=2;$count=true)"
        let users = try #require(try Examples.jobs(text).shape.users)
        let query = users.query(of: Examples.jobID, limit: 20)
        #expect(query.predicate == .isIn(.id, [.text("a;b)"), .text("c")]))
        #expect(query.order == [Ordering(.id, descending: true)])
        #expect(query.limit == 5)
        #expect(query.skip == 2)
        #expect(users.wantsCount)
        #expect(users.query(of: Examples.jobID, limit: 3).limit == 3)
        let end = PagePosition(values: [], id: Examples.ada.description)
        let link = try #require(users.nextLink(of: Examples.jobID, after: end, links: Examples.v1.links))
        let rest = try TaskListOptions(
            try Examples.options(String(try RequestTarget(link).rawQuery)), of: Examples.jobID, version: .v1,
            preferences: Preferences([]))
        #expect(rest.query.after == end)
        #expect(rest.query.predicate == query.predicate)
        #expect(rest.query.skip == 0)
        #expect(!rest.wantsCount)
        #expect(
            try Examples.jobs("expand=Users(select=id;top=0)").shape.users?.query(of: Examples.jobID, limit: 9).limit
                == 0)
        for bad in [
            "users($expand=x)", "users($top=-1)", "users($filter=colour eq 'x')", "users($select=colour)",
            "users($top=1;$top=2)", "users($filter=id eq 'x)", "users(()", "users)", "users($flavour=1)", "users(x)",
            "users($format=json)", "users,users", "users($orderby=status)", "users/$ref", "users($levels=2)", "*",
        ] {
            let outcome = failure { () throws(Failure) in
                _ = try Examples.jobs("$expand=" + FilterTests.encoded(bad))
            }
            #expect(outcome?.answer.status == 400, "\(bad)")
            #expect(outcome?.answer.target == "$expand", "\(bad)")
        }
    }

    @Test("An option that the resource does not take is 400")
    func foreignOptions() {
        let bad = failure { () throws(Failure) in _ = try QueryOptions("$top=1", allowing: [.select, .expand]) }
        #expect(bad?.answer.status == 400)
        #expect(failure { () throws(Failure) in _ = try QueryOptions("top=1", allowing: [.select]) } == nil)
    }

    @Test("$top is clamped to 999, the smaller of it and odata.maxpagesize counts")
    func pageSizes() throws {
        #expect(try Examples.jobs("$top=100000").query.limit == 999)
        #expect(try Examples.jobs("$top=99999999999999999999999").query.limit == 999)
        #expect(try Examples.jobs("$top=0").query.limit == 0)
        #expect(try Examples.jobs("", preferring: ["odata.maxpagesize=3"]).query.limit == 3)
        #expect(try Examples.jobs("", preferring: ["odata.maxpagesize=5000"]).query.limit == 999)
        #expect(try Examples.jobs("$top=5", preferring: ["respond-async", "odata.maxpagesize=3"]).query.limit == 3)
        #expect(try Examples.jobs("$top=2", preferring: ["odata.maxpagesize=3"]).query.limit == 2)
        #expect(try Examples.jobs("$expand=users&$top=500").query.limit == 20)
    }

    @Test("$search takes one text in double quotes")
    func search() throws {
        #expect(try Examples.jobs("$search=%22wave%201%22").query.search == "wave 1")
        #expect(try Examples.jobs("$search=%22a%5C%22b%22").query.search == "a\"b")
    }

    static let end = PagePosition(values: [.instant(Instant(seconds: 1_900_000_000))], id: Examples.jobID.description)

    @Test("A nextLink is absolute, repeats the other options but $skip, and leads to the position")
    func nextLinks() throws {
        let query = "$filter=status%20eq%20'completed'&$select=id,status&$skip=4&$top=5&$count=true"
        let first = try Examples.jobs(query)
        let link = try #require(first.nextLink(Self.end, links: Examples.v1.links))
        #expect(
            link.hasPrefix(
                "https://move.example/v1.0/solutions/migrations/crossTenantMigrationJobs?"
                    + "$select=id,status&$filter=status%20eq%20'completed'&$top=5&$count=true&$skiptoken="))
        let target = try RequestTarget(link)
        let second = try Examples.jobs(String(target.rawQuery))
        #expect(second.query.after == Self.end)
        #expect(second.query.skip == 0)
        #expect(second.query.limit == 5)
        #expect(second.query.predicate == first.query.predicate)
        #expect(first.wantsCount)
        #expect(!second.wantsCount)
        #expect(first.nextLink(nil, links: Examples.v1.links) == nil)
    }

    @Test("A $skiptoken of another list is 400")
    func foreignTokens() throws {
        let link = try #require(try Examples.jobs("$top=5").nextLink(Self.end, links: Examples.v1.links))
        let token = try #require(link.split(separator: "=").last)
        #expect(failure { () throws(Failure) in _ = try Examples.jobs("$top=5&$skiptoken=\(token)") } == nil)
        for foreign in ["$top=6&", "", "$top=5&$filter=true&", "$top=5&$orderby=id&"] {
            let outcome = failure { () throws(Failure) in _ = try Examples.jobs("\(foreign)$skiptoken=\(token)") }
            #expect(outcome?.answer.status == 400, "\(foreign)")
        }
        let users = failure { () throws(Failure) in
            _ = try TaskListOptions(
                try Examples.options("$top=5&$skiptoken=\(token)"), of: Examples.jobID, version: .v1,
                preferences: Preferences([]))
        }
        #expect(users?.answer.status == 400)
    }

    @Test("A token that was cut or changed anywhere is 400 or leads to a position, but never crashes")
    func damagedTokens() throws {
        let order = "$orderby=displayName,id"
        let end = PagePosition(values: [.text("wäve")], id: "x")
        let link = try #require(try Examples.jobs(order).nextLink(end, links: Examples.v1.links))
        let token = Array(try #require(link.split(separator: "=").last).utf8)
        var random = Noise(seed: 7)
        for length in 0..<token.count {
            let cut = String(decoding: token[..<length], as: UTF8.self)
            let outcome = failure { () throws(Failure) in _ = try Examples.jobs("\(order)&$skiptoken=\(cut)") }
            #expect(outcome?.answer.status == 400)
        }
        for _ in 0..<500 {
            var damaged = token
            damaged[random.number(below: token.count)] = UInt8(random.number(below: 128))
            let text = String(decoding: damaged, as: UTF8.self)
            if let outcome = failure({ () throws(Failure) in _ = try Examples.jobs("\(order)&$skiptoken=\(text)") }) {
                #expect(outcome.answer.status == 400)
            }
        }
    }

    @Test("Preferences come in lists and lines, unknown and broken ones are ignored")
    func preferences() {
        let some = Preferences(["return=representation, odata.maxpagesize=\"7\"", "include-unknown-enum-members"])
        #expect(some.returnsRepresentation)
        #expect(some.maximumPageSize == 7)
        #expect(some.includesUnknownEnumMembers)
        let none = Preferences(["odata.maxpagesize=lots; return=minimal, wait=3, odata.maxpagesize=0"])
        #expect(none.maximumPageSize == nil)
        #expect(!none.returnsRepresentation)
    }

    @Test(
        "Accept and $format choose the metadata level, or nothing",
        arguments: [
            (nil, nil, MetadataLevel.minimal), ("*/*", nil, .minimal), ("application/json", nil, .minimal),
            ("application/json;odata.metadata=none", nil, MetadataLevel.none),
            ("text/html, application/json; odata.metadata=FULL; q=0.5", nil, .full),
            ("application/*", nil, .minimal), ("text/html", "json", .minimal),
            (nil, "application/json;odata.metadata=none", MetadataLevel.none),
            ("text/plain", nil, nil), ("application/json;q=0", nil, nil), ("application/xml", nil, nil),
            (nil, "xml", nil),
        ] as [(String?, String?, MetadataLevel?)])
    func negotiation(_ accept: String?, _ format: String?, _ level: MetadataLevel?) {
        var found: MetadataLevel?
        let outcome = failure { () throws(Failure) in
            found = try Negotiation.metadata(accept: accept, format: format)
        }
        #expect(found == level)
        #expect(outcome?.answer.status == (level == nil ? 406 : nil))
    }

    @Test("Bodies are JSON in UTF-8")
    func contentTypes() {
        for good in [
            nil, "application/json", "Application/JSON; charset=\"UTF-8\"", "application/json;odata.metadata=minimal",
        ] {
            #expect(Negotiation.isJSON(contentType: good))
        }
        for bad in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""] {
            #expect(!Negotiation.isJSON(contentType: bad))
        }
        #expect(Negotiation.acceptsCount("text/plain;q=0.9"))
        #expect(Negotiation.acceptsCount("application/json"))
        #expect(!Negotiation.acceptsCount("image/png"))
    }
}
