import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// Rows of `audit_record`.
struct AuditTable {
    let db: Database

    private static let columns = """
        tenant, sequence, at, since, count, subject, name, application, origin, operation, job, person, detail, \
        status, code, request, digest
        """

    func head(of tenant: TenantID) throws -> AuditHead? {
        try db.first(
            "SELECT sequence, digest FROM audit_record WHERE tenant = ? ORDER BY sequence DESC LIMIT 1", [tenant.blob]
        ) { row in
            AuditHead(tenant: tenant, sequence: row[0], digest: AuditDigest(try row.octets(1)))
        }
    }

    func append(_ record: AuditRecord) throws {
        let entry = record.entry
        guard try head(of: entry.tenant)?.sequence ?? 0 == record.sequence - 1 else { throw StoreError.conflict }
        if entry.operation == AuditOperation.issueToken, let request = entry.requestID {
            let known = try db.first(
                "SELECT 1 FROM audit_record WHERE operation = 'issueToken' AND request = ?", [request.blob]
            ) { _ in true }
            if known != nil { throw StoreError.conflict }
        }
        try db.run(
            "INSERT INTO audit_record (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                entry.tenant.blob, record.sequence, entry.at.microseconds, entry.since.microseconds, entry.count,
                entry.subject, entry.name, entry.application, entry.origin, entry.operation, entry.job?.blob,
                entry.person?.blob, entry.detail, entry.status, entry.code, entry.requestID?.blob,
                Data(record.digest.bytes),
            ])
    }

    func page(_ query: AuditQuery) throws -> [AuditRecord] {
        var conditions = ["tenant = ?", "sequence > ?"]
        var arguments: StatementArguments = [query.tenant.blob, query.after]
        if let from = query.from {
            conditions.append("at >= ?")
            arguments += [from.microseconds]
        }
        if let to = query.to {
            conditions.append("at < ?")
            arguments += [to.microseconds]
        }
        if let job = query.job {
            conditions.append("job = ?")
            arguments += [job.blob]
        }
        arguments += [max(0, query.limit)]
        return try db.rows(
            """
            SELECT \(Self.columns) FROM audit_record WHERE \(conditions.joined(separator: " AND "))
            ORDER BY sequence LIMIT ?
            """, arguments, Self.decode)
    }

    func tenants() throws -> [TenantID] {
        // The next tenant is one probe away, so the walk costs as many as there are tenants.
        try db.rows(
            """
            WITH RECURSIVE chain (tenant) AS (
                SELECT min(tenant) FROM audit_record
                UNION ALL
                SELECT (SELECT min(tenant) FROM audit_record WHERE tenant > chain.tenant) FROM chain
                WHERE chain.tenant IS NOT NULL
            )
            SELECT tenant FROM chain WHERE tenant IS NOT NULL
            """, []
        ) { try $0.identifier(0) }
    }

    private static func decode(_ row: Row) throws -> AuditRecord {
        let hasJob = !row.hasNull(atIndex: 10)
        let hasPerson = !row.hasNull(atIndex: 11)
        let request: GUID? = row.hasNull(atIndex: 15) ? nil : GUID(octets: try row.octets(15))
        let entry = AuditEntry(
            tenant: try row.identifier(0), at: row.instant(2), since: row.instant(3), count: row[4], subject: row[5],
            name: row[6], application: row[7], origin: row[8], operation: row[9],
            job: hasJob ? try row.identifier(10) as JobID : nil,
            person: hasPerson ? try row.identifier(11) as PersonID : nil, detail: row[12], status: row[13],
            code: row[14], requestID: request)
        return AuditRecord(entry: entry, sequence: row[1], digest: AuditDigest(try row.octets(16)))
    }
}
