import Foundation
import HTTPTypes

/// Reproducible chance (SplitMix64) for requests.
struct RequestNoise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func number(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(below: elements.count)] }
    mutating func happens(oneIn times: Int) -> Bool { number(below: times) == 0 }
}

/// Makes requests from pieces of good ones: good ones with something wrong get further than noise does.
struct RequestMaker {
    struct Made: CustomStringConvertible {
        var method: HTTPRequest.Method
        var target: String
        var headers: HTTPFields
        var body: [UInt8]?

        var description: String {
            let fields = headers.filter { $0.name != .authorization }.map { "\($0.name): \($0.value)" }
            return "\(method) \(target) \(fields) \(body.map { String(decoding: $0, as: UTF8.self) } ?? "")"
        }
    }

    var noise: RequestNoise
    /// Jobs that there are.
    var ids: [String]
    let tokens: [String]

    mutating func next() -> Made {
        let isChange = noise.happens(oneIn: 2)
        var made = Made(
            method: isChange ? noise.pick([.post, .post, .patch, .delete]) : .get, target: path(isChange: isChange),
            headers: headers(), body: nil)
        if noise.happens(oneIn: 25) {
            made.method = noise.pick(
                [.head, .options, .put, .trace, .connect] + ["BREW", "get", "*"].compactMap { HTTPRequest.Method($0) })
        }
        if isChange || noise.happens(oneIn: 20) { made.body = body(of: made.target) }
        if noise.happens(oneIn: 3) || !isChange { made.target += "?" + query() }
        if noise.happens(oneIn: 15) { made.target = damaged(made.target) }
        return made
    }

    // MARK: paths

    private mutating func path(isChange: Bool) -> String {
        if noise.happens(oneIn: 12) { return noise.pick(Self.oddPaths) }
        let version = noise.pick(["/v1.0", "/beta", "/V1.0", "/Beta"])
        if isChange, noise.happens(oneIn: 6) { return version + "/$batch" }
        let jobs =
            version
            + noise.pick([
                "/solutions/migrations/crossTenantMigrationJobs", "/Solutions/migrations/crosstenantmigrationjobs",
            ])
        if noise.happens(oneIn: 3) { return jobs }
        let id = noise.pick(ids + ["wave-1", "wave%202's", "none", "30000000-cccc-4000-8000-000000000001"])
        let job = jobs + noise.pick(["/\(id)", "('\(id)')", "(id='\(id)')", "(displayName='\(id)')"])
        if isChange {
            return job
                + noise.pick([
                    "", "", "/validate", "/migrate", "/cancel", "/microsoft.graph.cancel", "/users/\(user())/cancel",
                ])
        }
        return job
            + noise.pick(["", "", "/users", "/users/\(user())", "/users('\(user())')", "/users/$count", "/$count"])
    }

    private mutating func user() -> String { noise.pick(["\(World.person(0))", "\(World.person(1))", "nobody"]) }

    private static let oddPaths = [
        "", "/", "//", "*", "/v1.0", "/beta/", "/v1.0/$metadata", "/v1.0/solutions", "/v1.0/solutions/migrations",
        "/v2.0/x",
        "/openapi.json", "/ferry", "/ferry/jobs/wave-1/progress", "/ferry/jobs/wave-1/items",
        "/ferry/jobs/wave-1/report", "/ferry/jobs/wave-1/dryRun",
        "/healthz", "/readyz", "http://else.example/v1.0", "/%00", "/%", "/v1.0/%F0%9F", "/../../etc/passwd",
        "\(World.v1)/%2F", "\(World.v1)(", "\(World.v1)()", "\(World.v1)('')", "\(World.v1)(displayName=)",
        "\(World.v1)/validate", "\(World.v1)/$count", "\(World.v1)/$ref", "\(World.v1)/a/b/c/d", "\(World.v1)/ ",
    ]

    // MARK: queries

    private mutating func query() -> String {
        (0..<noise.number(below: 4)).map { _ in option() }.joined(separator: noise.happens(oneIn: 10) ? "&&" : "&")
    }

