import FerryCore
import FerryStore

/// Who carries out a command and where it came from: everything about it that outlives it.
struct Caller: Sendable {
    let principal: Principal
    let provenance: Provenance
    /// Constant name of the operation.
    let operation: String

    /// The entry of the command, carried out at `at`.
    func entry(of job: JobID?, person: PersonID? = nil, detail: String = "", at: Instant) -> AuditEntry {
        AuditEntry(
            tenant: principal.tenant, at: at, subject: principal.subject, name: principal.name,
            application: principal.application, origin: provenance.origin, operation: operation, job: job,
            person: person, detail: detail, status: provenance.status, requestID: provenance.requestID)
    }

    /// The creation that had the request's id before, however its body was; `nil` when the request says nothing that it
    /// could be known by, or that time is over.
    func repeated(in tx: any StoreTransaction, lifetime: Duration) throws(StoreError) -> RememberedCreation? {
        guard let key else { return nil }
        // What is older is of no use to anybody: whoever creates tidies up.
        try tx.forgetCreations(before: tx.now - lifetime)
        return try tx.creation(key, since: tx.now - lifetime)
    }

    /// Remembers that the request created the job.
    func remember(_ job: Job, in tx: any StoreTransaction) throws(StoreError) {
        guard let key, let repetition = provenance.repetition else { return }
        try tx.remember(
            RememberedCreation(key: key, fingerprint: repetition.fingerprint, job: job.id, at: job.created))
    }

    private var key: RememberedCreation.Key? {
        provenance.repetition.map {
            RememberedCreation.Key(tenant: principal.tenant, subject: principal.subject, id: $0.id)
        }
    }
}
