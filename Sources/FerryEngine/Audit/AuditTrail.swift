import FerryCore
import FerryFormats
import FerryStore

/// Puts entries into the audit trail, inside the transaction of what they tell of: neither is stored without the other.
enum AuditTrail {
    /// Throws `.conflict` for a token whose record is there already, and has then changed nothing.
    static func append(_ entry: AuditEntry, in tx: any StoreTransaction) throws(StoreError) {
        let head = try tx.auditHead(of: entry.tenant) ?? .beginning(of: entry.tenant)
        try tx.append(AuditChain.seal(entry, after: head))
    }

    /// The engine brought the job into its present state.
    static func noteStatus(of job: Job, in tx: any StoreTransaction) throws(StoreError) {
        try append(
            AuditEntry(
                tenant: job.targetTenant, at: tx.now, name: AuditEntry.engine, operation: AuditOperation.changeStatus,
                job: job.id, detail: job.status.rawValue), in: tx)
    }
}
