import FerryConnector
package import FerryCore
import FerryFormats

/// Holds a manifest against the tenants as they are now, and its two sides against each other. Needs no store and no
/// server; changes nothing.
package struct ManifestChecker: Sendable {
    /// What is compared with what.
    package enum Comparison: String, Sendable, Hashable, CaseIterable {
        /// The two sides as they were when the manifest was made: needs the manifest alone.
        case recorded
        /// The source as it was with the source as it is.
        case source
        /// The target as it was with the target as it is.
        case target
    }

    /// What came out for one run.
    package enum Outcome: Sendable {
        case compared(TransferVerification)
        /// What kept it from being compared, in words.
        case impossible(String)
    }

    private let planner: TransferPlanner
    private let settings: CopySettings
    private let differenceLimit: Int

    /// `differenceLimit` is how many differences are spelled out per run and comparison; all of them are counted.
    package init(
        directory: any Directory, connections: any Connections, settings: CopySettings = CopySettings(),
        differenceLimit: Int = 1000
    ) {
        planner = TransferPlanner(directory: directory, connections: connections)
        self.settings = settings
        self.differenceLimit = differenceLimit
    }

    package func compare(
        _ section: ManifestFile.Section, of file: ManifestFile, _ comparison: Comparison
    ) async throws(ManifestProblem) -> Outcome {
        switch comparison {
        case .recorded: .compared(try await Self.recorded(section, of: file, limit: differenceLimit))
        case .source: try await sinceThen(section, of: file, .source)
        case .target: try await sinceThen(section, of: file, .target)
        }
    }

    // MARK: the two sides as they were

    /// Compares the two sides of a run as the manifest has them: by the rules of the verifier, from what is written.
    package static func recorded(
        _ section: ManifestFile.Section, of file: ManifestFile, limit: Int = 1000
    ) async throws(ManifestProblem) -> TransferVerification {
        var result = TransferVerification()
        let sources = try await RecordedSide(section, .source, of: file)
        let targets = try await RecordedSide(section, .target, of: file)
        for service in section.head.workload.services {
            let containers = sources.containers.filter { $0.line.service == service }
            let bySource = Dictionary(grouping: containers, by: \.line.targetPath)
            let byTarget = Dictionary(
                grouping: targets.containers.filter { $0.line.service == service }, by: \.line.path)
            var seen: Set<[String]> = []
            for container in containers {
                let path = container.line.targetPath
                guard seen.insert(path).inserted else { continue }
                let (here, there) = (bySource[path] ?? [], byTarget[path] ?? [])
                let pair = PairedCensus(
                    service: service, path: container.line.path, source: try await sources.census(here, as: .moved),
                    target: try await targets.census(there, as: .placed), isThere: !there.isEmpty,
                    isShared: service == .mail, wording: .recorded)
                try await result.add(pair, limit: limit) { (source, target) async throws(ManifestProblem) in
                    try await sources.names(source, in: here)
                        .merging(try await targets.names(target, in: there)) { first, _ in first }
                }
            }
        }
        return result
    }

    // MARK: one side as it was and as it is

    private func sinceThen(
        _ section: ManifestFile.Section, of file: ManifestFile, _ side: ManifestSide
    ) async throws(ManifestProblem) -> Outcome {
        let tenant = side == .source ? file.statement.sourceTenant : file.statement.targetTenant
        let person = side == .source ? section.head.sourcePerson : section.head.person
        guard let person = planner.directory.person(person, in: tenant) else {
            return .impossible("The directory does not have user \(person) of tenant \(tenant) any more.")
        }
        let recorded = try await RecordedSide(section, side, of: file)
        var result = TransferVerification()
        for service in section.head.workload.services {
            // A service without containers was not moved, or there was nothing to move.
            let containers = recorded.containers.filter { $0.line.service == service }
            if containers.isEmpty { continue }
            guard let connector = planner.connections.connector(of: tenant, for: service) else {
                return .impossible("Tenant \(tenant) has no \(service.rawValue) configured any more.")
            }
            let account = planner.account(of: person, in: tenant, at: service)
            // As the verifier did when it made the records, which looks at both sides.
            let comparesMeaning = [file.statement.sourceTenant, file.statement.targetTenant].contains {
                planner.connections.connector(of: $0, for: service)?.rewritesObjects ?? false
            }
            let work = SideWork(
                service: service, connector: connector, account: account, recorded: recorded, containers: containers,
                rewriter: rewriter(section, of: file), side: side, objectLimit: settings.maximumObjectBytes,
                comparesMeaning: comparesMeaning, limit: differenceLimit)
            switch await work.run(result) {
            case .success(let next): result = next
            case .failure(.manifest(let problem)): throw problem
            case .failure(.connector(let error)): return .impossible("\(error.code.rawValue): \(error.context)")
            }
        }
        return .compared(result)
    }

    /// Tells which objects at the target are the run's; rewrites nothing.
    private func rewriter(_ section: ManifestFile.Section, of file: ManifestFile) -> Rewriter {
        let head = section.head
        return Rewriter(
            Transfer(
                run: RunID(job: file.statement.job, person: head.person, workload: head.workload),
                route: Route(
                    sourceTenant: file.statement.sourceTenant, sourcePerson: head.sourcePerson,
                    targetTenant: file.statement.targetTenant, targetPerson: head.person, workload: head.workload),
                legs: [], addresses: AddressBook(), ownAddresses: [],
                hasMeetingsRun: head.workload == .mailbox && file.statement.workloads.contains(.meetings)))
    }
}

