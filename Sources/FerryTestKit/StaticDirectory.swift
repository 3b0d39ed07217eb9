package import FerryCore

/// Two tenants with the same people on both sides, everybody mapped: the directory of tests and benchmarks.
package struct StaticDirectory: Directory {
    package static let source = TenantID(GUID(high: 0x1111_1111_1111_1111, low: 0x1111_1111_1111_1111))
    package static let target = TenantID(GUID(high: 0x2222_2222_2222_2222, low: 0x2222_2222_2222_2222))
    /// What a job names as `sourceEndpoint`.
    package static let endpoint = "EXOHandler"

    package var tenants: [TenantID: Tenant]
    package var people: [TenantID: [PersonID: Person]]
    package var trusts: [Trust]
    package var pairs: [(source: PersonID, target: PersonID)]

    /// People 1 … `count` on each side; person `n` of the source becomes person `n` of the target.
    package init(people count: Int, services: Set<ServiceKind> = Set(ServiceKind.allCases)) {
        tenants = [
            Self.source: Tenant(
                id: Self.source, name: "North", domains: ["north.example"], services: services,
                meetingLinks: "https://meet.north.example/"),
            Self.target: Tenant(
                id: Self.target, name: "South", domains: ["south.example"], services: services,
                meetingLinks: "https://meet.south.example/"),
        ]
        people = [:]
        pairs = []
        for number in 1...max(1, count) {
            let (source, target) = (Self.sourcePerson(number), Self.targetPerson(number))
            people[Self.source, default: [:]][source.id] = source
            people[Self.target, default: [:]][target.id] = target
            pairs.append((source.id, target.id))
        }
        trusts = [Trust(source: Self.source, target: Self.target, endpoint: Self.endpoint, scope: nil)]
        cache()
    }

    package static func sourcePerson(_ number: Int) -> Person {
        Person(
            id: PersonID(GUID(high: 0xA, low: UInt64(number))), userPrincipalName: "person\(number)@north.example",
            displayName: "Person \(number)", mail: "person\(number)@north.example")
    }

    package static func targetPerson(_ number: Int) -> Person {
        Person(
            id: PersonID(GUID(high: 0xB, low: UInt64(number))), userPrincipalName: "person\(number)@south.example",
            displayName: "Person \(number)", mail: "person\(number)@south.example")
    }

    private var map = IdentityMap([])
    private var book = AddressBook()

    /// Call it after changing `pairs` or `people`.
    package mutating func cache() {
        map = IdentityMap(pairs)
        book = addressBook(of: map, from: Self.source, to: Self.target)
    }

    package func tenant(_ id: TenantID) -> Tenant? { tenants[id] }

    package func person(_ id: PersonID, in tenant: TenantID) -> Person? { people[tenant]?[id] }

    package func people(in tenant: TenantID) -> [Person] { people[tenant].map { Array($0.values) } ?? [] }

    package func trusts(to target: TenantID) -> [Trust] { trusts.filter { $0.target == target } }

    package func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap { map }

    package func addressBook(from source: TenantID, to target: TenantID) -> AddressBook { book }

    package func addressBook(of map: IdentityMap, from source: TenantID, to target: TenantID) -> AddressBook {
        var book = AddressBook()
        for entry in map.entries.values where entry.state == .completed {
            if let from = people[source]?[entry.source], let to = entry.target.flatMap({ people[target]?[$0] }) {
                book.map(from, to: to)
            }
        }
        return book
    }
}
