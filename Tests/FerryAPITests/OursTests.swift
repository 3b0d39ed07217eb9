import FerryAPI
import FerryCore
import Testing

/// The namespace `/ferry`.
struct OursTests {
    static func view(status: JobStatus = .inProgress, moving: Int = 2) -> ProgressView {
        var job = Examples.job
        job.status = status
        var mail = RunProgress()
        (mail.items, mail.bytes, mail.itemsExpected, mail.bytesExpected) = (100, 1_000, 300, 3_000)
        (mail.passes, mail.activeMicroseconds) = (1, 50_000_000)
        var done = RunProgress()
        (done.itemsExpected, done.bytesExpected) = (0, 0)
        let tally = RunTally(
            counts: [
                .init(workload: .mailbox, status: .syncing): moving, .init(workload: .files, status: .synced): 2,
            ],
            people: 2, peopleCompleted: 0, peopleCancelled: 0, peopleFailed: 1)
        return ProgressView(
            job: job, progress: [.mailbox: mail, .files: done, .chats: done, .meetings: done], tally: tally,
            grades: [.mailbox: [.good: 1, .investigate: 1]], peopleHeld: 1,
            now: Examples.instant("2031-03-01T06:00:00Z"))
    }

    @Test("The end is estimated from the rate of the runs that move, not before the job's date")
    func estimate() {
        // 200 items left, 2 a second for each of 2 runs.
        #expect(Self.view().estimatedEnd == Examples.instant("2031-03-01T06:00:50Z"))
        #expect(Self.view(status: .completed).estimatedEnd == nil)
        var early = Self.view()
        early.now = Examples.instant("2031-02-28T00:00:00Z")
        #expect(early.estimatedEnd == early.job.completeAfter)
        var unlisted = Self.view()
        unlisted.progress[.chats] = nil
        #expect(unlisted.estimatedEnd == nil)
    }

    @Test("Progress says states, amounts and rates per workload")
    func progress() throws {
        let json = try JSONParser.parse(Self.view().json)
        #expect(json["job"]?["id"]?.string == Examples.jobID.description)
        #expect(json["job"]?["people"] == .number("2"))
        #expect(json["job"]?["peopleFailed"] == .number("1"))
        #expect(json["job"]?["peopleWaiting"] == .number("1"))
        #expect(json["itemsPerSecond"] == .number("4"))
        #expect(json["bytesPerSecond"] == .number("40"))
        #expect(json["estimatedEnd"]?.string == "2031-03-01T06:00:50Z")
        guard case .array(let workloads) = json["workloads"] else {
            Issue.record("no workloads")
            return
        }
        #expect(workloads.map { $0["workload"]?.string } == ["ODSP", "Meeting", "Teams", "Exchange"])
        #expect(workloads[3]["states"] == .object([JSONMember(name: "syncing", value: .number("2"))]))
        #expect(workloads[3]["itemsExpected"] == .number("300"))
        #expect(workloads[3]["activeSeconds"] == .number("50"))
        #expect(workloads[3]["itemsPerSecond"] == .number("2"))
        #expect(workloads[0]["itemsPerSecond"] == .null)
    }

    static let finding = ItemFindingView(
        sequence: 7, person: Examples.ada, workload: .mailbox, container: "mail/INBOX", item: "=cmd|'<b>\"",
        outcome: .skipped, code: .targetItemTooLarge, message: "Too large.",
        at: Examples.instant("2031-03-01T06:00:00Z"))

    @Test("Findings come in pages that say where the next one begins")
    func items() throws {
        let page = try JSONParser.parse(ItemFindingView.page([Self.finding], hasMore: true))
        #expect(page["next"] == .number("7"))
        let last = try JSONParser.parse(ItemFindingView.page([Self.finding], hasMore: false))
        #expect(last["next"] == .null)
        #expect(try ItemPageOptions(rawQuery: "after=7&limit=5000").after == 7)
        #expect(try ItemPageOptions(rawQuery: "after=7&limit=5000").limit == APILimits.itemPageSize)
        for bad in ["after=-1", "after=x", "limit=0", "after=99999999999999999999"] {
            #expect(failure { () throws(Failure) in _ = try ItemPageOptions(rawQuery: bad) }?.answer.status == 400)
        }
    }

    static let report = JobReport(
        view: view(), tasks: [Examples.task], names: [Examples.ada: "ada@south.example"], findings: [finding],
        isCut: false)

    @Test("The report is JSON, CSV and HTML")
    func formats() throws {
        #expect(try JobReport.Format(rawQuery: "") == .json)
        #expect(try JobReport.Format(rawQuery: "format=HTML") == .html)
        #expect(
            failure { () throws(Failure) in _ = try JobReport.Format(rawQuery: "format=pdf") }?.answer.status == 400)
        let json = try JSONParser.parse(Self.report.bytes(.json))
        #expect(json["displayName"]?.string == "wave-1")
        #expect(json["findingsAreCut"] == .bool(false))
        guard case .array(let users) = json["users"], case .array(let runs) = users.first?["workloads"] else {
            Issue.record("no users")
            return
        }
        #expect(runs.first?["lost"] == .number("0") && runs.first?["waitsForApproval"] == .bool(false))
        #expect(try JobReport.listsFindings(rawQuery: "format=json&Findings=False") == false)
        #expect(try JobReport.listsFindings(rawQuery: ""))
        #expect(
            failure { () throws(Failure) in _ = try JobReport.listsFindings(rawQuery: "findings=few") }?.answer.status
                == 400)
        #expect(users.first?["userPrincipalName"]?.string == "ada@south.example")
        #expect(runs.map { $0["status"]?.string } == ["valid", "valid", "valid", "invalid"])
    }

    @Test("A cell that a spreadsheet would run is made text")
    func csv() throws {
        let rows = text(Self.report.bytes(.csv)).split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(rows.count == 9)
        #expect(
            rows[1]
                == "20000000-bbbb-4000-8000-00000000000a,ada@south.example,ODSP,valid,,0,0,,,0,0,0,0,0,,")
        #expect(rows[7].contains(#","'=cmd|'<b>""","#))
    }

    @Test("The page escapes what comes from the data and loads nothing")
    func html() {
        let page = text(Self.report.bytes(.html))
        #expect(page.hasPrefix("<!doctype html>"))
        #expect(page.contains("=cmd|'&lt;b&gt;&quot;"))
        #expect(!page.contains("<b>"))
        #expect(!page.contains("<script"))
        #expect(!page.contains("http"))
        #expect(page.contains("ada@south.example"))
    }
}
