/// What one line of the audit trail says, before it has its place in a chain: who did what, when, from where, with which
/// result. Never contents, secrets or tokens.
package struct AuditEntry: Sendable, Hashable {
    /// Whose chain it belongs to. `AuditEntry.installation` for what belongs to no tenant: callers who proved nothing.
    package var tenant: TenantID
    /// When it happened; for an aggregate the last time.
    package var at: Instant
    /// For an aggregate the first time, else the same as `at`.
    package var since: Instant
    /// How many equal events the entry stands for, at least 1.
    package var count: Int64
    /// Object id of the caller (application id for app-only callers); empty for callers who proved nothing and for the
    /// engine's own decisions.
    package var subject: String
    /// The caller's name as `createdBy` writes it; `AuditEntry.engine` for the engine's own decisions.
    package var name: String
    /// The client application of the token (`appid` or `azp`); empty when the token does not say.
    package var application: String
    /// Address of the peer, without port; empty for the engine and for what happened on the machine itself.
    package var origin: String
    /// What was asked for, by the operation's constant name (`createJob`), or what the engine did (`changeStatus`).
    package var operation: String
    package var job: JobID?
    /// The person in the job, where the operation is about one.
    package var person: PersonID?
    /// A word more where the operation needs one: the status that a job reached, the key of a job that was not found
    /// by id; empty otherwise.
    package var detail: String
    /// The status of the answer (RFC 9110 section 15); 0 where there was no answer to give.
    package var status: Int
    /// The error code of a refusal; empty when it was done.
    package var code: String
    /// The id of the answer; for a token its `uti`. The first one's for an aggregate.
    package var requestID: GUID?

    /// The chain of what belongs to no tenant: the nil UUID (RFC 9562 section 5.9).
    package static let installation = TenantID(GUID(high: 0, low: 0))
    /// `name` of what Ferry decided by itself.
    package static let engine = "ferry"

    package init(
        tenant: TenantID, at: Instant, since: Instant? = nil, count: Int64 = 1, subject: String = "",
        name: String = "", application: String = "", origin: String = "", operation: String, job: JobID? = nil,
        person: PersonID? = nil, detail: String = "", status: Int = 0, code: String = "", requestID: GUID? = nil
    ) {
        self.tenant = tenant
        self.at = at
        self.since = since ?? at
        self.count = count
        self.subject = subject
        self.name = name
        self.application = application
        self.origin = origin
        self.operation = operation
        self.job = job
        self.person = person
        self.detail = detail
        self.status = status
        self.code = code
        self.requestID = requestID
    }
}

/// The SHA-256 that a record of the trail ends with.
package struct AuditDigest: Sendable, Hashable {
    /// 32 octets.
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads 64 hexadecimal digits; `nil` for anything else.
    package init?(hexadecimal text: some StringProtocol) {
        guard let bytes = Hexadecimal.decode(text), bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// What the first record of a chain follows.
    package static let beginning = AuditDigest([UInt8](repeating: 0, count: 32))

    /// 64 lower-case hexadecimal digits.
    package var hexadecimal: String { String(decoding: Hexadecimal.encode(bytes), as: UTF8.self) }
}
