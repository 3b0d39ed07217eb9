/// Finds out who becomes whom by addresses.
///
/// An address or sign-in name that both have decides; otherwise the same local part, where both domains belong to the
/// tenants. Case does not matter.
package struct AddressMatch: Sendable {
    private var byAddress: [String: Set<PersonID>] = [:]
    private var byLocalPart: [String: Set<PersonID>] = [:]

    /// - Parameter people: those of the target.
    package init(_ people: [Person], of target: Tenant) {
        for person in people {
            for name in person.names {
                byAddress[name, default: []].insert(person.id)
                if let local = Self.localPart(of: name, in: target) {
                    byLocalPart[local, default: []].insert(person.id)
                }
            }
        }
    }

    /// All target people who may be meant; exactly one is an answer.
    package func candidates(for person: Person, of source: Tenant) -> Set<PersonID> {
        let exact = person.names.reduce(into: Set<PersonID>()) { $0.formUnion(byAddress[$1] ?? []) }
        if !exact.isEmpty { return exact }
        return person.names.compactMap { Self.localPart(of: $0, in: source) }
            .reduce(into: Set<PersonID>()) { $0.formUnion(byLocalPart[$1] ?? []) }
    }

    /// Everybody with exactly one candidate. Whoever has none or several is left out.
    package static func pairs(
        _ people: [Person], of source: Tenant, to candidates: [Person], of target: Tenant
    ) -> [(source: PersonID, target: PersonID)] {
        let match = AddressMatch(candidates, of: target)
        return people.compactMap { person in
            let found = match.candidates(for: person, of: source)
            guard found.count == 1, let only = found.first else { return nil }
            return (source: person.id, target: only)
        }
    }

    private static func localPart(of name: String, in tenant: Tenant) -> String? {
        let parts = name.split(separator: "@")
        guard parts.count == 2, tenant.owns(String(parts[1])) else { return nil }
        return String(parts[0])
    }
}

/// Finds people of one tenant by what a person would write: a GUID, a sign-in name, an address. Case does not matter.
package struct PersonFinder: Sendable {
    private var byName: [String: PersonID] = [:]
    private let known: Set<PersonID>

    package init(_ people: [Person]) {
        for person in people {
            for name in person.names { byName[name] = person.id }
        }
        known = Set(people.map(\.id))
    }

    package func person(_ text: String) -> PersonID? {
        if let id = PersonID(text) { return known.contains(id) ? id : nil }
        return byName[text.lowercased()]
    }

    /// Names as they may be written, in lower case, for suggestions.
    package var names: [String] { Array(byName.keys) }
}

extension Person {
    /// Sign-in name and addresses, lower case.
    fileprivate var names: [String] { ([userPrincipalName] + addresses).map { $0.lowercased() } }
}

extension String {
    /// Has one `@` with something on both sides and no white space: enough to find slips, no judge of RFC 5321.
    package var isPlausibleAddress: Bool {
        let parts = split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty && !contains(where: \.isWhitespace)
    }
}
