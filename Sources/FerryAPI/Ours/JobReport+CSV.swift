import FerryCore
import FerryFormats

extension JobReport {
    /// One row per user and workload (RFC 4180), then, after an empty row, one per item that did not simply move.
    var csv: [UInt8] {
        var table = CSVWriter()
        table.row([
            "user", "userPrincipalName", "workload", "status", "message", "items", "bytes", "itemsExpected",
            "bytesExpected", "skipped", "failed", "passes", "activeSeconds", "frozenSeconds", "findings", "grade",
        ])
        for task in tasks {
            for run in task.runs {
                let progress = run.progress
                table.row([
                    task.person.description, names[task.person] ?? "", run.id.workload.wireName, run.status.wireName,
                    run.message, "\(progress.items)", "\(progress.bytes)",
                    progress.itemsExpected.map(String.init) ?? "", progress.bytesExpected.map(String.init) ?? "",
                    "\(progress.skipped)", "\(progress.failed)", "\(progress.passes)",
                    "\(progress.activeMicroseconds / 1_000_000)", "\(progress.frozenMicroseconds / 1_000_000)",
                    run.findings.map { "\($0.code.rawValue): \($0.message)" }.joined(separator: "; "),
                    run.verdict?.grade.rawValue ?? "",
                ])
            }
        }
        guard !findings.isEmpty else { return table.bytes }
        table.row([])
        table.row(["user", "userPrincipalName", "workload", "container", "item", "outcome", "code", "message", "at"])
        for finding in findings {
            table.row([
                finding.person.description, names[finding.person] ?? "", finding.workload.wireName, finding.container,
                finding.item, finding.outcome.wireName, finding.code.rawValue, finding.message,
                RFC3339.format(finding.at),
            ])
        }
        return table.bytes
    }
}

/// Comma-separated values by RFC 4180: CRLF, quotes where needed.
struct CSVWriter {
    private(set) var bytes: [UInt8] = []

    mutating func row(_ cells: [String]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(cell)
        }
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    /// A cell that a spreadsheet would take for a formula gets an apostrophe in front: names of items come from
    /// strangers' mail.
    private mutating func append(_ cell: String) {
        let formula: [UInt8] = [
            UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D,
        ]
        let isFormula = cell.utf8.first.map(formula.contains) ?? false
        let needsQuotes =
            isFormula || cell.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
        guard needsQuotes else {
            bytes.append(contentsOf: cell.utf8)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        if isFormula { bytes.append(UInt8(ascii: "'")) }
        for byte in cell.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
