import FerryCore
import GRDB

/// An ordering that leaves no ties, and the condition to be behind a row of it (keyset paging): rows that are added or
/// removed meanwhile neither repeat a row nor leave one out.
struct PageOrder<Field: QueryField> {
    private let keys: [(field: Field, column: String, descending: Bool)]

    init(_ order: [Ordering<Field>]) {
        var keys: [(field: Field, column: String, descending: Bool)] = []
        for ordering in order + [Ordering(.id)] where !keys.contains(where: { $0.field == ordering.field }) {
            guard let column = ordering.field.column.sortKey else { continue }
            keys.append((ordering.field, column, ordering.descending))
            if ordering.field == .id { break }
        }
        self.keys = keys
    }

    var sql: String {
        keys.map { $0.column + ($0.descending ? " DESC" : "") }.joined(separator: ", ")
    }

    /// Where a page ends that ends with a row whose fields have these values.
    func position(id: String, _ value: (Field) -> QueryValue) -> PagePosition {
        PagePosition(values: keys.filter { $0.field != .id }.map { value($0.field) }, id: id)
    }

    /// Rows behind the position; none if it is not of this ordering.
    func condition(after position: PagePosition) -> SQLCondition {
        let values = keys.filter { $0.field != .id }.count
        guard position.values.count == values else { return .always(false) }
        var rest = position.values[...]
        let bounds = keys.map { $0.field == .id ? QueryValue.text(position.id) : rest.removeFirst() }
        var branches: [SQLCondition] = []
        var equal: [SQLCondition] = []
        for (key, bound) in zip(keys, bounds) {
            let column = key.field.column
            branches.append(.all(equal + [column.compare(key.descending ? .less : .greater, bound)]))
            equal.append(column.compare(.equal, bound))
        }
        guard let (first, bound) = zip(keys, bounds).first(where: { _ in true }) else { return .always(false) }
        // Follows from the branches, but only this form lets the index start at the position.
        let start = first.field.column.compare(first.descending ? .lessOrEqual : .greaterOrEqual, bound)
        return .all([start, .any(branches)])
    }
}
