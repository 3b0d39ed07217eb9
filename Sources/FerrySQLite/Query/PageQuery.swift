import FerryCore
import FerryStore
import FoundationEssentials
import GRDB

/// A query of one kind of row, put together: `jobs` and `tasks` differ only in what they name here.
///
/// Statements of filters are not kept prepared: their texts are as many as the callers' ideas.
struct PageQuery<Field: QueryField> {
    var columns: String
    /// The table whose rows are asked for, with its alias.
    var table: String
    /// What is joined to it, for the columns' sake.
    var joins = ""
    /// The row's number in the table; needed where `walk` is.
    var number = ""
    /// By which index the rows are found; `nil` leaves it to SQLite.
    var walk: JobWalk?
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
        if condition.constant == false { return ([], nil) }
        var rows: [Value]
        if let walk, let narrowing = try walk.narrowings.first(where: { try isMetByFew($0, in: db) }) {
            let keys = keys(
                "\(table) INDEXED BY \(narrowing.index)", .all([condition, narrowing.condition]), order.sql)
            rows = try self.rows(of: keys, in: db, decode)
        } else if let walk, walk.states.count > 1 {
            rows = try self.rows(of: newest(of: walk.states, condition, order.sql), in: db, decode)
        } else {
            rows = try self.rows(condition, order.sql, walk?.index, in: db, decode)
        }
        guard rows.count > limit else { return (rows, nil) }
        rows.removeLast(rows.count - limit)
        guard let last = rows.last.map(position) else { return (rows, nil) }
        return (rows, order.position(id: last.id, last.value))
    }

    func count(in db: Database) throws -> Int {
        let condition = SQLCondition.all([scope] + (filter.map { [$0] } ?? []))
        if condition.constant == false { return 0 }
        let narrowing = try walk?.narrowings.first { try isMetByFew($0, in: db) }
        let source = narrowing.map { "\(table) INDEXED BY \($0.index)" } ?? table
        let whole = narrowing.map { .all([condition, $0.condition]) } ?? condition
        let sql = "SELECT count(*) FROM \(source) WHERE \(whole.text)"
        return try db.rows(of: statement(sql, in: db), StatementArguments(whole.values)) { $0[0] as Int }.first ?? 0
    }

    // MARK: ways to the rows

    /// One row more than wanted tells whether there is another page.
    private var wanted: Int { limit == .max ? limit : limit + 1 }

    /// In the order of the page, by an index that has it.
    private func rows<Value>(
        _ condition: SQLCondition, _ order: String, _ index: String?, in db: Database, _ decode: (Row) throws -> Value
    ) throws -> [Value] {
        let source = index.map { "\(table) INDEXED BY \($0)" } ?? table
        let sql = """
            SELECT \(columns) FROM \(source) \(joins) WHERE \(condition.text) ORDER BY \(order) LIMIT ? OFFSET ?
            """
        return try db.rows(
            of: statement(sql, in: db), StatementArguments(condition.values) + [wanted, max(0, skip)], decode)
    }

    /// Whether so few rows meet the condition that sorting them costs nothing.
    private func isMetByFew(_ narrowing: JobWalk.Narrowing, in db: Database) throws -> Bool {
        let condition = SQLCondition.all([scope, narrowing.condition])
        let sql = """
            SELECT count(*) FROM (
                SELECT 1 FROM \(table) INDEXED BY \(narrowing.index) WHERE \(condition.text) LIMIT ?
            )
            """
        let count = try db.rows(
            of: db.makeStatement(sql: sql), StatementArguments(condition.values) + [JobWalk.few + 1]
        ) { $0[0] as Int }.first
        return count.map { $0 <= JobWalk.few } ?? false
    }

    /// Numbers of rows in the order of the page.
    private func keys(_ source: String, _ condition: SQLCondition, _ order: String) -> (String, StatementArguments) {
        (
            "SELECT \(number) FROM \(source) WHERE \(condition.text) ORDER BY \(order) LIMIT ? OFFSET ?",
            StatementArguments(condition.values) + [wanted, max(0, skip)]
        )
    }

    /// The newest of each state by themselves, of which the newest of all are taken.
    private func newest(
        of states: [String], _ condition: SQLCondition, _ order: String
    ) -> (String, StatementArguments) {
        let parts = states.map { _ in
            """
            SELECT * FROM (
                SELECT \(number), j.created, j.id FROM \(table) INDEXED BY job_status
                WHERE j.status = ? AND \(condition.text) ORDER BY \(order) LIMIT ?
            )
            """
        }
        var arguments = StatementArguments()
        let reach = wanted.addingReportingOverflow(max(0, skip))
        for state in states {
            arguments += [state]
            arguments += StatementArguments(condition.values)
            arguments += [reach.overflow ? .max : reach.partialValue]
        }
        return (
            "SELECT j.number FROM (\(parts.joined(separator: " UNION ALL "))) j ORDER BY \(order) LIMIT ? OFFSET ?",
            arguments + [wanted, max(0, skip)]
        )
    }

    /// The rows with these numbers, in their order: what is sorted should be numbers and not whole rows.
    private func rows<Value>(
        of keys: (sql: String, arguments: StatementArguments), in db: Database, _ decode: (Row) throws -> Value
    ) throws -> [Value] {
        let numbers = try db.rows(of: db.makeStatement(sql: keys.sql), keys.arguments) { $0[0] as Int64 }
        guard !numbers.isEmpty else { return [] }
        let sql = """
            SELECT \(columns), \(number) AS number FROM \(table) \(joins)
            WHERE \(number) IN (\(SQLText.marks(numbers.count)))
            """
        let found = try db.rows(of: db.makeStatement(sql: sql), StatementArguments(numbers)) { row in
            (row["number"] as Int64, try decode(row))
        }
        let rows = Dictionary(found, uniquingKeysWith: { first, _ in first })
        return numbers.compactMap { rows[$0] }
    }

    private func statement(_ sql: String, in db: Database) throws -> Statement {
        try filter == nil ? db.cachedStatement(sql: sql) : db.makeStatement(sql: sql)
    }
}

extension PageQuery<JobField> {
    init(_ query: JobQuery) {
        self.init(
            columns: JobTable.columns, table: "job j", joins: JobTable.joins, number: "j.number",
            walk: JobWalk(query.predicate, isNewestFirst: query.order == JobQuery(tenant: query.tenant).order),
            scope: SQLCondition("j.target_tenant = ? AND j.status <> 'deleted'", [query.tenant.blob]),
            filter: Self.condition(query.predicate, query.search.map { (.displayName, $0) }),
            order: query.order, after: query.after, skip: query.skip, limit: query.limit)
    }
}

extension PageQuery<TaskField> {
    init(_ query: TaskQuery) {
        self.init(
            columns: TaskTable.columns, table: "user_task t",
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
