package import FerryCore

/// What a dry run of a job saw (`/ferry/jobs/{job}/dryRun`).
package struct DryRunReport: Sendable {
    /// One workload of one user.
    package struct Row: Sendable {
        package var person: PersonID
        package var workload: Workload
        package var forecast: Forecast

        package init(person: PersonID, workload: Workload, forecast: Forecast) {
            self.person = person
            self.workload = workload
            self.forecast = forecast
        }
    }

    /// One thing that would be skipped.
    struct Place {
        var row: Row
        var place: Forecast.Place
    }

    package let job: Job
    package let dryRun: DryRun
    /// In the order of the job.
    package let rows: [Row]
    /// What the users are called, where the directory knows it.
    package let names: [PersonID: String]
    /// At most `APILimits.reportFindings`.
    let places: [Place]
    /// More would be skipped than is listed here.
    let placesAreCut: Bool
    let mentions: [Forecast.Mention]
    let mentionsAreCut: Bool

    package init(job: Job, dryRun: DryRun, rows: [Row], names: [PersonID: String]) {
        self.job = job
        self.dryRun = dryRun
        self.rows = rows
        self.names = names
        let all = rows.lazy.flatMap { row in row.forecast.places.map { Place(row: row, place: $0) } }
        places = Array(all.prefix(APILimits.reportFindings))
        let skipped = rows.reduce(Int64(0)) { $0 + $1.forecast.skips.reduce(0) { $0 + $1.count } }
        placesAreCut = skipped > Int64(places.count)
        var counts: [String: Int64] = [:]
        for row in rows {
            for mention in row.forecast.mentions { counts[mention.address, default: 0] += mention.count }
        }
        let sorted = counts.map { Forecast.Mention(address: $0.key, count: $0.value) }
            .sorted { ($1.count, $0.address) < ($0.count, $1.address) }
        mentions = Array(sorted.prefix(APILimits.reportFindings))
        mentionsAreCut = sorted.count > mentions.count || rows.contains { $0.forecast.hasMoreMentions }
    }

    package func bytes(_ format: JobReport.Format) -> [UInt8] {
        switch format {
        case .json: json
        case .csv: csv
        case .html: html
        }
    }

    var total: Forecast.Share {
        rows.lazy.flatMap(\.forecast.shares).reduce(into: Forecast.Share(.mail)) { $0.add($1) }
    }

    var seconds: Double { Forecast.seconds(ofAll: rows.map(\.forecast)) }

    /// By code, the most frequent first.
    var skips: [Forecast.Skip] {
        var found: [ErrorCode: Forecast.Skip] = [:]
        for skip in rows.lazy.flatMap(\.forecast.skips) {
            found[skip.code, default: Forecast.Skip(code: skip.code)].add(skip)
        }
        return found.values.sorted { ($1.count, $0.code.rawValue) < ($0.count, $1.code.rawValue) }
    }

    // MARK: JSON

    private var json: [UInt8] {
        var json = JSONWriter(capacity: 4_096 + 1_024 * rows.count + 512 * places.count)
        json.object { json in
            json.member("jobId", job.id.guid)
            json.member("displayName", job.displayName)
            json.member("state", dryRun.state.rawValue)
            json.member("beganDateTime", dryRun.began)
            json.key("endedDateTime")
            if let ended = dryRun.ended { json.instant(ended) } else { json.null() }
            json.member("forecasts", Int64(dryRun.done))
            json.member("forecastsExpected", ifKnown: dryRun.expected)
            json.key("total")
            json.object { Self.amounts(total, into: &$0) }
            json.member("estimatedSeconds", decimal: seconds.rounded(.up))
            json.key("skipped")
            json.array { json in for skip in skips { Self.write(skip, into: &json) } }
            json.key("users")
            json.array { json in
                var rest = rows[...]
                while let person = rest.first?.person {
                    let own = rest.prefix { $0.person == person }
                    rest = rest.dropFirst(own.count)
                    json.object { user(person, own, into: &$0) }
                }
            }
            json.key("places")
            json.array { json in for place in places { write(place, into: &json) } }
            json.key("placesAreCut")
            json.bool(placesAreCut)
            json.key("unmappedPeople")
            json.array { json in
                for mention in mentions {
                    json.object { json in
                        json.member("address", mention.address)
                        json.member("count", mention.count)
                    }
                }
            }
            json.key("unmappedPeopleAreCut")
            json.bool(mentionsAreCut)
        }
        return json.bytes
    }

    private func user(_ person: PersonID, _ rows: ArraySlice<Row>, into json: inout JSONWriter) {
        json.member("id", person.guid)
        if let name = names[person] { json.member("userPrincipalName", name) }
        json.key("workloads")
        json.array { json in for row in rows { json.object { workload(row, into: &$0) } } }
    }

    private func workload(_ row: Row, into json: inout JSONWriter) {
        let forecast = row.forecast
        json.member("workload", row.workload.wireName)
        json.key("services")
        json.array { json in
            for share in forecast.shares {
                json.object { json in
                    json.member("service", share.service.rawValue)
                    Self.amounts(share, into: &json)
                    json.member("roomBytes", ifKnown: share.roomBytes)
                }
            }
        }
        json.member("grade", forecast.verdict(for: row.workload).grade.rawValue)
        json.member("estimatedSeconds", decimal: forecast.seconds?.rounded(.up))
        json.key("pace")
        json.object { json in
            json.member("itemsPerSecond", decimal: forecast.pace.itemsPerSecond)
            json.member("bytesPerSecond", decimal: forecast.pace.bytesPerSecond)
            json.member("measuredRuns", Int64(forecast.pace.runs))
        }
        json.key("skipped")
        json.array { json in for skip in forecast.skips { Self.write(skip, into: &json) } }
        json.member("renamedContainers", forecast.renamed)
        json.key("renamings")
        json.array { json in
            for renaming in forecast.renamings {
                json.object { json in
                    json.member("container", renaming.container)
                    json.member("target", renaming.target)
                }
            }
        }
        json.key("findings")
        json.array { json in
            for finding in forecast.findings {
                json.object { json in
                    json.member("code", finding.code.rawValue)
                    json.member("message", finding.message)
                    json.member("remedy", finding.remedy)
                }
            }
        }
    }

    private static func write(_ skip: Forecast.Skip, into json: inout JSONWriter) {
        json.object { json in
            json.member("code", skip.code.rawValue)
            json.member("items", skip.count)
            json.member("bytes", skip.bytes)
            json.member("meaning", skip.code.entry.meaning)
            json.member("remedy", skip.code.entry.remedy)
        }
    }

    private func write(_ found: Place, into json: inout JSONWriter) {
        json.object { json in
            json.member("user", found.row.person.guid)
            json.member("workload", found.row.workload.wireName)
            json.member("service", found.place.service.rawValue)
            json.member("container", found.place.container)
            json.member("item", found.place.item)
            json.member("bytes", found.place.bytes)
            json.member("code", found.place.code.rawValue)
            json.member("message", found.place.message)
            json.member("remedy", found.place.code.entry.remedy)
        }
    }

    private static func amounts(_ share: Forecast.Share, into json: inout JSONWriter) {
        json.member("containers", share.containers)
        for (name, amount) in Self.columns(share) {
            json.member(name.items, amount.items)
            json.member(name.bytes, amount.bytes)
        }
    }

    /// The amounts in the order in which all forms show them, with the names of their two numbers.
    static func columns(
        _ share: Forecast.Share
    ) -> [(name: (items: String, bytes: String), amount: Forecast.Amount)] {
        [
            (("items", "bytes"), share.listed), (("copiedItems", "copiedBytes"), share.copied),
            (("dueItems", "dueBytes"), share.due), (("elsewhereItems", "elsewhereBytes"), share.elsewhere),
            (("skippedItems", "skippedBytes"), share.skipped),
        ]
    }
}

