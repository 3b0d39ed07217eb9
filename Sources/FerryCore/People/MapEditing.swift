/// A line of an import, as somebody wrote it: people by id, sign-in name or address.
package struct MapRow: Sendable, Hashable {
    package var source: String
    /// Empty or `nil`: in the map, not mapped to anybody.
    package var target: String?

    package init(source: String, target: String?) {
        self.source = source
        self.target = target
    }
}

/// Something to be said of one person of the map.
package struct MapRemark: Sendable, Hashable {
    /// `nil` when nobody with that name is known.
    package var person: PersonID?
    /// The person's sign-in name, or what was written instead.
    package var name: String
    package var finding: Finding

    package init(person: PersonID?, name: String, finding: Finding) {
        self.person = person
        self.name = name
        self.finding = finding
    }
}

/// What an edit of the map comes to, before anything is stored.
package struct MapPlan: Sendable, Hashable {
    package var changes: [MapEntry] = []
    /// People of whom the map says already what was asked for.
    package var unchanged = 0
    package var remarks: [MapRemark] = []
}

/// The edits of an identity map, as pure functions: nothing is overwritten unless that was asked for.
package struct MapEditing: Sendable {
    private let pair: TenantPair
    private let map: IdentityMap
    private let directory: any Directory
    private let overwrites: Bool
    private let author: String
    private let now: Instant

    package init(
        _ pair: TenantPair, _ map: IdentityMap, in directory: any Directory, overwriting: Bool, by author: String,
        at now: Instant
    ) {
        self.pair = pair
        self.map = map
        self.directory = directory
        overwrites = overwriting
        self.author = author
        self.now = now
    }

    /// Takes over a list. Of somebody who is in it with several targets nothing is taken; a row that names nobody is told
    /// and passed over.
    package func importing(_ rows: [MapRow]) -> MapPlan {
        let sources = PersonFinder(directory.people(in: pair.source))
        let targets = PersonFinder(directory.people(in: pair.target))
        var plan = MapPlan()
        var wanted: [(source: PersonID, target: PersonID?)] = []
        var answers: [PersonID: Set<PersonID?>] = [:]
        for row in rows {
            guard let source = sources.person(row.source) else {
                plan.remarks.append(Self.unknownSource(row.source))
                continue
            }
            var target: PersonID?
            if let text = row.target, !text.isEmpty {
                guard let found = targets.person(text) else {
                    plan.remarks.append(Self.unknown(text, .mapPersonUnknown, .targetMissing, "target"))
                    continue
                }
                target = found
            }
            if answers[source, default: []].insert(target).inserted, answers[source]?.count == 1 {
                wanted.append((source, target))
            }
        }
        for (source, target) in wanted {
            let count = answers[source]?.count ?? 1
            if count > 1 {
                plan.remarks.append(
                    remark(
                        source,
                        finding(
                            .mappingIncomplete, .mappedApart,
                            "The list maps \(name(of: source)) to \(count) different target users. Leave one of the lines."
                        )))
            } else {
                set(source, to: target, .import, &plan)
            }
        }
        return plan
    }

    /// Puts everybody who may leave, or of those the given people, into the map, with the target user who has their address
    /// where exactly one has. Whoever is mapped already is passed over.
    package func matching(_ people: Set<PersonID>?) -> MapPlan {
        guard let source = directory.tenant(pair.source), let target = directory.tenant(pair.target) else {
            return MapPlan()
        }
        let scope = directory.trust(from: pair.source, to: pair.target)?.scope
        let match = AddressMatch(directory.people(in: pair.target), of: target)
        var plan = MapPlan()
        for person in directory.people(in: pair.source).sorted(by: { $0.id < $1.id }) {
            guard people?.contains(person.id) ?? true, scope?.contains(person.id) ?? true else { continue }
            if map.entries[person.id]?.target != nil, !overwrites {
                plan.unchanged += 1
                continue
            }
            let found = match.candidates(for: person, of: source)
            if found.count == 1, let only = found.first {
                set(person.id, to: only, .match, &plan)
                continue
            }
            let what =
                found.isEmpty
                ? "No target user has an address of \(person.userPrincipalName)."
                : "\(found.count) target users share an address with \(person.userPrincipalName)."
            plan.remarks.append(
                remark(
                    person.id,
                    Finding(
                        code: .mapAddressUnknown,
                        message: "\(what) Give one target user that address, or map by hand with ferry map import.")))
            if map.entries[person.id]?.target == nil { set(person.id, to: nil, .match, &plan) }
        }
        return plan
    }

    private func set(_ source: PersonID, to target: PersonID?, _ origin: MapOrigin, _ plan: inout MapPlan) {
        let old = map.entries[source]
        if let old, old.target == target {
            plan.unchanged += 1
            return
        }
        if let old, old.target != nil, !overwrites {
            let names = old.target.flatMap { directory.person($0, in: pair.target)?.userPrincipalName }
            plan.remarks.append(
                remark(
                    source,
                    Finding(
                        code: .mapSkipped,
                        message:
                            "\(name(of: source)) is mapped to \(names ?? "somebody else") already and was left as it "
                            + "is. Ask for overwriting to replace it.", object: names)))
            return
        }
        plan.changes.append(
            MapEntry(source: source, target: target, state: .mapped, origin: origin, changed: now, author: author))
    }

    /// IDM-11: the source's directory has nobody of that name.
    package static func unknownSource(_ text: String) -> MapRemark {
        unknown(text, .mapRecordOrphaned, .sourceUnknown, "source")
    }

    private static func unknown(_ text: String, _ code: FindingCode, _ reason: FindingReason, _ side: String)
        -> MapRemark
    {
        let short = text.count > 80 ? "\(text.prefix(77))…" : text
        return MapRemark(
            person: nil, name: short,
            finding: finding(
                code, reason, object: short,
                "The \(side)'s directory has nobody named '\(short)'. Write an id, a sign-in name or an address of the "
                    + "\(side) tenant."))
    }

    private func remark(_ person: PersonID, _ finding: Finding) -> MapRemark {
        MapRemark(person: person, name: name(of: person), finding: finding)
    }

    private func name(of person: PersonID) -> String {
        directory.person(person, in: pair.source)?.userPrincipalName ?? person.description
    }
}
