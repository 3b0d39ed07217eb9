import FerryConnector
import FerryCore
import FerryStore

/// Looks at everything that the validation rules want to know of one person. Judges nothing, changes nothing.
struct FactFinder: Sendable {
    let workshop: Workshop

    func facts(of task: UserTask, in job: Job) async throws(WorkError) -> PersonFacts {
        let directory = workshop.people
        let pair = TenantPair(source: job.sourceTenant, target: job.targetTenant)
        let map = directory.identityMap(from: job.sourceTenant, to: job.targetTenant)
        var facts = PersonFacts(
            person: task.person, sourceTenant: directory.tenant(job.sourceTenant),
            targetTenant: directory.tenant(job.targetTenant)
                ?? Tenant(id: job.targetTenant, name: "", domains: [], services: []),
            trust: directory.trust(from: job.sourceTenant, to: job.targetTenant),
            mappedSources: map.sources[task.person] ?? [],
            source: map.entry(for: task.person).flatMap { directory.person($0.source, in: job.sourceTenant) },
            target: directory.person(task.person, in: job.targetTenant), exchange: job.exchangeSettings,
            otherJobs: try await otherJobs(of: task.person, job), forecasts: try await forecasts(of: task),
            policy: ValidationPolicy(
                requiresRedirect: workshop.settings.jobs.requiresRedirect,
                holdsSkippedItems: workshop.settings.jobs.holdsSkippedItems))
        facts.hasOppositeTrust = directory.trust(from: job.targetTenant, to: job.sourceTenant) != nil
        if let entry = map.entry(for: task.person) { facts.mapState = entry.state }
        if facts.mappedSources.isEmpty { facts.mappedElsewhere = mappedElsewhere(task.person, map, pair) }
        guard let source = facts.source, let target = facts.target else { return facts }
        let kinds = Set(task.runs.flatMap(\.id.workload.services))
        for kind in ServiceKind.allCases where kinds.contains(kind) {
            do throws(ConnectorError) {
                // What is not configured is told by the tenant's services.
                facts.services[kind] = try await service(kind, source: source, target: target, job)
            } catch {
                switch error.disposition {
                case .cancelled: throw .connector(error)
                case .retry: facts.gap = .busy(error.context)
                case .skip, .failRun, .hold: facts.gap = .fault(error.context)
                }
            }
        }
        if task[.mailbox] != nil { try await lookAtMailbox(of: source, pair, &facts) }
        for kind in facts.services.keys {
            facts.services[kind]?.isContinued = try await isContinued(kind, source: source, target: target, task, job)
            // Whoever comes back: Ferry has frozen what it moved them from, and will thaw it.
            guard try await isReturning(kind, source: source, target: target, job) else { continue }
            facts.services[kind]?.isContinued = true
            if case .seen(var sight)? = facts.services[kind]?.target {
                sight.isWritable = sight.exists
                facts.services[kind]?.target = .seen(sight)
            }
        }
        return facts
    }

    /// Whoever has the person's address and is mapped to somebody else.
    private func mappedElsewhere(
        _ person: PersonID, _ map: IdentityMap, _ pair: TenantPair
    ) -> PersonFacts.MappedElsewhere? {
        let directory = workshop.people
        guard let source = directory.counterpart(of: person, in: pair), let target = map.entries[source]?.target
        else { return nil }
        return PersonFacts.MappedElsewhere(
            source: directory.person(source, in: pair.source)?.userPrincipalName ?? source.description,
            target: directory.person(target, in: pair.target)?.userPrincipalName ?? target.description)
    }

