import FerryCore

/// Finds everybody in a group, also in groups inside of it. Each group is asked for once, so circles do no harm.
struct GroupWalk {
    /// Entries that are looked at because they may be groups. Members who are people cost nothing.
    static let limit = 1_000

    let connection: LDAPConnection
    let people: MemberIndex

    func members(of group: String) throws(LDAPFailure) -> LDAPRoster.Membership {
        var found: Set<PersonID> = []
        var seen: Set = [LDAPConnection.normalized(group)]
        var waiting = [group]
        while let next = waiting.popLast() {
            let (names, uids): ([String], [String])
            do throws(LDAPFailure) {
                (names, uids) = try direct(next)
            } catch {
                guard error.reason == .missing else { throw error }
                // Who is gone from the directory may still be named somewhere.
                if next != group { continue }
                return .unknown("There is no group '\(group)' that Ferry may read. Mend scope, or the group.")
            }
            for name in names {
                let name = LDAPConnection.normalized(name)
                if let id = people.ids[name] {
                    found.insert(id)
                } else if seen.insert(name).inserted {
                    waiting.append(name)
                }
            }
            found.formUnion(uids.compactMap { people.uids[$0] })
            if seen.count > Self.limit {
                return .unknown(
                    "The group '\(group)' has more than \(Self.limit) members that are not among the people of the "
                        + "directory. Make the group smaller, or widen base and filter.")
            }
        }
        return .people(found)
    }

    /// What the entry itself says: names of members, and their `uid`s.
    private func direct(_ group: String) throws(LDAPFailure) -> (names: [String], uids: [String]) {
        var (names, uids): ([String], [String]) = ([], [])
        var wanted: [String] = ["member", "uniqueMember", "memberUid"]
        var pieces: Set<String> = []
        while !wanted.isEmpty {
            let asked = wanted
            wanted = []
            try connection.search(group, .base, "(objectClass=*)", asked) { (entry) throws(LDAPFailure) in
                for (attribute, values) in entry.values {
                    let texts = entry.texts(attribute)
                    switch attribute.prefix(while: { $0 != ";" }) {
                    case "member": names += texts
                    case "uniquemember": names += texts.map(Self.withoutNumber)
                    case "memberuid": uids += texts
                    default: continue
                    }
                    // A server that gives the same piece again and again would never be done.
                    if let next = Self.rest(of: attribute), !values.isEmpty, pieces.insert(next).inserted {
                        wanted.append(next)
                    }
                }
            }
        }
        return (names, uids)
    }

    /// Active Directory gives large groups in pieces (`member;range=0-1499`); what to ask for next.
    static func rest(of attribute: String) -> String? {
        let parts = attribute.split(separator: ";range=")
        guard parts.count == 2, let last = parts[1].split(separator: "-").last.flatMap({ Int($0) }), last < .max else {
            return nil
        }
        return "\(parts[0]);range=\(last + 1)-*"
    }

    /// `uniqueMember` may have a bit string behind the name (RFC 4517, 3.3.21).
    static func withoutNumber(_ name: String) -> String {
        guard name.hasSuffix("'B"), let hash = name.lastIndex(of: "#") else { return name }
        return String(name[..<hash])
    }
}
