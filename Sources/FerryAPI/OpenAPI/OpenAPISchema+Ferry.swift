import FerryCore

/// What `/ferry` answers.
extension OpenAPISchema {
    static let progress = "ferry.progress"
    static let item = "ferry.item"
    static let items = "ferry.items"
    static let report = "ferry.report"
    static let dryRun = "ferry.dryRun"
    static let reversal = "ferry.reversal"
    static let auditRecord = "ferry.auditRecord"
    static let auditPage = "ferry.auditPage"

    static var ferry: [JSONMember] {
        [
            JSONMember(name: progress, value: progressSchema), JSONMember(name: item, value: itemSchema),
            JSONMember(
                name: items,
                value: whole(["value": list(reference(item)), "next": ["type": ["integer", "null"]]])),
            JSONMember(name: report, value: reportSchema),
            JSONMember(name: dryRun, value: dryRunSchema),
            JSONMember(
                name: reversal,
                value: whole([
                    "sourceTenantId": guid, "targetTenantId": guid, "sourceEndpoint": text,
                    "targetDeliveryDomain": text, "workloads": list(workload),
                    "users": list(whole(["user": guid, "resource": guid])), "missing": list(text),
                ])),
            JSONMember(name: auditRecord, value: auditRecordSchema),
            JSONMember(
                name: auditPage,
                value: whole([
                    "tenant": guid, "value": list(reference(auditRecord)), "next": ["type": ["integer", "null"]],
                    "head": [
                        "anyOf": [["type": "null"], whole(["sequence": amount, "digest": digest])]
                    ],
                ])),
        ]
    }

    /// An object that always has every member.
    static func whole(_ properties: JSONValue) -> JSONValue {
        guard case .object(let members) = properties else { return properties }
        return closed(properties, required: members.map(\.name))
    }

    static let amount: JSONValue = ["type": "integer", "minimum": 0]
    private static let unknownAmount: JSONValue = ["type": ["integer", "null"], "minimum": 0]
    private static let rate: JSONValue = ["type": ["number", "null"], "minimum": 0]
    private static let workload: JSONValue = ["type": "string", "enum": .strings(Workload.wireNames)]
    private static let grades: JSONValue = .strings(ConsistencyGrade.allCases.map(\.rawValue))
    private static let jobStatus = reference(Schema.qualified(Schema.Name.jobStatus))
    private static let runStatus = reference(Schema.qualified(Schema.Name.serviceStatus))

    private static let people: JSONValue = [
        "people": amount, "peopleCompleted": amount, "peopleCancelled": amount, "peopleFailed": amount,
        "peopleWaiting": amount,
    ]
    private static let amounts: JSONValue = [
        "items": amount, "bytes": amount, "itemsExpected": unknownAmount, "bytesExpected": unknownAmount,
        "skipped": amount, "failed": amount, "passes": amount, "activeSeconds": rate, "frozenSeconds": rate,
        "itemsPerSecond": rate, "bytesPerSecond": rate,
    ]

    private static let progressSchema: JSONValue = whole([
        "job": whole(
            ([
                "id": guid, "displayName": text, "status": jobStatus, "completeAfterDateTime": instant,
            ] as JSONValue).adding(people)),
        "asOf": instant,
        "estimatedEnd": ["type": ["string", "null"], "format": "date-time"],
        "itemsPerSecond": rate, "bytesPerSecond": rate,
        "workloads": list(
            whole(
                ([
                    "workload": workload,
                    "states": ["type": "object", "propertyNames": runStatus, "additionalProperties": amount],
                    "grades": [
                        "type": "object", "propertyNames": ["type": "string", "enum": grades],
                        "additionalProperties": amount,
                    ],
                ] as JSONValue).adding(amounts))),
    ])

    private static let itemSchema: JSONValue = whole([
        "sequence": amount, "user": guid, "workload": workload, "container": text, "item": text,
        "outcome": ["type": "string", "enum": .strings(ItemOutcome.allCases.map(\.wireName))],
        "code": text, "message": text, "at": instant,
    ])

