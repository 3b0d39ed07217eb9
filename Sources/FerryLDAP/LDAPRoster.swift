package import FerryCore

/// What a directory says at one time: its people, the members of the groups that were asked for, and what is wrong.
package struct LDAPRoster: Sendable, Hashable {
    /// In ascending order of their ids.
    package var people: [Person] = []
    /// By the distinguished name that was asked for.
    package var groups: [String: Membership] = [:]
    package var findings: [LDAPFinding] = []

    package init() {}

    /// Who is in a group.
    package enum Membership: Sendable, Hashable {
        case people(Set<PersonID>)
        /// Nobody can say who is in it; a sentence says why.
        case unknown(String)
    }
}

/// Makes people of entries. Whoever cannot be read is reported and left out.
struct PeopleMaker {
    private struct Candidate {
        var person: Person
        var entry: String
        var uid: [String]
    }

    private let attributes: LDAPAttributes
    private var candidates: [Candidate] = []
    private var findings: [LDAPFinding] = []

    init(_ attributes: LDAPAttributes) { self.attributes = attributes }

    mutating func add(_ entry: LDAPEntry) {
        guard let id = identity(of: entry) else { return }
        let proxies = entry.texts("proxyAddresses")
        let primary = proxies.first { $0.hasPrefix("SMTP:") }.map { String($0.dropFirst(5)) }
        guard let name = entry.text(attributes.userPrincipalName)?.text ?? primary else {
            return report(
                entry, attributes.userPrincipalName, "The entry has no sign-in name.",
                "Give it one, or leave it out by the filter.")
        }
        let display = entry.text(attributes.displayName)?.text ?? name
        let mail = entry.text(attributes.mail)?.text ?? primary ?? name
        guard mail.isPlausibleAddress else {
            return report(
                entry, attributes.mail, "The entry has no mail address.",
                "Give it one, written local-part@domain, or leave it out by the filter.")
        }
        var aliases: [String] = []
        for attribute in attributes.aliases {
            for value in entry.texts(attribute) {
                guard let alias = Self.address(value), alias.lowercased() != mail.lowercased() else { continue }
                if !alias.isPlausibleAddress {
                    report(
                        entry, [attribute], "'\(alias.prefix(60))' is not a mail address.", "Write local-part@domain.")
                } else if !aliases.contains(where: { $0.lowercased() == alias.lowercased() }) {
                    aliases.append(alias)
                }
            }
        }
        let logins = attributes.logins.compactMapValues { entry.text($0)?.text }
        candidates.append(
            Candidate(
                person: Person(
                    id: id, userPrincipalName: name, displayName: display, mail: mail, aliases: aliases, logins: logins),
                entry: entry.name, uid: entry.texts("uid")))
    }

    private mutating func identity(of entry: LDAPEntry) -> PersonID? {
        for attribute in attributes.id {
            guard let value = entry.values[attribute.lowercased()]?.first else { continue }
            if let id = GUID(octets: value, isMicrosofts: attribute.lowercased() == "objectguid") {
                return PersonID(id)
            }
            report(entry, [attribute], "The value is not a GUID.", "Name an attribute with one in attributes.id.")
            return nil
        }
        report(
            entry, attributes.id, "The entry has no id.",
            "Name an attribute with a GUID in attributes.id, and let the account of bind.dn read it.")
        return nil
    }

    /// What `proxyAddresses` holds with its kind before it; `nil` for kinds other than mail.
    static func address(_ value: String) -> String? {
        guard let colon = value.firstIndex(of: ":") else { return value }
        return value[..<colon].lowercased() == "smtp" ? String(value[value.index(after: colon)...]) : nil
    }

    private mutating func report(_ entry: LDAPEntry, _ attributes: [String], _ message: String, _ remedy: String) {
        findings.append(
            LDAPFinding(
                entry: entry.name, attribute: attributes.joined(separator: ", "), message: message, remedy: remedy))
    }

    /// Who is who: names are unique without regard to case. The order in which the server answers does not matter; primary
    /// addresses go before aliases.
    func finish() -> (people: [Person], findings: [LDAPFinding], index: MemberIndex) {
        var (findings, index) = (findings, MemberIndex())
        var people: [(person: Person, entry: String)] = []
        var owners: [String: String] = [:]
        func claim(_ kind: String, _ name: String, _ candidate: Candidate, _ remedy: String) -> Bool {
            let key = "\(kind) \(name.lowercased())"
            guard let owner = owners[key] else {
                owners[key] = candidate.entry
                return true
            }
            findings.append(
                LDAPFinding(
                    entry: candidate.entry, attribute: kind, message: "'\(name)' belongs to \(owner) already.",
                    remedy: remedy))
            return false
        }
        let alone = "Give each entry one of its own; until then this one is left out."
        for candidate in candidates.sorted(by: { ($0.person.id, $0.entry) < ($1.person.id, $1.entry) }) {
            let person = candidate.person
            guard claim("id", person.id.description, candidate, alone),
                claim("userPrincipalName", person.userPrincipalName, candidate, alone),
                claim("mail", person.mail, candidate, alone)
            else { continue }
            people.append((person, candidate.entry))
            index.ids[LDAPConnection.normalized(candidate.entry)] = person.id
            for uid in candidate.uid { index.uids[uid] = person.id }
        }
        let others = "Give each entry one of its own; until then the first one has it."
        for place in people.indices {
            let (person, entry) = people[place]
            let candidate = Candidate(person: person, entry: entry, uid: [])
            people[place].person.aliases = person.aliases.filter { claim("mail", $0, candidate, others) }
        }
        return (people.map(\.person), findings, index)
    }
}

/// How groups name people.
struct MemberIndex {
    /// By distinguished name, normalized.
    var ids: [String: PersonID] = [:]
    /// By `uid`.
    var uids: [String: PersonID] = [:]
}
