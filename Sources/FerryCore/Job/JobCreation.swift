extension Job {
    /// Longest display name, in characters.
    package static let maximumNameLength = 256

    /// Names that a path could not tell from an operation, lower case.
    static let reservedNames: Set<String> = ["validate", "$count", "$ref", "$query", "delta"]

    /// Operations may be named with their namespace, which begins like this.
    static let reservedPrefix = "microsoft."

    /// Rows T1 and T1b to T1e: judges what a client wants to create, all problems at once. Whether the name is taken
    /// (row T1a) only the store can say.
    ///
    /// - Parameters:
    ///   - principal: the caller, whose tenant becomes the target.
    ///   - validationOnly: made by the collection-level validate action; such a job never migrates.
    /// - Returns: a job that is `submitted`, with version 1.
    package static func make(
        _ draft: JobDraft, id: JobID, by principal: Principal, now: Instant, settings: JobSettings,
        validationOnly: Bool
    ) throws(Refusal) -> Job {
        var problems = [FieldProblem]()
        let name = checkedName(draft.displayName, &problems)
        let source = checkedSource(draft.sourceTenant, target: principal.tenant, &problems)
        let date = checkedDate(draft.completeAfter, now: now, &problems)
        checkResourceType(draft.resourceType, &problems)
        let people = checkedPeople(draft.resources, maximum: settings.maximumPeople, &problems)
        let workloads = checkedWorkloads(draft.workloads, &problems)
        let exchange = checkedExchange(draft, isNeeded: workloads.contains(.mailbox), &problems)
        guard problems.isEmpty, let name, let source, let date else { throw .invalid(problems) }
        return Job(
            id: id, targetTenant: principal.tenant, sourceTenant: source, displayName: name, exchangeSettings: exchange,
            workloads: workloads, people: people, createdBy: principal.name, created: now, updated: now,
            completeAfter: date, status: .submitted, type: .validate, message: "", validated: nil, attempt: 0,
            isValidationOnly: validationOnly, version: 1)
    }

    /// R2: present, not blank, at most 256 characters, and not to be mistaken for an id or an operation (7.3).
    private static func checkedName(_ name: String?, _ problems: inout [FieldProblem]) -> String? {
        let target = "displayName"
        guard let name, !name.isBlank else {
            problems.add(
                .required, target, "displayName is missing; give the job a name that is unique in this tenant.")
            return nil
        }
        if name.count > maximumNameLength {
            problems.add(
                .invalidValue, target,
                "displayName has \(name.count) characters; shorten it to at most \(maximumNameLength).")
        }
        if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            problems.add(.invalidValue, target, "displayName contains a control character; remove it.")
        }
        if name.contains("/") {
            problems.add(.invalidValue, target, "displayName contains '/', which ends a key in a URL; remove it.")
        }
        if GUID(name) != nil {
            problems.add(
                .invalidValue, target, "displayName looks like a GUID, which is how ids are written; change it.")
        }
        if reservedNames.contains(name.lowercased()) || name.lowercased().hasPrefix(reservedPrefix) {
            problems.add(.invalidValue, target, "displayName '\(name)' is the name of an operation; change it.")
        }
        return name
    }

    /// R4: a GUID, and another tenant than the target.
    private static func checkedSource(
        _ text: String?, target tenant: TenantID, _ problems: inout [FieldProblem]
    ) -> TenantID? {
        let target = "sourceTenantId"
        guard let text, !text.isBlank else {
            problems.add(.required, target, "sourceTenantId is missing; give the id of the tenant the users come from.")
            return nil
        }
        guard let source = TenantID(text) else {
            problems.add(.invalidValue, target, "sourceTenantId is not a GUID; a domain name is not accepted.")
            return nil
        }
        if source == tenant {
            problems.add(
                .invalidValue, target,
                "sourceTenantId is the caller's own tenant, which is the target; name the other one.")
        }
        return source
    }

    /// R3: in the future.
    private static func checkedDate(_ date: Instant?, now: Instant, _ problems: inout [FieldProblem]) -> Instant? {
        guard let date else {
            problems.add(
                .required, "completeAfterDateTime",
                "completeAfterDateTime is missing; give the earliest time at which users may be cut over.")
            return nil
        }
        if date <= now { problems.append(.pastDate(now: now)) }
        return date
    }

    /// R5.
    private static func checkResourceType(_ text: String?, _ problems: inout [FieldProblem]) {
        guard let text, !text.isBlank else {
            return problems.add(.required, "resourceType", "resourceType is missing; it must be Users.")
        }
        if text.lowercased() != "users" {
            problems.add(.invalidValue, "resourceType", "resourceType must be Users; nothing else can be migrated.")
        }
    }

    /// R6: one to `maximum` GUIDs, each once.
    private static func checkedPeople(
        _ texts: [String]?, maximum: Int, _ problems: inout [FieldProblem]
    ) -> [PersonID] {
        let target = "resources"
        guard let texts, !texts.isEmpty else {
            problems.add(.required, target, "resources is empty; list the object ids of the target users.")
            return []
        }
        if texts.count > maximum {
            problems.add(
                .tooManyResources, target,
                "resources has \(texts.count) entries and at most \(maximum) are allowed; split the users over several jobs."
            )
        }
        var people = [PersonID]()
        var seen = Set<PersonID>()
        var malformed = [Int]()
        var repeated = [PersonID]()
        for (index, text) in texts.enumerated() {
            guard let person = PersonID(text) else {
                malformed.append(index)
                continue
            }
            if seen.insert(person).inserted { people.append(person) } else { repeated.append(person) }
        }
        if !malformed.isEmpty {
            problems.add(
                .invalidValue, target,
                "resources must hold object ids (GUIDs); \(count(malformed, "entry", "entries")) is not one: at position "
                    + sample(malformed) + ".")
        }
        if !repeated.isEmpty {
            problems.add(
                .duplicateResource, target,
                "resources names users more than once; remove the repetitions of "
                    + sample(repeated) + ".")
        }
        return people
    }

    /// R7: known names; nothing means all; meetings only together with mailbox and chats (row T1c).
    private static func checkedWorkloads(_ names: [String]?, _ problems: inout [FieldProblem]) -> [Workload] {
        guard let names, !names.isEmpty else { return [.mailbox, .chats, .meetings, .files] }
        let target = "workloads"
        var workloads = [Workload]()
        var unknown = [String]()
        for name in names {
            let found = Workload.allCases.first { $0.serviceName.lowercased() == name.lowercased() }
            guard let workload = found else {
                unknown.append("'\(name.prefix(40))'")
                continue
            }
            if !workloads.contains(workload) { workloads.append(workload) }
        }
        if !unknown.isEmpty {
            problems.add(
                .invalidValue, target,
                "workloads knows Exchange, Teams, Meeting and ODSP; it does not know " + sample(unknown) + ".")
        } else if workloads.contains(.meetings), !(workloads.contains(.mailbox) && workloads.contains(.chats)) {
            problems.add(
                .invalidValue, target,
                "Meeting needs Exchange and Teams in the same job; add them or leave Meeting out.")
        }
        return workloads
    }

    /// R8: both members, if mailboxes move. Otherwise they are kept and not used.
    private static func checkedExchange(
        _ draft: JobDraft, isNeeded: Bool, _ problems: inout [FieldProblem]
    ) -> ExchangeSettings? {
        let target = "exchangeSettings"
        if isNeeded, draft.sourceEndpoint == nil, draft.targetDeliveryDomain == nil {
            problems.add(
                .required, target,
                "exchangeSettings is missing; Exchange needs sourceEndpoint and targetDeliveryDomain.")
            return nil
        }
        if isNeeded, draft.sourceEndpoint?.isBlank != false {
            problems.add(
                .required, target,
                "exchangeSettings.sourceEndpoint is missing; give the name of the endpoint that reaches the source tenant."
            )
        }
        if isNeeded, draft.targetDeliveryDomain?.isBlank != false {
            problems.add(
                .required, target,
                "exchangeSettings.targetDeliveryDomain is missing; give a domain of the target tenant.")
        } else if let domain = draft.targetDeliveryDomain, isNeeded, domain.contains("@") || domain.contains(" ") {
            problems.add(
                .invalidValue, target,
                "exchangeSettings.targetDeliveryDomain must be a domain, such as contoso.example.")
        }
        guard draft.sourceEndpoint != nil || draft.targetDeliveryDomain != nil else { return nil }
        return ExchangeSettings(
            sourceEndpoint: draft.sourceEndpoint ?? "", targetDeliveryDomain: draft.targetDeliveryDomain ?? "")
    }

    private static func count(_ things: [Int], _ one: String, _ many: String) -> String {
        things.count == 1 ? "1 \(one)" : "\(things.count) \(many)"
    }

    /// The first few, so that two thousand mistakes do not make a message of a megabyte.
    private static func sample(_ things: [some Any]) -> String {
        let shown = things.prefix(5).map { "\($0)" }.joined(separator: ", ")
        return things.count > 5 ? "\(shown) and \(things.count - 5) more" : shown
    }
}

extension FieldProblem {
    /// Rows T1b and T19.
    static func pastDate(now: Instant) -> FieldProblem {
        FieldProblem(
            code: .minThresholdFailed, target: "completeAfterDateTime",
            message: "completeAfterDateTime must be later than the current time (\(now.text)).")
    }
}

extension [FieldProblem] {
    fileprivate mutating func add(_ code: FieldProblem.Code, _ target: String, _ message: String) {
        append(FieldProblem(code: code, target: target, message: message))
    }
}

extension String {
    fileprivate var isBlank: Bool { allSatisfy(\.isWhitespace) }
}
