import FerryAPI
import FerryCore
import Testing

/// Values of the reference's examples (section 4).
enum Examples {
    static let jobID = id(JobID.self, "30000000-cccc-4000-8000-000000000001")
    static let source = id(TenantID.self, "10000000-aaaa-4000-8000-000000000001")
    static let target = id(TenantID.self, "10000000-aaaa-4000-8000-000000000002")
    static let ada = id(PersonID.self, "20000000-bbbb-4000-8000-00000000000a")
    static let ben = id(PersonID.self, "20000000-bbbb-4000-8000-00000000000b")
    static let requestID = GUID(high: 0x4000_0000_0000_0000, low: 1)

    static func id<ID: GUIDIdentifier>(_ type: ID.Type, _ text: String) -> ID {
        guard let id = ID(text) else { preconditionFailure("'\(text)' is not a GUID.") }
        return id
    }

    static func instant(_ text: String) -> Instant {
        guard let instant = WireDate.parse(text) else { preconditionFailure("'\(text)' is not a date.") }
        return instant
    }

    static let job = Job(
        id: jobID, targetTenant: target, sourceTenant: source, displayName: "wave-1",
        exchangeSettings: ExchangeSettings(sourceEndpoint: "from-north", targetDeliveryDomain: "south.example"),
        workloads: [.mailbox, .files, .chats, .meetings], people: [ada, ben], createdBy: "mover@south.example",
        created: instant("2031-02-10T08:15:30.123456Z"), updated: instant("2031-03-01T07:41:09Z"),
        completeAfter: instant("2031-03-01T06:00:00Z"), status: .completed, type: .migrate,
        message: "The batch and every user in it were migrated without failures.", validated: nil, attempt: 1,
        isValidationOnly: false, version: 3)

    static let task = UserTask(
        job: jobID, person: ada, ordinal: 0, updated: instant("2031-02-10T08:20:02Z"),
        runs: Workload.allCases.map { workload in
            WorkloadRun(
                id: RunID(job: jobID, person: ada, workload: workload),
                status: workload == .mailbox ? .invalid : .valid, message: "",
                findings: workload == .mailbox
                    ? [Finding(code: .moveFailed, message: "No usable migration endpoint named from-north.")] : [],
                progress: RunProgress())
        })

    static let beta = Representation(links: Links(base: "https://move.example", version: .beta))
    static let v1 = Representation(links: Links(base: "https://move.example", version: .v1))

    static func options(_ query: String) throws(Failure) -> QueryOptions {
        try QueryOptions(query, allowing: Set(QueryOptions.Option.allCases))
    }

    static func jobs(_ query: String, preferring: [String] = []) throws(Failure) -> JobListOptions {
        try JobListOptions(try options(query), in: target, version: .v1, preferences: Preferences(preferring))
    }
}

/// JSON text without the blanks between its tokens, for goldens that people can read.
func compact(_ text: String) -> String {
    var result = ""
    var isInside = false
    var isEscaped = false
    for character in text {
        if isInside {
            result.append(character)
            if isEscaped {
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isInside = false
            }
        } else if !character.isWhitespace {
            result.append(character)
            isInside = character == "\""
        }
    }
    return result
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// The status and code that a call fails with; `nil` when it does not fail.
func failure(_ body: () throws(Failure) -> Void) -> Failure? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