    private static let digest: JSONValue = ["type": "string", "pattern": "^[0-9a-f]{64}$"]

    private static let auditRecordSchema: JSONValue = whole([
        "sequence": amount, "at": instant, "since": instant, "count": amount, "subject": text, "name": text,
        "application": text, "origin": text, "operation": text, "job": guidOrNull, "person": guidOrNull,
        "detail": text, "status": amount, "code": text, "requestId": guidOrNull, "digest": digest,
    ])
    static let guidOrNull: JSONValue = ["type": ["string", "null"], "format": "uuid"]

    private static let reportSchema: JSONValue = whole(
        ([
            "jobId": guid, "displayName": text, "status": jobStatus, "message": text, "sourceTenantId": guid,
            "targetTenantId": guid, "createdBy": text, "createdDateTime": instant, "lastUpdatedDateTime": instant,
            "completeAfterDateTime": instant, "asOf": instant, "total": whole(amounts),
            "users": list(reportUser), "findings": list(reference(item)), "findingsAreCut": ["type": "boolean"],
        ] as JSONValue).adding(people))

    private static let forecastAmounts: JSONValue = [
        "containers": amount, "items": amount, "bytes": amount, "copiedItems": amount, "copiedBytes": amount,
        "dueItems": amount, "dueBytes": amount, "elsewhereItems": amount, "elsewhereBytes": amount,
        "skippedItems": amount, "skippedBytes": amount,
    ]
    private static let service: JSONValue = ["type": "string", "enum": .strings(ServiceKind.allCases.map(\.rawValue))]
    private static let skip: JSONValue = whole([
        "code": text, "items": amount, "bytes": amount, "meaning": text, "remedy": text,
    ])

    private static let dryRunSchema: JSONValue = whole([
        "jobId": guid, "displayName": text,
        "state": ["type": "string", "enum": .strings(DryRun.State.allCases.map(\.rawValue))],
        "beganDateTime": instant, "endedDateTime": ["type": ["string", "null"], "format": "date-time"],
        "forecasts": amount, "forecastsExpected": unknownAmount, "total": whole(forecastAmounts),
        "estimatedSeconds": rate, "skipped": list(skip), "users": list(dryRunUser),
        "places": list(
            whole([
                "user": guid, "workload": workload, "service": service, "container": text, "item": text,
                "bytes": amount,
                "code": text, "message": text, "remedy": text,
            ])),
        "placesAreCut": ["type": "boolean"],
        "unmappedPeople": list(whole(["address": text, "count": amount])),
        "unmappedPeopleAreCut": ["type": "boolean"],
    ])

    private static let dryRunUser: JSONValue = closed(
        [
            "id": guid, "userPrincipalName": text,
            "workloads": list(
                whole([
                    "workload": workload,
                    "services": list(
                        whole(
                            (["service": service, "roomBytes": unknownAmount] as JSONValue).adding(forecastAmounts))),
                    "grade": ["type": "string", "enum": grades], "estimatedSeconds": rate,
                    "pace": whole(["itemsPerSecond": rate, "bytesPerSecond": rate, "measuredRuns": amount]),
                    "skipped": list(skip), "renamedContainers": amount,
                    "renamings": list(whole(["container": text, "target": text])),
                    "findings": list(whole(["code": text, "message": text, "remedy": text])),
                ])),
        ], required: ["id", "workloads"])

    private static let reportUser: JSONValue = closed(
        [
            "id": guid, "userPrincipalName": text,
            "workloads": list(
                whole(
                    ([
                        "workload": workload, "status": runStatus, "message": text,
                        "grade": ["type": ["string", "null"]], "lost": amount,
                        "waitsForApproval": ["type": "boolean"],
                        "findings": list(whole(["code": text, "message": text])),
                    ] as JSONValue).adding(amounts))),
        ], required: ["id", "workloads"])
}
