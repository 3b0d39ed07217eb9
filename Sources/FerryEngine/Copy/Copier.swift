import FerryConnector
package import FerryCore
package import FerryStore
package import Logging

/// Moves the items of one run, pass by pass, so that after any crash at any instant the next pass ends with every source
/// item exactly once at the target.
///
/// It remembers nothing itself: what was done is in the ledger, and each pass begins by reading it.
package struct Copier: Sendable {
    private let store: any Store
    private let effects: Effects
    private let settings: CopySettings
    private let logger: Logger

    package init(store: any Store, effects: Effects, settings: CopySettings = CopySettings(), logger: Logger) {
        self.store = store
        self.effects = effects
        self.settings = settings
        self.logger = logger
    }

    /// One pass over all legs of the transfer: new, changed and deleted items. Resumes an interrupted pass.
    ///
    /// With `reportingArrivals`, every item that comes to the target for the first time gets a finding. `progress` is what the store has of the run. When it throws, everything that is known to have been written is
    /// recorded up to the last checkpoint, and calling it again goes on from there. Items that could not be moved this
    /// time are counted in the result's `failed`, not thrown. When the task is cancelled it throws
    /// `.connector(.cancelled)` between two batches; when the lease is lost, `.store(.leaseLost)`.
    ///
    /// `comparingEverything` takes no source's word for what has changed: everything is listed and compared.
    package func pass(
        _ transfer: Transfer, under lease: Lease, starting progress: RunProgress, reportingArrivals: Bool = false,
        comparingEverything: Bool = false
    ) async throws(WorkError) -> PassResult {
        let survey = Survey(legs: transfer.legs, result: Survey.Result())
        let isFirst = progress.itemsExpected == nil && settings.countsAhead
        async let _: Void = isFirst ? survey.run() : ()
        let tally = PassTally(progress, clock: effects.clock, survey: survey.result)
        if progress.passes == 0, progress.items == 0 { try await adopt(transfer, tally) }
        try await forgetFindings(of: transfer.run, under: lease, tally)

        var isAnywhere = false
        for leg in transfer.legs {
            let pass = LegPass(
                leg: leg, transfer: transfer, store: store, effects: effects, settings: settings,
                comparesEverything: comparingEverything, lease: lease, logger: logger,
                reportsArrivals: reportingArrivals)
            isAnywhere = try await pass.run(tally) || isAnywhere
        }
        // Plenty of people never chat or call a meeting; nobody is without a mailbox or a file store.
        guard isAnywhere || transfer.run.workload == .chats || transfer.run.workload == .meetings else {
            throw .connector(
                ConnectorError(
                    .sourceNotFound, .failRun,
                    "The person has no account at any service of the source. Check the logins of the source tenant."))
        }
        tally.complete()
        let result = tally.result
        try await transact(under: lease) { tx throws(StoreError) in
            try tx.setProgress(result.progress, of: transfer.run)
        }
        logger.debug(
            "A pass is complete",
            metadata: [
                "job": "\(transfer.run.job)", "person": "\(transfer.run.person)",
                "workload": "\(transfer.run.workload.rawValue)", "changes": "\(result.changes)",
                "items": "\(result.progress.items)", "failed": "\(result.progress.failed)",
            ])
        return result
    }

    /// Removes at the target what the ledger says was copied there, and forgets it. What others have put there stays, and
    /// so do the containers. Gives the run's progress after that; may be called again after a crash.
    package func takeBack(
        _ transfer: Transfer, under lease: Lease, starting progress: RunProgress
    ) async throws(WorkError) -> RunProgress {
        let tally = PassTally(progress, clock: effects.clock, survey: Survey(legs: [], result: Survey.Result()).result)
        for leg in transfer.legs {
            let pass = LegPass(
                leg: leg, transfer: transfer, store: store, effects: effects, settings: settings,
                comparesEverything: false, lease: lease, logger: logger)
            try await pass.takeBack(tally)
        }
        return tally.current
    }

    /// A new run of a person whose data were on the way before begins with what is there.
    private func adopt(_ transfer: Transfer, _ tally: PassTally) async throws(WorkError) {
        var sums = PassTally.Sums()
        do throws(StoreError) {
            for container in try await store.reader.ledgerContainers(transfer.route) {
                let ledger = try await store.reader.ledger(transfer.route, container)
                sums.add(ledger.entries.tally)
                sums.copiedBytes += ContainerMemo(ledger.cursor)?.copiedBytes ?? 0
            }
        } catch {
            throw .store(error)
        }
        if sums != PassTally.Sums() { tally.adopt(sums) }
    }

    /// Whatever stood in an item's way is reported again by this pass if it still does.
    private func forgetFindings(of run: RunID, under lease: Lease, _ tally: PassTally) async throws(WorkError) {
        guard tally.current.skipped + tally.current.failed > 0 else { return }
        try await transact(under: lease) { tx throws(StoreError) in try tx.removeItemFindings(of: run) }
    }

    private func transact(
        under lease: Lease, _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> Void
    ) async throws(WorkError) {
        do throws(StoreError) {
            try await store.transact { (tx) throws(StoreError) in
                try tx.require(lease)
                try body(tx)
            }
        } catch {
            throw .store(error)
        }
    }
}