// MARK: CSV and HTML

extension DryRunReport {
    /// One row per user, workload and service (RFC 4180); then, each after an empty row, what would be skipped, and who is
    /// not mapped.
    private var csv: [UInt8] {
        var table = CSVWriter()
        let names = Self.columns(Forecast.Share(.mail)).flatMap { [$0.name.items, $0.name.bytes] }
        table.row(
            ["user", "userPrincipalName", "workload", "service", "containers"] + names + [
                "roomBytes", "grade", "estimatedSeconds", "measuredRuns", "findings",
            ])
        for row in rows {
            let forecast = row.forecast
            let findings = forecast.findings.map { "\($0.code.rawValue): \($0.message)" }.joined(separator: "; ")
            let person = [row.person.description, self.names[row.person] ?? "", row.workload.wireName]
            let seconds = forecast.seconds.map { "\(Int64($0.rounded(.up)))" } ?? ""
            let end = [forecast.verdict(for: row.workload).grade.rawValue, seconds, "\(forecast.pace.runs)", findings]
            for share in forecast.shares {
                let amounts = Self.columns(share).flatMap { ["\($0.amount.items)", "\($0.amount.bytes)"] }
                let room = share.roomBytes.map { "\($0)" } ?? ""
                table.row(person + [share.service.rawValue, "\(share.containers)"] + amounts + [room] + end)
            }
            // A run of which nothing could be seen has a row, too.
            if forecast.shares.isEmpty { table.row(person + ["", ""] + names.map { _ in "" } + [""] + end) }
        }
        if !places.isEmpty {
            table.row([])
            table.row([
                "user", "userPrincipalName", "workload", "service", "container", "item", "bytes", "code", "message",
                "remedy",
            ])
            for found in places {
                table.row([
                    found.row.person.description, self.names[found.row.person] ?? "", found.row.workload.wireName,
                    found.place.service.rawValue, found.place.container, found.place.item, "\(found.place.bytes)",
                    found.place.code.rawValue, found.place.message, found.place.code.entry.remedy,
                ])
            }
        }
        if !mentions.isEmpty {
            table.row([])
            table.row(["unmappedAddress", "objects"])
            for mention in mentions { table.row([mention.address, "\(mention.count)"]) }
        }
        return table.bytes
    }

