import Crypto
import FerryAPI
import FerryCore
import FerryEngine
import FerryStore
import HTTPTypes
import Logging

/// The operations of the API: decode, ask the engine or the store, encode. Row numbers are those of reference 1.
struct Operations: Sendable {
    let commands: any CommandHandling
    let reader: any StoreReader
    /// `nil`: nobody builds maps here.
    let identities: (any IdentityMapping)?
    /// Names people in reports.
    let directory: (any Directory)?
    /// `nil`: nobody makes manifests here.
    let manifests: ServedManifests?
    let effects: Effects
    let logger: Logger
    /// Answers about jobs that were written before.
    let written = EncodedJobs()

    func carryOut(_ operation: Operation, _ call: Call) async throws(Failure) -> Answer {
        var answer = try await answer(operation, call)
        // There are no members behind `unknownFutureValue` today, so the preference is honoured by doing nothing.
        if call.preferences.includesUnknownEnumMembers, answer.isGraph {
            answer.appliedPreferences.append("include-unknown-enum-members")
        }
        return answer
    }

    private func answer(_ operation: Operation, _ call: Call) async throws(Failure) -> Answer {
        switch operation {
        case .listJobs: try await listJobs(call)
        case .createJob: try await create(call, forValidation: false)
        case .job(let job): try await self.job(job, call)
        case .updateJob(let job): try await update(job, call)
        case .deleteJob(let job): try await delete(job, call)
        case .validateJob(let job): try await act(.validate(job), call)
        case .migrateJob(let job): try await act(.migrate(job), call)
        case .cancelJob(let job): try await cancel(.cancel(job), call)
        case .listUsers(let job): try await listUsers(job, call)
        case .user(let job, let user): try await self.user(user, of: job, call)
        case .cancelUser(let job, let user): try await cancel(.cancelPerson(job, user), call)
        case .countJobs: try await countJobs(call)
        case .countUsers(let job): try await countUsers(job, call)
        case .validateCollection: try await create(call, forValidation: true)
        case .migrationsRoot: try root(call)
        case .metadata: try metadata(call)
        case .serviceDocument: try serviceDocument(call)
        // The pipeline takes batches apart; what arrives here are their steps.
        case .batch: throw .fault
        case .approveJob(let job): try await approve(.approve(job), call)
        case .approveUser(let job, let user): try await approve(.approvePerson(job, user), call)
        case .progress(let job): try await progress(job, call)
        case .items(let job): try await items(job, call)
        case .report(let job): try await report(job, call)
        case .dryRun(let job): try await dryRun(job, call)
        case .startDryRun(let job): try await startDryRun(job, call)
        case .stopDryRun(let job): try await stopDryRun(job, call)
        case .manifest(let job): try await manifest(job, call)
        case .reversal(let job): try await reversal(job, call)
        case .manifestKey: try manifestKey()
        case .audit: try await audit(call)
        case .listIdentities: try await listIdentities(call)
        case .importIdentities: try await change(BodyDecoder.mapImport(try call.json()), call)
        case .checkIdentities: try await checkIdentities(call)
        case .matchIdentities: try await change(BodyDecoder.mapMatch(try call.json()), call)
        case .completeIdentities:
            try await change(BodyDecoder.mapCompletion(try call.json(), largest: APILimits.mapMailboxes), call)
        case .identity(let person): try await identity(person, call)
        case .updateIdentity(let person):
            try await change(BodyDecoder.mapAssignment(try call.json(), of: person), call)
        case .removeIdentity(let person): try await removeIdentity(person, call)
        }
    }

    // MARK: changes

    /// 2 and 16: 201 with the job and where it is.
    private func create(_ call: Call, forValidation: Bool) async throws(Failure) -> Answer {
        let representation = try call.representation(try call.options())
        let draft = try BodyDecoder.draft(try call.json())
        let result = try await command(
            forValidation ? .createForValidation(draft) : .create(draft), call, status: .created)
        guard case .created(let job) = result else { throw .fault }
        var answer = Answer.json(
            .created, JobEncoder.result(job, ofAction: false, as: representation), as: representation, isRead: false)
        answer.headers = [(.location, call.links.job(job.id))]
        return answer
    }

    /// 4: 204, or 200 with the job where the client prefers it.
    private func update(_ job: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let representation = try call.representation(try call.options())
        let date = try BodyDecoder.reschedule(try call.json())
        let returnsJob = call.preferences.returnsRepresentation
        let result = try await command(
            .reschedule(job, completeAfter: date), call, status: returnsJob ? .ok : .noContent)
        guard returnsJob else { return .empty(.noContent) }
        guard case .job(let changed) = result else { throw .fault }
        var answer = Answer.json(
            .ok, JobEncoder.result(changed, ofAction: false, as: representation), as: representation, isRead: false)
        answer.appliedPreferences = ["return=representation"]
        return answer
    }

