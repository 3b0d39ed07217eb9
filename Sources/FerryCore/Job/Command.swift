/// Who calls, as the token says it.
package struct Principal: Sendable, Hashable {
    package var tenant: TenantID
    /// Object id of the caller; application id for app-only callers.
    package var subject: String
    /// What `createdBy` will say: UPN, else object id, else application id.
    package var name: String
    /// The client application that the token was given to (`appid` or `azp`); empty when the token does not say.
    package var application: String
    package var canRead: Bool
    package var canWrite: Bool

    package init(
        tenant: TenantID, subject: String, name: String, application: String = "", canRead: Bool, canWrite: Bool
    ) {
        self.tenant = tenant
        self.subject = subject
        self.name = name
        self.application = application
        self.canRead = canRead
        self.canWrite = canWrite
    }
}

/// How a request names a job.
package enum JobReference: Sendable, Hashable {
    /// A key that may be an id or a display name: GUID syntax is tried as an id first (reference 7.3).
    case key(String)
    /// The alternate key `displayName='…'`.
    case displayName(String)
}

/// The create set of a job, well-formed but not yet judged (orchestration 4.2). `nil` = the member was absent or null.
package struct JobDraft: Sendable, Hashable {
    package var displayName: String?
    package var sourceTenant: String?
    package var completeAfter: Instant?
    package var resourceType: String?
    package var resources: [String]?
    package var workloads: [String]?
    package var sourceEndpoint: String?
    package var targetDeliveryDomain: String?

    package init(
        displayName: String? = nil, sourceTenant: String? = nil, completeAfter: Instant? = nil,
        resourceType: String? = nil,
        resources: [String]? = nil, workloads: [String]? = nil, sourceEndpoint: String? = nil,
        targetDeliveryDomain: String? = nil
    ) {
        self.displayName = displayName
        self.sourceTenant = sourceTenant
        self.completeAfter = completeAfter
        self.resourceType = resourceType
        self.resources = resources
        self.workloads = workloads
        self.sourceEndpoint = sourceEndpoint
        self.targetDeliveryDomain = targetDeliveryDomain
    }
}

/// A change that a client asks for.
package enum Command: Sendable, Hashable {
    case create(JobDraft)
    /// Collection-level validate of the first API generation: create and validate at once, never migrate.
    case createForValidation(JobDraft)
    case reschedule(JobReference, completeAfter: Instant)
    case delete(JobReference)
    case validate(JobReference)
    case migrate(JobReference)
    case cancel(JobReference)
    case cancelPerson(JobReference, String)
    /// Agrees to what everybody who waits for that would leave behind.
    case approve(JobReference)
    case approvePerson(JobReference, String)
    /// Looks at all data of the job and moves nothing; joins one that runs.
    case startDryRun(JobReference)
    /// Ends a dry run that runs.
    case stopDryRun(JobReference)
}

/// Why a command was not carried out. Nothing was stored.
package enum Refusal: Error, Sendable, Hashable {
    /// No such job, or one of another tenant.
    case jobNotFound(String)
    case personNotFound(String)
    /// The body says something that cannot be; all such problems at once, never empty.
    case invalid([FieldProblem])
    /// The state does not allow it.
    case conflict(ConflictReason, message: String)
    /// The store could not be reached or is busy; trying again is safe.
    case unavailable(String)
}

/// One problem of a request body (reference 6.3: 422 `BadArgument`).
package struct FieldProblem: Sendable, Hashable {
    /// Sub-codes of `BadArgument`.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case duplicateDisplayNameJob, minThresholdFailed, required, invalidValue, readOnlyProperty, tooManyResources
        case duplicateResource
        /// The `client-request-id` belongs to a creation with another body.
        case clientRequestIdReused
    }

    package var code: Code
    /// JSON name of the member, or the name of the header.
    package var target: String
    package var message: String

    package init(code: Code, target: String, message: String) {
        self.code = code
        self.target = target
        self.message = message
    }
}

/// Sub-codes of `Conflict` (reference 6.3).
package enum ConflictReason: String, Sendable, Hashable, CaseIterable {
    /// Delete of a job that is not final.
    case resourceTypeMismatch
    case invalidJobStatus
    case validationExpired
    case cancelNotPossible
    /// The identity map names another target for the person, and nobody asked for overwriting.
    case mappingExists
    /// A job moves the person whose mapping was to be changed.
    case personIsMoving
}

/// What a command gives back.
package enum CommandResult: Sendable, Hashable {
    case created(Job)
    case job(Job)
    case accepted
    case cancelAccepted(Job)
    case personCancelAccepted(Job, PersonID)
}
