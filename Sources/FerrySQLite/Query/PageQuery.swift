import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// A query of one kind of row, put together: `jobs` and `tasks` differ only in what they name here.
///
/// Statements of filters are not kept prepared: their texts are as many as the callers' ideas.
struct PageQuery<Field: QueryField> {
    var columns: String
    var tables: String
    /// What makes up the partition; without it no row is looked at.
    var scope: SQLCondition
    var filter: SQLCondition?
    var order: [Ordering<Field>]
    var after: PagePosition?
    var skip: Int
    var limit: Int

    func rows<Value>(
        in db: Database, _ decode: (Row) throws -> Value,
        position: (Value) -> (id: String, value: (Field) -> QueryValue)
    ) throws -> (rows: [Value], next: PagePosition?) {
        guard limit > 0 else { return ([], nil) }
        let order = PageOrder(order)
        let condition = SQLCondition.all(
            [scope] + (filter.map { [$0] } ?? []) + (after.map { [order.condition(after: $0)] } ?? []))
        let sql = "SELECT \(columns) FROM \(tables) WHERE \(condition.text) ORDER BY \(order.sql) LIMIT ? OFFSET ?"
        // One row more than wanted tells whether there is another page.
        let arguments = StatementArguments(condition.values) + [limit == .max ? limit : limit + 1, max(0, skip)]
        var rows = try db.rows(of: statement(sql, in: db), arguments, decode)
        guard rows.count > limit else { return (rows, nil) }
        rows.removeLast(rows.count - limit)
        guard let last = rows.last.map(position) else { return (rows, nil) }
        return (rows, order.position(id: last.id, last.value))
    }

    func count(in db: Database) throws -> Int {
        let condition = SQLCondition.all([scope] + (filter.map { [$0] } ?? []))
        let sql = "SELECT count(*) FROM \(tables) WHERE \(condition.text)"
        return try db.rows(of: statement(sql, in: db), StatementArguments(condition.values)) { $0[0] as Int }.first ?? 0
    }

    private func statement(_ sql: String, in db: Database) throws -> Statement {
        try filter == nil ? db.cachedStatement(sql: sql) : db.makeStatement(sql: sql)
    }
}

extension PageQuery<JobField> {
    init(_ query: JobQuery) {
        self.init(
            columns: JobTable.columns, tables: JobTable.tables,
            scope: SQLCondition("j.target_tenant = ? AND j.status <> 'deleted'", [query.tenant.blob]),
            filter: Self.condition(query.predicate, query.search.map { (.displayName, $0) }),
            order: query.order, after: query.after, skip: query.skip, limit: query.limit)
    }
}

extension PageQuery<TaskField> {
    init(_ query: TaskQuery) {
        self.init(
            columns: TaskTable.columns, tables: "user_task t",
            scope: SQLCondition("t.job = (SELECT number FROM job WHERE id = ?)", [query.job.blob]),
            filter: Self.condition(query.predicate, query.search.map { (.id, $0) }),
            order: query.order, after: query.after, skip: query.skip, limit: query.limit)
    }
}

extension PageQuery {
    private static func condition(
        _ predicate: FerryCore.Predicate<Field>?, _ search: (field: Field, text: String)?
    ) -> SQLCondition? {
        let conditions =
            (predicate.map { [$0.condition] } ?? [])
            + (search.map { [$0.field.column.match(.contains, $0.text, foldingCase: true)] } ?? [])
        return conditions.isEmpty ? nil : .all(conditions)
    }
}

extension Job {
    /// The value by which an ordering compares the job.
    func queryValue(_ field: JobField) -> QueryValue {
        switch field {
        case .id: .text(id.description)
        case .displayName: .text(displayName)
        case .status: .text(status.rawValue)
        case .type: .text(type.rawValue)
        case .createdBy: .text(createdBy)
        case .sourceTenant: .text(sourceTenant.description)
        case .targetTenant: .text(targetTenant.description)
        case .resourceType: .text("Users")
        case .created: .instant(created)
        case .updated: .instant(updated)
        case .completeAfter: .instant(completeAfter)
        }
    }
}

extension TaskTable.Stub {
    /// The value by which an ordering compares the task.
    func queryValue(_ field: TaskField) -> QueryValue {
        switch field {
        case .id: .text(person.description)
        case .taskType: .text("Users")
        case .updated: .instant(updated)
        case .ordinal: .text(String(ordinal))
        }
    }
}