    /// 5: accepted; the rest happens later.
    private func delete(_ job: JobReference, _ call: Call) async throws(Failure) -> Answer {
        _ = try call.options()
        _ = try await command(.delete(job), call, status: .accepted)
        return .empty(.accepted)
    }

    /// 6 and 7: 200 with the job as it now is.
    private func act(_ action: Command, _ call: Call) async throws(Failure) -> Answer {
        let representation = try call.representation(try call.options())
        try BodyDecoder.empty(try call.json())
        guard case .job(let job) = try await command(action, call, status: .ok) else { throw .fault }
        return .json(.ok, JobEncoder.result(job, ofAction: true, as: representation), as: representation, isRead: false)
    }

    /// 8 and 11: 202 with a text.
    private func cancel(_ action: Command, _ call: Call) async throws(Failure) -> Answer {
        let representation = try call.representation(try call.options())
        try BodyDecoder.empty(try call.json())
        let body: [UInt8]
        switch try await command(action, call, status: .accepted) {
        case .cancelAccepted(let job): body = CancelEncoder.job(job, as: representation)
        case .personCancelAccepted(let job, let person): body = CancelEncoder.person(person, of: job)
        case .created, .job, .accepted: throw .fault
        }
        return .json(.accepted, body, as: representation, isRead: false)
    }

    /// - Parameter status: of the answer when the command is carried out, for the audit trail.
    func command(
        _ command: Command, _ call: Call, status: HTTPResponse.Status
    ) async throws(Failure) -> CommandResult {
        var provenance = Provenance(origin: call.origin, requestID: call.requestID, status: status.code)
        if let id = call.clientRequestID, command.isCreation {
            provenance.repetition = Provenance.Repetition(
                id: id, fingerprint: Array(SHA256.hash(data: Array("\(command.operation)\n".utf8) + call.body)))
        }
        do {
            return try await commands.carryOut(command, by: call.principal, from: provenance)
        } catch {
            throw .refused(error)
        }
    }

    // MARK: reads

    /// 3. The hot one.
    private func job(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let options = try call.options([.select, .expand])
        let representation = try call.representation(options)
        let shape = try JobShape(options)
        let job = try await find(reference, call)
        guard let expansion = shape.users else {
            return .json(
                .ok, JobEncoder.entity(ExpandedJob(job), shape: shape, as: representation, memory: written),
                as: representation, isRead: true)
        }
        return try await expanded(job, expansion, shape, representation, call)
    }

    /// 1.
    private func listJobs(_ call: Call) async throws(Failure) -> Answer {
        let options = try call.options(Self.listOptions.union([.expand]))
        let representation = try call.representation(options)
        let list = try JobListOptions(
            options, in: call.principal.tenant, version: call.links.version, preferences: call.preferences)
        var total: Int?
        if list.wantsCount {
            total = try await read(for: call) { (reader) throws(StoreError) in try await reader.count(list.query) }
        }
        if list.query.limit > APILimits.streamedJobs {
            return paged(try await streamed(list, count: total, representation, call), call)
        }
        let page = try await read(for: call) { (reader) throws(StoreError) in try await reader.jobs(list.query) }
        var jobs: [ExpandedJob] = []
        jobs.reserveCapacity(page.rows.count)
        for job in page.rows {
            jobs.append(try await expand(job, list.shape, limit: APILimits.expandedUsersInList, call))
        }
        let body = JobEncoder.list(
            jobs, count: total, nextLink: list.nextLink(page.next, links: call.links), shape: list.shape,
            as: representation, memory: written)
        return paged(.json(.ok, body, as: representation, isRead: true), call)
    }

    /// 9.
    private func listUsers(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let options = try call.options(Self.listOptions)
        let representation = try call.representation(options)
        let job = try await find(reference, call)
        let list = try TaskListOptions(
            options, of: job.id, version: call.links.version, preferences: call.preferences)
        let page = try await read(for: call) { (reader) throws(StoreError) in try await reader.tasks(list.query) }
        var total: Int?
        if list.wantsCount {
            total = try await read(for: call) { (reader) throws(StoreError) in try await reader.count(list.query) }
        }
        let body = TaskEncoder.list(
            page.rows, of: job.id, count: total, nextLink: list.nextLink(page.next, links: call.links),
            selection: list.selection, as: representation)
        return paged(.json(.ok, body, as: representation, isRead: true), call)
    }

