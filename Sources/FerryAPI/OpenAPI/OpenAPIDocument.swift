import FerryCore

/// The description of the whole API, OpenAPI 3.1, for `GET /openapi.json`. Made from the tables that route and encode:
/// paths are `Resource.templates`, methods are `Resource.operations`, error codes are `Failure.answer`.
package enum OpenAPIDocument {
    package static let contentType = "application/json"

    /// UTF-8, made once.
    package static let bytes: [UInt8] = document.bytes

    private static let document: JSONValue = [
        "openapi": "3.1.0",
        "info": [
            "title": "Ferry",
            "description": .string(
                """
                Cross-tenant migration as Microsoft Graph has it, and what Ferry adds under /ferry. Paths of Graph \
                compare without case, keys may also stand in parentheses and quotes, actions may also be named with \
                their namespace (microsoft.graph.validate), and query options without the dollar sign.
                """),
            "version": "1",
            "license": ["name": "Apache 2.0", "identifier": "Apache-2.0"],
        ],
        "servers": [["url": "/"]],
        "security": [["bearer": []]],
        "tags": .array(tags.map { ["name": .string($0.name), "description": .string($0.text)] }),
        "paths": .object(publicPaths + versionedPaths + ferryPaths),
        "components": [
            "securitySchemes": [
                "bearer": [
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A token of the tenant that people move to.",
                ]
            ],
            "headers": headers,
            "responses": .object(
                failures.map { JSONMember(name: responseName($0.answer.status), value: response($0.answer, $0.text)) }),
            "schemas": OpenAPISchema.components,
        ],
    ]

    // MARK: paths

    private static let ferryTag = "ferry"
    private static let publicTag = "service"
    private static let tags = [
        (APIVersion.beta.rawValue, "Microsoft Graph, beta."), (APIVersion.v1.rawValue, "Microsoft Graph, version 1.0."),
        (ferryTag, "What Graph has no place for."), (publicTag, "About the server; no token needed."),
    ].map { (name: $0.0, text: $0.1) }

    private static var versionedPaths: [JSONMember] {
        APIVersion.allCases.flatMap { version in
            paths(Resource.templates.filter(\.isGraph), prefix: "/\(version.rawValue)", tag: version.rawValue)
        }
    }

    private static var ferryPaths: [JSONMember] {
        paths(Resource.templates.filter { !$0.isGraph }, prefix: "/ferry", tag: ferryTag)
    }

    private static func paths(_ resources: [Resource], prefix: String, tag: String) -> [JSONMember] {
        resources.map { resource in
            let template = resource.template
            var item: [JSONMember] = []
            let keys = OpenAPIParameter.keys(in: template)
            if !keys.isEmpty { item.append(JSONMember(name: "parameters", value: .array(keys.map(\.object)))) }
            let isByName = template.contains(Resource.Placeholder.displayName)
            for (method, operation) in resource.described {
                item.append(
                    JSONMember(
                        name: method.rawValue.lowercased(),
                        value: describe(
                            operation, id: "\(tag).\(operation.name)\(isByName ? ".byDisplayName" : "")", tag: tag)
                    ))
            }
            return JSONMember(name: prefix + template, value: .object(item))
        }
    }

    private static func describe(_ operation: Operation, id: String, tag: String) -> JSONValue {
        let description = OperationDescription(operation.kind)
        var object: JSONValue = [
            "operationId": .string(id), "tags": [.string(tag)], "summary": .string(description.summary),
        ]
        if operation.access == .anonymous { object = object.adding(["security": []]) }
        if !description.parameters.isEmpty {
            object = object.adding(["parameters": .array(description.parameters.map(\.object))])
        }
        if let body = description.body {
            object = object.adding([
                "requestBody": [
                    "required": .bool(body.isRequired), "content": ["application/json": ["schema": body.schema]],
                ]
            ])
        }
        let statuses = (description.failures + OperationDescription.everywhere(operation.access)).sorted()
        let responses =
            description.answers.map { JSONMember(name: "\($0.status)", value: success($0)) }
            + statuses.map { status in
                JSONMember(
                    name: "\(status)", value: ["$ref": .string("#/components/responses/\(responseName(status))")])
            }
        return object.adding(["responses": .object(responses)])
    }

    private static func success(_ answer: OperationDescription.Success) -> JSONValue {
        var headers = commonHeaders
        if answer.hasLocation { headers = headers.adding(["Location": headerReference("Location")]) }
        let object: JSONValue = ["description": .string(answer.text), "headers": headers]
        guard !answer.content.isEmpty else { return object }
        return object.adding([
            "content": .object(answer.content.map { JSONMember(name: $0.type, value: ["schema": $0.schema]) })
        ])
    }

    // MARK: without a token

    private static var publicPaths: [JSONMember] {
        PublicResource.allCases.map { resource in
            JSONMember(
                name: "/\(resource.rawValue)",
                value: [
                    "get": [
                        "operationId": .string(resource.rawValue.split(separator: ".").joined(separator: "-")),
                        "tags": [.string(publicTag)], "security": [], "summary": .string(resource.summary),
                        "responses": resource.responses,
                    ]
                ])
        }
    }

    // MARK: failures

    /// One of each status, from the table that answers: the code is that of the table.
    private static let failures: [(answer: ErrorAnswer, text: String)] = [
        (.badRequest("", target: nil), "Path, query or body cannot be understood."),
        (.unauthenticated(.missing), "No token, or one that proves nothing."),
        (.forbidden, "The token gives no right to this."),
        (.notFound(""), "No such thing in the caller's tenant."),
        (.notAcceptable, "The client accepts nothing that can be sent."),
        (.tooSlow, "The request took too long to arrive."),
        (.refused(.conflict(.invalidJobStatus, message: "")), "The job's state does not allow it."),
        (.bodyTooLarge(limit: 0), "The body is too large."),
        (.unsupportedMediaType, "The body is not JSON in UTF-8."),
        (.refused(.invalid([])), "Values of the body that cannot be; details names all of them."),
        (.throttled(retryAfterSeconds: 0), "Too many requests. Wait as long as Retry-After says."),
        (.fault, "A bug, or a damaged store."),
        (.unavailable(""), "The server cannot work right now. Try again after Retry-After."),
    ].map { (failure: Failure, text: String) in (failure.answer, text) }

    private static func responseName(_ status: Int) -> String { "error\(status)" }

    private static func response(_ answer: ErrorAnswer, _ text: String) -> JSONValue {
        var headers = commonHeaders
        if answer.retryAfterSeconds != nil {
            headers = headers.adding(["Retry-After": headerReference("Retry-After")])
        }
        if answer.status == 401 {
            headers = headers.adding(["WWW-Authenticate": headerReference("WWW-Authenticate")])
        }
        return [
            "description": .string(text), "headers": headers,
            "content": ["application/json": ["schema": OpenAPISchema.error(code: answer.code)]],
        ]
    }

    // MARK: headers

    private static func headerReference(_ name: String) -> JSONValue {
        ["$ref": .string("#/components/headers/\(name)")]
    }

    private static let commonHeaders: JSONValue = [
        "request-id": headerReference("request-id"), "client-request-id": headerReference("client-request-id"),
    ]

    private static let headers: JSONValue = [
        "request-id": header("Names the request in the log.", ["type": "string", "format": "uuid"]),
        "client-request-id": header("The client's own id, or request-id.", ["type": "string"]),
        "Location": header("Where the new job is.", ["type": "string", "format": "uri"]),
        "Retry-After": header("Seconds to wait.", ["type": "integer", "minimum": 0]),
        "WWW-Authenticate": header("How to authenticate (RFC 6750).", ["type": "string"]),
    ]

    private static func header(_ text: String, _ schema: JSONValue) -> JSONValue {
        ["description": .string(text), "required": true, "schema": schema]
    }
}

extension PublicResource {
    fileprivate var summary: String {
        switch self {
        case .health: "Whether the process answers."
        case .readiness: "Whether it can work."
        case .openAPI: "This description."
        }
    }

    fileprivate var responses: JSONValue {
        let text: JSONValue = ["text/plain": ["schema": ["type": "string"]]]
        switch self {
        case .health: return ["200": ["description": "It does.", "content": text]]
        case .readiness:
            return [
                "200": ["description": "It can.", "content": text],
                "503": ["description": "It cannot; one problem a line.", "content": text],
            ]
        case .openAPI:
            return [
                "200": ["description": "OpenAPI 3.1.", "content": ["application/json": ["schema": ["type": "object"]]]]
            ]
        }
    }
}
