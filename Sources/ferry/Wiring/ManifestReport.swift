import FerryAPI
import FerryCore
import FerryEngine
import FerryFormats

/// What checking a manifest found, for people and for machines.
struct ManifestReport {
    /// One run, compared in one way.
    private struct Row {
        var run: ManifestRun
        var comparison: ManifestChecker.Comparison
        var result: TransferVerification?
        /// Why there is no result.
        var obstacle: String?
    }

    private let statement: ManifestStatement
    private let comparisons: [ManifestChecker.Comparison]
    /// What came after the manifest is no difference.
    private let allowsNew: Bool
    private var rows: [Row] = []

    init(statement: ManifestStatement, comparisons: [ManifestChecker.Comparison], allowsNew: Bool) {
        self.statement = statement
        self.comparisons = comparisons
        self.allowsNew = allowsNew
    }

    mutating func add(
        _ run: ManifestRun, _ comparison: ManifestChecker.Comparison, _ outcome: ManifestChecker.Outcome
    ) {
        switch outcome {
        case .compared(let result): rows.append(Row(run: run, comparison: comparison, result: result))
        case .impossible(let why): rows.append(Row(run: run, comparison: comparison, obstacle: why))
        }
    }

    /// Everything was compared, and nothing differs.
    var isGood: Bool { rows.allSatisfy { $0.obstacle == nil && count($0) == 0 } }

    private func count(_ row: Row) -> Int64 {
        guard let result = row.result else { return 0 }
        // What the target's server had altered is part of what was signed.
        if row.comparison == .recorded { return max(0, result.differenceCount - row.run.altered) }
        let new = ignoresNew(row) ? result.containers.reduce(0) { $0 + $1.unexpected } : 0
        return result.differenceCount - new
    }

    private func differences(_ row: Row) -> [TransferVerification.Difference] {
        guard let result = row.result else { return [] }
        return ignoresNew(row) ? result.differences.filter { $0.code != .verifyUnexpected } : result.differences
    }

    private func ignoresNew(_ row: Row) -> Bool { allowsNew && row.comparison != .recorded }

    // MARK: for people

    func lines(style: Style) -> [String] {
        var lines = [
            style(.bold, "Manifest of \(statement.displayName)") + ", job \(statement.job), made "
                + RFC3339.format(Instant(seconds: statement.made.seconds)),
            "The signature holds, and every line is as it was signed.",
        ]
        if statement.unrecorded > 0 {
            lines.append("\(Quantity.count(statement.unrecorded)) workloads were completed without a record.")
        }
        lines += table().lines(style: style)
        for row in rows {
            let whose = "\(row.run.person) \(row.run.workload.wireName) \(Self.words(row.comparison))"
            if let obstacle = row.obstacle { lines.append("\(whose): not compared. \(obstacle)") }
            let differences = differences(row)
            for difference in differences {
                let place = ([difference.service.rawValue] + difference.path + [difference.item]).filter { !$0.isEmpty }
                lines.append(
                    "\(whose): \(difference.code.rawValue) \(place.joined(separator: "/")): \(difference.message)")
            }
            if row.comparison == .recorded, row.run.altered > 0 {
                lines.append(
                    "\(whose): \(Quantity.count(row.run.altered)) messages were kept by the target's server in another "
                        + "form than they were given to it; that is known, and signed.")
            }
            let rest = count(row) - Int64(differences.count)
            if rest > 0 { lines.append("\(whose): \(Quantity.count(rest)) more differences") }
        }
        let total = rows.reduce(0) { $0 + count($1) }
        if isGood {
            lines.append(
                style(
                    .green,
                    comparisons.count == 1
                        ? "Both sides were the same." : "Both sides were the same, and are as they were."))
        } else {
            lines.append(style(.red, "\(Quantity.count(total)) differences."))
        }
        return lines
    }

    /// A row per workload: what was recorded, and how much differs in each comparison.
    private func table() -> Table {
        var table = Table(
            [.init("WORKLOAD"), .init("RUNS", .right), .init("ITEMS", .right), .init("SKIPPED", .right)]
                + comparisons.map { .init(Self.words($0).uppercased(), .right) })
        for workload in Set(rows.map(\.run.workload)).sorted() {
            let mine = rows.filter { $0.run.workload == workload }
            let runs = mine.filter { $0.comparison == .recorded }.map(\.run)
            table.append(
                [
                    workload.wireName, Quantity.count(Int64(runs.count)),
                    Quantity.count(runs.reduce(0) { $0 + $1.target.items }),
                    Quantity.count(runs.reduce(0) { $0 + $1.skipped }),
                ]
                    + comparisons.map { comparison in
                        Quantity.count(mine.filter { $0.comparison == comparison }.reduce(0) { $0 + count($1) })
                    })
        }
        return table
    }

    private static func words(_ comparison: ManifestChecker.Comparison) -> String {
        switch comparison {
        case .recorded: "then"
        case .source: "source now"
        case .target: "target now"
        }
    }

    // MARK: for machines

    struct Body: Encodable {
        struct Run: Encodable {
            var user: String
            var sourceUser: String
            var workload: String
            var compared: String
            var sourceItems: Int64
            var targetItems: Int64
            var skipped: Int64
            var comparisons: [Comparison]
        }

        struct Comparison: Encodable {
            /// `recorded`, `source` or `target`.
            var what: String
            var isIdentical: Bool
            var differences: Int64
            var obstacle: String?
            var samples: [VerificationBody.Difference]
        }

        var job: String
        var displayName: String
        var made: String
        var isIdentical: Bool
        var unrecorded: Int64
        var runs: [Run]
    }

    var body: Body {
        var runs: [Body.Run] = []
        for row in rows {
            if row.comparison == .recorded {
                runs.append(
                    Body.Run(
                        user: row.run.person.description, sourceUser: row.run.sourcePerson.description,
                        workload: row.run.workload.wireName, compared: RFC3339.format(row.run.compared),
                        sourceItems: row.run.source.items, targetItems: row.run.target.items,
                        skipped: row.run.skipped, comparisons: []))
            }
            runs[runs.count - 1].comparisons.append(
                Body.Comparison(
                    what: row.comparison.rawValue, isIdentical: row.obstacle == nil && count(row) == 0,
                    differences: count(row), obstacle: row.obstacle,
                    samples: differences(row).map(VerificationBody.Difference.init)))
        }
        return Body(
            job: statement.job.description, displayName: statement.displayName, made: RFC3339.format(statement.made),
            isIdentical: isGood, unrecorded: statement.unrecorded, runs: runs)
    }
}
