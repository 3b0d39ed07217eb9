import FerryCore
import FerryLDAP

/// The directory as the configuration file, its CSV files and the servers that it names have it at one time; everything is
/// computed once.
struct ConfiguredDirectory: Directory {
    private struct Agreement: Sendable {
        var trust: Trust
        var map: IdentityMap
        var book: AddressBook
    }

    private let tenants: [TenantID: Tenant]
    private let people: [TenantID: [PersonID: Person]]
    private let configured: [TenantID: TenantConfiguration]
    private var agreements: [TenantPair: Agreement]
    /// Names in files that nobody has, where that shows only now.
    let problems: [ConfigurationProblem]

    /// - Parameter rosters: what the servers say, by tenant.
    init(_ configuration: Configuration, rosters: [TenantID: LDAPRoster] = [:]) {
        let tenantsByID = Dictionary(
            configuration.tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        configured = tenantsByID
        tenants = tenantsByID.mapValues { tenant in
            Tenant(
                id: tenant.id, name: tenant.name, domains: tenant.domains, services: Set(tenant.services.keys),
                meetingLinks: tenant.meetingLinks)
        }
        let everybody = tenantsByID.mapValues { rosters[$0.id]?.people ?? $0.people }
        people = everybody.mapValues { Dictionary($0.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first }) }
        let found = ProblemList()
        var agreements: [TenantPair: Agreement] = [:]
        for trust in configuration.trusts {
            guard let source = tenantsByID[trust.source], let target = tenantsByID[trust.target] else { continue }
            let (leaving, arriving) = (everybody[source.id] ?? [], everybody[target.id] ?? [])
            lazy var resolver = ReferenceResolver(
                source: PersonFinder(leaving), target: PersonFinder(arriving), problems: found)
            var pairs: [(source: PersonID, target: PersonID)] = []
            switch trust.identities {
            case .pairs(let named): pairs = named
            case .named(let references): pairs = resolver.pairs(references)
            case .byAddress:
                if let from = tenants[source.id], let to = tenants[target.id] {
                    pairs = AddressMatch.pairs(leaving, of: from, to: arriving, of: to)
                }
            case .managed: break
            }
            var agreement = Trust(
                source: source.id, target: target.id, endpoint: trust.endpoint, scope: nil, inbound: trust.inbound,
                outbound: trust.outbound)
            switch trust.scope {
            case .everybody: break
            case .people(let people): agreement.scope = people
            case .named(let references): agreement.scope = resolver.scope(references)
            case .group(let name):
                switch rosters[source.id]?.groups[name] {
                case .people(let members)?: agreement.scope = members
                case .unknown(let problem)?: (agreement.scope, agreement.scopeProblem) = ([], problem)
                case nil: (agreement.scope, agreement.scopeProblem) = ([], "The group '\(name)' was not read yet.")
                }
            }
            agreements[TenantPair(source: source.id, target: target.id)] = Agreement(
                trust: agreement, map: IdentityMap(pairs), book: AddressBook())
        }
        problems = found.problems
        self.agreements = agreements
        for (pair, agreement) in agreements {
            let book = addressBook(of: agreement.map, from: pair.source, to: pair.target)
            self.agreements[pair]?.book = book
        }
    }

    func tenant(_ id: TenantID) -> Tenant? { tenants[id] }

    func person(_ id: PersonID, in tenant: TenantID) -> Person? { people[tenant]?[id] }

    func people(in tenant: TenantID) -> [Person] { people[tenant].map { Array($0.values) } ?? [] }

    func trusts(to target: TenantID) -> [Trust] {
        agreements.values.filter { $0.trust.target == target }.map(\.trust).sorted { $0.source < $1.source }
    }

    func trust(from source: TenantID, to target: TenantID) -> Trust? {
        agreements[TenantPair(source: source, target: target)]?.trust
    }

    func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap {
        agreements[TenantPair(source: source, target: target)]?.map ?? IdentityMap([])
    }

    func addressBook(from source: TenantID, to target: TenantID) -> AddressBook {
        agreements[TenantPair(source: source, target: target)]?.book ?? AddressBook()
    }

    func addressBook(of map: IdentityMap, from source: TenantID, to target: TenantID) -> AddressBook {
        var book = AddressBook()
        guard let sourceTenant = configured[source], let targetTenant = configured[target] else { return book }
        // In one order, because people may share a handle.
        for entry in map.entries.values.sorted(by: { $0.source < $1.source }) where entry.state == .completed {
            guard let from = person(entry.source, in: source), let to = entry.target.flatMap({ person($0, in: target) })
            else { continue }
            book.map(from, to: to)
            guard let handle = Self.chatHandles(of: to, in: targetTenant).first else { continue }
            for old in Self.chatHandles(of: from, in: sourceTenant) {
                book.map(handle: old, to: handle, displayName: to.displayName)
            }
        }
        return book
    }

    /// A person's Matrix user identifiers, `@login:domain`, one per domain of the tenant, that of the mail address
    /// first.
    static func chatHandles(of person: Person, in tenant: TenantConfiguration) -> [String] {
        let login = person.logins[.chats] ?? person.mail
        let name = login.split(separator: "@").first.map { $0.lowercased() } ?? login.lowercased()
        let home = person.mail.split(separator: "@").last.map { $0.lowercased() }
        let domains = tenant.domains.filter { $0 == home } + tenant.domains.filter { $0 != home }
        return domains.map { "@\(name):\($0)" }
    }
}
