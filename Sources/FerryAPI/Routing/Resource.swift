package import FerryCore

/// A place in the tree of paths, and what each method does there.
///
/// The path decides the resource, the resource decides the methods: so an unknown path is told from a method that is
/// not allowed, and the `Allow` header is the same table that routes.
package enum Resource: Sendable, Hashable {
    /// Actions that are bound to a job.
    package enum Action: String, Sendable, Hashable, CaseIterable {
        case validate, migrate, cancel
    }

    /// `/{version}/`
    case serviceDocument
    /// `/{version}/$metadata`
    case metadata
    /// `/{version}/$batch`
    case batch
    case migrationsRoot
    case jobs
    case jobCount
    case job(JobReference)
    /// `…Jobs/validate`: the collection-level action when posted to, a job of that name otherwise (reference 7.3).
    case collectionActionOrJob(String)
    case jobAction(JobReference, Action)
    case users(JobReference)
    case userCount(JobReference)
    case user(JobReference, String)
    case userCancel(JobReference, String)
    /// `…/users/{task}/$ref`: in the first drafts of the contract, never in the service.
    case userLink
    case approval(JobReference)
    case userApproval(JobReference, String)
    case progress(JobReference)
    case items(JobReference)
    case report(JobReference)
    case dryRun(JobReference)
    case manifest(JobReference)
    case reversal(JobReference)
    case manifestKey
    case audit
    case identities
    case identityCheck
    case identityMatch
    case identityCompletion
    case identity(String)

    /// The methods that do something here. What the SDKs generate but the service does not have (POST, PATCH and
    /// DELETE of users, PATCH and DELETE of the root) is missing on purpose: it answers 405.
    package var operations: [(method: Method, operation: Operation)] {
        switch self {
        case .serviceDocument: [(.get, .serviceDocument)]
        case .metadata: [(.get, .metadata)]
        case .batch: [(.post, .batch)]
        case .migrationsRoot: [(.get, .migrationsRoot)]
        case .jobs: [(.get, .listJobs), (.post, .createJob)]
        case .jobCount: [(.get, .countJobs)]
        case .job(let job): [(.get, .job(job)), (.patch, .updateJob(job)), (.delete, .deleteJob(job))]
        case .collectionActionOrJob(let name):
            Resource.job(.key(name)).operations + [(.post, .validateCollection)]
        case .jobAction(let job, .validate): [(.post, .validateJob(job))]
        case .jobAction(let job, .migrate): [(.post, .migrateJob(job))]
        case .jobAction(let job, .cancel): [(.post, .cancelJob(job))]
        case .users(let job): [(.get, .listUsers(job))]
        case .userCount(let job): [(.get, .countUsers(job))]
        case .user(let job, let task): [(.get, .user(job, task))]
        case .userCancel(let job, let task): [(.post, .cancelUser(job, task))]
        case .userLink: []
        case .approval(let job): [(.post, .approveJob(job))]
        case .userApproval(let job, let task): [(.post, .approveUser(job, task))]
        case .progress(let job): [(.get, .progress(job))]
        case .items(let job): [(.get, .items(job))]
        case .report(let job): [(.get, .report(job))]
        case .dryRun(let job): [(.get, .dryRun(job)), (.post, .startDryRun(job)), (.delete, .stopDryRun(job))]
        case .manifest(let job): [(.get, .manifest(job))]
        case .reversal(let job): [(.get, .reversal(job))]
        case .manifestKey: [(.get, .manifestKey)]
        case .audit: [(.get, .audit)]
        case .identities: [(.get, .listIdentities), (.post, .importIdentities)]
        case .identityCheck: [(.get, .checkIdentities)]
        case .identityMatch: [(.post, .matchIdentities)]
        case .identityCompletion: [(.post, .completeIdentities)]
        case .identity(let person):
            [(.get, .identity(person)), (.patch, .updateIdentity(person)), (.delete, .removeIdentity(person))]
        }
    }

    /// What `method` does here, or `Failure.methodNotAllowed` with the methods that do something.
    package func operation(for method: Method) throws(Failure) -> Operation {
        let known = operations
        guard let found = known.first(where: { $0.method == method }) else {
            throw .methodNotAllowed(allow: known.map(\.method))
        }
        return found.operation
    }
}
