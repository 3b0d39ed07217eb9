package import FerryConnector
package import FerryCore

/// Finds out, for one run, whose data goes from where to where.
package struct TransferPlanner: Sendable {
    package let directory: any Directory
    package let connections: any Connections
    /// Told of every lane that work is about to be put into.
    private let onLane: @Sendable (LaneID) -> Void

    package init(
        directory: any Directory, connections: any Connections, onLane: @escaping @Sendable (LaneID) -> Void = { _ in }
    ) {
        self.directory = directory
        self.connections = connections
        self.onLane = onLane
    }

    /// The source person who becomes the given target person of the job; `nil` when none or several are mapped, and while
    /// the mapping is not completed.
    package func sourcePerson(of target: PersonID, in job: Job) -> Person? {
        directory.identityMap(from: job.sourceTenant, to: job.targetTenant).source(of: target)
            .flatMap { directory.person($0, in: job.sourceTenant) }
    }

    /// What the two tenants have taken back of their agreement since the person was let in; `nil` while they hold to it.
    func withdrawal(of run: RunID, in job: Job) -> Finding? {
        guard let target = directory.tenant(job.targetTenant) else { return nil }
        var facts = PersonFacts(
            person: run.person, sourceTenant: directory.tenant(job.sourceTenant), targetTenant: target,
            trust: directory.trust(from: job.sourceTenant, to: job.targetTenant), mappedSources: [],
            source: sourcePerson(of: run.person, in: job), target: nil, exchange: job.exchangeSettings)
        facts.hasOppositeTrust = directory.trust(from: job.targetTenant, to: job.sourceTenant) != nil
        return ValidationRules.withdrawal(facts, for: run.workload)
    }

    /// Both ends of a run. Fails with the finding that validation would give, should people or connections have gone
    /// since then.
    package func transfer(for run: RunID, of job: Job) -> Result<Transfer, Finding> {
        guard let target = directory.person(run.person, in: job.targetTenant),
            let source = sourcePerson(of: run.person, in: job)
        else {
            return .failure(
                Finding(
                    code: .identityNotMapped,
                    message: "The person is not mapped to exactly one person of the source tenant any more. "
                        + "Mend the identity map, then call migrate again."))
        }
        var legs: [Transfer.Leg] = []
        for service in run.workload.services {
            guard let from = connections.connector(of: job.sourceTenant, for: service),
                let to = connections.connector(of: job.targetTenant, for: service)
            else { continue }
            legs.append(
                Transfer.Leg(
                    service: service, source: from,
                    sourceAccount: account(of: source, in: job.sourceTenant, at: service),
                    target: to, targetAccount: account(of: target, in: job.targetTenant, at: service)))
        }
        guard !legs.isEmpty else {
            return .failure(
                Finding(
                    code: .moveFailed, message: "No service of this workload is configured on both sides any more.",
                    reason: "serviceNotConfigured"))
        }
        return .success(
            Transfer(
                run: run,
                route: Route(
                    sourceTenant: job.sourceTenant, sourcePerson: source.id, targetTenant: job.targetTenant,
                    targetPerson: target.id, workload: run.workload),
                legs: legs, addresses: directory.addressBook(from: job.sourceTenant, to: job.targetTenant),
                ownAddresses: source.addresses.map { $0.lowercased() },
                hasMeetingsRun: run.workload == .mailbox && job.workloads.contains(.meetings),
                meetingLinks: meetingLinks(of: job)))
    }

    /// Which mailbox somebody has at the source now: the recorded one, if it is still that; `nil` without a mailbox, and
    /// where the source cannot tell.
    func mailboxIdentity(
        of person: PersonID, in tenant: TenantID, recorded: String?
    ) async throws(ConnectorError) -> String? {
        guard let connector = connections.connector(of: tenant, for: .mail),
            let person = directory.person(person, in: tenant)
        else { return nil }
        let session: any SourceSession
        do throws(ConnectorError) {
            session = try await connector.source(for: account(of: person, in: tenant, at: .mail))
        } catch {
            if error.code == .sourceNotFound { return nil }
            throw error
        }
        let identity: Result<String?, ConnectorError>
        do throws(ConnectorError) {
            identity = .success(try await session.mailboxIdentity(recorded: recorded))
        } catch {
            identity = .failure(error)
        }
        await session.close()
        return try identity.get()
    }

    private func meetingLinks(of job: Job) -> Transfer.MeetingLinks? {
        guard let source = directory.tenant(job.sourceTenant)?.meetingLinks,
            let target = directory.tenant(job.targetTenant)?.meetingLinks
        else { return nil }
        return Transfer.MeetingLinks(source: source, target: target)
    }

    package func account(of person: Person, in tenant: TenantID, at service: ServiceKind) -> Account {
        Account(tenant: tenant, person: person, login: person.logins[service] ?? person.mail)
    }

    /// The lane of a run: both endpoints of its first service, so that each endpoint's limit can be kept.
    package func lane(for run: RunID, of job: Job) -> LaneID {
        for service in run.workload.services {
            if let from = connections.connector(of: job.sourceTenant, for: service),
                let to = connections.connector(of: job.targetTenant, for: service)
            {
                let lane = Lane(endpoints: [from.lane.name, to.lane.name]).id
                onLane(lane)
                return lane
            }
        }
        return .control
    }
}

/// A lane's name spells the endpoints that its work occupies, so that a lane that was stored can be read again.
package struct Lane: Sendable, Hashable {
    private static let separator: Character = "\u{1F}"

    /// Names of the endpoints; empty for the control lane.
    package let endpoints: [String]

    package init(endpoints: [String]) {
        self.endpoints = endpoints.count == 2 && endpoints[0] == endpoints[1] ? [endpoints[0]] : endpoints
    }

    package init(_ id: LaneID) {
        endpoints = id == .control ? [] : id.name.split(separator: Self.separator).map(String.init)
    }

    package var id: LaneID {
        endpoints.isEmpty ? .control : LaneID(endpoints.joined(separator: String(Self.separator)))
    }
}
