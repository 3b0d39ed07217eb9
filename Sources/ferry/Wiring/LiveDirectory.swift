import FerryCore
import FerryLDAP
import Logging
import NIOPosix
import Synchronization

/// The directory that answers: the files as they were at the start, the servers as they were last seen.
///
/// Answers come from memory; asking the servers holds nobody up. What a server says is taken over as a whole, or not at all.
final class LiveDirectory: Directory {
    /// One tenant whose people come from a server.
    struct Server: Sendable {
        var tenant: TenantID
        var name: String
        var source: LDAPSource
        /// Groups that trusts name.
        var groups: Set<String>
    }

    private struct State: Sendable {
        var snapshot: ConfiguredDirectory
        var rosters: [TenantID: LDAPRoster]
        /// Rises with `rosters`.
        var revision = 0
        var generation = 0
        /// Why a server could not be asked the last time.
        var troubles: [TenantID: String] = [:]
    }

    let servers: [Server]
    private let configuration: Configuration
    private let state: Mutex<State>
    private let logger: Logger

    /// Asks every server once. Gives the directory without those that did not answer, and why.
    static func open(
        _ configuration: Configuration, logger: Logger
    ) async -> (directory: LiveDirectory, failures: [TenantID: LDAPFailure]) {
        let servers = servers(of: configuration)
        var rosters: [TenantID: LDAPRoster] = [:]
        var failures: [TenantID: LDAPFailure] = [:]
        await withTaskGroup(of: (TenantID, Result<LDAPRoster, LDAPFailure>).self) { group in
            for server in servers {
                group.addTask { (server.tenant, await ask(server)) }
            }
            for await (tenant, answer) in group {
                switch answer {
                case .success(let roster): rosters[tenant] = roster
                case .failure(let failure): failures[tenant] = failure
                }
            }
        }
        let snapshot = await build(configuration, rosters)
        return (LiveDirectory(configuration, servers, snapshot, rosters, logger: logger), failures)
    }

    /// The same for those who cannot go on without all of them.
    static func openAll(_ configuration: Configuration, logger: Logger) async throws(Complaint) -> LiveDirectory {
        let (directory, failures) = await open(configuration, logger: logger)
        guard failures.isEmpty else {
            let lines = directory.servers.compactMap { server in
                failures[server.tenant].map { "The directory of \(server.name): \($0)" }
            }
            throw Complaint(
                lines: lines,
                status: failures.values.allSatisfy { $0.reason == .unreachable } ? .unreachable : .configuration)
        }
        directory.logFindings()
        return directory
    }

    private init(
        _ configuration: Configuration, _ servers: [Server], _ snapshot: ConfiguredDirectory,
        _ rosters: [TenantID: LDAPRoster], logger: Logger
    ) {
        self.configuration = configuration
        self.servers = servers
        self.logger = logger
        state = Mutex(State(snapshot: snapshot, rosters: rosters))
    }

    private static func servers(of configuration: Configuration) -> [Server] {
        configuration.tenants.compactMap { tenant in
            guard let source = tenant.directory else { return nil }
            let groups = configuration.trusts.compactMap { trust -> String? in
                if trust.source == tenant.id, case .group(let name) = trust.scope { name } else { nil }
            }
            return Server(tenant: tenant.id, name: tenant.name, source: source, groups: Set(groups))
        }
    }

    private static func ask(_ server: Server) async -> Result<LDAPRoster, LDAPFailure> {
        do throws(LDAPFailure) {
            return .success(try await LDAPDirectory(server.source.settings).roster(groups: server.groups))
        } catch {
            return .failure(error)
        }
    }

    /// Matching many people takes a while, so it is done where that holds nobody up.
    private static func build(
        _ configuration: Configuration, _ rosters: [TenantID: LDAPRoster]
    ) async -> ConfiguredDirectory {
        let work = { @Sendable in ConfiguredDirectory(configuration, rosters: rosters) }
        return (try? await NIOThreadPool.singleton.runIfActive(work)) ?? work()
    }

    // MARK: looking again

