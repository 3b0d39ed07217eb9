import FerryCore

extension Resource {
    /// Placeholders of path templates, named as Graph's own descriptions name them.
    enum Placeholder {
        static let job = "{crossTenantMigrationJob-id}"
        static let displayName = "{displayName}"
        static let task = "{crossTenantMigrationTask-id}"
        static let person = "{person}"
    }

    /// Every resource once, with placeholders for keys: first by id or name, then by the alternate key.
    package static let templates: [Resource] =
        [
            .serviceDocument, .metadata, .batch, .migrationsRoot, .jobs, .jobCount,
            .collectionActionOrJob(Action.validate.rawValue),
        ]
        + [JobReference.key(Placeholder.job), .displayName(Placeholder.displayName)].flatMap { job in
            [.job(job)] + Action.allCases.map { .jobAction(job, $0) }
                + [
                    .users(job), .userCount(job), .user(job, Placeholder.task), .userCancel(job, Placeholder.task),
                ]
        }
        + [
            .approval(.key(Placeholder.job)), .userApproval(.key(Placeholder.job), Placeholder.task),
            .progress(.key(Placeholder.job)), .items(.key(Placeholder.job)), .report(.key(Placeholder.job)),
            .dryRun(.key(Placeholder.job)), .manifest(.key(Placeholder.job)), .reversal(.key(Placeholder.job)),
            .manifestKey, .audit, .identities, .identityCheck, .identityMatch, .identityCompletion,
            .identity(Placeholder.person),
        ]

    /// Below a version of Graph, and not in our own namespace.
    var isGraph: Bool {
        switch self {
        case .approval, .userApproval, .progress, .items, .report, .dryRun, .manifest, .reversal, .manifestKey, .audit,
            .identities, .identityCheck, .identityMatch, .identityCompletion, .identity:
            false
        case .serviceDocument, .metadata, .batch, .migrationsRoot, .jobs, .jobCount, .job, .collectionActionOrJob,
            .jobAction, .users, .userCount, .user, .userCancel, .userLink:
            true
        }
    }

    /// The path below `/beta` and `/v1.0`, or below `/ferry`; keys stand in it as they are.
    package var template: String {
        switch self {
        case .serviceDocument: "/"
        case .metadata: "/$metadata"
        case .batch: "/$batch"
        case .migrationsRoot: "/solutions/migrations"
        case .jobs: "/\(Links.collection)"
        case .jobCount: "/\(Links.collection)/$count"
        case .collectionActionOrJob(let name): "/\(Links.collection)/\(name)"
        case .job(.key(let key)): "/\(Links.collection)/\(key)"
        case .job(.displayName(let name)): "/\(Links.collection)(displayName='\(name)')"
        case .jobAction(let job, let action): "\(Resource.job(job).template)/\(action.rawValue)"
        case .users(let job): "\(Resource.job(job).template)/users"
        case .userCount(let job): "\(Resource.users(job).template)/$count"
        case .user(let job, let task): "\(Resource.users(job).template)/\(task)"
        case .userCancel(let job, let task): "\(Resource.user(job, task).template)/\(Action.cancel.rawValue)"
        case .userLink: "/\(Links.collection)/\(Placeholder.job)/users/\(Placeholder.task)/$ref"
        case .approval(let job): "/jobs/\(job.text)/approve"
        case .userApproval(let job, let task): "/jobs/\(job.text)/users/\(task)/approve"
        case .progress(let job): "/jobs/\(job.text)/progress"
        case .items(let job): "/jobs/\(job.text)/items"
        case .report(let job): "/jobs/\(job.text)/report"
        case .dryRun(let job): "/jobs/\(job.text)/dryRun"
        case .manifest(let job): "/jobs/\(job.text)/manifest"
        case .reversal(let job): "/jobs/\(job.text)/reversal"
        case .manifestKey: "/manifest-key"
        case .audit: "/audit"
        case .identities: "/identity-map"
        case .identityCheck: "/identity-map/check"
        case .identityMatch: "/identity-map/match"
        case .identityCompletion: "/identity-map/complete"
        case .identity(let person): "/identity-map/\(person)"
        }
    }

    /// The operations that this path is described by. `…Jobs/validate` is also the path of a job of that name; as no
    /// job may have it, only the action is worth telling.
    package var described: [(method: Method, operation: Operation)] {
        guard case .collectionActionOrJob = self else { return operations }
        return operations.filter { $0.operation.kind == .validateCollection }
    }
}

extension JobReference {
    fileprivate var text: String {
        switch self {
        case .key(let text), .displayName(let text): text
        }
    }
}
