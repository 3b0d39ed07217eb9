import FerryCore

/// The schemas of bodies, JSON Schema 2020-12. Names of members and of enum cases come from the tables that encode.
enum OpenAPISchema {
    static let job = "microsoft.graph.crossTenantMigrationJob"
    /// A job with every member: what create and the actions answer.
    static let wholeJob = "crossTenantMigrationJob.whole"
    static let newJob = "crossTenantMigrationJob.create"
    static let jobUpdate = "crossTenantMigrationJob.update"
    static let jobs = "crossTenantMigrationJob.collection"
    static let task = "microsoft.graph.crossTenantMigrationTask"
    static let tasks = "crossTenantMigrationTask.collection"
    static let serviceStatus = "microsoft.graph.crossTenantMigrationServiceStatusDetails"
    static let exchangeSettings = "microsoft.graph.exchangeOnlineCrossTenantMigrationSettings"
    static let cancelResponse = "microsoft.graph.crossTenantMigrationCancelResponse"
    static let root = "microsoft.graph.migrationsRoot"

    static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    static let components: JSONValue = members([
        job: entity(JobMember.self) { $0.schema }.adding(["users": list(reference(task))], to: "properties"),
        wholeJob: ["allOf": [reference(job)], "required": .strings(JobMember.ofEntity.map(\.rawValue))],
        newJob: newJobSchema,
        jobUpdate: closed(["completeAfterDateTime": instant], required: ["completeAfterDateTime"]),
        jobs: collection(of: job),
        task: entity(TaskMember.self) { $0.schema },
        tasks: collection(of: task),
        serviceStatus: serviceStatusSchema,
        exchangeSettings: closed(
            ["sourceEndpoint": text, "targetDeliveryDomain": text], required: []),
        cancelResponse: closed(
            ["id": guid, "displayName": text, "status": text, "message": text], required: ["status", "message"]),
        root: entity(RootMember.self) { _ in text },
    ]).adding(ferry)

    /// An object whose names are not literals.
    private static func members(_ pairs: KeyValuePairs<String, JSONValue>) -> JSONValue {
        .object(pairs.map { JSONMember(name: $0.key, value: $0.value) })
    }

    // MARK: parts

    static let text: JSONValue = ["type": "string"]
    static let guid: JSONValue = ["type": "string", "format": "uuid"]
    static let instant: JSONValue = ["type": "string", "format": "date-time"]

    static func list(_ element: JSONValue) -> JSONValue { ["type": "array", "items": element] }

    /// An enum of the contract. Members that come later may not break a client, so its last one stands for them.
    static func enumeration(_ names: [String]) -> JSONValue {
        ["type": "string", "enum": .strings(names + [WireText.unknownFutureValue])]
    }

    /// An object without members that are not named; control information (`@odata.…`, `#action`) may be anywhere.
    static func closed(_ properties: JSONValue, required: [String]) -> JSONValue {
        let object: JSONValue = [
            "type": "object", "properties": properties, "patternProperties": ["[@#]": [:]],
            "additionalProperties": false,
        ]
        return required.isEmpty ? object : object.adding(["required": .strings(required)])
    }

    /// An entity as a read answers it: `$select` can leave out everything but the id.
    private static func entity<Member: WireMember>(
        _ members: Member.Type, _ schema: (Member) -> JSONValue
    ) -> JSONValue {
        closed(
            .object(Member.ofEntity.map { JSONMember(name: $0.rawValue, value: schema($0)) }), required: ["id"])
    }

    private static func collection(of name: String) -> JSONValue {
        closed(["value": list(reference(name))], required: ["value"])
            .adding([
                "@odata.context": text, "@odata.count": ["type": "integer", "minimum": 0],
                "@odata.nextLink": ["type": "string", "format": "uri"],
            ], to: "properties")
    }

    // MARK: bodies

    /// What an action may be sent.
    static let emptyBody = closed([:], required: [])

