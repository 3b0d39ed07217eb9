import FerryCore
import FoundationEssentials
import GRDB

/// How a property that can be queried is stored, and with that how it compares.
///
/// No column is NULL: `null` is equal to none of them, and less or greater neither (OData 4.01 Part 2, 5.1.1.1).
/// A literal of another type than the column's is treated the same way.
enum QueryColumn {
    /// Text, compared by code points. `folded` is an expression for it in lower case.
    case text(String, folded: String)
    /// An identifier of 16 octets; as text it is in lower case, and compared without regard to case.
    case identifier(String)
    case instant(String)
    case integer(String)
    /// The same for all rows; compared without regard to case, since the wire has two spellings of it.
    case constant(String)

    func compare(_ comparison: Comparison, _ value: QueryValue) -> SQLCondition {
        let sign = comparison.sign
        switch (self, value) {
        case (.text(let column, _), .text(let text)):
            return SQLCondition("\(column) \(sign) ?", [text])
        case (.identifier(let column), .text(let text)):
            // Octets and text have the same order, so only a literal that is no identifier needs the text.
            if let guid = GUID(text) { return SQLCondition("\(column) \(sign) ?", [guid.blob]) }
            return SQLCondition("\(SQLText.guid(column)) \(sign) ?", [text.lowercased()])
        case (.instant(let column), .instant(let instant)):
            return SQLCondition("\(column) \(sign) ?", [instant.microseconds])
        case (.integer(let column), .text(let text)):
            guard let number = Int64(text) else { break }
            return SQLCondition("\(column) \(sign) ?", [number])
        case (.constant(let constant), .text(let text)):
            return .always(comparison.holds(constant.lowercased(), text.lowercased()))
        default:
            break
        }
        return .always(comparison == .notEqual)
    }

    /// Equal to one of the values: one list for those of the column's own type, which an index can look up.
    func isIn(_ values: [QueryValue]) -> SQLCondition {
        let plain: [any DatabaseValueConvertible] = values.compactMap { value in
            switch (self, value) {
            case (.text, .text(let text)): text
            case (.identifier, .text(let text)): GUID(text)?.blob
            case (.instant, .instant(let instant)): instant.microseconds
            default: nil
            }
        }
        guard !values.isEmpty, plain.count == values.count, let column = sortKey else {
            return .any(values.map { compare(.equal, $0) })
        }
        return SQLCondition("\(column) IN (\(SQLText.marks(plain.count)))", plain)
    }

    func match(_ match: TextMatch, _ text: String, foldingCase: Bool) -> SQLCondition {
        if text.isEmpty, match != .equals { return .always(true) }
        switch self {
        case .text(let column, let folded):
            return match.condition(foldingCase ? folded : column, foldingCase ? text.lowercased() : text)
        case .identifier(let column):
            return match.condition(SQLText.guid(column), text.lowercased())
        case .constant(let constant):
            let (whole, part) = (constant.lowercased(), text.lowercased())
            switch match {
            case .startsWith: return .always(whole.hasPrefix(part))
            case .endsWith: return .always(whole.hasSuffix(part))
            case .contains: return .always(whole.contains(part))
            case .equals: return .always(whole == part)
            }
        case .instant, .integer:
            return .always(false)
        }
    }

    /// What to sort by; `nil` when it is the same for all rows.
    var sortKey: String? {
        switch self {
        case .text(let column, _), .identifier(let column), .instant(let column), .integer(let column): column
        case .constant: nil
        }
    }
}

extension TextMatch {
    /// By `instr` and `substr`, so that no character of the text has a meaning of its own as it would have with LIKE.
    fileprivate func condition(_ expression: String, _ text: String) -> SQLCondition {
        switch self {
        case .contains: SQLCondition("instr(\(expression), ?) > 0", [text])
        case .startsWith: SQLCondition("substr(\(expression), 1, length(?)) = ?", [text, text])
        case .equals: SQLCondition("\(expression) = ?", [text])
        case .endsWith: SQLCondition("substr(\(expression), -length(?)) = ?", [text, text])
        }
    }
}

extension Comparison {
    fileprivate var sign: String {
        switch self {
        case .equal: "="
        case .notEqual: "<>"
        case .less: "<"
        case .lessOrEqual: "<="
        case .greater: ">"
        case .greaterOrEqual: ">="
        }
    }

    fileprivate func holds(_ left: String, _ right: String) -> Bool {
        switch self {
        case .equal: left == right
        case .notEqual: left != right
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        }
    }
}
