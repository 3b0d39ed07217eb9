/// An entry in its place in the chain of its tenant.
package struct AuditRecord: Sendable, Hashable {
    package var entry: AuditEntry
    /// From 1, without gaps.
    package var sequence: Int64
    /// SHA-256 of the digest of the record before (`AuditDigest.beginning` for the first one) followed by
    /// `canonicalBytes`.
    package var digest: AuditDigest

    package init(entry: AuditEntry, sequence: Int64, digest: AuditDigest) {
        self.entry = entry
        self.sequence = sequence
        self.digest = digest
    }

    package var head: AuditHead { AuditHead(tenant: entry.tenant, sequence: sequence, digest: digest) }

    /// What the digest covers: the fields below as netstrings, one after the other. A netstring is the length of the
    /// text in octets, in decimal digits, a colon, the text in UTF-8 and a comma (`5:Wave1,`), so no two records have
    /// the same bytes. Numbers are decimal, instants are microseconds since 1970, identifiers are in lower case with
    /// dashes, and what is absent is empty (`0:,`).
    ///
    /// In order: `ferry-audit-1`, tenant, sequence, at, since, count, subject, name, application, origin, operation,
    /// job, person, detail, status, code, requestID.
    package var canonicalBytes: [UInt8] { Self.canonicalBytes(entry, sequence: sequence) }

    package static func canonicalBytes(_ entry: AuditEntry, sequence: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(384)
        for field in [
            "ferry-audit-1", entry.tenant.description, String(sequence), String(entry.at.microseconds),
            String(entry.since.microseconds), String(entry.count), entry.subject, entry.name, entry.application,
            entry.origin, entry.operation, entry.job?.description ?? "", entry.person?.description ?? "", entry.detail,
            String(entry.status), entry.code, entry.requestID?.description ?? "",
        ] {
            bytes.append(contentsOf: String(field.utf8.count).utf8)
            bytes.append(UInt8(ascii: ":"))
            bytes.append(contentsOf: field.utf8)
            bytes.append(UInt8(ascii: ","))
        }
        return bytes
    }
}

/// The end of a chain: kept elsewhere, it proves later that nothing up to it was removed or rewritten.
package struct AuditHead: Sendable, Hashable, CustomStringConvertible {
    package var tenant: TenantID
    /// Of the last record.
    package var sequence: Int64
    package var digest: AuditDigest

    package init(tenant: TenantID, sequence: Int64, digest: AuditDigest) {
        self.tenant = tenant
        self.sequence = sequence
        self.digest = digest
    }

    /// What the first record of a chain follows.
    package static func beginning(of tenant: TenantID) -> AuditHead {
        AuditHead(tenant: tenant, sequence: 0, digest: .beginning)
    }

    /// Reads what `description` writes; `nil` for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let tenant = TenantID(parts[0]), let sequence = Int64(parts[1]), sequence >= 0,
            let digest = AuditDigest(hexadecimal: parts[2])
        else { return nil }
        self.init(tenant: tenant, sequence: sequence, digest: digest)
    }

    /// `TENANT:SEQUENCE:DIGEST`, the digest in hexadecimal digits.
    package var description: String { "\(tenant):\(sequence):\(digest.hexadecimal)" }
}

/// Which records of a tenant's chain, in the order of the chain.
package struct AuditQuery: Sendable, Hashable {
    package var tenant: TenantID
    /// Records after this sequence number; 0 from the beginning.
    package var after: Int64
    /// Records of this instant or later; `nil`: no bound.
    package var from: Instant?
    /// Records before this instant; `nil`: no bound.
    package var to: Instant?
    /// Records about this job only.
    package var job: JobID?
    /// At most, from 1.
    package var limit: Int

    package init(
        tenant: TenantID, after: Int64 = 0, from: Instant? = nil, to: Instant? = nil, job: JobID? = nil,
        limit: Int = 200
    ) {
        self.tenant = tenant
        self.after = after
        self.from = from
        self.to = to
        self.job = job
        self.limit = limit
    }
}