    /// Asks a server again. Returns whether it answered with a list that is to be believed.
    @discardableResult
    func refresh(_ server: Server) async -> Bool {
        let place: Logger.Metadata = ["tenant": "\(server.name)", "url": "\(server.source.settings.url)"]
        switch await Self.ask(server) {
        case .failure(let failure) where failure.reason == .stopped: return false
        case .failure(let failure):
            note("\(failure)", server, place)
            return false
        case .success(let roster):
            let known = state.withLock { $0.rosters[server.tenant]?.people.count ?? 0 }
            // A right that was taken away looks just like people who are gone, and would stop every move of theirs.
            guard roster.people.count * 2 >= known else {
                note(
                    "It names \(roster.people.count) people and named \(known) before. If that is right, start the server "
                        + "again; else mend base, filter and the rights of bind.dn.", server, place)
                return false
            }
            await take(roster, of: server)
            let wasTrouble = state.withLock { $0.troubles.removeValue(forKey: server.tenant) } != nil
            if wasTrouble { logger.notice("A directory answers again", metadata: place) }
            return true
        }
    }

    private func note(_ problem: String, _ server: Server, _ place: Logger.Metadata) {
        let before = state.withLock { $0.troubles.updateValue(problem, forKey: server.tenant) }
        // Once, and not again every few minutes.
        guard before != problem else { return }
        logger.warning(
            "A directory cannot be read, what it said last stays in use",
            metadata: place.merging(["reason": "\(problem)"]) { old, _ in old })
    }

    private func take(_ roster: LDAPRoster, of server: Server) async {
        let isNew = state.withLock { state in
            guard state.rosters[server.tenant] != roster else { return false }
            state.rosters[server.tenant] = roster
            state.revision += 1
            return true
        }
        guard isNew else { return }
        var isCurrent = false
        while !isCurrent {
            let (rosters, revision) = state.withLock { ($0.rosters, $0.revision) }
            let snapshot = await Self.build(configuration, rosters)
            isCurrent = state.withLock { state in
                // Another server may have answered meanwhile.
                guard state.revision == revision else { return false }
                state.snapshot = snapshot
                state.generation += 1
                return true
            }
        }
        logger.info(
            "A directory has changed", metadata: ["tenant": "\(server.name)", "people": "\(roster.people.count)"])
        logFindings()
    }

    /// How many, and not who: names are for those who ask.
    private func logFindings() {
        let (rosters, problems) = state.withLock { ($0.rosters, $0.snapshot.problems) }
        for server in servers {
            let count = rosters[server.tenant]?.findings.count ?? 0
            guard count > 0 else { continue }
            logger.warning(
                "Entries of a directory cannot be used; ferry check names them",
                metadata: ["tenant": "\(server.name)", "count": "\(count)"])
        }
        if !problems.isEmpty {
            logger.warning(
                "Files of a trust name people whom the directories do not have; ferry check names them",
                metadata: ["count": "\(problems.count)"])
        }
    }

    /// What is wrong with the servers, for `/readyz`: the last answers stay in use, so the work goes on.
    var outages: [String] {
        let troubles = state.withLock { $0.troubles }
        return servers.compactMap { server in troubles[server.tenant].map { "directory \(server.name): \($0)" } }
    }

    /// What a tenant's server said last.
    func roster(of tenant: TenantID) -> LDAPRoster? { state.withLock { $0.rosters[tenant] } }

    /// Names in files of trusts that nobody has.
    var problems: [ConfigurationProblem] { snapshot.problems }

    // MARK: answers

    private var snapshot: ConfiguredDirectory { state.withLock { $0.snapshot } }

    var generation: Int { state.withLock { $0.generation } }
    func tenant(_ id: TenantID) -> Tenant? { snapshot.tenant(id) }
    func person(_ id: PersonID, in tenant: TenantID) -> Person? { snapshot.person(id, in: tenant) }
    func people(in tenant: TenantID) -> [Person] { snapshot.people(in: tenant) }
    func trusts(to target: TenantID) -> [Trust] { snapshot.trusts(to: target) }
    func trust(from source: TenantID, to target: TenantID) -> Trust? { snapshot.trust(from: source, to: target) }
    func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap {
        snapshot.identityMap(from: source, to: target)
    }
    func addressBook(from source: TenantID, to target: TenantID) -> AddressBook {
        snapshot.addressBook(from: source, to: target)
    }
    func addressBook(of map: IdentityMap, from source: TenantID, to target: TenantID) -> AddressBook {
        snapshot.addressBook(of: map, from: source, to: target)
    }
}
