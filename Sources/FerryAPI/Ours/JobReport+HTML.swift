import FerryCore
import FerryFormats

extension JobReport {
    /// One page without scripts or anything from elsewhere: it can be kept, mailed and printed.
    var html: [UInt8] {
        var page = HTMLWriter()
        let job = view.job
        page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>")
        page.text("Migration report: \(job.displayName)")
        page.raw("</title><style>\(Self.style)</style></head><body><main>")
        page.element("h1", job.displayName)
        page.raw("<p class=\"state\"><span class=\"badge \(Self.tone(job.status.wireName))\">")
        page.text(job.status.wireName)
        page.raw("</span> ")
        page.text(job.message)
        page.raw("</p>")
        facts(into: &page)
        workloads(into: &page)
        users(into: &page)
        items(into: &page)
        page.raw("</main></body></html>")
        return page.bytes
    }

    private func facts(into page: inout HTMLWriter) {
        let job = view.job
        page.raw("<dl>")
        for (name, value) in [
            ("Job", job.id.description), ("From tenant", job.sourceTenant.description),
            ("To tenant", job.targetTenant.description), ("Created by", job.createdBy),
            ("Created", Self.date(job.created)), ("Cutover not before", Self.date(job.completeAfter)),
            ("Last change", Self.date(job.updated)),
            (
                "People",
                "\(view.tally.people) in all, \(view.tally.peopleCompleted) completed, "
                    + "\(view.tally.peopleFailed) with errors, \(view.tally.peopleCancelled) cancelled"
            ),
            ("Report of", Self.date(view.now)),
        ] {
            page.element("dt", name)
            page.element("dd", value)
        }
        page.raw("</dl>")
    }

    private func workloads(into page: inout HTMLWriter) {
        page.element("h2", "Workloads")
        page.table(["Workload", "Items", "Expected", "Size", "Skipped", "Failed", "Items/s", "Frozen"]) { page in
            for workload in view.workloads {
                let progress = view.progress(of: workload)
                page.row([
                    workload.wireName, "\(progress.items)", progress.itemsExpected.map(String.init) ?? "unknown",
                    Self.size(progress.bytes), "\(progress.skipped)", "\(progress.failed)",
                    ProgressView.rate(progress.items, progress).map { "\(Int64($0.rounded()))" } ?? "",
                    "\(progress.frozenMicroseconds / 1_000_000) s",
                ])
            }
        }
    }

    private func users(into page: inout HTMLWriter) {
        page.element("h2", "People")
        page.table(["Person", "Workload", "State", "Items", "Size", "Skipped", "Failed", "Grade", "What was found"]) {
            page in
            for task in tasks {
                for (index, run) in task.runs.enumerated() {
                    page.raw("<tr>")
                    page.element("td", index == 0 ? names[task.person] ?? task.person.description : "")
                    page.element("td", run.id.workload.wireName)
                    page.raw("<td><span class=\"badge \(Self.tone(run.status.wireName))\">")
                    page.text(run.status.wireName)
                    page.raw("</span></td>")
                    page.element("td", "\(run.progress.items)")
                    page.element("td", Self.size(run.progress.bytes))
                    page.element("td", "\(run.progress.skipped)")
                    page.element("td", "\(run.progress.failed)")
                    page.element("td", run.verdict?.grade.rawValue ?? "")
                    page.raw("<td>")
                    page.text(run.message)
                    for finding in run.findings {
                        page.raw("<div><code>")
                        page.text(finding.code.rawValue)
                        page.raw("</code> ")
                        page.text(finding.message)
                        page.raw("</div>")
                    }
                    page.raw("</td></tr>")
                }
            }
        }
    }

    private func items(into page: inout HTMLWriter) {
        page.element("h2", "Items that need a look")
        guard !findings.isEmpty else { return page.element("p", "None.") }
        if isCut {
            page.element("p", "The first \(findings.count); the others are under /ferry/jobs/\(view.job.id)/items.")
        }
        page.table(["Person", "Workload", "Where", "Item", "Outcome", "Code", "What happened"]) { page in
            for finding in findings {
                page.row([
                    names[finding.person] ?? finding.person.description, finding.workload.wireName, finding.container,
                    finding.item, finding.outcome.wireName, finding.code.rawValue, finding.message,
                ])
            }
        }
    }

    static func date(_ instant: Instant) -> String { RFC3339.format(Instant(seconds: instant.seconds)) }

    /// Powers of 1,024, one digit behind the point.
    static func size(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1_024 {
                let tenths = Int64((value * 10).rounded())
                return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
            }
            value /= 1_024
        }
        return "\(Int64(value.rounded())) TiB"
    }

    /// Which colour a state has.
    private static func tone(_ state: String) -> String {
        switch state {
        case "completed", "valid", "validatePassed": "good"
        case "failed", "invalid", "error", "completedWithErrors", "validateFailed": "bad"
        case "cancelled", "deleted", "pendingCancel", "pendingDelete": "quiet"
        default: "busy"
        }
    }

    static let style = """
        :root{color-scheme:light dark;--line:#8884;--good:#1a7f37;--bad:#c4242c;--busy:#0b62c4;--quiet:#737373}
        body{font:15px/1.5 system-ui,sans-serif;margin:0}main{max-width:72rem;margin:0 auto;padding:2rem 1rem}
        h1{margin:0;font-size:1.7rem}h2{margin:2.2rem 0 .6rem;font-size:1.15rem}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem}dt{opacity:.7}dd{margin:0}
        table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;\
        border-bottom:1px solid var(--line)}th{font-weight:600}td{font-variant-numeric:tabular-nums}
        .badge{color:#fff;border-radius:.8rem;padding:.05rem .6rem;font-size:.85em;white-space:nowrap}
        .good{background:var(--good)}.bad{background:var(--bad)}.busy{background:var(--busy)}\
        .quiet{background:var(--quiet)}
        @media print{main{max-width:none;padding:0}}
        """
}

/// Builds a page; text is escaped, markup is not.
struct HTMLWriter {
    private(set) var bytes: [UInt8] = []

    mutating func raw(_ markup: String) { bytes.append(contentsOf: markup.utf8) }

    mutating func text(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "<"): raw("&lt;")
            case UInt8(ascii: ">"): raw("&gt;")
            case UInt8(ascii: "&"): raw("&amp;")
            case UInt8(ascii: "\""): raw("&quot;")
            default: bytes.append(byte)
            }
        }
    }

    mutating func element(_ name: String, _ content: String) {
        raw("<\(name)>")
        text(content)
        raw("</\(name)>")
    }

    mutating func table(_ heads: [String], _ rows: (inout HTMLWriter) -> Void) {
        raw("<table><thead><tr>")
        for head in heads { element("th", head) }
        raw("</tr></thead><tbody>")
        rows(&self)
        raw("</tbody></table>")
    }

    mutating func row(_ cells: [String]) {
        raw("<tr>")
        for cell in cells { element("td", cell) }
        raw("</tr>")
    }
}
