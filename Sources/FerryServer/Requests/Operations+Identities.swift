import FerryAPI
import FerryCore
import FerryEngine
import FerryStore

/// `/ferry/identity-map`: who becomes whom. The map is that of the caller's tenant, which is the target.
extension Operations {
    func listIdentities(_ call: Call) async throws(Failure) -> Answer {
        let options = try MapPageOptions(rawQuery: call.rawQuery, largest: APILimits.mapPageSize)
        let sheet = try await sheet(options.source, call)
        var counts: [MapState: Int] = [:]
        var page: [MapEntryView] = []
        var next: PersonID?
        for entry in sheet.entries {
            counts[entry.state, default: 0] += 1
            if let state = options.state, entry.state != state { continue }
            if let after = options.after, entry.source <= after { continue }
            if page.count < options.limit {
                page.append(sheet.view(of: entry))
            } else {
                next = page.last?.entry.source
            }
        }
        return ours(MapView.page(page, of: sheet.pair, counts: counts, next: next), JobReport.Format.json.contentType)
    }

    func identity(_ person: String, _ call: Call) async throws(Failure) -> Answer {
        let options = try MapPageOptions(rawQuery: call.rawQuery, largest: 1)
        let sheet = try await sheet(options.source, call)
        guard let id = PersonFinder(sheet.directory.people(in: sheet.pair.source)).person(person) ?? PersonID(person)
        else {
            throw Self.nobody(person)
        }
        let history = try await asked { (identities) throws(Refusal) in
            try await identities.history(of: id, in: sheet.pair)
        }
        let entry = sheet.map.entries[id]
        guard entry != nil || !history.isEmpty || sheet.directory.person(id, in: sheet.pair.source) != nil else {
            throw Self.nobody(person)
        }
        let view = sheet.view(
            of: entry ?? MapEntry(source: id, target: nil, state: .unmapped, origin: .configuration))
        let former = history.map { former in
            MapEntryView.Former(
                entry: former.entry, targetName: sheet.targetName(of: former.entry), until: former.until)
        }
        return ours(view.bytes(history: former), JobReport.Format.json.contentType)
    }

    func checkIdentities(_ call: Call) async throws(Failure) -> Answer {
        let options = try MapPageOptions(rawQuery: call.rawQuery, largest: APILimits.mapMailboxes)
        let outcome = try await asked { (identities) throws(Refusal) in
            try await identities.check(
                from: options.source, to: call.principal.tenant, after: options.after, limit: options.limit)
        }
        return ours(MapView.outcome(outcome), JobReport.Format.json.contentType)
    }

    func removeIdentity(_ person: String, _ call: Call) async throws(Failure) -> Answer {
        try BodyDecoder.empty(try call.json())
        return try await change(.remove(person), call)
    }

    /// 200 with what came of it: a change that is refused for some people is done for the others.
    func change(_ command: MapCommand, _ call: Call) async throws(Failure) -> Answer {
        let options = try MapPageOptions(rawQuery: call.rawQuery, largest: 1)
        let provenance = Provenance(origin: call.origin, requestID: call.requestID, status: 200)
        let outcome = try await asked { (identities) throws(Refusal) in
            try await identities.carryOut(command, from: options.source, by: call.principal, in: provenance)
        }
        return ours(MapView.outcome(outcome), JobReport.Format.json.contentType)
    }

    private static func nobody(_ name: String) -> Failure {
        .notFound("The source has no user '\(name.prefix(256))'. Write an id, a sign-in name or an address.")
    }

    private func sheet(_ source: String?, _ call: Call) async throws(Failure) -> MapSheet {
        try await asked { (identities) throws(Refusal) in
            try await identities.sheet(from: source, to: call.principal.tenant)
        }
    }

    private func asked<R: Sendable>(
        _ body: (any IdentityMapping) async throws(Refusal) -> R
    ) async throws(Failure) -> R {
        guard let identities else { throw .unavailable("This server builds no identity maps.") }
        do throws(Refusal) {
            return try await body(identities)
        } catch {
            if case .personNotFound(let name) = error { throw Self.nobody(name) }
            throw .refused(error)
        }
    }
}

extension MapSheet {
    fileprivate func targetName(of entry: MapEntry) -> String? {
        entry.target.flatMap { directory.person($0, in: pair.target)?.userPrincipalName }
    }

    fileprivate func view(of entry: MapEntry) -> MapEntryView {
        MapEntryView(
            entry: entry, sourceName: directory.person(entry.source, in: pair.source)?.userPrincipalName,
            targetName: targetName(of: entry), mailbox: mailboxes[entry.source], findings: review.findings(of: entry))
    }
}
