import FerryCore

/// What the OpenAPI description says of an operation besides its path. The switch is exhaustive, so an operation that is
/// added to the routes cannot be forgotten here.
struct OperationDescription {
    /// A sentence.
    var summary: String
    var parameters: [OpenAPIParameter] = []
    /// The request body; `nil` when there is none.
    var body: RequestBody?
    /// Answers that are no errors, by status.
    var answers: [Success]
    /// Statuses with the error body that only some operations have; those of `everywhere` come on top.
    var failures: [Int] = []

    /// What any request can be answered, by what it needs.
    static func everywhere(_ access: Operation.Access) -> [Int] {
        switch access {
        case .anonymous: [400, 429, 500, 503]
        case .authenticated: [400, 401, 429, 500, 503]
        case .read, .write: [400, 401, 403, 429, 500, 503]
        }
    }

    /// On top, when JSON of the Graph contract is answered.
    private static let negotiated = [406]
    /// On top, when the body is read.
    private static let withBody = [408, 413]

    struct RequestBody {
        var schema: JSONValue
        var isRequired: Bool
    }

    struct Success {
        var status: Int
        var text: String
        /// Media type and schema, one for each form; none for an answer without a body.
        var content: [(type: String, schema: JSONValue)] = []
        /// `Location` is there too.
        var hasLocation = false
    }

    init(
        _ summary: String, parameters: [OpenAPIParameter] = [], body: RequestBody? = nil, answers: [Success],
        failures: [Int] = []
    ) {
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.answers = answers
        self.failures = failures
    }

    /// An action: no body or an empty object, refused in states that do not allow it.
    private init(action summary: String, answer: Success) {
        self.init(
            summary, parameters: [.format, .clientRequestID],
            body: RequestBody(schema: OpenAPISchema.emptyBody, isRequired: false), answers: [answer],
            failures: Self.negotiated + Self.withBody + [404, 409, 415])
    }

    /// An action of our own: answers with the progress.
    private init(approval summary: String) {
        self.init(
            summary, body: RequestBody(schema: OpenAPISchema.emptyBody, isRequired: false),
            answers: [.json(200, "Approved; progress as of now.", OpenAPISchema.progress)],
            failures: Self.withBody + [404, 409, 415])
    }

    /// A change of the identity map.
    private init(map summary: String, _ body: String, failures: [Int] = []) {
        self.init(
            summary, parameters: [.mapSource],
            body: RequestBody(schema: OpenAPISchema.reference(body), isRequired: true),
            answers: [.json(200, "What came of it.", OpenAPISchema.mapOutcome)],
            failures: Self.withBody + [415, 422] + failures)
    }

    /// A read that answers JSON.
    private init(
        read summary: String, _ parameters: [OpenAPIParameter], _ schema: String, failures: [Int] = []
    ) {
        self.init(
            summary, parameters: parameters + [.format], answers: [.json(200, "What was asked for.", schema)],
            failures: Self.negotiated + failures)
    }

