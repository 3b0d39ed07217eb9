import FerryAPI
import FerryCore
import FerryStore
import HTTPTypes

extension Operations {
    /// `GET /ferry/audit`: the trail of the caller's tenant, oldest first.
    func audit(_ call: Call) async throws(Failure) -> Answer {
        let query = try AuditPageOptions(rawQuery: call.rawQuery, tenant: call.principal.tenant).query
        // The head first: it is then never older than what the page shows, unless records came in between.
        let head = try await read(for: call) { (reader) throws(StoreError) in
            try await reader.auditHead(of: query.tenant)
        }
        let found = try await read(for: call) { (reader) throws(StoreError) in
            var query = query
            query.limit += 1
            return try await reader.auditRecords(query)
        }
        let page = Array(found.prefix(query.limit))
        var answer = Answer(
            status: .ok,
            body: .bytes(AuditView.page(page, of: query.tenant, hasMore: found.count > query.limit, head: head)),
            contentType: JobReport.Format.json.contentType, isGraph: false)
        answer.headers = [(.xContentTypeOptions, "nosniff")]
        return answer
    }
}
