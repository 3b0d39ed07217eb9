import FerryCore
import Testing

/// What is made of what a dry run sees.
struct ForecastTests {
    private func place(_ item: String, _ code: ErrorCode = .targetItemTooLarge, bytes: Int64 = 10) -> Forecast.Place {
        Forecast.Place(service: .mail, container: "INBOX", item: item, code: code, message: "m", bytes: bytes)
    }

    @Test func `lists are bounded, counts are not`() {
        var forecast = Forecast()
        for number in 0..<200 {
            forecast.skip(place("a\(number)"))
            forecast.rename(Forecast.Renaming(service: .mail, container: "\(number)", target: "x"))
            forecast.mention(["p\(number)@north.example", "everybody@north.example"])
        }
        forecast.skip(place("b", .targetNameRefused))
        #expect(forecast.skips.map(\.count) == [200, 1] && forecast.skips[0].bytes == 2000)
        #expect(forecast.places.count == Forecast.longestList + 1)
        #expect(forecast.renamed == 200 && forecast.renamings.count == Forecast.longestList)
        #expect(forecast.mentions.count == Forecast.longestList && forecast.hasMoreMentions)
        #expect(forecast.mentions.first { $0.address == "everybody@north.example" }?.count == 200)
    }

    @Test func `the grade is the one that the run would get`() {
        var forecast = Forecast()
        var share = Forecast.Share(.mail)
        share.listed.items = 100
        forecast.shares = [share]
        #expect(forecast.verdict(for: .mailbox).grade == .perfect)
        for number in 0..<10 { forecast.skip(place("\(number)")) }
        #expect(forecast.verdict(for: .mailbox) == ConsistencyVerdict(grade: .investigate, lost: 10))
        forecast.skip(place("one more"))
        #expect(forecast.verdict(for: .mailbox).grade == .poor)
    }

    @Test func `the pace is measured where enough was, and assumed elsewhere`() throws {
        var progress = RunProgress()
        (progress.items, progress.bytes, progress.activeMicroseconds) = (1_000, 50_000, 10_000_000)
        let pace = try #require(Pace(measured: progress, runs: 3))
        #expect(pace == Pace(itemsPerSecond: 100, bytesPerSecond: 5_000, runs: 3))
        // Many small items, or few large ones: what takes longer decides.
        #expect(pace.seconds(for: Forecast.Amount(items: 500, bytes: 100)) == 5)
        #expect(pace.seconds(for: Forecast.Amount(items: 1, bytes: 100_000)) == 20)
        progress.activeMicroseconds = 999_999
        #expect(Pace(measured: progress, runs: 3) == nil)
        for workload in Workload.allCases { #expect(Pace.assumed(for: workload).runs == 0) }
    }

    @Test func `runs of one lane go side by side as far as it allows, lanes do anyway`() {
        func forecast(_ seconds: Double?, _ lane: String, _ parallel: Int) -> Forecast {
            var forecast = Forecast()
            (forecast.seconds, forecast.lane, forecast.parallel) = (seconds, lane, parallel)
            return forecast
        }
        let slow = (0..<8).map { _ in forecast(100, "mail", 4) }
        #expect(Forecast.seconds(ofAll: slow) == 200)
        #expect(Forecast.seconds(ofAll: slow + [forecast(300, "files", 2), forecast(nil, "files", 2)]) == 300)
        #expect(Forecast.seconds(ofAll: [forecast(100, "mail", 4)]) == 100)
        #expect(Forecast.seconds(ofAll: []) == 0)
    }

    @Test func `a dry run ends with its last forecast, and not before it is known how many there are`() {
        let began = Instant(seconds: 0)
        var dryRun = DryRun(began: began)
        dryRun.done = 2
        dryRun.settle(now: began)
        #expect(dryRun.state == .running)
        dryRun.expected = 2
        dryRun.settle(now: began + .seconds(5))
        #expect(dryRun.state == .completed && dryRun.ended == began + .seconds(5))
        dryRun.cancelled(now: began + .seconds(9))
        #expect(dryRun.state == .completed)
    }

    @Test(arguments: JobStatus.allCases)
    func `a dry run makes sense while there is something to move`(status: JobStatus) {
        var job = Make.job()
        job.status = status
        let isRefused = [.pendingCancel, .cancelled, .pendingDelete, .deleted].contains(status)
        do {
            try job.checkDryRun()
            #expect(!isRefused)
        } catch {
            #expect(isRefused)
            guard case .conflict(.invalidJobStatus, _) = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
