package import FerryCore
package import FerryStore

/// Carries out commands: the machine of `FerryCore` decides, the store keeps, in one transaction.
package struct CommandHandler: CommandHandling {
    private let store: any Store
    private let effects: Effects
    private let settings: JobSettings

    package init(store: any Store, effects: Effects, settings: JobSettings) {
        self.store = store
        self.effects = effects
        self.settings = settings
    }

    package func carryOut(
        _ command: Command, by principal: Principal, from provenance: Provenance
    ) async throws(Refusal) -> CommandResult {
        let settings = settings
        let caller = Caller(principal: principal, provenance: provenance, operation: command.operation)
        switch command {
        case .create(let draft):
            return .created(try await create(draft, by: caller, validationOnly: false))
        case .createForValidation(let draft):
            return .created(try await create(draft, by: caller, validationOnly: true))
        case .validate(let reference):
            return .job(
                try await change(reference, by: caller) { (job, now) throws(Refusal) in
                    try job.requestValidation(now: now, settings: settings)
                })
        case .migrate(let reference):
            return .job(
                try await change(reference, by: caller) { (job, now) throws(Refusal) in
                    try job.requestMigration(now: now, settings: settings)
                })
        case .cancel(let reference):
            return .cancelAccepted(
                try await change(reference, by: caller) { (job, now) throws(Refusal) in
                    try job.requestCancel(now: now, settings: settings)
                })
        case .reschedule(let reference, let date):
            return .job(
                try await change(reference, by: caller) { (job, now) throws(Refusal) in
                    try job.reschedule(to: date, now: now, settings: settings)
                })
        case .delete(let reference):
            _ = try await change(reference, by: caller) { (job, now) throws(Refusal) in
                try job.requestDeletion(now: now, settings: settings)
            }
            return .accepted
        case .cancelPerson(let reference, let person):
            return try await cancel(person, of: reference, by: caller)
        case .approve(let reference):
            return .job(try await approve(nil, of: reference, by: caller))
        case .approvePerson(let reference, let person):
            return .job(try await approve(person, of: reference, by: caller))
        case .startDryRun(let reference):
            return .job(try await startDryRun(of: reference, by: caller))
        case .stopDryRun(let reference):
            return .job(try await stopDryRun(of: reference, by: caller))
        }
    }

    package func record(_ entries: [AuditEntry]) async throws(StoreError) {
        if entries.isEmpty { return }
        try await store.transact { (tx) throws(StoreError) in
            for entry in entries {
                do throws(StoreError) {
                    try AuditTrail.append(entry, in: tx)
                } catch .conflict {
                    // The record of this token is there.
                }
            }
        }
    }

    private func create(_ draft: JobDraft, by caller: Caller, validationOnly: Bool) async throws(Refusal) -> Job {
        let id = JobID(effects.makeGUID())
        let settings = settings
        return try await decide(naming: draft.displayName) { (tx) throws(StoreError) in
            let make = { (id: JobID, now: Instant) throws(Refusal) -> (Job, [JobAction]) in
                var job = try Job.make(
                    draft, id: id, by: caller.principal, now: now, settings: settings, validationOnly: validationOnly)
                let actions = validationOnly ? try job.requestValidation(now: now, settings: settings) : []
                return (job, actions)
            }
            if let known = try caller.repeated(in: tx, lifetime: settings.repetitionsLast) {
                guard known.fingerprint == caller.provenance.repetition?.fingerprint else {
                    return .failure(.invalid([.reusedRequestID]))
                }
                // Made from the same draft at the same instant it is the same job, whatever became of it since; only
                // settings that were changed in between could refuse it now.
                var job = (try? make(known.job, known.at))?.0
                if job == nil { job = try tx.job(known.job) }
                guard let job else { return .failure(.jobNotFound(known.job.description)) }
                try AuditTrail.append(caller.entry(of: job.id, detail: "repeated", at: tx.now), in: tx)
                return .success(job)
            }
            let job: Job
            let actions: [JobAction]
            do throws(Refusal) { (job, actions) = try make(id, tx.now) } catch { return .failure(error) }
            try tx.insert(job)
            try JobActions.apply(actions, to: job, in: tx)
            try caller.remember(job, in: tx)
            try AuditTrail.append(caller.entry(of: job.id, at: tx.now), in: tx)
            return .success(job)
        }
    }

    /// One event of the job's machine, with everything that follows from it.
    private func change(
        _ reference: JobReference, by caller: Caller,
        event: @escaping @Sendable (inout Job, Instant) throws(Refusal) -> [JobAction]
    ) async throws(Refusal) -> Job {
        try await decide { (tx) throws(StoreError) in
            guard var job = try tx.job(reference, in: caller.principal.tenant) else {
                return .failure(.jobNotFound(reference.text))
            }
            let now = tx.now
            let actions: [JobAction]
            do throws(Refusal) { actions = try event(&job, now) } catch { return .failure(error) }
            let stored = try tx.save(job)
            try JobActions.apply(actions, to: stored, in: tx)
            try AuditTrail.append(caller.entry(of: stored.id, at: now), in: tx)
            return .success(stored)
        }
    }

    private func cancel(
        _ person: String, of reference: JobReference, by caller: Caller
    ) async throws(Refusal) -> CommandResult {
        let settings = settings
        return try await decide { (tx) throws(StoreError) in
            guard var job = try tx.job(reference, in: caller.principal.tenant) else {
                return .failure(.jobNotFound(reference.text))
            }
            guard let id = PersonID(person), var task = try tx.task(job.id, id) else {
                return .failure(.personNotFound(person))
            }
            do throws(Refusal) {
                try job.checkCancel(of: task, now: tx.now, settings: settings)
            } catch {
                return .failure(error)
            }
            task.stopRequested(isChecking: job.isChecking)
            task.updated = tx.now
            try tx.save(task)
            // Whoever works for the person loses the lease and stops at the next checkpoint.
            try JobActions.removeWork(of: task, in: tx)
            // One less to wait for.
            job = try Workshop.heeded(job, in: tx)
            try tx.enqueue(WorkItem(key: .job(job.id), lane: .control, due: tx.now))
            try AuditTrail.append(caller.entry(of: job.id, person: id, at: tx.now), in: tx)
            return .success(.personCancelAccepted(job, id))
        }
    }

    /// Whoever asks while one runs joins it.
    private func startDryRun(of reference: JobReference, by caller: Caller) async throws(Refusal) -> Job {
        try await decide { (tx) throws(StoreError) in
            guard let job = try tx.job(reference, in: caller.principal.tenant) else {
                return .failure(.jobNotFound(reference.text))
            }
            do throws(Refusal) { try job.checkDryRun() } catch { return .failure(error) }
            let isRunning = try tx.dryRun(of: job.id)?.state == .running
            if !isRunning {
                try tx.removeForecasts(of: job.id)
                try tx.setDryRun(DryRun(began: tx.now), of: job.id)
                try tx.enqueue(WorkItem(key: .dryRun(job.id), lane: .control, due: tx.now))
            }
            try AuditTrail.append(caller.entry(of: job.id, detail: isRunning ? "joined" : "", at: tx.now), in: tx)
            return .success(job)
        }
    }

    private func stopDryRun(of reference: JobReference, by caller: Caller) async throws(Refusal) -> Job {
        try await decide { (tx) throws(StoreError) in
            guard let job = try tx.job(reference, in: caller.principal.tenant) else {
                return .failure(.jobNotFound(reference.text))
            }
            guard try tx.cancelDryRun(of: job.id) else {
                return .failure(.conflict(.invalidJobStatus, message: "No dry run of the job is running."))
            }
            try AuditTrail.append(caller.entry(of: job.id, at: tx.now), in: tx)
            return .success(job)
        }
    }

    /// Agrees to what one person, or with `nil` everybody who waits for that, would leave behind.
    private func approve(_ person: String?, of reference: JobReference, by caller: Caller) async throws(Refusal) -> Job
    {
        try await decide { (tx) throws(StoreError) in
            guard var job = try tx.job(reference, in: caller.principal.tenant) else {
                return .failure(.jobNotFound(reference.text))
            }
            let id = person.flatMap(PersonID.init)
            var tasks: [UserTask] = []
            if let person {
                guard let id, let task = try tx.task(job.id, id) else { return .failure(.personNotFound(person)) }
                tasks = [task]
            }
            do throws(Refusal) { try job.checkApproval() } catch { return .failure(error) }
            if person == nil { tasks = try tx.tasks(job.id, from: 0, limit: .max) }
            tasks.removeAll { task in !task.runs.contains { $0.waitsForApproval } }
            if tasks.isEmpty, let id {
                return .failure(.conflict(.invalidJobStatus, message: JobMessages.approveRefused(id)))
            }
            for var task in tasks {
                for index in task.runs.indices { task.runs[index].approve() }
                task.updated = tx.now
                try tx.save(task)
            }
            job = try Workshop.heeded(job, in: tx)
            try tx.bringForward(job.id, to: tx.now)
            try tx.enqueue(WorkItem(key: .job(job.id), lane: .control, due: tx.now))
            try AuditTrail.append(caller.entry(of: job.id, person: id, at: tx.now), in: tx)
            return .success(job)
        }
    }

    /// Runs a decision in a transaction and gives its refusal, or the store's, as one error.
    private func decide<R: Sendable>(
        naming displayName: String? = nil,
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> Result<R, Refusal>
    ) async throws(Refusal) -> R {
        let outcome: Result<R, Refusal>
        do throws(StoreError) {
            outcome = try await store.transact(body)
        } catch {
            switch error {
            case .duplicateName:
                throw .invalid([
                    FieldProblem(
                        code: .duplicateDisplayNameJob, target: "displayName",
                        message:
                            "A job named '\(displayName ?? "")' already exists in this tenant; choose another name.")
                ])
            case .conflict, .leaseLost:
                throw .unavailable("The job was changed at the same moment; try again.")
            case .unavailable(let reason), .unusable(let reason):
                throw .unavailable(reason)
            case .closed:
                throw .unavailable("The server is stopping; try again in a moment.")
            }
        }
        return try outcome.get()
    }
}

extension FieldProblem {
    fileprivate static let reusedRequestID = FieldProblem(
        code: .clientRequestIdReused, target: "client-request-id",
        message:
            "This client-request-id was sent before with another body, and that job was created; send a new id with a"
            + " new job.")
}

extension JobReference {
    /// What the client wrote.
    package var text: String {
        switch self {
        case .key(let text), .displayName(let text): text
        }
    }
}
