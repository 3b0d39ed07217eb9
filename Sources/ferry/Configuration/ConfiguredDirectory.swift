import FerryCore

/// The directory as the configuration file and its CSV files have it; everything is computed once, at the start.
struct ConfiguredDirectory: Directory {
    private struct Pair: Hashable {
        var source: TenantID
        var target: TenantID
    }

    private struct Agreement: Sendable {
        var trust: Trust
        var map: IdentityMap
        var book: AddressBook
    }

    private let tenants: [TenantID: Tenant]
    private let people: [TenantID: [PersonID: Person]]
    private let agreements: [Pair: Agreement]

    init(_ configuration: Configuration) {
        let tenantsByID = Dictionary(
            configuration.tenants.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        tenants = tenantsByID.mapValues { tenant in
            Tenant(
                id: tenant.id, name: tenant.name, domains: tenant.domains, services: Set(tenant.services.keys),
                meetingLinks: tenant.meetingLinks)
        }
        let people = tenantsByID.mapValues { tenant in
            Dictionary(tenant.people.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        }
        self.people = people
        var agreements: [Pair: Agreement] = [:]
        for trust in configuration.trusts {
            guard let source = tenantsByID[trust.source], let target = tenantsByID[trust.target] else { continue }
            let pairs = trust.identities ?? AddressMatching.pairs(from: source, to: target)
            let map = IdentityMap(pairs)
            agreements[Pair(source: source.id, target: target.id)] = Agreement(
                trust: Trust(
                    source: source.id, target: target.id, endpoint: trust.endpoint, scope: trust.scope),
                map: map,
                book: Self.addressBook(
                    pairs, source: (source, people[source.id] ?? [:]), target: (target, people[target.id] ?? [:])))
        }
        self.agreements = agreements
    }

    func tenant(_ id: TenantID) -> Tenant? { tenants[id] }

    func person(_ id: PersonID, in tenant: TenantID) -> Person? { people[tenant]?[id] }

    func trust(from source: TenantID, to target: TenantID) -> Trust? {
        agreements[Pair(source: source, target: target)]?.trust
    }

    func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap {
        agreements[Pair(source: source, target: target)]?.map ?? IdentityMap([])
    }

    func addressBook(from source: TenantID, to target: TenantID) -> AddressBook {
        agreements[Pair(source: source, target: target)]?.book ?? AddressBook()
    }

    private static func addressBook(
        _ pairs: [(source: PersonID, target: PersonID)],
        source: (tenant: TenantConfiguration, people: [PersonID: Person]),
        target: (tenant: TenantConfiguration, people: [PersonID: Person])
    ) -> AddressBook {
        var book = AddressBook()
        for pair in pairs {
            guard let from = source.people[pair.source], let to = target.people[pair.target] else { continue }
            book.map(from, to: to)
            guard let handle = chatHandles(of: to, in: target.tenant).first else { continue }
            for old in chatHandles(of: from, in: source.tenant) {
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

/// Finds out who becomes whom when no identity map was given.
///
/// An address that both have decides; otherwise the same local part, where both domains belong to the tenants. A person
/// for whom neither gives exactly one answer stays without a counterpart, which validation then says.
enum AddressMatching {
    static func pairs(
        from source: TenantConfiguration, to target: TenantConfiguration
    ) -> [(source: PersonID, target: PersonID)] {
        var byAddress: [String: Set<PersonID>] = [:]
        var byLocalPart: [String: Set<PersonID>] = [:]
        for person in target.people {
            for address in names(of: person) {
                byAddress[address, default: []].insert(person.id)
                if let local = localPart(of: address, in: target.domains) {
                    byLocalPart[local, default: []].insert(person.id)
                }
            }
        }
        return source.people.compactMap { person in
            let names = names(of: person)
            let exact = names.reduce(into: Set<PersonID>()) { $0.formUnion(byAddress[$1] ?? []) }
            let similar = names.compactMap { localPart(of: $0, in: source.domains) }
                .reduce(into: Set<PersonID>()) { $0.formUnion(byLocalPart[$1] ?? []) }
            let found = exact.isEmpty ? similar : exact
            guard found.count == 1, let match = found.first else { return nil }
            return (source: person.id, target: match)
        }
    }

    private static func names(of person: Person) -> [String] {
        ([person.userPrincipalName] + person.addresses).map { $0.lowercased() }
    }

    private static func localPart(of address: String, in domains: [String]) -> String? {
        let parts = address.split(separator: "@")
        guard parts.count == 2, domains.contains(String(parts[1])) else { return nil }
        return String(parts[0])
    }
}