    private var html: [UInt8] {
        var page = HTMLWriter()
        page.raw("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">")
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>")
        page.text("Dry run: \(job.displayName)")
        page.raw("</title><style>\(JobReport.style)</style></head><body><main>")
        page.element("h1", "Dry run of \(job.displayName)")
        page.element(
            "p", "Nothing was moved. What has changed at the source since then is not in it.")
        page.raw("<dl>")
        let total = total
        for (name, value) in [
            ("State", dryRun.state.rawValue), ("Began", JobReport.date(dryRun.began)),
            ("Ended", dryRun.ended.map(JobReport.date) ?? ""),
            ("Looked at", "\(dryRun.done) of \(dryRun.expected.map(String.init) ?? "?") workloads of people"),
            ("Items", "\(total.listed.items), \(JobReport.size(total.listed.bytes))"),
            ("To be copied", "\(total.due.items), \(JobReport.size(total.due.bytes))"),
            ("Copied already", "\(total.copied.items), \(JobReport.size(total.copied.bytes))"),
            ("Would be skipped", "\(total.skipped.items), \(JobReport.size(total.skipped.bytes))"),
            ("Estimated time of the copy", Self.time(seconds)),
        ] {
            page.element("dt", name)
            page.element("dd", value)
        }
        page.raw("</dl>")
        page.element("h2", "What would be skipped")
        if skips.isEmpty {
            page.element("p", "Nothing.")
        } else {
            page.table(["Code", "Items", "Size", "Meaning", "What to do"]) { page in
                for skip in skips {
                    page.row([
                        skip.code.rawValue, "\(skip.count)", JobReport.size(skip.bytes), skip.code.entry.meaning,
                        skip.code.entry.remedy,
                    ])
                }
            }
        }
        page.element("h2", "People")
        page.table([
            "Person", "Workload", "Items", "Size", "To be copied", "Copied", "Skipped", "Time", "Grade",
            "What was found",
        ]) {
            page in
            for row in rows {
                let forecast = row.forecast
                let (listed, due) = (forecast.total(\.listed), forecast.total(\.due))
                page.row([
                    names[row.person] ?? row.person.description, row.workload.wireName, "\(listed.items)",
                    JobReport.size(listed.bytes), "\(due.items), \(JobReport.size(due.bytes))",
                    "\(forecast.total(\.copied).items)", "\(forecast.total(\.skipped).items)",
                    forecast.seconds.map(Self.time) ?? "", forecast.verdict(for: row.workload).grade.rawValue,
                    (forecast.findings.map { "\($0.code.rawValue): \($0.message)" }
                        + forecast.renamings.map { "Folder '\($0.container)' would be called '\($0.target)'." })
                        .joined(separator: " "),
                ])
            }
        }
        if !places.isEmpty {
            page.element("h2", "Where")
            if placesAreCut { page.element("p", "These \(places.count) are not all.") }
            page.table(["Person", "Workload", "Container", "Item", "Size", "Code", "Why"]) { page in
                for found in places {
                    page.row([
                        names[found.row.person] ?? found.row.person.description, found.row.workload.wireName,
                        found.place.container, found.place.item, JobReport.size(found.place.bytes),
                        found.place.code.rawValue, found.place.message,
                    ])
                }
            }
        }
        if !mentions.isEmpty {
            page.element("h2", "People who are mentioned and not mapped")
            if mentionsAreCut { page.element("p", "These \(mentions.count) are not all.") }
            page.table(["Address", "Objects"]) { page in
                for mention in mentions { page.row([mention.address, "\(mention.count)"]) }
            }
        }
        page.raw("</main></body></html>")
        return page.bytes
    }

    /// `3 h 20 min`, `5 min`, `40 s`.
    private static func time(_ seconds: Double) -> String {
        let whole = Int64(min(seconds, 1e12).rounded(.up))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\((whole + 59) / 60) min" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}
