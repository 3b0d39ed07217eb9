import FerryConnector
import FerryCore
import FerryStore

/// Builds identity maps: scope, match or import, review, complete.
///
/// What is right is decided by `MapEditing` and `MapReview`; here it is read, asked for at the sources, and stored.
struct IdentityOffice: IdentityMapping {
    let store: any Store
    let planner: TransferPlanner
    let directory: MappedDirectory

    /// Sources that are asked at once.
    private static let width = 8

    // MARK: reads

    func sheet(from source: String?, to target: TenantID) async throws(Refusal) -> MapSheet {
        let pair = try pair(from: source, to: target)
        do throws(StoreError) {
            try await directory.renew(pair, from: store.reader)
            let map = directory.identityMap(from: pair.source, to: pair.target)
            let onward = try await store.reader.peopleLeaving(pair.target)
            return MapSheet(
                pair: pair, map: map, mailboxes: try await store.reader.mailboxes(of: pair),
                review: MapReview(pair, map, in: directory, onward: onward), directory: directory)
        } catch {
            throw Refusal(error)
        }
    }

    func history(of person: PersonID, in pair: TenantPair) async throws(Refusal) -> [FormerMapEntry] {
        do throws(StoreError) { return try await store.reader.mapHistory(of: person, in: pair) } catch {
            throw Refusal(error)
        }
    }

    func check(
        from source: String?, to target: TenantID, after: PersonID?, limit: Int
    ) async throws(Refusal) -> MapOutcome {
        let sheet = try await sheet(from: source, to: target)
        let (entries, next) = Self.page(sheet.entries, after, limit)
        var outcome = MapOutcome(changed: entries.count, next: next)
        var remarks = entries.map { entry in sheet.review.findings(of: entry).map { sheet.remark(entry.source, $0) } }
        let recorded = entries.indices.filter { sheet.mailboxes[entries[$0].source] != nil }
        let found = await identities(of: recorded.map { entries[$0].source }, in: sheet.pair, sheet.mailboxes)
        for (index, found) in zip(recorded, found) {
            let person = entries[index].source
            if let finding = Self.comparison(found, with: sheet.mailboxes[person], of: sheet.name(of: person)) {
                remarks[index].append(sheet.remark(person, finding))
            }
        }
        outcome.remarks = remarks.flatMap(\.self)
        return outcome
    }

    // MARK: changes

    func carryOut(
        _ command: MapCommand, from source: String?, by principal: Principal, in provenance: Provenance
    ) async throws(Refusal) -> MapOutcome {
        let sheet = try await sheet(from: source, to: principal.tenant)
        let caller = Caller(principal: principal, provenance: provenance, operation: command.operation)
        switch command {
        case .importRows(let rows, let overwriting):
            return try await apply(editing(sheet, overwriting, caller).importing(rows), sheet, caller)
        case .match(let people, let overwriting):
            let editing = editing(sheet, overwriting, caller)
            guard let people else { return try await apply(editing.matching(nil), sheet, caller) }
            let (known, unknown) = named(people, sheet)
            var plan = editing.matching(Set(known))
            plan.remarks = unknown + plan.remarks
            return try await apply(plan, sheet, caller)
        case .assign(let person, let target, let overwriting):
            let source = try self.person(person, sheet)
            let plan = editing(sheet, overwriting, caller).importing([
                MapRow(source: source.description, target: target)
            ])
            guard let remark = plan.remarks.first?.finding else {
                return try await apply(plan, sheet, caller, person: source)
            }
            throw remark.code == .mapSkipped
                ? .conflict(.mappingExists, message: remark.message)
                : .invalid([FieldProblem(code: .invalidValue, target: "target", message: remark.message)])
        case .remove(let person):
            return try await remove(try self.person(person, sheet), sheet, caller)
        case .complete(let people, let overwriting, let after, let limit):
            return try await complete(people, overwriting, after, limit, sheet, caller)
        }
    }

    private func editing(_ sheet: MapSheet, _ overwriting: Bool, _ caller: Caller) -> MapEditing {
        MapEditing(
            sheet.pair, sheet.map, in: directory, overwriting: overwriting, by: caller.principal.name, at: store.now)
    }