    /// 10.
    private func user(_ user: String, of reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let options = try call.options([.select])
        let representation = try call.representation(options)
        let selection: Selection<TaskMember> = try options.selection()
        let job = try await find(reference, call)
        guard let person = PersonID(user),
            let task = try await read(
                for: call, { (reader) throws(StoreError) in try await reader.task(job.id, person) })
        else { throw .refused(.personNotFound(user)) }
        return .json(
            .ok, TaskEncoder.entity(task, selection: selection, as: representation), as: representation, isRead: true)
    }

    /// 12.
    private func countJobs(_ call: Call) async throws(Failure) -> Answer {
        let options = try countOptions(call)
        let query = try JobListOptions.counting(options, in: call.principal.tenant)
        let count = try await read(for: call) { (reader) throws(StoreError) in try await reader.count(query) }
        return .text(.ok, "\(count)", isGraph: true)
    }

    /// 13.
    private func countUsers(_ reference: JobReference, _ call: Call) async throws(Failure) -> Answer {
        let options = try countOptions(call)
        let job = try await find(reference, call)
        let query = try TaskListOptions.counting(options, of: job.id)
        let count = try await read(for: call) { (reader) throws(StoreError) in try await reader.count(query) }
        return .text(.ok, "\(count)", isGraph: true)
    }

    /// The answer is plain text, whatever form of JSON is asked for; a `$format` that is none is refused all the same.
    private func countOptions(_ call: Call) throws(Failure) -> QueryOptions {
        guard Negotiation.acceptsCount(call.accept) else { throw .notAcceptable }
        let options = try call.options([.filter, .search])
        _ = try Negotiation.metadata(accept: nil, format: options[.format])
        return options
    }

    /// 17.
    private func root(_ call: Call) throws(Failure) -> Answer {
        let options = try call.options([.select])
        let representation = try call.representation(options)
        return .json(
            .ok, RootEncoder.root(try options.selection(), as: representation), as: representation, isRead: true)
    }

    private func metadata(_ call: Call) throws(Failure) -> Answer {
        let format = try call.options()[.format]?.lowercased() ?? "xml"
        guard format == "xml" || format == CSDL.contentType else { throw .notAcceptable }
        return Answer(status: .ok, body: .bytes(CSDL.document), contentType: CSDL.contentType)
    }

    private func serviceDocument(_ call: Call) throws(Failure) -> Answer {
        let representation = try call.representation(try call.options())
        return .json(.ok, ServiceDocumentEncoder.document(as: representation), as: representation, isRead: true)
    }

    // MARK: parts

    private static let listOptions: Set<QueryOptions.Option> = [
        .select, .filter, .orderby, .search, .skip, .top, .count, .skiptoken,
    ]

    /// The job in the caller's tenant. Throws `Refusal.jobNotFound` for one of another tenant too.
    func find(_ reference: JobReference, _ call: Call) async throws(Failure) -> Job {
        let tenant = call.principal.tenant
        if let job = try await read(
            for: call, { (reader) throws(StoreError) in try await reader.job(reference, in: tenant) })
        {
            return job
        }
        switch reference {
        case .key(let text), .displayName(let text): throw .refused(.jobNotFound(text))
        }
    }

    private func expand(
        _ job: Job, _ shape: JobShape, limit: Int, _ call: Call
    ) async throws(Failure) -> ExpandedJob {
        guard let users = shape.users else { return ExpandedJob(job) }
        let query = users.query(of: job.id, limit: limit)
        let page = try await read(for: call) { (reader) throws(StoreError) in try await reader.tasks(query) }
        guard users.wantsCount else { return ExpandedJob(job, users: page) }
        let count = try await read(for: call) { (reader) throws(StoreError) in try await reader.count(query) }
        return ExpandedJob(job, users: page, count: count)
    }

    /// An answer whose size `odata.maxpagesize` bounds.
    func paged(_ answer: Answer, _ call: Call) -> Answer {
        guard let size = call.preferences.maximumPageSize else { return answer }
        var answer = answer
        answer.appliedPreferences.append("odata.maxpagesize=\(size)")
        return answer
    }

    /// A read of the store. Its errors become failures; what the client is not told goes to the log.
    func read<R: Sendable>(
        for call: Call, _ body: (any StoreReader) async throws(StoreError) -> R
    ) async throws(Failure) -> R {
        do {
            return try await body(reader)
        } catch {
            logger.error(
                "Store read failed", metadata: ["request-id": "\(call.requestID)", "error": "\(error)"])
            switch error {
            case .unavailable: throw .unavailable("The store is busy or cannot be reached. Try again.")
            case .closed: throw .unavailable("The server is shutting down. Try again.")
            case .conflict, .duplicateName, .leaseLost, .unusable: throw .fault
            }
        }
    }
}
