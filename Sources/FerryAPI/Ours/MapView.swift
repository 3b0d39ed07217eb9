package import FerryCore

/// One entry of an identity map, as `/ferry/identity-map` shows it.
///
/// ```json
/// {"source":"…","sourceName":"ada@contoso.example","target":"…","targetName":"ada@fabrikam.example","state":"mapped",
/// "origin":"match","changed":"2031-02-10T08:15:30Z","author":"mover@fabrikam.example","mailbox":null,"findings":[]}
/// ```
package struct MapEntryView: Sendable {
    package var entry: MapEntry
    /// Sign-in names; `nil` for people whom the directory does not have.
    package var sourceName: String?
    package var targetName: String?
    /// Which source mailbox was recorded.
    package var mailbox: String?
    package var findings: [Finding]

    package init(
        entry: MapEntry, sourceName: String?, targetName: String?, mailbox: String?, findings: [Finding]
    ) {
        self.entry = entry
        self.sourceName = sourceName
        self.targetName = targetName
        self.mailbox = mailbox
        self.findings = findings
    }

    /// What was said of the person before.
    package struct Former: Sendable {
        package var entry: MapEntry
        package var targetName: String?
        package var until: Instant

        package init(entry: MapEntry, targetName: String?, until: Instant) {
            self.entry = entry
            self.targetName = targetName
            self.until = until
        }
    }

    /// The entry with its history, newest first.
    package func bytes(history: [Former]) -> [UInt8] {
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            members(into: &json)
            json.key("history")
            json.array { json in
                for former in history {
                    json.object { json in
                        former.entry.members(targetName: former.targetName, into: &json)
                        json.member("until", former.until)
                    }
                }
            }
        }
        return json.bytes
    }

    fileprivate func members(into json: inout JSONWriter) {
        json.member("source", entry.source.guid)
        json.member("sourceName", orNull: sourceName)
        entry.members(targetName: targetName, into: &json)
        json.member("mailbox", orNull: mailbox)
        json.key("findings")
        json.array { json in
            for finding in findings { json.object { json in finding.members(into: &json) } }
        }
    }
}

/// Pages of an identity map, and what came of changing it.
package enum MapView {
    package static func page(
        _ entries: [MapEntryView], of pair: TenantPair, counts: [MapState: Int], next: PersonID?
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 256 + 512 * entries.count)
        json.object { json in
            json.member("sourceTenantId", pair.source.guid)
            json.member("targetTenantId", pair.target.guid)
            json.key("counts")
            json.object { json in
                for state in MapState.allCases { json.member(state.rawValue, counts[state] ?? 0) }
            }
            json.key("value")
            json.array { json in
                for entry in entries { json.object { json in entry.members(into: &json) } }
            }
            json.member("next", orNull: next)
        }
        return json.bytes
    }

    package static func outcome(_ outcome: MapOutcome) -> [UInt8] {
        var json = JSONWriter(capacity: 256 + 512 * outcome.remarks.count)
        json.object { json in
            json.member("changed", outcome.changed)
            json.member("unchanged", outcome.unchanged)
            json.key("remarks")
            json.array { json in
                for remark in outcome.remarks {
                    json.object { json in
                        json.member("person", orNull: remark.person)
                        json.member("name", remark.name)
                        remark.finding.members(into: &json)
                    }
                }
            }
            json.member("next", orNull: outcome.next)
        }
        return json.bytes
    }
}

extension MapEntry {
    fileprivate func members(targetName: String?, into json: inout JSONWriter) {
        json.member("target", orNull: target)
        json.member("targetName", orNull: targetName)
        json.member("state", state.rawValue)
        json.member("origin", origin.rawValue)
        json.key("changed")
        if let changed { json.instant(changed) } else { json.null() }
        json.member("author", author)
    }
}

extension Finding {
    fileprivate func members(into json: inout JSONWriter) {
        json.member("code", code.rawValue)
        json.member("message", message)
        json.member("reason", orNull: reason)
        json.member("object", orNull: object)
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, orNull text: String?) {
        key(name)
        if let text { string(text) } else { null() }
    }

    fileprivate mutating func member(_ name: String, orNull person: PersonID?) {
        key(name)
        if let person { guid(person.guid) } else { null() }
    }
}

/// The options of `/ferry/identity-map?source=…&state=…&after=…&limit=…`.
package struct MapPageOptions: Sendable, Hashable {
    package var source: String?
    package var state: MapState?
    package var after: PersonID?
    package var limit: Int

    /// - Parameter largest: how many entries a page may have.
    /// Throws `Failure.badRequest` for a value that cannot be read, and for an option that is given twice.
    package init(rawQuery: some StringProtocol, largest: Int) throws(Failure) {
        limit = largest
        var seen: Set<String> = []
        for pair in try QueryPairs.parse(rawQuery) {
            let name = pair.name.lowercased()
            guard seen.insert(name).inserted else {
                throw .badRequest("\(name.prefix(64)) was given twice.", target: String(name.prefix(64)))
            }
            switch name {
            case "source": source = pair.value
            case "state":
                guard let known = MapState(rawValue: pair.value) else {
                    let names = MapState.allCases.map(\.rawValue).joined(separator: ", ")
                    throw .badRequest("state must be one of \(names).", target: "state")
                }
                state = known
            case "after":
                guard let person = PersonID(pair.value) else {
                    throw .badRequest("after must be the id of a user.", target: "after")
                }
                after = person
            case "limit":
                guard let number = Int(pair.value), number >= 1 else {
                    throw .badRequest("limit must be a whole number from 1 on.", target: "limit")
                }
                limit = min(number, largest)
            default: continue
            }
        }
    }
}
