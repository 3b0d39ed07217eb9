import FerryCore

/// What `/ferry/identity-map` takes and answers.
extension OpenAPISchema {
    static let mapEntry = "ferry.mapEntry"
    static let mapEntryWithHistory = "ferry.mapEntry.whole"
    static let mapPage = "ferry.mapPage"
    static let mapOutcome = "ferry.mapOutcome"
    static let mapImport = "ferry.mapImport"
    static let mapMatch = "ferry.mapMatch"
    static let mapCompletion = "ferry.mapCompletion"
    static let mapAssignment = "ferry.mapAssignment"

    static var identities: [JSONMember] {
        [
            JSONMember(name: mapEntry, value: whole(entry)),
            JSONMember(name: mapEntryWithHistory, value: whole(entry.adding(["history": list(whole(former))]))),
            JSONMember(
                name: mapPage,
                value: whole([
                    "sourceTenantId": guid, "targetTenantId": guid,
                    "counts": whole(.object(MapState.allCases.map { JSONMember(name: $0.rawValue, value: amount) })),
                    "value": list(reference(mapEntry)), "next": guidOrNull,
                ])),
            JSONMember(
                name: mapOutcome,
                value: whole([
                    "changed": amount, "unchanged": amount,
                    "remarks": list(whole((["person": guidOrNull, "name": text] as JSONValue).adding(finding))),
                    "next": guidOrNull,
                ])),
            JSONMember(
                name: mapImport,
                value: sent(
                    [
                        "entries": [
                            "type": "array",
                            "items": sent(["source": text, "target": textOrNull], required: ["source"]),
                        ],
                        "overwrite": flag,
                    ], required: ["entries"])),
            JSONMember(name: mapMatch, value: sent(["people": list(text), "overwrite": flag], required: [])),
            JSONMember(
                name: mapCompletion,
                value: sent(
                    [
                        "people": list(text), "overwrite": flag, "after": guidOrNull,
                        "limit": ["type": "integer", "minimum": 1],
                    ],
                    required: [])),
            JSONMember(
                name: mapAssignment, value: sent(["target": textOrNull, "overwrite": flag], required: ["target"])),
        ]
    }

    private static let flag: JSONValue = ["type": "boolean"]
    private static let textOrNull: JSONValue = ["type": ["string", "null"]]
    private static let instantOrNull: JSONValue = ["type": ["string", "null"], "format": "date-time"]
    private static let state: JSONValue = ["type": "string", "enum": .strings(MapState.allCases.map(\.rawValue))]
    private static let origin: JSONValue = ["type": "string", "enum": .strings(MapOrigin.allCases.map(\.rawValue))]
    private static let finding: JSONValue = [
        "code": text, "message": text, "reason": textOrNull, "object": textOrNull,
    ]
    private static let entry: JSONValue = [
        "source": guid, "sourceName": textOrNull, "target": guidOrNull, "targetName": textOrNull, "state": state,
        "origin": origin, "changed": instantOrNull, "author": text, "mailbox": textOrNull,
        "findings": list(whole(finding)),
    ]
    private static let former: JSONValue = [
        "target": guidOrNull, "targetName": textOrNull, "state": state, "origin": origin, "changed": instantOrNull,
        "author": text, "until": instant,
    ]
}
