import FerryAPI
import FerryCore
import FerryEngine

/// What the verifier found, for people.
struct VerificationText {
    let verification: JobVerification

    private struct Sum {
        var runs = 0
        var containers = 0
        var source: Int64 = 0
        var identical: Int64 = 0
        var missing: Int64 = 0
        var unexpected: Int64 = 0
        var differing: Int64 = 0
        var skipped: Int64 = 0
        var bytes: Int64 = 0
    }

    /// A row per workload.
    func table() -> Table {
        var table = Table([
            .init("WORKLOAD"), .init("RUNS", .right), .init("CONTAINERS", .right), .init("ITEMS", .right),
            .init("IDENTICAL", .right), .init("MISSING", .right), .init("UNEXPECTED", .right),
            .init("DIFFERENT", .right),
            .init("SKIPPED", .right), .init("HASHED", .right),
        ])
        var sums: [Workload: Sum] = [:]
        for (run, result) in verification.transfers {
            var sum = sums[run.workload] ?? Sum()
            sum.runs += 1
            sum.containers += result.containers.count
            sum.bytes += result.bytesHashed
            for container in result.containers {
                sum.source += container.sourceItems - container.elsewhere
                sum.identical += container.identical
                sum.missing += container.missing
                sum.unexpected += container.unexpected
                sum.differing += container.differing
                sum.skipped += container.skipped
            }
            sums[run.workload] = sum
        }
        for (workload, sum) in sums.sorted(by: { $0.key < $1.key }) {
            table.append(
                [workload.wireName, String(sum.runs), String(sum.containers)]
                    + [sum.source, sum.identical, sum.missing, sum.unexpected, sum.differing, sum.skipped].map(
                        Quantity.count)
                    + [Quantity.bytes(sum.bytes)])
        }
        return table
    }

    /// One line per difference that was kept, and what could not be compared.
    func differences() -> [String] {
        var lines: [String] = []
        for (run, result) in verification.transfers {
            for difference in result.differences {
                let place = ([difference.service.rawValue] + difference.path + [difference.item]).filter { !$0.isEmpty }
                lines.append(
                    "\(run.person) \(run.workload.wireName) \(difference.code.rawValue) \(place.joined(separator: "/")): "
                        + difference.message)
            }
            let rest = result.differenceCount - Int64(result.differences.count)
            if rest > 0 {
                lines.append("\(run.person) \(run.workload.wireName): \(Quantity.count(rest)) more differences")
            }
        }
        for (run, finding) in verification.unverifiable {
            lines.append("\(run.person) \(run.workload.wireName): not compared. \(finding.message)")
        }
        return lines
    }

    var differenceCount: Int64 { verification.transfers.reduce(0) { $0 + $1.result.differenceCount } }
}
