import FerryConnector
package import FerryCore

/// What is done to the source around a cutover, over all legs of a transfer. Every step may be repeated.
package struct CutoverSteps: Sendable {
    private let transfer: Transfer

    package init(_ transfer: Transfer) { self.transfer = transfer }

    /// Makes every source that can refuse changes by its owner do so; says how much of the person's data that is.
    package func freeze() async throws(WorkError) -> CutoverJournal.Hold {
        let coverage = try await forEachCustody(.freeze) { custody throws(ConnectorError) in try await custody.freeze()
        }
        if coverage.passedOver == 0 { return .whole }
        return coverage.done == 0 ? .nothing : .partly
    }

    /// Undoes `freeze`.
    package func thaw() async throws(WorkError) {
        _ = try await forEachCustody(.freeze, goesOn: true) { custody throws(ConnectorError) in
            try await custody.thaw()
        }
    }

    /// Leaves word at every source that can where the person has gone.
    package func redirect(to address: String) async throws(WorkError) {
        _ = try await forEachCustody(.redirect) { custody throws(ConnectorError) in
            try await custody.redirect(to: address)
        }
    }

    /// Undoes `redirect`.
    package func removeRedirect() async throws(WorkError) {
        _ = try await forEachCustody(.redirect, goesOn: true) { custody throws(ConnectorError) in
            try await custody.removeRedirect()
        }
    }

    /// Undoes at the targets what an earlier move in the other direction has done there: they can be written again.
    package func thawTarget() async throws(WorkError) {
        _ = try await forEachCustody(.freeze, ofTargets: true) { custody throws(ConnectorError) in
            try await custody.thaw()
        }
    }

    /// The same for the redirection: mail that is on its way stays at the target.
    package func removeTargetRedirect() async throws(WorkError) {
        _ = try await forEachCustody(.redirect, ofTargets: true) { custody throws(ConnectorError) in
            try await custody.removeRedirect()
        }
    }

    /// Services to which something was done, and those that cannot do it.
    private struct Coverage {
        var done = 0
        var passedOver = 0
    }

    /// Does the same to every source (or target), in order. A service in which the person has nothing needs no custody; one that
    /// cannot do it is passed over.
    /// - Parameter goesOn: an error at one source keeps the others from nothing, and is thrown at the end; otherwise the
    ///   first error ends it, which leaves the ones before it done.
    private func forEachCustody(
        _ ability: CustodyAbilities, goesOn: Bool = false, ofTargets: Bool = false,
        _ step: @Sendable (any SourceCustody) async throws(ConnectorError) -> Void
    ) async throws(WorkError) -> Coverage {
        var coverage = Coverage()
        var failure: ConnectorError?
        for leg in transfer.legs {
            do throws(ConnectorError) {
                let session =
                    ofTargets
                    ? try await leg.target.source(for: leg.targetAccount)
                    : try await leg.source.source(for: leg.sourceAccount)
                let done = await Self.attempt(session, ability, step)
                await session.close()
                if try done.get() { coverage.done += 1 } else { coverage.passedOver += 1 }
            } catch {
                if error.code == .sourceNotFound { continue }
                failure = failure ?? error
                if !goesOn { break }
            }
        }
        if let failure { throw .connector(failure) }
        return coverage
    }

    /// Whether the source could do it.
    private static func attempt(
        _ session: any SourceSession, _ ability: CustodyAbilities,
        _ step: @Sendable (any SourceCustody) async throws(ConnectorError) -> Void
    ) async -> Result<Bool, ConnectorError> {
        guard let custody = session.custody, custody.abilities.contains(ability) else { return .success(false) }
        do throws(ConnectorError) {
            try await step(custody)
            return .success(true)
        } catch {
            return error.disposition == .skip ? .success(false) : .failure(error)
        }
    }
}
