import FerryCore

/// A parameter of an operation, as a Parameter Object of OpenAPI 3.1.
struct OpenAPIParameter {
    var object: JSONValue

    private init(_ object: JSONValue) { self.object = object }

    private static func query(_ name: String, _ text: String, _ schema: JSONValue) -> OpenAPIParameter {
        OpenAPIParameter(["name": .string(name), "in": "query", "description": .string(text), "schema": schema])
    }

    private static func option(
        _ option: QueryOptions.Option, _ text: String, _ schema: JSONValue
    ) -> OpenAPIParameter {
        query("$\(option)", text, schema)
    }

    private static func path(_ placeholder: String, _ text: String, _ schema: JSONValue) -> OpenAPIParameter {
        OpenAPIParameter([
            "name": .string(String(placeholder.dropFirst().dropLast())), "in": "path", "required": true,
            "description": .string(text), "schema": schema,
        ])
    }

    private static func header(_ name: String, _ text: String) -> OpenAPIParameter {
        OpenAPIParameter([
            "name": .string(name), "in": "header", "description": .string(text), "schema": ["type": "string"],
        ])
    }

    // MARK: keys

    /// The parameters for the placeholders of a path template.
    static func keys(in template: String) -> [OpenAPIParameter] {
        var found: [OpenAPIParameter] = []
        if template.contains(Resource.Placeholder.job) { found.append(job) }
        if template.contains(Resource.Placeholder.displayName) { found.append(displayName) }
        if template.contains(Resource.Placeholder.task) { found.append(task) }
        if template.contains(Resource.Placeholder.person) { found.append(person) }
        return found
    }

    // A slash would end the segment, and `$` begins the names of OData's own resources.
    private static let job = path(
        Resource.Placeholder.job, "The job's id, or its display name.",
        ["type": "string", "pattern": "^[^$/][^/]*$", "maxLength": .number(Job.maximumNameLength)])
    private static let displayName = path(
        Resource.Placeholder.displayName, "The job's display name; a quote in it may be doubled.",
        ["type": "string", "pattern": "^[^/]+$", "maxLength": .number(Job.maximumNameLength)])
    private static let task = path(
        Resource.Placeholder.task, "Object id of the target user.", ["type": "string", "format": "uuid"])

    private static let person = path(
        Resource.Placeholder.person, "Id, sign-in name or address of the source user.",
        ["type": "string", "pattern": "^[^/]+$"])

    // MARK: OData

    static func select<Member: WireMember>(_ member: Member.Type) -> OpenAPIParameter {
        OpenAPIParameter([
            "name": .string("$\(QueryOptions.Option.select)"), "in": "query",
            "description": "Properties to answer with; id always comes.",
            "style": "form", "explode": false,
            "schema": [
                "type": "array", "minItems": 1,
                "items": ["type": "string", "enum": .strings(Member.allCases.map(\.rawValue) + ["*"])],
            ],
        ])
    }

    /// `users`, with `$select` and `$top` in parentheses where not everything is wanted.
    static let expand: OpenAPIParameter = {
        let names = TaskMember.allCases.map(\.rawValue).joined(separator: "|")
        return option(
            .expand, "users, or users($select=…;$top=…).",
            [
                "type": "string",
                "pattern": .string(
                    #"^users(\(\$select=(\#(names))(,(\#(names)))*(;\$top=[0-9]{1,3})?\))?$"#),
            ])
    }()

    static let filter = option(
        .filter, "A condition in OData's words, such as status eq 'completed'.", ["type": "string", "minLength": 1])
    static let search = option(
        .search, "A text in double quotes that names contain.", ["type": "string", "pattern": #"^"[^"\\]+"$"#])
    static let format = option(
        .format, "The only form there is.", ["type": "string", "enum": ["json", "application/json"]])

    /// What lists have besides `$select`.
    static func list<Member: WireMember>(of member: Member.Type) -> [OpenAPIParameter] {
        let text = "Properties to order by, each with asc or desc."
        return [
            filter, option(.orderby, text, ["type": "string", "minLength": 1]), search,
            option(
                .top, "Size of a page. A nextLink still follows; more than \(APILimits.maximumPageSize) is cut.",
                ["type": "integer", "minimum": 0]),
            option(.skip, "Elements to leave out at the beginning.", ["type": "integer", "minimum": 0]),
            option(.count, "Whether the first page has the total as @odata.count.", ["type": "boolean"]),
            option(.skiptoken, "Made by the server; a part of @odata.nextLink.", ["type": "string"]),
            header("Prefer", "odata.maxpagesize=N bounds the page (RFC 7240)."),
        ]
    }

    static let prefer = header("Prefer", "return=representation asks for the job (RFC 7240).")
    static let clientRequestID = header(
        "client-request-id", "Comes back in the answer. A creation that is sent again with it is known again.")

    // MARK: ours

    static let after = query(
        "after", "Sequence number of the last item that is known.",
        ["type": "integer", "minimum": 0, "maximum": .number(.max)])
    static let limit = query(
        "limit", "Size of a page; more than the largest is cut.",
        ["type": "integer", "minimum": 1, "maximum": .number(.max)])
    static let auditFrom = query(
        "from", "Records of this instant or later.", ["type": "string", "format": "date-time"])
    static let auditTo = query("to", "Records before this instant.", ["type": "string", "format": "date-time"])
    static let auditJob = query("job", "Records about the job with this id.", ["type": "string", "format": "uuid"])
    static let mapSource = query(
        "source", "Id of the source tenant; needed where several are trusted.", ["type": "string", "format": "uuid"])
    static let mapState = query(
        "state", "Entries in this state.", ["type": "string", "enum": .strings(MapState.allCases.map(\.rawValue))])
    static let afterPerson = query(
        "after", "Id of the last source user that is known.", ["type": "string", "format": "uuid"])
    static let reportFormat = query(
        "format", "The form of the report.",
        ["type": "string", "enum": .strings(JobReport.Format.allCases.map(\.rawValue))])
    static let reportFindings = query(
        "findings", "Whether to list what happened to single items.", ["type": "boolean"])
}
