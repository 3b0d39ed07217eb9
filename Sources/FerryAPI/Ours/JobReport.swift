package import FerryCore

/// Everything about a job at one moment, for people and for their spreadsheets (`GET /ferry/jobs/{job}/report`).
package struct JobReport: Sendable {
    package enum Format: String, Sendable, Hashable, CaseIterable {
        case json, csv, html

        package var contentType: String {
            switch self {
            case .json: "application/json; charset=utf-8"
            case .csv: "text/csv; charset=utf-8"
            case .html: "text/html; charset=utf-8"
            }
        }

        /// Reads `?format=`; JSON when it is absent.
        package init(rawQuery: some StringProtocol) throws(Failure) {
            self = .json
            for pair in try QueryPairs.parse(rawQuery)
            where ASCII.equalFoldingCase(pair.name, "format") || ASCII.equalFoldingCase(pair.name, "$format") {
                guard let format = Format(rawValue: pair.value.lowercased()) else {
                    throw .badRequest("format must be json, csv or html.", target: "format")
                }
                self = format
            }
        }
    }

    /// Reads `?findings=`: `false` leaves out what happened to single items. `true` when it is absent.
    package static func listsFindings(rawQuery: some StringProtocol) throws(Failure) -> Bool {
        var lists = true
        for pair in try QueryPairs.parse(rawQuery) where ASCII.equalFoldingCase(pair.name, "findings") {
            guard let value = Bool(pair.value.lowercased()) else {
                throw .badRequest("findings must be true or false.", target: "findings")
            }
            lists = value
        }
        return lists
    }

    package var view: ProgressView
    /// All users of the job, in its order.
    package var tasks: [UserTask]
    /// What the users are called, where the directory knows it.
    package var names: [PersonID: String]
    /// At most `APILimits.reportFindings`.
    package var findings: [ItemFindingView]
    /// There are more findings than are listed here.
    package var isCut: Bool

    package init(
        view: ProgressView, tasks: [UserTask], names: [PersonID: String], findings: [ItemFindingView], isCut: Bool
    ) {
        self.view = view
        self.tasks = tasks
        self.names = names
        self.findings = findings
        self.isCut = isCut
    }

    package func bytes(_ format: Format) -> [UInt8] {
        switch format {
        case .json: json
        case .csv: csv
        case .html: html
        }
    }

    private var json: [UInt8] {
        var json = JSONWriter(capacity: 4_096 + 1_024 * tasks.count + 512 * findings.count)
        let job = view.job
        json.object { json in
            json.member("jobId", job.id.guid)
            json.member("displayName", job.displayName)
            json.member("status", job.status.wireName)
            json.member("message", job.message)
            json.member("sourceTenantId", job.sourceTenant.guid)
            json.member("targetTenantId", job.targetTenant.guid)
            json.member("createdBy", job.createdBy)
            json.member("createdDateTime", job.created)
            json.member("lastUpdatedDateTime", job.updated)
            json.member("completeAfterDateTime", job.completeAfter)
            json.member("asOf", view.now)
            view.people(into: &json)
            json.key("total")
            json.object { ProgressView.amounts(view.total, into: &$0) }
            json.key("users")
            json.array { json in for task in tasks { user(task, into: &json) } }
            json.key("findings")
            json.array { json in for finding in findings { finding.write(into: &json) } }
            json.key("findingsAreCut")
            json.bool(isCut)
        }
        return json.bytes
    }

    private func user(_ task: UserTask, into json: inout JSONWriter) {
        json.object { json in
            json.member("id", task.person.guid)
            if let name = names[task.person] { json.member("userPrincipalName", name) }
            json.key("workloads")
            json.array { json in
                for run in task.runs {
                    json.object { json in
                        json.member("workload", run.id.workload.wireName)
                        json.member("status", run.status.wireName)
                        json.member("message", run.message)
                        json.key("grade")
                        if let verdict = run.verdict { json.string(verdict.grade.rawValue) } else { json.null() }
                        json.member("lost", run.verdict?.lost ?? 0)
                        json.key("waitsForApproval")
                        json.bool(run.waitsForApproval)
                        ProgressView.amounts(run.progress, into: &json)
                        json.key("findings")
                        json.array { json in
                            for finding in run.findings {
                                json.object { json in
                                    json.member("code", finding.code.rawValue)
                                    json.member("message", finding.message)
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
