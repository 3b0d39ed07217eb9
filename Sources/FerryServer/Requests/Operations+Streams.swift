import FerryAPI
import FerryCore
import FerryStore
import HTTPTypes
import HummingbirdCore
import NIOCore

/// Answers that are larger than what should lie in memory at once. They are encoded from pages of the store while they
/// are sent, and the next page is read when the client has taken the last one.
///
/// The first page is read before the answer begins, so a store that cannot be read is still an error with a status. What
/// fails later ends the connection. Each page is one consistent state, and pages follow each other by their keys.
extension Operations {
    /// 3 with `$expand=users`.
    func expanded(
        _ job: Job, _ expansion: UserExpansion, _ shape: JobShape, _ representation: Representation, _ call: Call
    ) async throws(Failure) -> Answer {
        let whole = expansion.query(of: job.id, limit: APILimits.expandedUsersInEntity)
        var query = whole
        query.limit = min(whole.limit, APILimits.streamedUsers)
        let first = try await read(for: call) { [query] (reader) throws(StoreError) in try await reader.tasks(query) }
        var expanded = ExpandedJob(job, users: first)
        if expansion.wantsCount {
            expanded.count = try await read(for: call) { (reader) throws(StoreError) in try await reader.count(whole) }
        }
        guard first.next != nil, whole.limit > query.limit else {
            return .json(
                .ok, JobEncoder.entity(expanded, shape: shape, as: representation), as: representation, isRead: true)
        }
        var answer = Answer(status: .ok, contentType: representation.contentType)
        answer.body = .stream { [expanded, query] writer in
            try await writer.write(
                ByteBuffer(bytes: JobEncoder.opening(of: expanded, shape: shape, as: representation)))
            var (page, query, left) = (first, query, whole.limit)
            query.skip = 0
            while true {
                try await writer.write(
                    ByteBuffer(
                        bytes: TaskEncoder.elements(
                            page.rows, isFirst: left == whole.limit, selection: expansion.selection,
                            as: representation)))
                left -= page.rows.count
                guard page.next != nil, left > 0 else { break }
                query.after = page.next
                query.limit = min(left, APILimits.streamedUsers)
                page = try await read(for: call) { [query] (reader) throws(StoreError) in
                    try await reader.tasks(query)
                }
            }
            try await writer.write(
                ByteBuffer(
                    bytes: JobEncoder.closing(of: job.id, after: page.next, shape: shape, as: representation)))
        }
        return answer
    }

    /// 1 with a page that is larger than usual. A job that was changed so that it no longer belongs to the list while
    /// the list is sent is in it or not, as with any two pages.
    func streamed(
        _ list: JobListOptions, count: Int?, _ representation: Representation, _ call: Call
    ) async throws(Failure) -> Answer {
        var query = list.query
        query.limit = APILimits.streamedJobs
        let first = try await read(for: call) { [query] (reader) throws(StoreError) in try await reader.jobs(query) }
        var answer = Answer(status: .ok, contentType: representation.contentType)
        answer.body = .stream { [query] writer in
            try await writer.write(
                ByteBuffer(bytes: JobEncoder.listOpening(count: count, shape: list.shape, as: representation)))
            var (page, query, left) = (first, query, list.query.limit)
            query.skip = 0
            while true {
                try await writer.write(
                    ByteBuffer(
                        bytes: JobEncoder.elements(
                            page.rows.map { ExpandedJob($0) }, isFirst: left == list.query.limit, shape: list.shape,
                            as: representation)))
                left -= page.rows.count
                guard page.next != nil, left > 0 else { break }
                query.after = page.next
                query.limit = min(left, APILimits.streamedJobs)
                page = try await read(for: call) { [query] (reader) throws(StoreError) in
                    try await reader.jobs(query)
                }
            }
            try await writer.write(
                ByteBuffer(
                    bytes: JobEncoder.listClosing(
                        nextLink: list.nextLink(page.next, links: representation.links))))
        }
        return answer
    }
}
