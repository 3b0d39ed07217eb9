/// Where a command comes from: what the audit trail says of it besides the principal, and what makes a repeated
/// creation known again.
package struct Provenance: Sendable, Hashable {
    /// Address of the peer, without port; empty for commands that came over no network.
    package var origin: String
    /// The id that the answer carries.
    package var requestID: GUID?
    /// The status of the answer when the command is carried out (RFC 9110 section 15); 0 without an answer.
    package var status: Int
    /// `nil`: a creation is a new one however often it is sent.
    package var repetition: Repetition?

    package init(
        origin: String = "", requestID: GUID? = nil, status: Int = 0, repetition: Repetition? = nil
    ) {
        self.origin = origin
        self.requestID = requestID
        self.status = status
        self.repetition = repetition
    }

    /// What tells that a creation is the one that was sent before.
    package struct Repetition: Sendable, Hashable {
        /// The client's own id of the request (`client-request-id`).
        package var id: String
        /// SHA-256 of the operation and the body, 32 octets.
        package var fingerprint: [UInt8]

        package init(id: String, fingerprint: [UInt8]) {
            self.id = id
            self.fingerprint = fingerprint
        }
    }
}

/// A creation that was carried out for a client that may send it again.
package struct RememberedCreation: Sendable, Hashable {
    /// Whose it is. Another tenant's or principal's request with the same id is another one.
    package struct Key: Sendable, Hashable {
        package var tenant: TenantID
        package var subject: String
        package var id: String

        package init(tenant: TenantID, subject: String, id: String) {
            self.tenant = tenant
            self.subject = subject
            self.id = id
        }
    }

    package var key: Key
    package var fingerprint: [UInt8]
    package var job: JobID
    /// When the job was created.
    package var at: Instant

    package init(key: Key, fingerprint: [UInt8], job: JobID, at: Instant) {
        self.key = key
        self.fingerprint = fingerprint
        self.job = job
        self.at = at
    }
}