/// One service of one side, as it was and as it is.
private struct SideWork: Sendable {
    enum Failure: Error {
        case manifest(ManifestProblem)
        case connector(ConnectorError)
    }

    let service: ServiceKind
    let connector: any Connector
    let account: Account
    let recorded: RecordedSide
    let containers: [RecordedSide.Extent]
    let rewriter: Rewriter
    let side: ManifestSide
    let objectLimit: Int64
    let comparesMeaning: Bool
    let limit: Int

    func run(_ before: TransferVerification) async -> Result<TransferVerification, Failure> {
        var result = before
        let session: (any SourceSession)?
        do throws(ConnectorError) {
            session = try await connector.source(for: account)
        } catch {
            // Somebody who has nothing there any more: everything is gone.
            guard error.code == .sourceNotFound else { return .failure(.connector(error)) }
            session = nil
        }
        let failure = await compare(session, &result)
        await session?.close()
        return failure.map { .failure($0) } ?? .success(result)
    }

    private func compare(_ session: (any SourceSession)?, _ result: inout TransferVerification) async -> Failure? {
        do throws(Failure) {
            try await compare(all: session, &result)
            return nil
        } catch {
            return error
        }
    }

    private func compare(
        all session: (any SourceSession)?, _ result: inout TransferVerification
    ) async throws(Failure) {
        let present: [Container]
        do throws(ConnectorError) { present = try await session?.containers() ?? [] } catch { throw .connector(error) }
        let (then, now) = (
            Dictionary(grouping: containers, by: \.line.path), Dictionary(grouping: present, by: \.path)
        )
        var seen: Set<[String]> = []
        for container in containers where seen.insert(container.line.path).inserted {
            let path = container.line.path
            try await compare(then[path] ?? [], now[path] ?? [], session, &result)
        }
        // At the target people may make what they like beside what was moved.
        guard side == .source else { return }
        for container in present where seen.insert(container.path).inserted {
            try await compare([], now[container.path] ?? [], session, &result)
        }
    }

    private func compare(
        _ then: [RecordedSide.Extent], _ now: [Container], _ session: (any SourceSession)?,
        _ result: inout TransferVerification
    ) async throws(Failure) {
        guard let path = then.first?.line.path ?? now.first?.path else { return }
        let taker = session.map {
            var taker = CensusTaker(
                session: $0, side: side == .source ? .plain : .target(owner: account.person), rewriter: rewriter,
                objectLimit: objectLimit, identity: .key)
            taker.comparesMeaning = comparesMeaning
            return taker
        }
        var present = Census()
        if let taker {
            do throws(WorkError) { present = try await taker.take(now).get() } catch { throw Self.failure(error) }
        }
        let expected: Census
        do throws(ManifestProblem) { expected = try await recorded.census(then, as: .plain, by: .key) } catch {
            throw .manifest(error)
        }
        let pair = PairedCensus(
            service: service, path: path, source: expected, target: present, isThere: !now.isEmpty,
            isOneSide: true, isExclusive: side == .source, wording: .sinceThen)
        try await result.add(pair, limit: limit) { (before, after) async throws(Failure) in
            var names: [UInt64: String] = [:]
            do throws(ManifestProblem) { names = try await recorded.names(before, in: then, by: .key) } catch {
                throw .manifest(error)
            }
            guard let taker else { return names }
            do throws(WorkError) {
                return names.merging(try await taker.names(after, in: now)) { first, _ in first }
            } catch {
                throw Self.failure(error)
            }
        }
    }

    private static func failure(_ error: WorkError) -> Failure {
        switch error {
        case .connector(let error): .connector(error)
        // Nothing here reads a store or asks who may move.
        case .store, .withdrawn:
            .connector(ConnectorError(.internalFault, .failRun, "A store was asked for. Please report this."))
        }
    }
}
