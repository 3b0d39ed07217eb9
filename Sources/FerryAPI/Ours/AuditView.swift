package import FerryCore

/// A page of a tenant's audit trail.
///
/// ```json
/// {"tenant":"…","value":[{"sequence":7,"at":"2031-02-10T08:15:30.5Z","since":"2031-02-10T08:15:30.5Z","count":1,
/// "subject":"…","name":"mover@south.example","application":"ferry","origin":"192.0.2.7","operation":"createJob",
/// "job":"…","person":null,"detail":"","status":201,"code":"","requestId":"…","digest":"9f86…"}],
/// "next":7,"head":{"sequence":9,"digest":"60303a…"}}
/// ```
///
/// `next` is the `after` of the following page, null on the last one; `head` the end of the whole chain, null while it
/// is empty. The members of a record are all that its digest covers.
package enum AuditView {
    package static func page(
        _ records: [AuditRecord], of tenant: TenantID, hasMore: Bool, head: AuditHead?
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 256 + 640 * records.count)
        json.object { json in
            json.member("tenant", tenant.guid)
            json.key("value")
            json.array { json in for record in records { write(record, into: &json) } }
            json.member("next", ifKnown: hasMore ? records.last?.sequence : nil)
            json.key("head")
            if let head {
                json.object { json in
                    json.member("sequence", head.sequence)
                    json.member("digest", head.digest.hexadecimal)
                }
            } else {
                json.null()
            }
        }
        return json.bytes
    }

    /// One record alone, with its tenant: a line of an export.
    package static func line(_ record: AuditRecord) -> [UInt8] {
        var json = JSONWriter(capacity: 640)
        write(record, tenant: record.entry.tenant, into: &json)
        return json.bytes
    }

    private static func write(_ record: AuditRecord, tenant: TenantID? = nil, into json: inout JSONWriter) {
        let entry = record.entry
        json.object { json in
            if let tenant { json.member("tenant", tenant.guid) }
            json.member("sequence", record.sequence)
            json.member("at", entry.at)
            json.member("since", entry.since)
            json.member("count", entry.count)
            json.member("subject", entry.subject)
            json.member("name", entry.name)
            json.member("application", entry.application)
            json.member("origin", entry.origin)
            json.member("operation", entry.operation)
            json.member("job", ifKnown: entry.job?.guid)
            json.member("person", ifKnown: entry.person?.guid)
            json.member("detail", entry.detail)
            json.member("status", entry.status)
            json.member("code", entry.code)
            json.member("requestId", ifKnown: entry.requestID)
            json.member("digest", record.digest.hexadecimal)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func member(_ name: String, ifKnown guid: GUID?) {
        key(name)
        if let guid { self.guid(guid) } else { null() }
    }
}

/// The options of `GET /ferry/audit?from=…&to=…&job=…&after=N&limit=M`.
package struct AuditPageOptions: Sendable, Hashable {
    package var query: AuditQuery

    /// Throws `Failure.badRequest` for a value that cannot be read, and for an option that is given twice.
    package init(rawQuery: some StringProtocol, tenant: TenantID) throws(Failure) {
        query = AuditQuery(tenant: tenant, limit: APILimits.auditPageSize)
        var seen: Set<String> = []
        for pair in try QueryPairs.parse(rawQuery) {
            let name = pair.name.lowercased()
            guard seen.insert(name).inserted else {
                throw .badRequest("\(name.prefix(64)) was given twice.", target: String(name.prefix(64)))
            }
            switch name {
            case "from": query.from = try Self.instant(pair)
            case "to": query.to = try Self.instant(pair)
            case "job":
                guard let job = JobID(pair.value) else { throw .badRequest("job must be a job's id.", target: "job") }
                query.job = job
            case "after": query.after = try Self.number(pair, from: 0)
            case "limit": query.limit = Int(min(try Self.number(pair, from: 1), Int64(APILimits.auditPageSize)))
            default: continue
            }
        }
    }

    private static func instant(_ pair: (name: String, value: String)) throws(Failure) -> Instant {
        guard let instant = WireDate.parse(pair.value) else {
            throw .badRequest("\(pair.name) must be a date and time such as 2031-02-10T08:15:30Z.", target: pair.name)
        }
        return instant
    }

    private static func number(_ pair: (name: String, value: String), from least: Int64) throws(Failure) -> Int64 {
        guard let number = Int64(pair.value), number >= least else {
            throw .badRequest("\(pair.name) must be a whole number from \(least) on.", target: pair.name)
        }
        return number
    }
}
