import FerryCore
import FoundationEssentials
import GRDB

/// A property that can be queried, as this store keeps it.
protocol QueryField: Sendable, Hashable {
    /// Ties of an ordering are broken by it.
    static var id: Self { get }
    var column: QueryColumn { get }
    static func hasWorkload(_ workload: Workload) -> SQLCondition
    static func hasRun(_ workload: Workload?, _ status: RunStatus?) -> SQLCondition
}

/// `job` is called `j`.
extension JobField: QueryField {
    var column: QueryColumn {
        switch self {
        case .id: .identifier("j.id")
        case .displayName: .text("j.display_name", folded: "j.folded_name")
        case .status: .text("j.status", folded: "lower(j.status)")
        case .type: .text("j.type", folded: "lower(j.type)")
        // SQLite's own `lower` knows ASCII only.
        case .createdBy: .text("j.created_by", folded: "swiftLowercaseString(j.created_by)")
        case .sourceTenant: .identifier("j.source_tenant")
        case .targetTenant: .identifier("j.target_tenant")
        case .resourceType: .constant("Users")
        case .created: .instant("j.created")
        case .updated: .instant("j.updated")
        case .completeAfter: .instant("j.complete_after")
        }
    }

    static func hasWorkload(_ workload: Workload) -> SQLCondition {
        SQLCondition("instr(j.workloads, ?) > 0", ["," + workload.rawValue + ","])
    }

    static func hasRun(_ workload: Workload?, _ status: RunStatus?) -> SQLCondition { .always(false) }
}

/// `user_task` is called `t`.
extension TaskField: QueryField {
    var column: QueryColumn {
        switch self {
        case .id: .identifier("t.person")
        case .taskType: .constant("Users")
        case .updated: .instant("t.updated")
        case .ordinal: .integer("t.ordinal")
        }
    }

    static func hasWorkload(_ workload: Workload) -> SQLCondition { .always(false) }

    static func hasRun(_ workload: Workload?, _ status: RunStatus?) -> SQLCondition {
        var wanted = SQLCondition.all(
            [SQLCondition("r.job = t.job AND r.ordinal = t.ordinal")]
                + (workload.map { [SQLCondition("r.workload = ?", [$0.rawValue])] } ?? [])
                + (status.map { [SQLCondition("r.status = ?", [$0.rawValue])] } ?? []))
        wanted.text = "EXISTS (SELECT 1 FROM run r WHERE \(wanted.text))"
        return wanted
    }
}

extension FerryCore.Predicate where Field: QueryField {
    /// Always has the form of one operand.
    var condition: SQLCondition {
        switch self {
        case .and(let left, let right): .all([left.condition, right.condition])
        case .or(let left, let right): .any([left.condition, right.condition])
        case .not(let inner): inner.condition.negated
        case .compare(let field, let comparison, let value): field.column.compare(comparison, value)
        case .isIn(let field, let values): field.column.isIn(values)
        case .match(let field, let match, let text, let foldingCase):
            field.column.match(match, text, foldingCase: foldingCase)
        case .hasWorkload(let workload): Field.hasWorkload(workload)
        case .hasRun(let workload, let status): Field.hasRun(workload, status)
        case .always(let holds): .always(holds)
        }
    }
}