    /// The members that a client chooses. Those that the server writes may be sent as null.
    private static let newJobSchema: JSONValue = {
        let nothing: JSONValue = ["type": "null"]
        let chosen: [JSONMember] = [
            JSONMember(
                name: "displayName",
                value: [
                    "type": "string", "minLength": 1, "maxLength": .number(Job.maximumNameLength),
                    "pattern": #"^[^/\u0000-\u001f\u007f]+$"#,
                ]),
            JSONMember(name: "sourceTenantId", value: guid), JSONMember(name: "completeAfterDateTime", value: instant),
            JSONMember(name: "resourceType", value: ["type": "string", "enum": [.string(WireText.users)]]),
            JSONMember(
                name: "resources",
                value: [
                    "type": "array", "items": guid, "minItems": 1, "uniqueItems": true,
                    "maxItems": .number(JobSettings().maximumPeople),
                ]),
            JSONMember(
                name: "workloads",
                value: [
                    "type": ["array", "null"], "items": ["type": "string", "enum": .strings(Workload.wireNames)],
                    "description": "Nothing means all. Meeting needs Exchange and Teams.",
                ]),
            JSONMember(
                name: "exchangeSettings",
                value: [
                    "anyOf": [reference(exchangeSettings), nothing], "description": "Needed when Exchange moves.",
                ]),
        ]
        let written = JobMember.ofEntity.map(\.rawValue).filter { name in !chosen.contains { $0.name == name } }
        let members = chosen + (written + ["users"]).map { JSONMember(name: $0, value: nothing) }
        return closed(
            .object(members),
            required: ["displayName", "sourceTenantId", "completeAfterDateTime", "resourceType", "resources"])
    }()

    private static let serviceStatusSchema: JSONValue = closed(
        [
            "service": ["type": "string", "enum": .strings(Workload.wireNames)],
            "status": enumeration(RunStatus.allCases.map(\.wireName)), "message": text,
            "errors": list(
                closed(
                    [
                        "code": text, "message": text,
                        "innerError": closed(["code": text, "object": text], required: []),
                    ], required: ["code", "message"])),
        ], required: ["service", "status", "message", "errors"])

    /// The error body (reference 7.2) with the code of one status.
    static func error(code: String) -> JSONValue {
        let detail = closed(["code": text, "message": text, "target": text], required: ["code", "message"])
        return closed(
            [
                "error": closed(
                    [
                        "code": ["type": "string", "const": .string(code)], "message": text, "target": text,
                        "details": list(detail),
                        "innerError": closed(
                            ["code": text, "date": text, "request-id": guid, "client-request-id": text],
                            required: ["date", "request-id", "client-request-id"]),
                    ], required: ["code", "message", "innerError"])
            ], required: ["error"])
    }
}

extension JSONValue {
    /// The object with more members in one of its objects.
    fileprivate func adding(_ more: JSONValue, to name: String) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(
            members.map { $0.name == name ? JSONMember(name: name, value: $0.value.adding(more)) : $0 })
    }
}

extension Workload {
    static var wireNames: [String] { allCases.map(\.wireName) }
}

extension WireMember {
    /// Without the parts of complex members, which only `$select` names.
    static var ofEntity: [Self] { allCases.filter { !$0.rawValue.contains("/") } }
}

extension JobMember {
    fileprivate var schema: JSONValue {
        switch self {
        case .id, .sourceTenantId, .targetTenantId: OpenAPISchema.guid
        case .displayName, .createdBy: OpenAPISchema.text
        case .message: ["type": ["string", "null"]]
        case .status: OpenAPISchema.enumeration(JobStatus.allCases.map(\.wireName))
        case .jobType: OpenAPISchema.enumeration(JobType.allCases.map(\.wireName))
        case .completeAfterDateTime, .createdDateTime, .lastUpdatedDateTime: OpenAPISchema.instant
        case .resourceType: ["type": "string", "enum": [.string(WireText.users)]]
        case .resources: OpenAPISchema.list(OpenAPISchema.guid)
        case .workloads: OpenAPISchema.list(["type": "string", "enum": .strings(Workload.wireNames)])
        case .exchangeSettings:
            ["anyOf": [OpenAPISchema.reference(OpenAPISchema.exchangeSettings), ["type": "null"]]]
        case .targetDeliveryDomain, .sourceEndpoint: OpenAPISchema.text
        }
    }
}

extension TaskMember {
    fileprivate var schema: JSONValue {
        switch self {
        case .id: OpenAPISchema.guid
        case .taskType: ["type": "string", "enum": [.string(WireText.users)]]
        case .lastUpdatedDateTime: OpenAPISchema.instant
        case .currentStatus: OpenAPISchema.list(OpenAPISchema.reference(OpenAPISchema.serviceStatus))
        }
    }
}
