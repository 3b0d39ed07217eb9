import FerryConnector
import FerryCore
import FerryStore

/// Writes down what happens to one container, under the lease of the run.
struct Journal: Sendable {
    let store: any Store
    let lease: Lease
    let run: RunID
    let route: Route
    let container: ContainerID
    /// Where the container is at the source; `nil` when it is there no more.
    let place: ContainerPlace?
    let now: @Sendable () -> Instant
    /// Each item that comes to the target for the first time is reported.
    var reportsArrivals = false

    func ledger() async throws(WorkError) -> ContainerLedger {
        do throws(StoreError) { return try await store.reader.ledger(route, container) } catch { throw .store(error) }
    }

    /// What a move in the other direction that brought the person here knew of a container; nothing when there was none.
    func ledgerBack(_ container: ContainerID) async throws(WorkError) -> LedgerEntries {
        do throws(StoreError) {
            let back = route.opposite
            guard try await store.reader.ledger(back, .home).cursor != nil else { return [] }
            return try await store.reader.ledger(back, container).entries
        } catch {
            throw .store(error)
        }
    }

    func checkpoint(_ progress: RunProgress) -> Checkpoint {
        Checkpoint(run: run, route: route, container: container, progress: progress)
    }

    /// Makes a checkpoint durable; nothing to do for `nil`.
    func commit(_ checkpoint: Checkpoint?) async -> Result<Void, StoreError> {
        guard let checkpoint else { return .success(()) }
        do throws(StoreError) {
            let lease = lease
            try await store.transact { (tx) throws(StoreError) in
                try tx.require(lease)
                try tx.checkpoint(checkpoint, under: lease)
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Puts the compact form in place of everything that is known of the container; `nil` forgets the container.
    func replace(with ledger: ContainerLedger?, _ progress: RunProgress) async throws(WorkError) {
        do throws(StoreError) {
            let (lease, run, route, container) = (lease, run, route, container)
            try await store.transact { (tx) throws(StoreError) in
                try tx.require(lease)
                if let ledger {
                    try tx.replaceLedger(route, container, with: ledger, under: lease)
                } else {
                    try tx.removeLedger(route, container, under: lease)
                }
                try tx.setProgress(progress, of: run)
            }
        } catch {
            throw .store(error)
        }
    }

    /// What is reported of an item that came after the swap.
    func arrival(_ name: String) -> ItemFinding {
        finding(
            name, .copied,
            ConnectorError(
                .sourceItemLate, .skip,
                "It came to the source after the last delta of the cutover, and was carried over."))
    }

    /// Makes durable that everything has to be compared before the container's cursor counts again: something is about to
    /// be written into the ledger that the source will not name among its changes.
    func distrust(_ ledger: ContainerLedger, _ progress: RunProgress) async throws(WorkError) -> ContainerLedger {
        guard var memo = ContainerMemo(ledger.cursor), memo.cursor != nil else { return ledger }
        memo.cursor = nil
        var ledger = ledger
        ledger.cursor = memo.bytes
        try await replace(with: ledger, progress)
        return ledger
    }

    /// What people at a target have to clear away that only marks what is removed.
    func marked(_ count: Int, in container: Container) -> ItemFinding {
        finding(
            container.path.joined(separator: "/"), .copied,
            ConnectorError(
                .targetConflict, .skip,
                "\(count) copies that are not wanted any more were marked for deletion and still lie in the target's"
                    + " folder, since the target cannot remove them without removing what others have marked. Let the"
                    + " person clear deleted items away there."))
    }

    /// What a calendar or address book had at the source that the target does not keep.
    func lost(_ traits: CollectionTraits, of container: Container) -> ItemFinding {
        finding(
            container.path.joined(separator: "/"), .copied,
            ConnectorError(
                .targetItemRefused, .skip,
                "The target does not keep this of the collection itself: \(traits.names.joined(separator: ", ")). What is in it"
                    + " moves all the same; let the person set it there if it is missed."))
    }

    func finding(_ name: String, _ outcome: ItemOutcome, _ error: ConnectorError) -> ItemFinding {
        ItemFinding(
            run: run, container: container, item: name, outcome: outcome, code: error.code, message: error.context,
            at: now())
    }
}
