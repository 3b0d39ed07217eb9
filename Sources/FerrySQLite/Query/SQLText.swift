import FoundationEssentials
import GRDB

/// Pieces of SQL that are put together; values are never among them.
enum SQLText {
    /// `?, ?, ?`
    static func marks(_ count: Int) -> String {
        String(repeating: "?, ", count: max(0, count - 1)) + (count > 0 ? "?" : "")
    }

    /// The 36 characters of an identifier that is stored as octets.
    static func guid(_ column: String) -> String {
        let digits = "lower(hex(\(column)))"
        let parts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)].map { "substr(\(digits), \($0.0), \($0.1))" }
        return "(" + parts.joined(separator: " || '-' || ") + ")"
    }
}

/// A condition on a row: text with a `?` for each value. Never NULL, so `NOT` is the plain negation. What holds always or
/// never stands alone: no constant is part of another condition, which an index could then not answer.
struct SQLCondition {
    var text: String
    var values: [DatabaseValue]

    init(_ text: String, _ values: [any DatabaseValueConvertible] = []) {
        self.text = text
        self.values = values.map(\.databaseValue)
    }

    static func always(_ holds: Bool) -> SQLCondition { SQLCondition(holds ? "1" : "0") }

    /// The condition holds for every row, or for none; `nil` when that depends on the row.
    var constant: Bool? { text == "1" ? true : text == "0" ? false : nil }

    /// All of the conditions; holds when there is none.
    static func all(_ conditions: [SQLCondition]) -> SQLCondition { join(conditions, " AND ", none: true) }

    /// Any of the conditions; does not hold when there is none.
    static func any(_ conditions: [SQLCondition]) -> SQLCondition { join(conditions, " OR ", none: false) }

    var negated: SQLCondition {
        if let constant { return .always(!constant) }
        var condition = self
        condition.text = "NOT (\(text))"
        return condition
    }

    private static func join(_ conditions: [SQLCondition], _ word: String, none: Bool) -> SQLCondition {
        if conditions.contains(where: { $0.constant == !none }) { return always(!none) }
        let conditions = conditions.filter { $0.constant == nil }
        guard let first = conditions.first else { return always(none) }
        if conditions.count == 1 { return first }
        var whole = SQLCondition("(" + conditions.map(\.text).joined(separator: word) + ")")
        whole.values = conditions.flatMap(\.values)
        return whole
    }
}
