import FerryConnector
import FerryCore

/// What is done to the source around a cutover, over all legs of a transfer. Every step may be repeated.
package struct CutoverSteps: Sendable {
    private let transfer: Transfer

    package init(_ transfer: Transfer) { self.transfer = transfer }

    /// Makes every source that can refuse changes by its owner do so; `true` when all of them could.
    package func freeze() async throws(WorkError) -> Bool {
        try await forEachCustody(.freeze) { custody throws(ConnectorError) in try await custody.freeze() }
    }

    /// Undoes `freeze`.
    package func thaw() async throws(WorkError) {
        _ = try await forEachCustody(.freeze) { custody throws(ConnectorError) in try await custody.thaw() }
    }

    /// Leaves word at every source that can where the person has gone; `true` when all of them could.
    @discardableResult
    package func redirect(to address: String) async throws(WorkError) -> Bool {
        try await forEachCustody(.redirect) { custody throws(ConnectorError) in try await custody.redirect(to: address)
        }
    }

    /// Undoes `redirect`.
    package func removeRedirect() async throws(WorkError) {
        _ = try await forEachCustody(.redirect) { custody throws(ConnectorError) in try await custody.removeRedirect() }
    }

    /// Does the same to every source, in order; stops at the first error, which leaves the ones before it done.
    /// A service in which the person has nothing needs no custody; one that cannot do it is passed over.
    private func forEachCustody(
        _ ability: CustodyAbilities, _ step: @Sendable (any SourceCustody) async throws(ConnectorError) -> Void
    ) async throws(WorkError) -> Bool {
        var couldAll = true
        for leg in transfer.legs {
            do throws(ConnectorError) {
                let session = try await leg.source.source(for: leg.sourceAccount)
                var failure: ConnectorError?
                if let custody = session.custody, custody.abilities.contains(ability) {
                    do throws(ConnectorError) { try await step(custody) } catch {
                        if error.disposition == .skip { couldAll = false } else { failure = error }
                    }
                } else {
                    couldAll = false
                }
                await session.close()
                if let failure { throw failure }
            } catch {
                if error.code != .sourceNotFound { throw .connector(error) }
            }
        }
        return couldAll
    }
}
