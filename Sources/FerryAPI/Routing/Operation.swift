package import FerryCore

/// The two faces of the Graph contract. They answer alike; contexts and links name the one that was asked.
package enum APIVersion: String, Sendable, Hashable, CaseIterable {
    case beta
    case v1 = "v1.0"
}

/// What a request wants, after its method and path were understood. One case per row of reference 1; the numbers are
/// those rows. Rows 14 and 15 are rows 3 to 8 with a `JobReference.displayName`.
package enum Operation: Sendable, Hashable {
    /// 1
    case listJobs
    /// 2
    case createJob
    /// 3, 14
    case job(JobReference)
    /// 4, 14
    case updateJob(JobReference)
    /// 5, 14
    case deleteJob(JobReference)
    /// 6, 15
    case validateJob(JobReference)
    /// 7, 15
    case migrateJob(JobReference)
    /// 8, 15
    case cancelJob(JobReference)
    /// 9
    case listUsers(JobReference)
    /// 10
    case user(JobReference, String)
    /// 11
    case cancelUser(JobReference, String)
    /// 12
    case countJobs
    /// 13
    case countUsers(JobReference)
    /// 16
    case validateCollection
    /// 17
    case migrationsRoot
    /// Several requests in one (reference 7.9).
    case batch
    /// The types of the contract in CSDL (reference 7.10).
    case metadata
    /// What there is at the root of a version (reference 7.10).
    case serviceDocument
    /// Ours: agrees to what everybody who waits for that would leave behind.
    case approveJob(JobReference)
    /// Ours: the same for one user.
    case approveUser(JobReference, String)
    /// Ours: rates, states and an estimate of the end.
    case progress(JobReference)
    /// Ours: what happened to single items.
    case items(JobReference)
    /// Ours: what the last dry run of a job saw.
    case dryRun(JobReference)
    /// Ours: looks at all data of a job and moves nothing.
    case startDryRun(JobReference)
    /// Ours: ends a dry run.
    case stopDryRun(JobReference)
    /// Ours: everything about a job on one page.
    case report(JobReference)
    /// Ours: the signed manifest of a finished job.
    case manifest(JobReference)
    /// Ours: the job that would bring its people back, and what is missing for it.
    case reversal(JobReference)
    /// Ours: what the signatures of manifests are checked with.
    case manifestKey
    /// Ours: who did what in the caller's tenant.
    case audit
    /// Ours: the identity map of the caller's tenant, page by page.
    case listIdentities
    /// Ours: takes a list of who becomes whom.
    case importIdentities
    /// Ours: what is wrong with the map, the mailboxes at the source included.
    case checkIdentities
    /// Ours: finds target people by address.
    case matchIdentities
    /// Ours: agrees to mappings in which nothing is wrong.
    case completeIdentities
    /// Ours: the mapping of one source person, and what it was before.
    case identity(String)
    case updateIdentity(String)
    case removeIdentity(String)
}

extension Operation {
    /// The least privilege of reference 7.7.
    package enum Access: Sendable, Hashable {
        /// Needs no token.
        case anonymous
        /// Needs a token that is good; what it may do is judged for each request inside.
        case authenticated
        case read, write
    }

    package var access: Access {
        switch self {
        case .metadata, .serviceDocument, .manifestKey: .anonymous
        case .batch: .authenticated
        case .listJobs, .job, .listUsers, .user, .countJobs, .countUsers, .migrationsRoot, .progress, .items, .report,
            .manifest, .reversal, .audit, .dryRun, .listIdentities, .checkIdentities, .identity:
            .read
        case .createJob, .updateJob, .deleteJob, .validateJob, .migrateJob, .cancelJob, .cancelUser,
            .validateCollection, .approveJob, .approveUser, .startDryRun, .stopDryRun, .importIdentities,
            .matchIdentities, .completeIdentities, .updateIdentity, .removeIdentity:
            .write
        }
    }

    /// Reads a body. Whatever else a client sends along is left unread.
    package var takesBody: Bool { access == .write || self == .batch }

    /// What is done, without to which job. The raw values are the names in logs, in metrics and in the OpenAPI
    /// description.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case listJobs, createJob
        case job = "getJob"
        case updateJob, deleteJob, validateJob, migrateJob, cancelJob, listUsers
        case user = "getUser"
        case cancelUser, countJobs, countUsers, validateCollection
        case migrationsRoot = "getMigrationsRoot"
        case batch
        case metadata = "getMetadata"
        case serviceDocument = "getServiceDocument"
        case approveJob, approveUser
        case startDryRun, stopDryRun
        case dryRun = "getDryRun"
        case progress = "getProgress"
        case items = "listItems"
        case report = "getReport"
        case manifest = "getManifest"
        case reversal = "getReversal"
        case manifestKey = "getManifestKey"
        case audit = "listAudit"
        case listIdentities, importIdentities, checkIdentities, matchIdentities, completeIdentities
        case identity = "getIdentity"
        case updateIdentity, removeIdentity
    }

    package var kind: Kind {
        switch self {
        case .listJobs: .listJobs
        case .createJob: .createJob
        case .job: .job
        case .updateJob: .updateJob
        case .deleteJob: .deleteJob
        case .validateJob: .validateJob
        case .migrateJob: .migrateJob
        case .cancelJob: .cancelJob
        case .listUsers: .listUsers
        case .user: .user
        case .cancelUser: .cancelUser
        case .countJobs: .countJobs
        case .countUsers: .countUsers
        case .validateCollection: .validateCollection
        case .migrationsRoot: .migrationsRoot
        case .batch: .batch
        case .metadata: .metadata
        case .serviceDocument: .serviceDocument
        case .approveJob: .approveJob
        case .approveUser: .approveUser
        case .startDryRun: .startDryRun
        case .stopDryRun: .stopDryRun
        case .dryRun: .dryRun
        case .progress: .progress
        case .items: .items
        case .report: .report
        case .manifest: .manifest
        case .reversal: .reversal
        case .manifestKey: .manifestKey
        case .audit: .audit
        case .listIdentities: .listIdentities
        case .importIdentities: .importIdentities
        case .checkIdentities: .checkIdentities
        case .matchIdentities: .matchIdentities
        case .completeIdentities: .completeIdentities
        case .identity: .identity
        case .updateIdentity: .updateIdentity
        case .removeIdentity: .removeIdentity
        }
    }

    /// A constant name for logs and metrics, without keys.
    package var name: String { kind.rawValue }
}

extension Operation {
    /// The job that the operation is about, as the path names it.
    package var job: JobReference? {
        switch self {
        case .job(let job), .updateJob(let job), .deleteJob(let job), .validateJob(let job), .migrateJob(let job),
            .cancelJob(let job), .listUsers(let job), .user(let job, _), .cancelUser(let job, _), .countUsers(let job),
            .progress(let job), .items(let job), .report(let job), .manifest(let job), .reversal(let job),
            .approveJob(let job), .approveUser(let job, _), .dryRun(let job), .startDryRun(let job),
            .stopDryRun(let job):
            job
        case .listJobs, .createJob, .countJobs, .validateCollection, .migrationsRoot, .batch, .metadata,
            .serviceDocument, .manifestKey, .audit, .listIdentities, .importIdentities, .checkIdentities,
            .matchIdentities, .completeIdentities, .identity, .updateIdentity, .removeIdentity:
            nil
        }
    }
}