    private mutating func option() -> String {
        let name = noise.pick([
            "$filter", "$filter", "filter", "$orderby", "$select", "$expand", "$top", "$skip", "$count", "$search",
            "$skiptoken", "$format", "$FILTER", "$apply", "x", "after", "format", "",
        ])
        var value = ""
        switch name.lowercased() {
        case "$filter", "filter": value = filter()
        case "$expand":
            value = noise.pick([
                "users", "users($select=id)", "users($top=\(text());$filter=\(filter()))", "users(\(query()))", text(),
            ])
        case "$orderby": value = noise.pick(["id", "status desc", "createdDateTime", "displayName desc,id", text()])
        case "$select":
            value = noise.pick(["id", "*", "id,status", "exchangeSettings/sourceEndpoint", "users", text()])
        case "$top", "$skip": value = noise.pick(["0", "1", "5", "999", "1000", "99999999999999999999", "-1", text()])
        case "$search": value = noise.pick(["\"wave\"", "\"\"", "\"a\\\"b\"", text()])
        default: value = noise.pick(["true", "false", "json", "xml", "html", "csv", text()])
        }
        return name + "=" + escaped(value)
    }

    private mutating func filter(_ depth: Int = 0) -> String {
        switch noise.number(below: depth > 3 ? 5 : 8) {
        case 0:
            return noise.pick(["status", "displayName", "id", "jobType", "createdBy", "resourceType", "users", text()])
                + noise.pick([" eq ", " ne ", " gt ", " le ", " in ", " has ", " "])
                + noise.pick([
                    "'completed'", "'wave-1'", "null", "('a','b')", "tolower('A')", "5",
                    "microsoft.graph.crossTenantMigrationJobStatus'failed'", text(),
                ])
        case 1:
            return noise.pick(["createdDateTime", "lastUpdatedDateTime", "completeAfterDateTime"])
                + noise.pick([" ge ", " lt ", " eq "])
                + noise.pick([
                    "2031-02-13T08:00:00Z", "2031-02-13", "9999-12-31T23:59:59.999999999999Z", "0000-01-01", "null",
                    text(),
                ])
        case 2:
            return noise.pick(["startswith", "contains", "endswith", "length"]) + "("
                + noise.pick(["displayName", "tolower(displayName)", "createdBy", "id", "status"]) + ",'"
                + noise.pick(["wave", "", "WAVE", "%", "''", "é"]) + "')" + noise.pick(["", " eq true", " eq false"])
        case 3:
            return noise.pick(["workloads", "currentStatus", "resources"]) + noise.pick(["/any(", "/all("])
                + noise.pick([
                    "w:w eq 'Teams'", "s:s/status eq 'failed' and s/service eq 'ODSP'", "", "w:",
                    "x:\(filter(depth + 1))",
                ]) + ")"
        case 4: return noise.pick(["true", "false", text()])
        case 5: return "not (" + filter(depth + 1) + ")"
        case 6: return "(" + filter(depth + 1) + ")"
        default: return filter(depth + 1) + noise.pick([" and ", " or ", " xor "]) + filter(depth + 1)
        }
    }

    // MARK: headers

    private mutating func headers() -> HTTPFields {
        var fields = HTTPFields()
        if !noise.happens(oneIn: 30) {
            fields[.authorization] = noise.pick(["Bearer ", "Bearer ", "bearer ", "Bearer  "]) + noise.pick(tokens)
        }
        fields[.contentType] = noise.pick([
            "application/json", "application/json", "application/json", "application/json;charset=utf-8", "text/plain",
            "application/json;charset=latin1", "", ";;=", text(),
        ])
        func add(_ name: String, _ value: String) {
            if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
        }
        for _ in 0..<noise.number(below: 4) {
            switch noise.number(below: 6) {
            case 0:
                add(
                    "Accept",
                    noise.pick([
                        "application/json", "*/*", "application/json;odata.metadata=full", "text/html",
                        "application/json;odata.metadata=none", "application/json;q=0", ",,;q=", text(),
                    ]))
            case 1:
                add(
                    "Prefer",
                    noise.pick(["odata.maxpagesize=1", "return=representation", "odata.maxpagesize=-1,,=", text()]))
            case 2: add("client-request-id", noise.pick(["mine", "", text(), String(repeating: "x", count: 300)]))
            case 3: add("return-client-request-id", noise.pick(["true", "maybe"]))
            case 4: add("Content-Length", noise.pick(["0", "5", "99999999999", "-1", "x"]))
            default:
                add(noise.pick(["If-Match", "ConsistencyLevel", "Origin", "X-Forwarded-For", "Host", "Range"]), text())
            }
        }
        return fields
    }

    // MARK: bodies