    /// Stores a plan, but for people whom a job is moving: their data would go to two places.
    private func apply(
        _ plan: MapPlan, _ sheet: MapSheet, _ caller: Caller, person: PersonID? = nil
    ) async throws(Refusal) -> MapOutcome {
        var outcome = try await decide { (tx) throws(StoreError) -> Result<MapOutcome, Refusal> in
            var outcome = MapOutcome(unchanged: plan.unchanged)
            var changes: [MapEntry] = []
            for change in plan.changes {
                let old = sheet.map.entries[change.source]
                try Self.requireUnchanged(change.source, old, sheet, tx)
                if let job = try Self.job(moving: [old?.target, change.target], of: sheet, tx) {
                    outcome.remarks.append(sheet.remark(change.source, Self.isMoving(change.source, job, sheet)))
                    continue
                }
                changes.append(change)
                // It is another person's mailbox to somebody else now.
                try tx.setMailbox(nil, of: change.source, in: sheet.pair)
            }
            if person != nil, let refused = outcome.remarks.first?.finding {
                return .failure(.conflict(.personIsMoving, message: refused.message))
            }
            try tx.save(changes, in: sheet.pair)
            outcome.changed = changes.count
            if !changes.isEmpty { try Self.note(changes.count, person, sheet, caller, tx) }
            return .success(outcome)
        }
        outcome.remarks += plan.remarks
        return outcome
    }

    private func remove(_ person: PersonID, _ sheet: MapSheet, _ caller: Caller) async throws(Refusal) -> MapOutcome {
        try await decide { (tx) throws(StoreError) -> Result<MapOutcome, Refusal> in
            let old = sheet.map.entries[person]
            try Self.requireUnchanged(person, old, sheet, tx)
            if let job = try Self.job(moving: [old?.target], of: sheet, tx) {
                return .failure(.conflict(.personIsMoving, message: Self.isMoving(person, job, sheet).message))
            }
            guard try tx.removeMapEntry(of: person, in: sheet.pair) else {
                return .success(MapOutcome(unchanged: 1))
            }
            try Self.note(1, person, sheet, caller, tx)
            return .success(MapOutcome(changed: 1))
        }
    }

    private func complete(
        _ names: [String]?, _ overwriting: Bool, _ after: PersonID?, _ limit: Int, _ sheet: MapSheet, _ caller: Caller
    ) async throws(Refusal) -> MapOutcome {
        var outcome = MapOutcome()
        var wanted: [MapEntry]
        if let names {
            let (known, unknown) = named(names, sheet)
            outcome.remarks = unknown
            wanted = []
            for person in Set(known).sorted() {
                if let entry = sheet.map.entries[person] {
                    wanted.append(entry)
                } else {
                    let nobody = MapEntry(source: person, target: nil, state: .unmapped, origin: .import)
                    outcome.remarks += sheet.review.findings(of: nobody).map { sheet.remark(person, $0) }
                }
            }
        } else {
            wanted = sheet.entries.filter { $0.state == .mapped }
        }
        (wanted, outcome.next) = Self.page(wanted, after, limit)
        // Who is completed and has their mailbox recorded has nothing to do here.
        let isSettled = { (entry: MapEntry) in
            entry.state == .completed && !overwriting && sheet.mailboxes[entry.source] != nil
        }
        outcome.unchanged = wanted.count(where: isSettled)
        var sound: [MapEntry] = []
        for entry in wanted where !isSettled(entry) {
            let findings = sheet.review.findings(of: entry)
            if findings.isEmpty { sound.append(entry) }
            outcome.remarks += findings.map { sheet.remark(entry.source, $0) }
        }
        let found = await identities(of: sound.map(\.source), in: sheet.pair, overwriting ? [:] : sheet.mailboxes)
        var agreed: [(entry: MapEntry, mailbox: String?)] = []
        for (entry, found) in zip(sound, found) {
            let name = sheet.name(of: entry.source)
            switch found {
            case .failure(let error):
                outcome.remarks.append(
                    sheet.remark(
                        entry.source,
                        Finding(
                            .mapNotCompleted, .endpointUnusable, object: name,
                            "The source mailbox of \(name) could not be asked, so its mapping was not completed: "
                                + "\(error.context)")))
            case .success(let mailbox):
                if !overwriting, let finding = Self.comparison(found, with: sheet.mailboxes[entry.source], of: name) {
                    outcome.remarks.append(sheet.remark(entry.source, finding))
                } else {
                    agreed.append((entry, mailbox))
                }
            }
        }
        let (author, all) = (caller.principal.name, agreed)
        outcome.changed = all.count
        guard !all.isEmpty else { return outcome }
        try await decide { (tx) throws(StoreError) -> Result<Void, Refusal> in
            var completed: [MapEntry] = []
            for (entry, mailbox) in all {
                try Self.requireUnchanged(entry.source, entry, sheet, tx)
                try tx.setMailbox(mailbox, of: entry.source, in: sheet.pair)
                // What the configuration says goes on following the configuration.
                guard entry.state == .mapped else { continue }
                var entry = entry
                (entry.state, entry.changed, entry.author) = (.completed, tx.now, author)
                completed.append(entry)
            }
            try tx.save(completed, in: sheet.pair)
            try Self.note(all.count, all.count == 1 ? all[0].entry.source : nil, sheet, caller, tx)
            return .success(())
        }
        return outcome
    }

