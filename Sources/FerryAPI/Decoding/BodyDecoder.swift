package import FerryCore

/// Request bodies to commands. Form only: whether the values make sense is the engine's business, so that one place
/// reports all semantic problems at once.
package enum BodyDecoder {
    /// The create set of a job (operations 2 and 16).
    ///
    /// Throws `Failure.badRequest` for what is not JSON, unknown members and wrong types, naming the member; and
    /// `Failure.refused` with `readOnlyProperty` for members that only the server writes, unless they are null (Q23).
    package static func draft(_ body: [UInt8]) throws(Failure) -> JobDraft {
        let members = try object(body, type: Schema.Name.job)
        var draft = JobDraft()
        var problems: [FieldProblem] = []
        for member in members {
            guard let name = JobBodyMember(rawValue: member.name) else { throw unknown(member.name) }
            switch name {
            case .displayName: draft.displayName = try text(member)
            case .sourceTenantId: draft.sourceTenant = try text(member)
            case .completeAfterDateTime: draft.completeAfter = try date(member)
            case .resourceType: draft.resourceType = try text(member)
            case .resources: draft.resources = try texts(member)
            case .workloads: draft.workloads = try texts(member)
            case .exchangeSettings:
                (draft.sourceEndpoint, draft.targetDeliveryDomain) = try exchangeSettings(member)
            case .id, .jobType, .targetTenantId, .status, .message, .createdDateTime, .createdBy,
                .lastUpdatedDateTime, .users:
                if member.value != .null {
                    problems.append(
                        FieldProblem(
                            code: .readOnlyProperty, target: member.name,
                            message: "\(member.name) is written by the server; leave it out."))
                }
            }
        }
        guard problems.isEmpty else { throw .refused(.invalid(problems)) }
        return draft
    }

    /// The new date of a job (operation 4), by the rules of Q22: one property can be changed, and it must be there.
    package static func reschedule(_ body: [UInt8]) throws(Failure) -> Instant {
        let members = try object(body, type: Schema.Name.job)
        var completeAfter: Instant?
        var problems: [FieldProblem] = []
        for member in members {
            guard let name = JobBodyMember(rawValue: member.name) else { throw unknown(member.name) }
            if name == .completeAfterDateTime {
                completeAfter = try date(member)
            } else {
                problems.append(
                    FieldProblem(
                        code: .readOnlyProperty, target: member.name,
                        message: "\(member.name) cannot be changed; only completeAfterDateTime can."))
            }
        }
        if completeAfter == nil, problems.isEmpty {
            problems.append(
                FieldProblem(
                    code: .required, target: "completeAfterDateTime", message: "completeAfterDateTime is missing."))
        }
        guard let completeAfter, problems.isEmpty else { throw .refused(.invalid(problems)) }
        return completeAfter
    }

    /// The body of an action: none, or an empty object, which clients add inside batches (reference 1).
    package static func empty(_ body: [UInt8]) throws(Failure) {
        guard body.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }) else { return }
        if let extra = try object(body, type: nil).first { throw unknown(extra.name) }
    }

    // MARK: members

    /// Names of a job's members in a body; case-sensitive (reference 7.5).
    private enum JobBodyMember: String {
        case id, displayName, jobType, sourceTenantId, targetTenantId, completeAfterDateTime, status, message
        case createdDateTime, createdBy, lastUpdatedDateTime, exchangeSettings, workloads, resourceType, resources
        case users
    }

    private static func exchangeSettings(_ member: JSONMember) throws(Failure) -> (String?, String?) {
        guard member.value != .null else { return (nil, nil) }
        guard case .object(let members) = member.value else { throw wrongType(member.name, "an object", member.value) }
        var endpoint: String?
        var domain: String?
        for inner in try plain(members, type: Schema.Name.exchangeSettings, path: member.name) {
            let path = JSONMember(name: "\(member.name)/\(inner.name)", value: inner.value)
            switch inner.name {
            case "sourceEndpoint": endpoint = try text(path)
            case "targetDeliveryDomain": domain = try text(path)
            default: throw unknown(path.name)
            }
        }
        return (endpoint, domain)
    }

    static func object(_ body: [UInt8], type: String?) throws(Failure) -> [JSONMember] {
        let value: JSONValue
        do {
            value = try JSONParser.parse(body)
        } catch {
            throw .badRequest("The body is not valid JSON: \(error.text), at byte \(error.position).", target: nil)
        }
        guard case .object(let members) = value else {
            throw .badRequest("The body must be a JSON object, not \(value.typeName).", target: nil)
        }
        return try plain(members, type: type, path: nil)
    }

    /// The members without control information. A wrong `@odata.type` is an error, the rest of it is ignored.
    static func plain(_ members: [JSONMember], type: String?, path: String?) throws(Failure) -> [JSONMember] {
        var plain: [JSONMember] = []
        for member in members {
            guard member.name.utf8.contains(UInt8(ascii: "@")) else {
                plain.append(member)
                continue
            }
            guard member.name == "@odata.type", let type else { continue }
            let name = path.map { "\($0)/@odata.type" } ?? "@odata.type"
            guard case .string(let given) = member.value else { throw wrongType(name, "a string", member.value) }
            guard given == Schema.annotation(type) || given == Schema.qualified(type) else {
                throw .badRequest("\(name) must be \(Schema.annotation(type)).", target: name)
            }
        }
        return plain
    }

    static func text(_ member: JSONMember) throws(Failure) -> String? {
        switch member.value {
        case .null: return nil
        case .string(let text): return text
        default: throw wrongType(member.name, "a string", member.value)
        }
    }

    static func texts(_ member: JSONMember) throws(Failure) -> [String]? {
        guard member.value != .null else { return nil }
        guard case .array(let elements) = member.value else {
            throw wrongType(member.name, "an array of strings", member.value)
        }
        var texts: [String] = []
        texts.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard case .string(let text) = element else {
                throw wrongType("\(member.name)[\(index)]", "a string", element)
            }
            texts.append(text)
        }
        return texts
    }

    private static func date(_ member: JSONMember) throws(Failure) -> Instant? {
        guard let text = try text(member) else { return nil }
        guard let instant = WireDate.parse(text) else {
            throw .badRequest("\(member.name) must be a date such as 2031-03-01T06:00:00Z.", target: member.name)
        }
        return instant
    }

    static func wrongType(_ name: String, _ expected: String, _ value: JSONValue) -> Failure {
        .badRequest("\(name) must be \(expected), not \(value.typeName).", target: name)
    }

    static func unknown(_ name: String) -> Failure {
        .badRequest(
            "There is no property '\(name.prefix(64))'; names are case-sensitive.", target: String(name.prefix(64)))
    }
}
