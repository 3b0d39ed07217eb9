/// Names of what the audit trail records; stored, so never renamed. Operations of the API that change nothing have the
/// names of `FerryAPI`.
package enum AuditOperation {
    /// A token was made on the machine of the server, with `ferry token`. `requestID` is its `uti`.
    package static let issueToken = "issueToken"
    /// The engine brought a job into the state that `detail` names.
    package static let changeStatus = "changeStatus"
    /// Refusals of so many kinds that they are counted together.
    package static let various = "various"
    /// A request was refused before it was known what it wants.
    package static let none = "none"
}

extension Command {
    /// Makes a new job.
    package var isCreation: Bool {
        switch self {
        case .create, .createForValidation: true
        case .reschedule, .delete, .validate, .migrate, .cancel, .cancelPerson, .approve, .approvePerson, .startDryRun,
            .stopDryRun:
            false
        }
    }

    /// The constant name of the operation; the same that the API logs.
    package var operation: String {
        switch self {
        case .create: "createJob"
        case .createForValidation: "validateCollection"
        case .reschedule: "updateJob"
        case .delete: "deleteJob"
        case .validate: "validateJob"
        case .migrate: "migrateJob"
        case .cancel: "cancelJob"
        case .cancelPerson: "cancelUser"
        case .approve: "approveJob"
        case .approvePerson: "approveUser"
        case .startDryRun: "startDryRun"
        case .stopDryRun: "stopDryRun"
        }
    }
}