    init(_ kind: Operation.Kind) {
        switch kind {
        case .listJobs:
            self.init(
                read: "List the jobs of the caller's tenant, newest first.",
                [.select(JobMember.self), .expand] + OpenAPIParameter.list(of: JobMember.self), OpenAPISchema.jobs)
        case .createJob:
            self.init(
                "Define a job. Nothing starts before validate and migrate.", parameters: [.format, .clientRequestID],
                body: RequestBody(schema: OpenAPISchema.reference(OpenAPISchema.newJob), isRequired: true),
                answers: [.created], failures: Self.negotiated + Self.withBody + [415, 422])
        case .job:
            self.init(
                read: "Read a job.", [.select(JobMember.self), .expand], OpenAPISchema.job, failures: [404])
        case .updateJob:
            self.init(
                "Change the earliest moment of the cutover; one in the past means now.",
                parameters: [.format, .prefer, .clientRequestID],
                body: RequestBody(schema: OpenAPISchema.reference(OpenAPISchema.jobUpdate), isRequired: true),
                answers: [
                    .json(200, "The changed job, with Prefer: return=representation.", OpenAPISchema.wholeJob),
                    Success(status: 204, text: "Changed."),
                ], failures: Self.negotiated + Self.withBody + [404, 409, 415, 422])
        case .deleteJob:
            self.init(
                "Delete a job that has come to its end.", parameters: [.clientRequestID],
                answers: [Success(status: 202, text: "Accepted; the job's data goes later.")],
                failures: Self.withBody + [404, 409])
        case .validateJob:
            self.init(
                action: "Check everybody in the job; the result shows in its status.",
                answer: .json(200, "The job, validation submitted.", OpenAPISchema.wholeJob))
        case .migrateJob:
            self.init(
                action: "Move everybody in the job; after a failure, those who are left.",
                answer: .json(200, "The job, migration submitted.", OpenAPISchema.wholeJob))
        case .cancelJob:
            self.init(
                action: "Cancel a job before its date.",
                answer: .json(202, "Accepted.", OpenAPISchema.cancelResponse))
        case .cancelUser:
            self.init(
                action: "Take one user out of a job.",
                answer: .json(202, "Accepted.", OpenAPISchema.cancelResponse))
        case .listUsers:
            self.init(
                read: "List the users of a job, in the order of its resources.",
                [.select(TaskMember.self)] + OpenAPIParameter.list(of: TaskMember.self), OpenAPISchema.tasks,
                failures: [404])
        case .user:
            self.init(read: "Read a user of a job.", [.select(TaskMember.self)], OpenAPISchema.task, failures: [404])
        case .countJobs:
            self.init(
                "Count the jobs of the caller's tenant.", parameters: [.filter, .search, .format],
                answers: [.count], failures: Self.negotiated)
        case .countUsers:
            self.init(
                "Count the users of a job.", parameters: [.filter, .search, .format], answers: [.count],
                failures: Self.negotiated + [404])
        case .validateCollection:
            self.init(
                "The older validation: defines a job that only validates, and validates it.",
                parameters: [.format, .clientRequestID],
                body: RequestBody(schema: OpenAPISchema.reference(OpenAPISchema.newJob), isRequired: true),
                answers: [.created], failures: Self.negotiated + Self.withBody + [415, 422])
        case .migrationsRoot:
            self.init(read: "Read the root of migrations.", [.select(RootMember.self)], OpenAPISchema.root)
        case .batch:
            self.init(
                "Several requests in one, in any order but for dependsOn.", parameters: [.format],
                body: RequestBody(schema: OpenAPISchema.reference(OpenAPISchema.batch), isRequired: true),
                answers: [.json(200, "What each of them was answered.", OpenAPISchema.batchResponse)],
                failures: Self.negotiated + Self.withBody + [415])
        case .metadata:
            self.init(
                "The types of the API.",
                answers: [
                    Success(
                        status: 200, text: "CSDL XML (OData CSDL XML 4.01).",
                        content: [(CSDL.contentType, OpenAPISchema.text)])
                ], failures: Self.negotiated)
        case .serviceDocument:
            self.init(read: "What is at the root.", [], OpenAPISchema.serviceDocument)
        case .approveJob:
            self.init(approval: "Agree to what everybody who waits for that would leave at the source.")
        case .approveUser:
            self.init(approval: "Agree to what one user would leave at the source.")
        case .progress:
            self.init(
                "How far a job is: amounts, rates and an estimate of the end.",
                answers: [.json(200, "Progress as of now.", OpenAPISchema.progress)], failures: [404])
        case .items:
            self.init(
                "Items of which something is to be told, in the order in which it happened.",
                parameters: [.after, .limit],
                answers: [.json(200, "A page of items.", OpenAPISchema.items)], failures: [404])
        case .report:
            self.init(
                "Everything about a job.", parameters: [.reportFormat, .reportFindings],
                answers: [.document(OpenAPISchema.report)],
                failures: [404])
        case .dryRun:
            self.init(
                "What the last dry run saw: amounts, what would be skipped and why, who is not mapped, how long a copy takes.",
                parameters: [.reportFormat], answers: [.document(OpenAPISchema.dryRun)], failures: [404])
        case .startDryRun:
            self.init(
                "Look at all data of the job and move nothing; joins a dry run that runs.",
                body: RequestBody(schema: OpenAPISchema.emptyBody, isRequired: false),
                answers: [.json(202, "Accepted; what is known so far.", OpenAPISchema.dryRun)],
                failures: Self.withBody + [404, 409, 415])
        case .stopDryRun:
            self.init(
                "End a dry run that runs.", answers: [Success(status: 202, text: "Accepted; what was seen stays.")],
                failures: Self.withBody + [404, 409])
        case .manifest:
            self.init(
                "The signed manifest of a finished job: what both sides had, item by item.",
                answers: [
                    Success(
                        status: 200, text: "A line of JSON per item; the format is described in docs/manifest.md.",
                        content: [("application/jsonl", OpenAPISchema.text)])
                ], failures: [404])
        case .reversal:
            self.init(
                "The job that would bring those back who have moved, and what is missing for it. Nothing is created.",
                answers: [.json(200, "What to create in the tenant that they left.", OpenAPISchema.reversal)],
                failures: [404])
        case .manifestKey:
            self.init(
                "The public key that manifests are checked with.",
                answers: [
                    Success(
                        status: 200, text: "An Ed25519 key in PEM form (RFC 7468, RFC 8410).",
                        content: [("application/x-pem-file", OpenAPISchema.text)])
                ], failures: [404])
        case .audit:
            self.init(
                "Who did what in the caller's tenant, when, from where, with which result; oldest first.",
                parameters: [.auditFrom, .auditTo, .auditJob, .after, .limit],
                answers: [.json(200, "A page of records.", OpenAPISchema.auditPage)])
        case .listIdentities:
            self.init(
                "Who becomes whom, in the order of the source users' ids, with everything that is wrong.",
                parameters: [.mapSource, .mapState, .afterPerson, .limit],
                answers: [.json(200, "A page of the map.", OpenAPISchema.mapPage)], failures: [422])
        case .importIdentities:
            self.init(map: "Take a list of who becomes whom; nothing is overwritten unasked.", OpenAPISchema.mapImport)
        case .checkIdentities:
            self.init(
                "What is wrong with the map, page by page; asks the sources for their mailboxes.",
                parameters: [.mapSource, .afterPerson, .limit],
                answers: [.json(200, "What was found.", OpenAPISchema.mapOutcome)], failures: [422])
        case .matchIdentities:
            self.init(
                map: "Put everybody who may leave into the map, with the target user who has their address.",
                OpenAPISchema.mapMatch)
        case .completeIdentities:
            self.init(
                map: "Agree to mappings in which nothing is wrong, and record the source mailboxes.",
                OpenAPISchema.mapCompletion)
        case .identity:
            self.init(
                "The mapping of one source user, and what it was before.", parameters: [.mapSource],
                answers: [.json(200, "The entry.", OpenAPISchema.mapEntryWithHistory)], failures: [404, 422])
        case .updateIdentity:
            self.init(map: "Map one source user.", OpenAPISchema.mapAssignment, failures: [404, 409])
        case .removeIdentity:
            self.init(
                "Remove what was stored of one source user; the configuration's entry then counts again.",
                parameters: [.mapSource], answers: [.json(200, "What came of it.", OpenAPISchema.mapOutcome)],
                failures: Self.withBody + [404, 409, 415, 422])
        }
    }
}

extension OperationDescription.Success {
    static func json(_ status: Int, _ text: String, _ schema: String) -> Self {
        Self(status: status, text: text, content: [("application/json", OpenAPISchema.reference(schema))])
    }

    fileprivate static var created: Self {
        var answer = json(201, "The job, submitted.", OpenAPISchema.wholeJob)
        answer.hasLocation = true
        return answer
    }

    fileprivate static var count: Self {
        Self(
            status: 200, text: "Decimal digits and nothing else.",
            content: [("text/plain", ["type": "string", "pattern": "^[0-9]+$"])])
    }

    fileprivate static func document(_ schema: String) -> Self {
        Self(
            status: 200, text: "The report in the form that was asked for.",
            content: JobReport.Format.allCases.map { format in
                let type = format.contentType.split(separator: ";").first.map(String.init) ?? format.contentType
                return (
                    type,
                    format == .json ? OpenAPISchema.reference(schema) : ["type": "string"]
                )
            })
    }
}