    /// Asks the source which mailbox it is, where one was recorded.
    private func lookAtMailbox(
        of source: Person, _ pair: TenantPair, _ facts: inout PersonFacts
    ) async throws(WorkError) {
        let recorded: String?
        do throws(StoreError) { recorded = try await workshop.store.reader.mailbox(of: source.id, in: pair) } catch {
            throw .store(error)
        }
        // What cannot be reached was found out by the probe.
        guard let recorded, facts.services[.mail]?.source.sight?.isReadable == true else { return }
        do throws(ConnectorError) {
            let found = try await workshop.planner.mailboxIdentity(of: source.id, in: pair.source, recorded: recorded)
            facts.mailbox = MailboxIdentityFacts(recorded: recorded, found: found)
        } catch {
            switch error.disposition {
            case .cancelled: throw .connector(error)
            case .retry: facts.gap = .busy(error.context)
            case .skip, .failRun, .hold: facts.gap = .fault(error.context)
            }
        }
    }

    private func otherJobs(of person: PersonID, _ job: Job) async throws(WorkError) -> [String] {
        do throws(StoreError) {
            return try await workshop.store.transact { (tx) throws(StoreError) in
                try tx.activeJobs(with: person, in: job.targetTenant, besides: job.id)
            }
        } catch {
            throw .store(error)
        }
    }

    private func forecasts(of task: UserTask) async throws(WorkError) -> [Workload: Forecast] {
        var forecasts: [Workload: Forecast] = [:]
        do throws(StoreError) {
            for run in task.runs {
                forecasts[run.id.workload] = try await workshop.store.reader.forecast(of: run.id)
            }
        } catch {
            throw .store(error)
        }
        return forecasts
    }

    private func service(
        _ kind: ServiceKind, source: Person, target: Person, _ job: Job
    ) async throws(ConnectorError) -> ServiceFacts? {
        let planner = workshop.planner
        guard let from = planner.connections.connector(of: job.sourceTenant, for: kind),
            let to = planner.connections.connector(of: job.targetTenant, for: kind)
        else { return nil }
        let sourceAccount = planner.account(of: source, in: job.sourceTenant, at: kind)
        let targetAccount = planner.account(of: target, in: job.targetTenant, at: kind)
        return ServiceFacts(
            source: try await side(from, sourceAccount, .source), target: try await side(to, targetAccount, .target),
            isSameStore: from.lane == to.lane && sourceAccount.login == targetAccount.login)
    }

    private func side(
        _ connector: any Connector, _ account: Account, _ role: AccountRole
    ) async throws(ConnectorError) -> SideFacts {
        do throws(ConnectorError) {
            let seen = try await connector.probe(account, as: role)
            return .seen(
                AccountSight(
                    exists: seen.exists, isReadable: seen.isReadable, isWritable: seen.isWritable,
                    isEmpty: seen.isEmpty,
                    remark: seen.remark, bytes: seen.bytes, roomBytes: seen.roomBytes, isMarked: seen.isMarked,
                    canRedirect: seen.canRedirect))
        } catch {
            if case .retry = error.disposition { throw error }
            if case .cancelled = error.disposition { throw error }
            return .unreachable(error.context)
        }
    }

    /// Whether Ferry has moved the person from this target to this source.
    private func isReturning(
        _ kind: ServiceKind, source: Person, target: Person, _ job: Job
    ) async throws(WorkError) -> Bool {
        for workload in Workload.allCases where workload.services.contains(kind) {
            let route = Route(
                sourceTenant: job.sourceTenant, sourcePerson: source.id, targetTenant: job.targetTenant,
                targetPerson: target.id, workload: workload)
            if try await workshop.isHome(route.opposite) { return true }
        }
        return false
    }

    /// Whether the ledger of a workload that uses the service knows anything of this pair of people.
    private func isContinued(
        _ kind: ServiceKind, source: Person, target: Person, _ task: UserTask, _ job: Job
    ) async throws(WorkError) -> Bool {
        for workload in Workload.allCases where workload.services.contains(kind) {
            let route = Route(
                sourceTenant: job.sourceTenant, sourcePerson: source.id, targetTenant: job.targetTenant,
                targetPerson: target.id, workload: workload)
            do throws(StoreError) {
                if try await !workshop.store.reader.ledgerContainers(route).isEmpty { return true }
            } catch {
                throw .store(error)
            }
        }
        return false
    }
}