    private mutating func body(of target: String) -> [UInt8]? {
        var text: String
        if target.hasSuffix("$batch") {
            text = batch()
        } else if noise.happens(oneIn: 3) {
            text = noise.pick([
                "", "{}", "null", "[]", #"{"completeAfterDateTime":"2031-03-04T06:00:00Z"}"#, "\"\"", "1e999", " ",
            ])
        } else {
            text = World.body("wave-\(noise.number(below: 40))", people: noise.pick([0, 1, 2, 3]), changing: changes())
        }
        if text.isEmpty { return nil }
        var bytes = Array(text.utf8)
        if noise.happens(oneIn: 8) {
            for _ in 0...noise.number(below: 3) {
                bytes[noise.number(below: bytes.count)] = UInt8(noise.number(below: 256))
            }
        }
        if noise.happens(oneIn: 12) { bytes.removeLast(noise.number(below: bytes.count)) }
        if noise.happens(oneIn: 60) { bytes += [UInt8](repeating: 0x20, count: 70_000) }
        return bytes
    }

    private mutating func changes() -> [String: String] {
        guard noise.happens(oneIn: 2) else { return [:] }
        let name = noise.pick([
            "displayName", "completeAfterDateTime", "sourceTenantId", "exchangeSettings", "resources", "resourceType",
            "workloads", "id", "status", "@odata.type", "users@odata.bind", "colour", "users", "message",
        ])
        return [
            name: noise.pick([
                "", "null", "true", "0", "-1.5e300", "\"\"", "\"x\"", "[]", "[null]", "[\"\(World.person(5))\"]", "{}",
                "{\"a\":{}}", "\"2031-02-30T00:00:00Z\"", "\"9999-12-31T23:59:59Z\"", "\"0001-01-01T00:00:00Z\"",
                "\"#microsoft.graph.crossTenantMigrationJob\"", "\"\\ud83d\\ude00\"", "\"\\u0000\"", "\"a/b\"",
                "\"$count\"",
                "\"" + String(repeating: "x", count: 300) + "\"", "[\"Exchange\"]", "[\"Exchange\",\"exchange\"]",
                String(repeating: "[", count: 40) + String(repeating: "]", count: 40),
            ])
        ]
    }

    private mutating func batch() -> String {
        let count = noise.pick([0, 1, 2, 3, 5, 20, 21])
        var steps: [String] = []
        for number in 0..<count {
            var members = [
                "\"id\":\"\(noise.happens(oneIn: 30) ? 0 : number)\"",
                "\"method\":\"\(noise.pick(["GET", "POST", "DELETE", "PATCH", "put", "?"]))\"",
            ]
            let url =
                noise.pick(["", "https://move.example/v1.0"])
                + String(path(isChange: noise.happens(oneIn: 2)).drop { $0 != "s" })
            members.append("\"url\":\"\(url.replacingOccurrences(of: "\"", with: ""))\"")
            if noise.happens(oneIn: 3) {
                members.append("\"body\":" + noise.pick(["{}", "null", "7", "\"YQ\"", World.body("wave-\(number)")]))
            }
            if noise.happens(oneIn: 4) {
                members.append(
                    "\"headers\":"
                        + noise.pick([
                            "{}", "{\"Accept\":\"text/html\"}", "{\"Content-Type\":\"text/plain\"}", "{\"\":\"\"}",
                            "{\"a b\":\"\\n\"}",
                        ]))
            }
            if noise.happens(oneIn: 4) { members.append("\"dependsOn\":[\"\(noise.number(below: 6))\"]") }
            steps.append("{" + members.joined(separator: ",") + "}")
        }
        return "{\"requests\":[\(steps.joined(separator: ","))]}"
    }

    // MARK: text

    private mutating func text() -> String {
        noise.pick([
            "", " ", "a", "'", "''", "\"", "(", ")", "%", "$", "\\", ";", ",", "=", "é", "𝄞", "\u{0}", "\u{7f}", "null",
            "true",
            "\u{202e}x", "x y", "1e9", "--", "/*", "AQ", String(repeating: "ab", count: 40),
        ])
    }

    /// Percent-encoded, more or less.
    private mutating func escaped(_ text: String) -> String {
        if noise.happens(oneIn: 12) { return text.replacingOccurrences(of: " ", with: "+") }
        return text.utf8.map { byte in
            let isPlain = byte > 0x2F && byte < 0x7F && byte != UInt8(ascii: "=") && byte != UInt8(ascii: "?")
            return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    private mutating func damaged(_ text: String) -> String {
        var bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return "%" }
        bytes[noise.number(below: bytes.count)] = UInt8(noise.number(below: 95) + 32)
        return String(decoding: bytes, as: UTF8.self)
    }
}
