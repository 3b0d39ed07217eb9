package import FerryCore

/// Carries out what a client asks for. The server's only way to change anything.
package protocol CommandHandling: Sendable {
    /// Durable when it returns. Throws the reason when nothing was changed.
    func carryOut(_ command: Command, by principal: Principal) async throws(Refusal) -> CommandResult
}
