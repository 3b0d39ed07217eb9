import FerryCore
import GRDB

/// By which index the jobs of a page are found. SQLite keeps no statistics here, so it would guess; what a filter says
/// is known better than that.
///
/// Two shapes are fast at any size. A filter that few jobs pass is walked by its own index, and the few are sorted. One
/// that many pass is walked in the order of the page, which soon has its rows. Which of them it is, one bounded count in
/// the index tells.
struct JobWalk {
    /// A condition that every row has to meet, and the index that finds the rows that meet it.
    struct Narrowing {
        let index: String
        let condition: SQLCondition
    }

    /// Rows that are sorted without a second thought.
    static let few = 500

    /// The first one that few rows meet is used.
    let narrowings: [Narrowing]
    /// The index that has the page's order already; `nil` leaves the choice to SQLite, which then has one of that order.
    let index: String?
    /// The states that the filter admits, when it names some of several: each is walked on its own and the newest of all
    /// are taken.
    let states: [String]

    init(_ predicate: FerryCore.Predicate<JobField>?, isNewestFirst: Bool) {
        let conjuncts = predicate?.conjuncts ?? []
        narrowings = conjuncts.compactMap(\.narrowing)
        guard isNewestFirst else {
            (index, states) = (nil, [])
            return
        }
        let admitted = JobStatus.allCases.filter { status in
            status != .deleted && conjuncts.allSatisfy { $0.admits(status) }
        }.map(\.rawValue)
        if conjuncts.contains(where: { $0.isEquality(.createdBy) }) {
            (index, states) = ("job_creator", [])
        } else if admitted.count < JobStatus.allCases.count - 1 {
            (index, states) = ("job_status", admitted)
        } else if conjuncts.contains(where: { $0.isEquality(.type) }) {
            (index, states) = ("job_type", [])
        } else {
            (index, states) = ("job_page", [])
        }
    }
}

extension FerryCore.Predicate<JobField> {
    /// What all have to hold.
    fileprivate var conjuncts: [Self] {
        if case .and(let left, let right) = self { left.conjuncts + right.conjuncts } else { [self] }
    }

    fileprivate func isEquality(_ field: JobField) -> Bool {
        if case .compare(field, .equal, .text) = self { true } else { false }
    }

    fileprivate var narrowing: JobWalk.Narrowing? {
        switch self {
        case .compare(let field, let comparison, let value):
            guard comparison != .notEqual, let index = field.rangeIndex(comparison), value.isComparable(to: field)
            else {
                return nil
            }
            return JobWalk.Narrowing(index: index, condition: condition)
        case .isIn(let field, let values):
            guard let index = field.rangeIndex(.equal), values.allSatisfy({ $0.isComparable(to: field) }) else {
                return nil
            }
            return JobWalk.Narrowing(index: index, condition: condition)
        case .match(.displayName, .equals, _, true):
            return JobWalk.Narrowing(index: "job_folded_name", condition: condition)
        case .match(.displayName, .startsWith, let text, let foldingCase) where !text.isEmpty:
            // A text that begins with another lies between it and what follows all of its continuations.
            let column = foldingCase ? "j.folded_name" : "j.display_name"
            let start = foldingCase ? text.lowercased() : text
            let range = SQLCondition(
                "(\(column) >= ? AND \(column) < ?)", [start, start + "\u{10FFFF}\u{10FFFF}"])
            return JobWalk.Narrowing(
                index: foldingCase ? "job_folded_name" : "job_display_name", condition: .all([range, condition]))
        default: return nil
        }
    }

    /// Whether a job in that state may pass; a condition on other properties admits every state.
    fileprivate func admits(_ status: JobStatus) -> Bool { verdict(on: status) ?? true }

    /// What the condition says of the state alone; `nil` when it looks at anything else.
    private func verdict(on status: JobStatus) -> Bool? {
        switch self {
        case .and(let left, let right):
            guard let left = left.verdict(on: status), let right = right.verdict(on: status) else { return nil }
            return left && right
        case .or(let left, let right):
            guard let left = left.verdict(on: status), let right = right.verdict(on: status) else { return nil }
            return left || right
        case .not(let inner): return inner.verdict(on: status).map { !$0 }
        case .compare(.status, .equal, .text(let text)): return text == status.rawValue
        case .compare(.status, .notEqual, .text(let text)): return text != status.rawValue
        case .isIn(.status, let values): return values.contains(.text(status.rawValue))
        case .always(let holds): return holds
        case .compare, .isIn, .match, .hasWorkload, .hasRun: return nil
        }
    }
}

extension JobField {
    /// SQLite's own for `id … UNIQUE`.
    fileprivate static let idIndex = "sqlite_autoindex_job_1"

    /// The index that finds a range of the property's values, where the default order is not itself that.
    fileprivate func rangeIndex(_ comparison: Comparison) -> String? {
        switch self {
        case .id: comparison == .equal ? Self.idIndex : nil
        case .displayName: "job_display_name"
        case .updated: "job_updated"
        case .completeAfter: "job_complete_after"
        case .status, .type, .createdBy, .sourceTenant, .targetTenant, .resourceType, .created: nil
        }
    }
}

extension QueryValue {
    /// Of the type that the column has, so that the condition is one on the column.
    fileprivate func isComparable(to field: JobField) -> Bool {
        switch (self, field) {
        case (.text(let text), .id): GUID(text) != nil
        case (.text, .displayName): true
        case (.instant, .updated), (.instant, .completeAfter): true
        default: false
        }
    }
}