    // MARK: mailboxes

    /// Asks the sources which mailboxes people have, in the order of the people; `nil` where a source cannot tell, or there
    /// is none.
    private func identities(
        of people: [PersonID], in pair: TenantPair, _ recorded: [PersonID: String]
    ) async -> [Result<String?, ConnectorError>] {
        var results = [Result<String?, ConnectorError>](repeating: .success(nil), count: people.count)
        await withTaskGroup(of: (Int, Result<String?, ConnectorError>).self) { group in
            var waiting = people.indices
            func startNext() {
                guard let index = waiting.popFirst() else { return }
                group.addTask {
                    let person = people[index]
                    do throws(ConnectorError) {
                        let found = try await planner.mailboxIdentity(
                            of: person, in: pair.source, recorded: recorded[person])
                        return (index, .success(found))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            for _ in 0..<Self.width { startNext() }
            for await (index, result) in group {
                results[index] = result
                startNext()
            }
        }
        return results
    }

    /// IDM-12: the recorded mailbox is another one than the person has now.
    private static func comparison(
        _ found: Result<String?, ConnectorError>, with recorded: String?, of name: String
    ) -> Finding? {
        guard let recorded else { return nil }
        switch found {
        case .success(recorded): return nil
        case .success(let other):
            return Finding(
                .mapRecordDiffers, .mailboxIdMismatch, object: name,
                MailboxIdentityFacts(recorded: recorded, found: other).difference(of: name))
        case .failure(let error):
            return Finding(
                .mailboxProbeFailed, .endpointUnusable, object: name,
                "The source mailbox of \(name) could not be asked: \(error.context)")
        }
    }

    // MARK: parts

    private func pair(from source: String?, to target: TenantID) throws(Refusal) -> TenantPair {
        let trusts = directory.trusts(to: target)
        func refuse(_ message: String) -> Refusal {
            .invalid([FieldProblem(code: .invalidValue, target: "source", message: message)])
        }
        guard let source else {
            guard let only = trusts.first else {
                throw refuse("This tenant trusts no source. Add an entry under trust in the configuration.")
            }
            guard trusts.count == 1 else {
                throw refuse(
                    "This tenant trusts \(trusts.count) sources: \(trusts.map(\.source.description).joined(separator: ", ")). "
                        + "Say which with source.")
            }
            return TenantPair(source: only.source, target: target)
        }
        guard let id = TenantID(source), trusts.contains(where: { $0.source == id }) else {
            throw refuse(
                "This tenant does not trust '\(source.prefix(80))'. Name the id of a source that stands under trust in the "
                    + "configuration.")
        }
        return TenantPair(source: id, target: target)
    }

    private func person(_ text: String, _ sheet: MapSheet) throws(Refusal) -> PersonID {
        if let found = PersonFinder(directory.people(in: sheet.pair.source)).person(text) { return found }
        // Somebody may be gone from the directory and still be in the map.
        guard let id = PersonID(text), sheet.map.entries[id] != nil else { throw .personNotFound(text) }
        return id
    }

    private func named(_ people: [String], _ sheet: MapSheet) -> (known: [PersonID], unknown: [MapRemark]) {
        let finder = PersonFinder(directory.people(in: sheet.pair.source))
        var known: [PersonID] = []
        var unknown: [MapRemark] = []
        for text in people {
            let id = finder.person(text) ?? PersonID(text).flatMap { sheet.map.entries[$0] == nil ? nil : $0 }
            if let id {
                known.append(id)
            } else {
                unknown.append(MapEditing.unknownSource(text))
            }
        }
        return (known, unknown)
    }

    /// So many entries after the given person, and the last of them if there are more.
    private static func page(_ entries: [MapEntry], _ after: PersonID?, _ limit: Int) -> ([MapEntry], PersonID?) {
        let rest = after.map { after in Array(entries.drop { $0.source <= after }) } ?? entries
        let page = Array(rest.prefix(limit))
        return (page, page.count < rest.count ? page.last?.source : nil)
    }

    /// Nobody has changed the entry since it was looked at.
    private static func requireUnchanged(
        _ person: PersonID, _ seen: MapEntry?, _ sheet: MapSheet, _ tx: any StoreTransaction
    ) throws(StoreError) {
        let stored = seen.flatMap { $0.origin == .configuration ? nil : $0 }
        guard try tx.mapEntry(of: person, in: sheet.pair) == stored else { throw .conflict }
    }

    /// Name of a job that is moving one of the target people.
    private static func job(
        moving people: [PersonID?], of sheet: MapSheet, _ tx: any StoreTransaction
    ) throws(StoreError) -> String? {
        let nobody = JobID(GUID(high: 0, low: 0))
        for case let person? in people {
            for name in try tx.activeJobs(with: person, in: sheet.pair.target, besides: nobody) {
                switch try tx.job(.displayName(name), in: sheet.pair.target)?.phase {
                case .processing, .inProgress, .cuttingOver, .pendingCancel: return name
                default: continue
                }
            }
        }
        return nil
    }

    private static func isMoving(_ person: PersonID, _ job: String, _ sheet: MapSheet) -> Finding {
        Finding(
            .inOtherJob, .alreadyMoving, object: job,
            "The job '\(job)' is moving a user whom the change concerns, so the mapping of \(sheet.name(of: person)) stays. "
                + "Wait for the job's end, or cancel the user there.")
    }

    private static func note(
        _ count: Int, _ person: PersonID?, _ sheet: MapSheet, _ caller: Caller, _ tx: any StoreTransaction
    ) throws(StoreError) {
        try AuditTrail.append(
            caller.entry(of: nil, person: person, detail: "\(sheet.pair.source): \(count)", at: tx.now), in: tx)
    }

    private func decide<R: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> Result<R, Refusal>
    ) async throws(Refusal) -> R {
        let outcome: Result<R, Refusal>
        do throws(StoreError) { outcome = try await store.transact(body) } catch { throw Refusal(error) }
        return try outcome.get()
    }
}

extension MapSheet {
    fileprivate func name(of person: PersonID) -> String {
        directory.person(person, in: pair.source)?.userPrincipalName ?? person.description
    }

    fileprivate func remark(_ person: PersonID, _ finding: Finding) -> MapRemark {
        MapRemark(person: person, name: name(of: person), finding: finding)
    }
}

extension Refusal {
    fileprivate init(_ error: StoreError) {
        switch error {
        case .conflict, .duplicateName, .leaseLost:
            self = .unavailable("The map was changed at the same moment; try again.")
        case .unavailable(let reason), .unusable(let reason): self = .unavailable(reason)
        case .closed: self = .unavailable("The server is stopping; try again in a moment.")
        }
    }
}
