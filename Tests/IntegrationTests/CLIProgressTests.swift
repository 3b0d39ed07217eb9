import FerryCore
import Testing

@testable import ferry

struct CLIProgressTests {
    private let snapshot = ProgressSnapshot(
        name: "wave-1", status: "inProgress", peopleDone: 3, people: 40, elapsedSeconds: 75, remainingSeconds: 3700,
        lines: [
            ProgressSnapshot.Line(
                name: "ODSP", items: 250, itemsExpected: 1000, bytes: 5 << 20, bytesExpected: nil, skipped: 0,
                failed: 0,
                itemsPerSecond: 812.4, bytesPerSecond: 3_500_000, states: ["synced": 9, "syncing": 31]),
            ProgressSnapshot.Line(
                name: "Exchange", items: 12_345, itemsExpected: 12_350, bytes: 1_610_612_736, bytesExpected: nil,
                skipped: 2, failed: 3, itemsPerSecond: nil, bytesPerSecond: nil, states: ["completed": 40]),
            ProgressSnapshot.Line(
                name: "Teams", items: 0, itemsExpected: nil, bytes: 0, bytesExpected: nil, skipped: 0, failed: 0,
                itemsPerSecond: nil, bytesPerSecond: nil, states: ["notStarted": 40]),
        ])

    private func lines(width: Int, isUnicode: Bool = true, colours: Bool = false) -> [String] {
        ProgressRenderer(width: width, isUnicode: isUnicode, style: Style(isEnabled: colours)).lines(snapshot)
    }

    @Test func `a wide terminal sees everything`() {
        #expect(
            lines(width: 120) == [
                "wave-1  inProgress · 3/40 people done · 1:15 elapsed · about 1:01:40 left",
                "ODSP      ██████░░░░░░░░░░░░░░░░░░  25%     250/1,000  5.0 MiB  812/s 3.3 MiB/s  31 syncing, 9 synced",
                "Exchange  ████████████████████████ 100% 12,345/12,350  1.5 GiB                   "
                    + "3 items failed, 2 skipped, 40 completed",
                "Teams     ░░░░░░░░░░░░░░░░░░░░░░░░                  0      0 B                   40 notStarted",
            ])
    }

    @Test(arguments: [20, 40, 60, 72, 80, 100, 132, 200])
    func `no line is wider than the terminal`(width: Int) {
        for isUnicode in [true, false] {
            let lines = lines(width: width, isUnicode: isUnicode)
            #expect(lines.count == 4)
            if width >= 40 {
                for line in lines { #expect(TextWidth.columns(of: line) <= width, "\(line)") }
            }
        }
    }

    @Test func `without Unicode everything is ASCII`() {
        for line in lines(width: 100, isUnicode: false) { #expect(line.allSatisfy { $0.isASCII }, "\(line)") }
        #expect(lines(width: 60, isUnicode: false)[1].hasPrefix("ODSP      [##"))
    }

    @Test func `colours take no columns`() {
        #expect(
            lines(width: 120, colours: true).map(TextWidth.columns(of:))
                == lines(width: 120).map(TextWidth.columns(of:)))
        #expect(lines(width: 120, colours: true)[2].contains("\u{1B}[31m"))
    }

    @Test func `a run with nothing to move counts by its state`() {
        var line = snapshot.lines[2]
        line.itemsExpected = 0
        line.states = ["synced": 1, "syncing": 3]
        #expect(line.fraction == 0.25)
        line.itemsExpected = nil
        #expect(line.fraction == nil)
        line.items = 3
        #expect(line.fraction == 0.25)
    }

    @Test func `the summary fits on a line of a log`() {
        let renderer = ProgressRenderer(width: 80, isUnicode: false, style: Style(isEnabled: false))
        #expect(
            renderer.summary(snapshot)
                == "wave-1: inProgress, 3/40 people done, 12,595 items, 1.5 GiB, 3 failed, 1:15")
    }

    @Test func `rates are taken between answers`() throws {
        func body(items: Int64) -> ProgressBody {
            ProgressBody(
                job: .init(
                    id: "x", displayName: "wave-1", status: "inProgress", people: 4, peopleCompleted: 1,
                    peopleCancelled: 1,
                    peopleFailed: 0, peopleWaiting: 0),
                asOf: "", estimatedEnd: "1970-01-01T00:01:40Z",
                workloads: [
                    .init(
                        workload: "Teams", states: ["syncing": 4], grades: [:], items: items, bytes: items * 100,
                        itemsExpected: 90,
                        bytesExpected: nil, skipped: 0, failed: 0, passes: 1, activeSeconds: 2, frozenSeconds: 0)
                ])
        }
        var meter = ProgressMeter(began: Instant(seconds: 10))
        #expect(meter.snapshot(of: body(items: 0), at: Instant(seconds: 20)).lines[0].itemsPerSecond == nil)
        let second = meter.snapshot(of: body(items: 30), at: Instant(seconds: 40))
        #expect(second.lines[0].itemsPerSecond == 1.5)
        #expect(second.lines[0].bytesPerSecond == 150)
        #expect(second.elapsedSeconds == 30)
        #expect(second.remainingSeconds == 60)
        #expect(second.peopleDone == 2)
    }
}
