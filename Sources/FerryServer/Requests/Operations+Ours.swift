import FerryAPI
import FerryCore
import FerryEngine
import FerryStore
import HTTPTypes

/// The namespace `/ferry`: what the Graph contract has no place for.
extension Operations {
    func progress(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let job = try await find(reference, call)
        return ours(try await view(of: job, call).json, JobReport.Format.json.contentType)
    }

    /// 200 with the progress as it now is.
    func approve(_ action: Command, _ call: Call) async throws(Failure) -> Answer {
        try BodyDecoder.empty(try call.json())
        guard case .job(let job) = try await command(action, call, status: .ok) else { throw .fault }
        return ours(try await view(of: job, call).json, JobReport.Format.json.contentType)
    }

    func items(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let page = try ItemPageOptions(rawQuery: call.rawQuery)
        let job = try await find(reference, call)
        let found = try await read(for: call) { (reader) throws(StoreError) in
            try await reader.itemFindings(of: job.id, after: page.after, limit: page.limit + 1)
        }
        let views = found.prefix(page.limit).map(ItemFindingView.init)
        return ours(
            ItemFindingView.page(views, hasMore: found.count > page.limit), JobReport.Format.json.contentType)
    }

    func report(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let format = try JobReport.Format(rawQuery: call.rawQuery)
        let job = try await find(reference, call)
        let view = try await view(of: job, call)
        let tasks = try await tasks(of: job, call)
        let limit = APILimits.reportFindings
        let found =
            try JobReport.listsFindings(rawQuery: call.rawQuery)
            ? try await read(for: call) { (reader) throws(StoreError) in
                try await reader.itemFindings(of: job.id, after: 0, limit: limit + 1)
            } : []
        let report = JobReport(
            view: view, tasks: tasks, names: names(of: job), findings: found.prefix(limit).map(ItemFindingView.init),
            isCut: found.count > limit)
        return document(report.bytes(format), format, name: "report-\(job.id)")
    }

    /// 404 while nobody has made one.
    func dryRun(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let format = try JobReport.Format(rawQuery: call.rawQuery)
        let job = try await find(reference, call)
        return document(try await dryRun(of: job, call).bytes(format), format, name: "dry-run-\(job.id)")
    }

    /// 202 with what is known so far.
    func startDryRun(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        try BodyDecoder.empty(try call.json())
        guard case .job(let job) = try await command(.startDryRun(reference), call, status: .accepted) else {
            throw .fault
        }
        var answer = ours(try await dryRun(of: job, call).bytes(.json), JobReport.Format.json.contentType)
        answer.status = .accepted
        return answer
    }

    func stopDryRun(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        _ = try await command(.stopDryRun(reference), call, status: .accepted)
        return .empty(.accepted)
    }

    private func dryRun(of job: Job, _ call: Call) async throws(Failure) -> DryRunReport {
        guard
            let dryRun = try await read(
                for: call, { (reader) throws(StoreError) in try await reader.dryRun(of: job.id) })
        else { throw .notFound("No dry run of this job was made. POST to this address to make one.") }
        var rows: [DryRunReport.Row] = []
        var listed = 0
        for ordinal in stride(from: 0, to: job.people.count, by: APILimits.maximumPageSize) {
            let page = try await read(for: call) { (reader) throws(StoreError) in
                try await reader.forecasts(of: job.id, from: ordinal, limit: APILimits.maximumPageSize)
            }
            for found in page {
                var row = DryRunReport.Row(
                    person: found.run.person, workload: found.run.workload, forecast: found.forecast)
                // What no report shows is not held either.
                row.forecast.keepPlaces(max(0, APILimits.reportFindings - listed))
                listed += row.forecast.places.count
                rows.append(row)
            }
        }
        return DryRunReport(job: job, dryRun: dryRun, rows: rows, names: names(of: job))
    }

    /// What the users of a job are called, where the directory knows it.
    private func names(of job: Job) -> [PersonID: String] {
        var names: [PersonID: String] = [:]
        for person in job.people {
            names[person] = directory?.person(person, in: job.targetTenant)?.userPrincipalName
        }
        return names
    }

    /// A report in the form that was asked for.
    private func document(_ body: [UInt8], _ format: JobReport.Format, name: String) -> Answer {
        var answer = ours(body, format.contentType)
        switch format {
        case .json: break
        case .csv: answer.headers.append((.contentDisposition, "attachment; filename=\"\(name).csv\""))
        case .html:
            answer.headers.append((.contentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'"))
        }
        return answer
    }

    /// Nothing is created: that is for somebody who may do so in the other tenant.
    func reversal(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let job = try await find(reference, call)
        let view = ReversalView(of: job, try await tasks(of: job, call), in: directory)
        return ours(view.json, JobReport.Format.json.contentType)
    }

    private func view(of job: Job, _ call: Call) async throws(Failure) -> ProgressView {
        let found = try await read(for: call) { (reader) throws(StoreError) in try await reader.progress(of: job.id) }
        return ProgressView(
            job: job, progress: found.progress, tally: found.tally, grades: found.grades, peopleHeld: found.peopleHeld,
            now: effects.now())
    }

    /// All users of a job, page by page.
    private func tasks(of job: Job, _ call: Call) async throws(Failure) -> [UserTask] {
        var tasks: [UserTask] = []
        tasks.reserveCapacity(job.people.count)
        var query = TaskQuery(job: job.id)
        query.limit = APILimits.maximumPageSize
        repeat {
            let page = try await read(for: call) { [query] (reader) throws(StoreError) in try await reader.tasks(query)
            }
            tasks += page.rows
            query.after = page.next
        } while query.after != nil
        return tasks
    }

    func ours(_ body: [UInt8], _ contentType: String) -> Answer {
        var answer = Answer(status: .ok, body: .bytes(body), contentType: contentType, isGraph: false)
        answer.headers = [(.xContentTypeOptions, "nosniff")]
        return answer
    }
}

extension ItemFindingView {
    fileprivate init(_ finding: ItemFinding) {
        self.init(
            sequence: finding.sequence, person: finding.run.person, workload: finding.run.workload,
            container: finding.container.text, item: finding.item, outcome: finding.outcome, code: finding.code,
            message: finding.message, at: finding.at)
    }
}
