import FerryCore

/// The schemas of bodies, JSON Schema 2020-12. Those of the Graph contract are made from `Schema`, the table of its
/// types.
enum OpenAPISchema {
    static let job = Schema.qualified(Schema.Name.job)
    /// A job with every member: what create and the actions answer.
    static let wholeJob = "crossTenantMigrationJob.whole"
    static let newJob = "crossTenantMigrationJob.create"
    static let jobUpdate = "crossTenantMigrationJob.update"
    static let jobs = "crossTenantMigrationJob.collection"
    static let task = Schema.qualified(Schema.Name.task)
    static let tasks = "crossTenantMigrationTask.collection"
    static let cancelResponse = Schema.qualified(Schema.Name.cancelResponse)
    static let root = Schema.qualified(Schema.Name.migrationsRoot)

    static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    static let components: JSONValue = .object(
        Schema.enumerations.map { enumeration in
            JSONMember(
                name: Schema.qualified(enumeration.name),
                value: [
                    "type": "string", "enum": .strings(enumeration.members),
                    "description": .string(enumeration.summary),
                ])
        }
            + Schema.structures.filter { !$0.isAbstract && $0.name != Schema.Name.solutionsRoot }.map { structure in
                JSONMember(name: Schema.qualified(structure.name), value: answered(structure))
            }
            + [
                JSONMember(
                    name: wholeJob,
                    value: [
                        "allOf": [reference(job)],
                        "required": .strings(Schema.properties(of: Schema.job).map(\.name)),
                    ]),
                JSONMember(name: newJob, value: newJobSchema), JSONMember(name: jobUpdate, value: jobUpdateSchema),
                JSONMember(name: jobs, value: collection(of: job)),
                JSONMember(name: tasks, value: collection(of: task)),
            ] + system + ferry + identities)

    // MARK: parts

    static let text: JSONValue = ["type": "string"]
    static let guid: JSONValue = ["type": "string", "format": "uuid"]
    static let instant: JSONValue = ["type": "string", "format": "date-time"]

    static func list(_ element: JSONValue) -> JSONValue { ["type": "array", "items": element] }

    /// An object of an answer, without members that are not named; control information (`@odata.…`, `#action`) may be
    /// anywhere.
    static func closed(_ properties: JSONValue, required: [String]) -> JSONValue {
        closed(properties, required: required, control: "[@#]")
    }

    /// An object of a request: annotations (`@odata.…`) are ignored, wherever they are.
    static func sent(_ properties: JSONValue, required: [String]) -> JSONValue {
        closed(properties, required: required, control: "@")
    }

    private static func closed(_ properties: JSONValue, required: [String], control: String) -> JSONValue {
        let object: JSONValue = [
            "type": "object", "properties": properties,
            "patternProperties": .object([JSONMember(name: control, value: [:])]), "additionalProperties": false,
        ]
        return required.isEmpty ? object : object.adding(["required": .strings(required)])
    }

    private static func collection(of name: String) -> JSONValue {
        closed(
            [
                "@odata.context": text, "@odata.count": ["type": "integer", "minimum": 0],
                "@odata.nextLink": ["type": "string", "format": "uri"], "value": list(reference(name)),
            ], required: ["value"])
    }

    // MARK: types of the contract

    /// Properties whose type is a text and whose values are few all the same, by name.
    private static let values: [String: [String]] = [
        "resourceType": [WireText.users], "taskType": [WireText.users], "workloads": Workload.wireNames,
        "service": Workload.wireNames,
    ]

    /// A property of the contract, in an answer.
    private static func schema(of property: SchemaProperty) -> JSONValue {
        var schema: JSONValue
        switch property.type {
        case .text:
            schema =
                values[property.name].map { ["type": "string", "enum": .strings($0)] }
                ?? ["type": property.isNullable && !property.isCollection ? ["string", "null"] : "string"]
        case .guid: schema = guid
        case .dateTime: schema = instant
        case .enumeration(let name), .complex(let name), .entity(let name):
            schema = reference(Schema.qualified(name))
            if property.isNullable { schema = ["anyOf": [schema, ["type": "null"]]] }
        }
        if property.isCollection { schema = list(schema) }
        return schema.adding(["description": .string(property.summary)])
    }

    private static func answered(_ structure: SchemaStructure) -> JSONValue {
        let properties = Schema.properties(of: structure)
        var members = properties.map { JSONMember(name: $0.name, value: schema(of: $0)) }
        for navigation in structure.navigations where structure.name == Schema.Name.job {
            members.append(
                JSONMember(name: navigation.name, value: list(reference(Schema.qualified(navigation.target)))))
        }
        members += extras[structure.name] ?? []
        // `$select` leaves out all but the key of an entity, and parts of the settings.
        let isWhole = !structure.isEntity && structure.name != Schema.Name.exchangeSettings
        let required = isWhole ? properties.map(\.name) : properties.map(\.name).filter { $0 == "id" }
        return closed(.object(members), required: required)
            .adding(["description": .string(structure.summary)])
    }

    /// What answers carry beyond the contract: Graph's own samples of a cancelled job, and the inner cause of an error.
    private static let extras: [String: [JSONMember]] = [
        Schema.Name.cancelResponse: [
            JSONMember(name: "id", value: guid), JSONMember(name: "displayName", value: text),
        ],
        Schema.Name.error: [
            JSONMember(
                name: "innerError", value: closed(["code": text, "object": text, "remedy": text], required: ["remedy"]))
        ],
    ]

    // MARK: bodies

    /// What an action may be sent.
    static let emptyBody = sent([:], required: [])

    /// The members that a client chooses. Those that the server writes may be sent as null.
    private static let newJobSchema: JSONValue = {
        let properties = Schema.properties(of: Schema.job)
        let members = properties.map { property in
            JSONMember(
                name: property.name,
                value: property.writer == .server ? nothing : requested(property))
        }
        return sent(
            .object(members + Schema.job.navigations.map { JSONMember(name: $0.name, value: nothing) }),
            required: properties.filter(\.isRequired).map(\.name))
    }()

    private static let nothing: JSONValue = ["type": "null"]

    /// A property of a create: its parts may be left out, as far as the workloads do not need them.
    private static func requested(_ property: SchemaProperty) -> JSONValue {
        guard case .complex(let name) = property.type, let type = Schema.structure(name) else {
            return schema(of: property).adding(narrowings[property.name] ?? [:])
        }
        let parts = type.properties.map { part in
            JSONMember(name: part.name, value: ["type": ["string", "null"], "description": .string(part.summary)])
        }
        return ["anyOf": [sent(.object(parts), required: []), nothing], "description": .string(property.summary)]
    }

    /// What a create asks of values beyond their type, as far as JSON Schema can say it.
    private static let narrowings: [String: JSONValue] = [
        "displayName": [
            "minLength": 1, "maxLength": .number(Job.maximumNameLength), "pattern": #"^[^/\u0000-\u001f\u007f]+$"#,
        ],
        "resources": ["minItems": 1, "uniqueItems": true, "maxItems": .number(JobSettings().maximumPeople)],
    ]

    private static let jobUpdateSchema: JSONValue = {
        let properties = Schema.job.properties.filter { $0.writer == .createAndUpdate }
        return sent(
            .object(properties.map { JSONMember(name: $0.name, value: schema(of: $0)) }),
            required: properties.map(\.name))
    }()

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

extension Workload {
    static var wireNames: [String] { allCases.map(\.wireName) }
}
