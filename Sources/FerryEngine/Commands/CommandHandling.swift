package import FerryCore
package import FerryStore

/// Carries out what a client asks for. The server's only way to change anything.
package protocol CommandHandling: Sendable {
    /// Durable when it returns, together with its record in the audit trail. Throws the reason when nothing was changed.
    ///
    /// A creation with a `repetition` that the caller has sent before gives the same job again, as it was created, and
    /// creates nothing.
    func carryOut(
        _ command: Command, by principal: Principal, from provenance: Provenance
    ) async throws(Refusal) -> CommandResult

    /// Records what was refused or happened elsewhere, in one transaction. Entries about a token that are recorded
    /// already are passed over.
    func record(_ entries: [AuditEntry]) async throws(StoreError)
}

extension CommandHandling {
    package func carryOut(_ command: Command, by principal: Principal) async throws(Refusal) -> CommandResult {
        try await carryOut(command, by: principal, from: Provenance())
    }
}
