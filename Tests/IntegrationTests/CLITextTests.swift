import Logging
import Testing

@testable import ferry

struct CLITextTests {
    @Test func `numbers read well`() {
        #expect(Quantity.count(0) == "0")
        #expect(Quantity.count(1_234_567) == "1,234,567")
        #expect(Quantity.count(-1000) == "-1,000")
        #expect(Quantity.bytes(999) == "999 B")
        #expect(Quantity.bytes(1023) == "1.0 KiB")
        #expect(Quantity.bytes(1_500_000) == "1.4 MiB")
        #expect(Quantity.bytes(.max) == "8.0 EiB")
        #expect(Quantity.rate(12.34) == "12.3/s")
        #expect(Quantity.rate(12_345.6) == "12,346/s")
        #expect(Quantity.duration(seconds: 7.4) == "0:07")
        #expect(Quantity.duration(seconds: 3723) == "1:02:03")
        #expect(Quantity.duration(seconds: 100 * 3600) == "4 d 4 h")
        #expect(Quantity.percent(999, of: 1000) == 99)
    }

    @Test func `columns count as terminals show them`() {
        #expect(TextWidth.columns(of: "abc") == 3)
        #expect(TextWidth.columns(of: "日本語") == 6)
        #expect(TextWidth.columns(of: "é") == 1)
        #expect(TextWidth.columns(of: "e\u{301}") == 1)
        #expect(TextWidth.columns(of: "🎉") == 2)
        #expect(TextWidth.columns(of: "👩‍💻") == 2)
        #expect(TextWidth.columns(of: "\u{1B}[1;31mred\u{1B}[0m") == 3)
        #expect(TextWidth.cut("日本語テキスト", to: 7) == "日本語…")
        #expect(TextWidth.pad("日", to: 4, alignment: .right) == "  日")
    }

    @Test func `tables are aligned and have no blanks at line ends`() {
        var table = Table([.init("NAME"), .init("ITEMS", .right), .init("STATE")])
        table.append(["Ada", "7", "ok"])
        table.append(["佐藤", "1,234", ""])
        #expect(
            table.lines(style: Style(isEnabled: false)) == [
                "NAME  ITEMS  STATE", "Ada       7  ok", "佐藤  1,234",
            ])
    }

    @Test func `JSON is laid out without changing a value`() {
        let text = #"{"a":[],"b":{},"c":[1,2.50],"d":"x: {\"y\"}, [z]\\","e":{"f":null}}"#
        #expect(
            JSONText.indented(text.utf8) == """
                {
                  "a": [],
                  "b": {},
                  "c": [
                    1,
                    2.50
                  ],
                  "d": "x: {\\"y\\"}, [z]\\\\",
                  "e": {
                    "f": null
                  }
                }
                """)
    }

    @Test func `JSON that was laid out is laid out alike again`() {
        let once = JSONText.indented(#"{ "a" : [ { "b" : "c" } , true ] }"#.utf8)
        #expect(JSONText.indented(once.utf8) == once)
    }

    @Test func `keys of jobs are safe in paths`() {
        #expect(APIClient.job("wave 1/2") == "/v1.0/solutions/migrations/crossTenantMigrationJobs/wave%201%2F2")
        #expect(APIClient.escaped("größe~_-.") == "gr%C3%B6%C3%9Fe~_-.")
    }

    @Test(arguments: [
        (401, ExitReason.unauthorized), (403, .unauthorized), (404, .refused), (409, .refused), (422, .refused),
        (429, .temporary), (503, .temporary), (500, .failed),
    ])
    func `statuses become exit codes`(status: Int, expected: ExitReason) {
        #expect(Complaint.status(for: status) == expected)
    }

    @Test func `a refusal says code, message, target, details and request`() {
        let failure = APIFailure.refused(
            APIFailure.Refusal(
                status: 422, code: "BadArgument", message: "The name is taken.", target: "displayName",
                details: [.init(code: "duplicateDisplayNameJob", message: "Choose another.", target: "displayName")],
                requestID: "r-1", retryAfterSeconds: nil))
        let complaint = Complaint(failure)
        #expect(
            complaint?.lines == [
                "BadArgument: The name is taken.", "target: displayName",
                "duplicateDisplayNameJob (displayName): Choose another.", "request-id: r-1",
            ])
        #expect(complaint?.status == .refused)
    }

    @Test func `only throttling is tried again, three times, as long as the server says`() {
        func pause(_ status: Int, _ seconds: Int?, attempt: Int) -> Duration? {
            APIClient.pause(
                after: .init(
                    status: status, code: "c", message: "m", details: [], requestID: nil, retryAfterSeconds: seconds),
                attempt: attempt)
        }
        #expect(pause(429, 7, attempt: 0) == .seconds(7))
        #expect(pause(503, nil, attempt: 0) == .seconds(2))
        #expect(pause(503, nil, attempt: 2) == .seconds(8))
        #expect(pause(429, 86_400, attempt: 1) == .seconds(120))
        #expect(pause(429, 1, attempt: 3) == nil)
        #expect(pause(409, 1, attempt: 0) == nil)
        #expect(pause(500, nil, attempt: 0) == nil)
    }

    @Test func `log lines are one line each, whatever comes from outside`() {
        let line = LogfmtHandler.line(
            time: "2031-03-01T06:00:00Z", level: .warning, label: "ferry", message: "a\nb",
            facts: ["z": "plain", "a": "two words", "q": "say \"hi\"\u{1B}[2J", "empty": ""])
        #expect(
            line
                == "2031-03-01T06:00:00Z WARNING ferry a\u{FFFD}b a=\"two words\" empty=\"\" "
                + "q=\"say \\\"hi\\\"\u{FFFD}[2J\" z=plain")
    }
}
