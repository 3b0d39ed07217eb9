/// Every limit of the wire layer, in one place. Sizes in bytes unless the name says otherwise.
package enum APILimits {
    /// Jobs and user tasks on a page when the client asks for nothing (reference 1, paging).
    package static let defaultPageSize = 20
    /// Largest page; a larger `$top` is clamped (reference 7.4).
    package static let maximumPageSize = 999
    /// Jobs on a page whose users are expanded: each of them costs a read of its own.
    package static let expandedPageSize = 20
    /// Users written into one expanded job of a list; a `users@odata.nextLink` leads to the others.
    package static let expandedUsersInList = 20
    /// Users written into an expanded job that was read on its own; they are streamed.
    package static let expandedUsersInEntity = 10_000
    /// Users that are read and written together where they are streamed.
    package static let streamedUsers = 200
    /// Jobs that are read and written together where they are streamed, with up to 2,000 ids each.
    package static let streamedJobs = 25
    /// Nesting of `$filter`: parentheses and `not`.
    package static let filterDepth = 32
    /// Comparisons in one `$filter`, the members of `in (…)` counted singly. SQLite refuses expressions deeper than 1,000.
    package static let filterTerms = 200
    /// Bytes of one decoded query option.
    package static let queryOptionSize = 16 * 1024
    /// Query options in one request.
    package static let queryOptions = 32
    /// Nesting of a JSON body; the deepest that is defined has two.
    package static let bodyDepth = 16
    /// Members and elements of a JSON body: 2,000 people and room to spare.
    package static let bodyValues = 50_000
    /// Requests in one `$batch` (reference 7.9).
    package static let batchSteps = 20
    /// Requests of one `$batch` that are worked on at the same time.
    package static let batchConcurrency = 4
    /// Longest `client-request-id` that is echoed, in characters.
    package static let clientRequestID = 128
    /// Per-item findings on one page of `/ferry/jobs/{job}/items`.
    package static let itemPageSize = 200
    /// Records of the audit trail on one page of `/ferry/audit`.
    package static let auditPageSize = 500
    /// Entries on one page of `/ferry/identity-map`.
    package static let mapPageSize = 500
    /// Entries that are checked or completed in one request; a mailbox is asked for each of them.
    package static let mapMailboxes = 100
    /// Characters of a job's name that the audit trail keeps of a refused request.
    package static let auditDetail = 64
    /// Per-item findings in a report; the rest stays readable under `/items`.
    package static let reportFindings = 10_000
}
