import FerryCore

/// The directory as the configuration file and its CSV files have it; everything is computed once, at the start.
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

    init(_ configuration: Configuration) {
        let tenantsByID = Dictionary(
            configuration.tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        configured = tenantsByID
        tenants = tenantsByID.mapValues { tenant in
            Tenant(
                id: tenant.id, name: tenant.name, domains: tenant.domains, services: Set(tenant.services.keys),
                meetingLinks: tenant.meetingLinks)
        }
        let people = tenantsByID.mapValues { tenant in
            Dictionary(tenant.people.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        }
        self.people = people
        var agreements: [TenantPair: Agreement] = [:]
        for trust in configuration.trusts {
            guard let source = tenantsByID[trust.source], let target = tenantsByID[trust.target] else { continue }
            var pairs: [(source: PersonID, target: PersonID)] = []
            switch trust.identities {
            case .pairs(let named): pairs = named
            case .byAddress:
                if let from = tenants[source.id], let to = tenants[target.id] {
                    pairs = AddressMatch.pairs(source.people, of: from, to: target.people, of: to)
                }
            case .managed: break
            }
            agreements[TenantPair(source: source.id, target: target.id)] = Agreement(
                trust: Trust(source: source.id, target: target.id, endpoint: trust.endpoint, scope: trust.scope),
                map: IdentityMap(pairs), book: AddressBook())
        }
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
