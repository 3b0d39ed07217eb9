import FerryAPI
import FerryCore
import Testing

/// Request bodies: create, PATCH, actions (reference 2.1, 7.5, Q22, Q23).
struct BodyDecodingTests {
    static func draft(_ body: String) throws(Failure) -> JobDraft { try BodyDecoder.draft(Array(body.utf8)) }

    @Test("The create sample becomes a draft")
    func sample() throws {
        let draft = try Self.draft(
            """
            { "@odata.type": "#microsoft.graph.crossTenantMigrationJob", "displayName": "wave-1",
              "completeAfterDateTime": "2031-02-03T04:05:06+00:00", "completeAfterDateTime@odata.type": "#DateTimeOffset",
              "sourceTenantId": "s", "exchangeSettings": { "@odata.type": "microsoft.graph.exchangeOnlineCrossTenantMigrationSettings",
                "sourceEndpoint": "from-north", "targetDeliveryDomain": "south.example" },
              "resources": [ "a", "b" ], "resourceType": "Users", "workloads": [ "Exchange", "ODSP" ],
              "id": null, "status": null, "users": null }
            """)
        #expect(
            draft
                == JobDraft(
                    displayName: "wave-1", sourceTenant: "s", completeAfter: Examples.instant("2031-02-03T04:05:06Z"),
                    resourceType: "Users", resources: ["a", "b"], workloads: ["Exchange", "ODSP"],
                    sourceEndpoint: "from-north", targetDeliveryDomain: "south.example"))
    }

    @Test("What is absent or null stays open")
    func absent() throws {
        #expect(try Self.draft("{}") == JobDraft())
        #expect(
            try Self.draft(
                #"{"displayName":null,"resources":null,"exchangeSettings":null,"completeAfterDateTime":null}"#)
                == JobDraft())
        #expect(try Self.draft(#"{"workloads":[]}"#) == JobDraft(workloads: []))
    }

    @Test(
        "Dates come with any fraction and zone, or none",
        arguments: [
            ("2031-03-01T06:00:00Z", "2031-03-01T06:00:00Z"), ("2031-03-01T00:00:00", "2031-03-01T00:00:00Z"),
            ("2031-03-01T06:00:00.123456789012Z", "2031-03-01T06:00:00.123456Z"),
            ("2031-03-01T08:30:00+02:30", "2031-03-01T06:00:00Z"),
        ])
    func dates(_ text: String, _ meaning: String) throws {
        #expect(try Self.draft(#"{"completeAfterDateTime":"\#(text)"}"#).completeAfter == Examples.instant(meaning))
    }

    @Test(
        "What is not the contract's JSON is 400 and names the member",
        arguments: [
            ("", nil), ("{", nil), ("[]", nil), ("null", nil), ("\"x\"", nil), ("{\"displayName\":\"a\"", nil),
            ("{} {}", nil), ("{\"a\":1,}", nil), ("{\"displayName\":\"a\",\"displayName\":\"b\"}", nil),
            (#"{"displayName":7}"#, "displayName"), (#"{"displayName":["a"]}"#, "displayName"),
            (#"{"resources":"a"}"#, "resources"), (#"{"resources":["a",7]}"#, "resources[1]"),
            (#"{"resources":[null]}"#, "resources[0]"), (#"{"workloads":{}}"#, "workloads"),
            (#"{"exchangeSettings":"a"}"#, "exchangeSettings"),
            (#"{"exchangeSettings":{"sourceEndpoint":true}}"#, "exchangeSettings/sourceEndpoint"),
            (#"{"exchangeSettings":{"other":1}}"#, "exchangeSettings/other"),
            (#"{"completeAfterDateTime":"soon"}"#, "completeAfterDateTime"),
            (#"{"completeAfterDateTime":"2031-02-30T00:00:00Z"}"#, "completeAfterDateTime"),
            (#"{"completeAfterDateTime":1900000000}"#, "completeAfterDateTime"),
            (#"{"displayname":"a"}"#, "displayname"), (#"{"colour":null}"#, "colour"),
            (##"{"@odata.type":"#microsoft.graph.user"}"##, "@odata.type"), (#"{"@odata.type":7}"#, "@odata.type"),
        ] as [(String, String?)])
    func badBodies(_ body: String, _ target: String?) {
        let failure = failure { () throws(Failure) in _ = try Self.draft(body) }
        #expect(failure?.answer.status == 400)
        #expect(failure?.answer.target == target)
    }

    @Test(
        "Members that only the server writes are 422 readOnlyProperty on create",
        arguments: [
            "id", "jobType", "targetTenantId", "status", "message", "createdDateTime", "createdBy",
            "lastUpdatedDateTime", "users",
        ])
    func readOnly(_ name: String) {
        let failure = failure { () throws(Failure) in _ = try Self.draft(#"{"\#(name)":"x","displayName":"a"}"#) }
        #expect(failure?.answer.status == 422)
        #expect(failure?.answer.details.map(\.code) == ["readOnlyProperty"])
        #expect(failure?.answer.target == name)
    }

    @Test(
        "PATCH changes the date and nothing else",
        arguments: [
            (#"{}"#, 422, "required"), (#"{"completeAfterDateTime":null}"#, 422, "required"),
            (#"{"displayName":"a"}"#, 422, "readOnlyProperty"),
            (#"{"completeAfterDateTime":"2031-03-04T06:00:00Z","resources":[]}"#, 422, "readOnlyProperty"),
            (#"{"colour":1}"#, 400, nil), (#"{"completeAfterDateTime":"never"}"#, 400, nil), ("", 400, nil),
        ] as [(String, Int, String?)])
    func badPatches(_ body: String, _ status: Int, _ code: String?) {
        let failure = failure { () throws(Failure) in _ = try BodyDecoder.reschedule(Array(body.utf8)) }
        #expect(failure?.answer.status == status)
        #expect(failure?.answer.details.first?.code == code)
    }

    @Test("PATCH reads the date and ignores control information")
    func patch() throws {
        let body =
            ##"{"@odata.type":"#microsoft.graph.crossTenantMigrationJob","completeAfterDateTime":"2031-03-04T06:00:00Z"}"##
        #expect(try BodyDecoder.reschedule(Array(body.utf8)) == Examples.instant("2031-03-04T06:00:00Z"))
    }

    @Test("Actions take no body or an empty object")
    func actions() throws {
        for good in ["", " \r\n", "{}", " { } ", #"{"@odata.type":"x"}"#] { try BodyDecoder.empty(Array(good.utf8)) }
        for bad in ["{", "[]", #"{"force":true}"#, "null"] {
            #expect(failure { () throws(Failure) in try BodyDecoder.empty(Array(bad.utf8)) }?.answer.status == 400)
        }
    }

    @Test("JSON texts are read as RFC 8259 says")
    func json() throws {
        let value = try JSONParser.parse(
            Array(#" { "a" : [ 1, -0.5e+3, true, null, "\u00e9\ud83d\ude00\/\n" ] } "#.utf8))
        #expect(
            value
                == .object([
                    JSONMember(
                        name: "a",
                        value: .array([.number("1"), .number("-0.5e+3"), .bool(true), .null, .string("é😀/\n")]))
                ]))
        let bad: [[UInt8]] =
            [
                "01", "1.", "-", "+1", "tru", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"a", "[1,]", "[1 2]",
                "{1:2}", "nul", "'a'",
            ].map { Array($0.utf8) } + [[0x22, 0xFF, 0x22], [0x22, 0x0A, 0x22], [0xEF, 0xBB, 0xBF, 0x31]]
        for body in bad { #expect(throws: JSONParser.Problem.self, "\(body)") { try JSONParser.parse(body) } }
    }

    @Test("Nesting and the number of values are bounded")
    func bounds() {
        let deep = Array(String(repeating: "[", count: 100_000).utf8)
        #expect(throws: JSONParser.Problem.self) { try JSONParser.parse(deep) }
        let wide = Array("[\(Array(repeating: "1", count: APILimits.bodyValues).joined(separator: ","))]".utf8)
        #expect(throws: JSONParser.Problem.self) { try JSONParser.parse(wide) }
    }

    @Test("2,000 people fit into a body")
    func manyPeople() throws {
        let ids = (0..<2_000).map { "\"\(GUID(high: 1, low: UInt64($0)))\"" }.joined(separator: ",")
        #expect(try Self.draft("{\"resources\":[\(ids)]}").resources?.count == 2_000)
    }

    @Test("A body damaged anywhere fails or is read, but never crashes")
    func noise() {
        let good = Array(
            #"{"displayName":"wä\u00e9\"","resources":["a","b"],"exchangeSettings":{"sourceEndpoint":"x"},"n":[1.5e3,true,null]}"#
                .utf8)
        var random = Noise(seed: 99)
        for length in 0...good.count { _ = try? JSONParser.parse(Array(good[..<length])) }
        var failures = 0
        for _ in 0..<5_000 {
            var damaged = good
            for _ in 0...random.number(below: 4) {
                let place = random.number(below: damaged.count)
                if random.number(below: 2) == 0 {
                    damaged[place] = UInt8(random.number(below: 256))
                } else {
                    damaged.remove(at: place)
                }
            }
            if let failure = failure({ () throws(Failure) in _ = try BodyDecoder.draft(damaged) }) {
                failures += 1
                #expect([400, 422].contains(failure.answer.status))
            }
        }
        #expect(failures > 0)
    }
}
