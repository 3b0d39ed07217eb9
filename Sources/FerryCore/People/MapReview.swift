/// Judges the entries of an identity map: everything that keeps one from being completed, with code and remedy.
///
/// Pure: the same map and directory give the same findings.
package struct MapReview: Sendable {
    private let pair: TenantPair
    private let map: IdentityMap
    private let directory: any Directory
    private let scope: Set<PersonID>?
    private let onward: Set<PersonID>

    /// - Parameter onward: people of the target who are about to leave it, by an entry of another map that somebody made.
    package init(_ pair: TenantPair, _ map: IdentityMap, in directory: any Directory, onward: Set<PersonID>) {
        self.pair = pair
        self.map = map
        self.directory = directory
        self.onward = onward
        scope = directory.trust(from: pair.source, to: pair.target)?.scope
    }

    /// Everything that is wrong with an entry, in a fixed order; empty when it may be completed.
    package func findings(of entry: MapEntry) -> [Finding] {
        source(entry) + target(entry)
    }

    private func source(_ entry: MapEntry) -> [Finding] {
        guard let person = directory.person(entry.source, in: pair.source) else {
            return [
                finding(
                    .mapRecordOrphaned, .sourceUnknown, object: entry.source.description,
                    "The source's directory has nobody with the id \(entry.source). Correct the directory, or remove the "
                        + "entry from the map.")
            ]
        }
        guard let scope, !scope.contains(person.id) else { return [] }
        return [
            finding(
                .notInScope, .notInScope, object: person.userPrincipalName,
                "\(person.userPrincipalName) is not among those who may leave. Add the user to the scope of the trust, or "
                    + "remove the entry from the map.")
        ]
    }

    private func target(_ entry: MapEntry) -> [Finding] {
        guard let target = entry.target else {
            return [
                Finding(
                    code: .mapNotMapped,
                    message:
                        "\(name(of: entry)) is not mapped to anybody. Name a target user: ferry map match finds one by "
                        + "address, ferry map import takes a list.")
            ]
        }
        guard let person = directory.person(target, in: pair.target) else {
            return [
                finding(
                    .mapPersonUnknown, .targetMissing, object: target.description,
                    "The target's directory has nobody with the id \(target). Create the user, or map "
                        + "\(name(of: entry)) to somebody else.")
            ]
        }
        return rivals(entry, person) + chain(person) + foreignDomains(person)
    }

    /// Two to one.
    private func rivals(_ entry: MapEntry, _ person: Person) -> [Finding] {
        let others = (map.sources[person.id] ?? []).filter { $0 != entry.source }
        guard let first = others.first else { return [] }
        let names = others.prefix(3).map { name(of: $0) }.joined(separator: ", ")
        return [
            finding(
                .mappingIncomplete, .mappedTwice, object: name(of: first),
                "\(others.count + 1) source users are mapped to \(person.userPrincipalName): \(name(of: entry)), \(names)"
                    + "\(others.count > 3 ? ", …" : ""). Map all but one of them to somebody else, or remove their entries."
            )
        ]
    }

    /// The target is itself on the way to somewhere else.
    private func chain(_ person: Person) -> [Finding] {
        guard onward.contains(person.id) else { return [] }
        return [
            finding(
                .mappingIncomplete, .mappedInChain, object: person.userPrincipalName,
                "\(person.userPrincipalName) is mapped to a user of another tenant, and so would move on. Finish that move "
                    + "and remove its entry, or map to somebody else.")
        ]
    }

    private func foreignDomains(_ person: Person) -> [Finding] {
        guard let tenant = directory.tenant(pair.target), !tenant.domains.isEmpty else { return [] }
        let foreign = Set(person.addresses.compactMap(\.mailDomain).filter { !tenant.owns($0) })
        return foreign.sorted().map { domain in
            finding(
                .mapForeignAddresses, .foreignAddress, object: domain,
                "\(person.userPrincipalName) has an address in \(domain), which the target does not own. Remove the "
                    + "address, or add the domain to the tenant.")
        }
    }

    private func name(of entry: MapEntry) -> String { name(of: entry.source) }

    private func name(of person: PersonID) -> String {
        directory.person(person, in: pair.source)?.userPrincipalName ?? person.description
    }
}
