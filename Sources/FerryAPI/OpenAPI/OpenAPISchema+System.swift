/// What OData answers about itself: batches and the service document.
extension OpenAPISchema {
    static let batch = "batch.request"
    static let batchResponse = "batch.response"
    static let serviceDocument = "serviceDocument"

    static var system: [JSONMember] {
        [
            JSONMember(name: batch, value: batchSchema), JSONMember(name: batchResponse, value: batchResponseSchema),
            JSONMember(name: serviceDocument, value: serviceDocumentSchema),
        ]
    }

    private static let name: JSONValue = ["type": "string", "minLength": 1]
    private static let names: JSONValue = ["type": ["array", "null"], "items": text]

    /// Members that are not named are ignored. `body` is an object, or base64url where the Content-Type is not JSON.
    private static let batchSchema: JSONValue = [
        "type": "object", "required": ["requests"],
        "properties": [
            "requests": [
                "type": "array", "maxItems": .number(APILimits.batchSteps),
                "items": [
                    "type": "object", "required": ["id", "method", "url"],
                    "properties": [
                        "id": name.adding(["description": "Unique in the batch, without regard to case."]),
                        "method": name,
                        "url": name.adding(["description": "Relative to the version, or absolute on this server."]),
                        "headers": ["type": ["object", "null"], "additionalProperties": text], "body": [:],
                        "dependsOn": names, "depends_on": names,
                    ],
                ],
            ]
        ],
    ]

    private static let batchResponseSchema = closed(
        [
            "responses": list(
                closed(
                    [
                        "id": name, "status": ["type": "integer", "minimum": 100, "maximum": 599],
                        "headers": ["type": "object", "additionalProperties": text], "body": [:],
                    ], required: ["id", "status", "headers"]))
        ], required: ["responses"])

    private static let serviceDocumentSchema = closed(
        [
            "@odata.context": text,
            "value": list(closed(["name": name, "kind": text, "url": text], required: ["name", "kind", "url"])),
        ], required: ["value"])
}
