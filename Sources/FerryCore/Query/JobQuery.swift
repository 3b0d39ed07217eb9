/// A property of a job that can be compared and ordered by.
package enum JobField: String, Sendable, Hashable, CaseIterable {
    case id, displayName, status, type, createdBy, sourceTenant, targetTenant, resourceType
    case created, updated, completeAfter
}

/// A property of a user task that can be compared and ordered by. `ordinal` is the order of `resources`.
package enum TaskField: String, Sendable, Hashable, CaseIterable {
    case id, taskType, updated, ordinal
}

/// How two values compare.
package enum Comparison: String, Sendable, Hashable, CaseIterable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
}

/// How a text matches another. `equals` is for texts that are folded first; without that it is a comparison.
package enum TextMatch: String, Sendable, Hashable, CaseIterable {
    case startsWith, contains, endsWith, equals
}

/// A literal of a query. Identifiers and enum members are text in their stored spelling.
package enum QueryValue: Sendable, Hashable {
    case text(String)
    case instant(Instant)
    case null
}

/// A condition on one thing with properties `Field`. The store turns it into an index search, never into a table scan
/// in memory.
package indirect enum Predicate<Field: Sendable & Hashable>: Sendable, Hashable {
    case and(Predicate, Predicate)
    case or(Predicate, Predicate)
    case not(Predicate)
    case compare(Field, Comparison, QueryValue)
    case isIn(Field, [QueryValue])
    /// `foldingCase` is what `tolower(field)` asks for.
    case match(Field, TextMatch, String, foldingCase: Bool)
    /// Jobs only: the workload is among the job's (`workloads/any`).
    case hasWorkload(Workload)
    /// Tasks only: one run is of that workload (`nil`: any) and in that state (`nil`: any) (`currentStatus/any`).
    case hasRun(Workload?, RunStatus?)
    case always(Bool)
}

package struct Ordering<Field: Sendable & Hashable>: Sendable, Hashable {
    package var field: Field
    package var descending: Bool
    package init(_ field: Field, descending: Bool = false) {
        self.field = field
        self.descending = descending
    }
}

/// Where a page ended: the values of the ordering's fields of its last row, then that row's id.
package struct PagePosition: Sendable, Hashable {
    package var values: [QueryValue]
    package var id: String
    package init(values: [QueryValue], id: String) {
        self.values = values
        self.id = id
    }
}

/// Jobs of one tenant; deleted ones are never among them.
package struct JobQuery: Sendable, Hashable {
    package var tenant: TenantID
    package var predicate: Predicate<JobField>?
    /// Text that the display name contains, without regard to case.
    package var search: String?
    /// Ties are broken by id, ascending. Default: newest first.
    package var order: [Ordering<JobField>] = [Ordering(.created, descending: true)]
    package var after: PagePosition?
    package var skip = 0
    /// Rows wanted; 0 gives none.
    package var limit = 20

    package init(tenant: TenantID) { self.tenant = tenant }
}

/// User tasks of one job.
package struct TaskQuery: Sendable, Hashable {
    package var job: JobID
    package var predicate: Predicate<TaskField>?
    /// Text that the id contains.
    package var search: String?
    package var order: [Ordering<TaskField>] = [Ordering(.ordinal)]
    package var after: PagePosition?
    package var skip = 0
    package var limit = 20

    package init(job: JobID) { self.job = job }
}

/// One page of rows. `next` is `nil` on the last one.
package struct QueryPage<Row: Sendable>: Sendable {
    package var rows: [Row]
    package var next: PagePosition?
    package init(rows: [Row], next: PagePosition?) {
        self.rows = rows
        self.next = next
    }
}
