import FerryCore
import FerryFormats

/// A page of `GET /ferry/audit`.
struct AuditPageBody: Decodable, Sendable {
    struct Record: Decodable, Sendable {
        var sequence: Int64
        var at: String
        var since: String
        var count: Int64
        var subject: String
        var name: String
        var application: String
        var origin: String
        var operation: String
        var job: String?
        var person: String?
        var detail: String
        var status: Int
        var code: String
        var requestId: String?
        var digest: String
    }

    struct Head: Decodable, Sendable {
        var sequence: Int64
        var digest: String
    }

    var tenant: String
    var value: [Record]
    var next: Int64?
    var head: Head?

    /// `nil` when something in it is not what Ferry writes.
    var records: [AuditRecord]? {
        guard let tenant = TenantID(tenant) else { return nil }
        var records: [AuditRecord] = []
        for record in value {
            guard let read = record.read(in: tenant) else { return nil }
            records.append(read)
        }
        return records
    }

    /// The end of the chain when the page was made; the beginning while it is empty.
    var end: AuditHead? {
        guard let tenant = TenantID(tenant) else { return nil }
        guard let head else { return .beginning(of: tenant) }
        return AuditDigest(hexadecimal: head.digest).map {
            AuditHead(tenant: tenant, sequence: head.sequence, digest: $0)
        }
    }
}

extension AuditPageBody.Record {
    fileprivate func read(in tenant: TenantID) -> AuditRecord? {
        guard let at = RFC3339.parse(at), let since = RFC3339.parse(since),
            let digest = AuditDigest(hexadecimal: digest)
        else { return nil }
        let ids = (job.map { JobID($0) }, person.map { PersonID($0) }, requestId.map { GUID($0) })
        if case .some(nil) = ids.0 { return nil }
        if case .some(nil) = ids.1 { return nil }
        if case .some(nil) = ids.2 { return nil }
        return AuditRecord(
            entry: AuditEntry(
                tenant: tenant, at: at, since: since, count: count, subject: subject, name: name,
                application: application, origin: origin, operation: operation, job: ids.0 ?? nil,
                person: ids.1 ?? nil, detail: detail, status: status, code: code, requestID: ids.2 ?? nil),
            sequence: sequence, digest: digest)
    }
}
