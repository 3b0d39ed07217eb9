package import FerryCore

/// The spellings of the Graph contract. They exist in this file only; switches are exhaustive, so a new case of the
/// domain cannot be forgotten here.
extension Workload {
    /// As `workloads` and `service` say it (reference 3.4).
    package var wireName: String {
        switch self {
        case .files: "ODSP"
        case .meetings: "Meeting"
        case .chats: "Teams"
        case .mailbox: "Exchange"
        }
    }

    /// Reads without case (reference 3.4).
    package init?(wireName: some StringProtocol) {
        guard let found = Self.allCases.first(where: { ASCII.equalFoldingCase($0.wireName, wireName) }) else {
            return nil
        }
        self = found
    }
}

extension JobType {
    package var wireName: String {
        switch self {
        case .validate: "validate"
        case .migrate: "migrate"
        }
    }
}

extension JobStatus {
    /// The exact camel case that the SDKs resolve (reference 3).
    package var wireName: String {
        switch self {
        case .submitted: "submitted"
        case .approved: "approved"
        case .processing: "processing"
        case .cuttingOver: "cuttingOver"
        case .inProgress: "inProgress"
        case .completed: "completed"
        case .completedWithErrors: "completedWithErrors"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .pendingCancel: "pendingCancel"
        case .adminActionRequired: "adminActionRequired"
        case .validateSubmitted: "validateSubmitted"
        case .validateProcessing: "validateProcessing"
        case .validateInProgress: "validateInProgress"
        case .validatePassed: "validatePassed"
        case .validateFailed: "validateFailed"
        case .pendingDelete: "pendingDelete"
        case .deleted: "deleted"
        }
    }
}

extension RunStatus {
    package var wireName: String {
        switch self {
        case .notStarted: "notStarted"
        case .valid: "valid"
        case .invalid: "invalid"
        case .error: "error"
        case .inProgress: "inProgress"
        case .completed: "completed"
        case .failed: "failed"
        case .cancelled: "cancelled"
        case .pendingCancel: "pendingCancel"
        case .syncing: "syncing"
        case .synced: "synced"
        case .finalizing: "finalizing"
        case .forceComplete: "forceComplete"
        }
    }
}

extension ItemOutcome {
    /// Ours, in `/ferry`.
    package var wireName: String {
        switch self {
        case .copied: "copied"
        case .elsewhere: "elsewhere"
        case .skipped: "skipped"
        case .failed: "failed"
        }
    }
}

/// Words that never change.
package enum WireText {
    /// The only `resourceType` and `taskType` that exist.
    package static let users = "Users"
    /// Declared last in every enum, sent never (reference 3).
    package static let unknownFutureValue = "unknownFutureValue"
}
