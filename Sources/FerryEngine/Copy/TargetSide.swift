import FerryConnector
import FerryCore
import FerryStore

/// The half of the copier that writes: one batch after the other into one container of the target, each followed by one
/// durable checkpoint.
///
/// The checkpoint of a batch is stored while the next one is being written; no more than one is ever on its way, and
/// their order is that of the batches. A target that is not idempotent gets nothing before the intent of the batch is
/// durable (law 1).
struct TargetSide {
    /// So many items of one batch, and every one of them put off, mean that the target is in trouble and not the items.
    private static let trouble = 8

    let session: any TargetSession
    let container: Container
    let journal: Journal
    let clock: any Clock<Duration>
    let sizer: SharedSizer
    let batches: Conduit<CopyBatch>
    let leftovers: Conduit<[CopyItem]>

    /// Source bytes of the items that this pass made `copied`, and of those that it looked at and that are to be moved.
    private(set) var copiedBytes: Int64 = 0
    private(set) var expectedBytes: Int64 = 0
    /// Of the latter, those that were not in the ledger.
    private(set) var newBytes: Int64 = 0
    /// Source bytes of the items that turned out to be another workload's.
    private(set) var elsewhereBytes: Int64 = 0
    /// Whether the ledger was changed.
    private(set) var hasRecorded = false
    private var pending: Checkpoint?
    private var returned: [CopyItem] = []

    init(
        session: any TargetSession, container: Container, journal: Journal, clock: any Clock<Duration>,
        sizer: SharedSizer, batches: Conduit<CopyBatch>, leftovers: Conduit<[CopyItem]>
    ) {
        self.session = session
        self.container = container
        self.journal = journal
        self.clock = clock
        self.sizer = sizer
        self.batches = batches
        self.leftovers = leftovers
    }

    /// Works until the source side has nothing more. When it throws, everything that was written and known to be so is
    /// recorded, but for a store that is out of order.
    mutating func run(_ tally: PassTally) async throws(WorkError) {
        do throws(WorkError) {
            while let batch = try await nextBatch() {
                if Task.isCancelled { throw WorkError.connector(.cancelled) }
                switch batch {
                case .write(let items, let bodies): try await write(items, bodies, tally)
                case .update(let items): try await update(items, tally)
                case .record(let decisions): record(decisions, tally)
                case .returnLeftovers: try await returnLeftovers()
                }
            }
            try await flush()
        } catch {
            // Where the source broke first, the target's complaint is only an echo. Asked before the source is told to
            // stop, for that is a failure too.
            let origin = batches.failure
            batches.cancel()
            leftovers.cancel()
            if case .connector(let problem) = error {
                try await flush()
                throw .connector(origin ?? problem)
            }
            throw error
        }
    }

    private mutating func nextBatch() async throws(WorkError) -> CopyBatch? {
        if let ready = batches.take() { return ready }
        // The source is behind: no reason to keep the last checkpoint waiting.
        try await flush()
        do throws(ConnectorError) { return try await batches.next() } catch { throw .connector(error) }
    }

    private mutating func flush() async throws(WorkError) {
        do throws(StoreError) { try await journal.commit(pending.take()).get() } catch { throw .store(error) }
    }

    private mutating func write(
        _ items: [CopyItem], _ bodies: any CopyBodies, _ tally: PassTally
    ) async throws(WorkError) {
        defer { bodies.discard() }
        if !session.capabilities.isIdempotent { try await announce(items, tally) }
        let (session, container, journal, checkpoint) = (session, container, journal, pending.take())
        let headers = items.map(\.header)
        let elapsed = PassTally.stopwatch(clock)
        async let committed = journal.commit(checkpoint)
        let written = await Self.attempt { () throws(ConnectorError) in
            try await session.write(headers, bodies: bodies, in: container)
        }
        let time = elapsed()
        do throws(StoreError) { try await committed.get() } catch { throw .store(error) }
        let receipts: [WriteReceipt]
        do throws(ConnectorError) { receipts = try written.get() } catch { throw .connector(error) }
        try await settle(items, receipts, tally)
        sizer.learn(items: headers.count, bytes: headers.reduce(0) { $0 + $1.size }, took: time)
    }

    /// Makes the intent durable, together with the checkpoint of the batch before; then clears the way for items that
    /// replace others, since such a target would have both.
    private mutating func announce(_ items: [CopyItem], _ tally: PassTally) async throws(WorkError) {
        let intent: BatchIntent
        do throws(ConnectorError) {
            let mark = try await session.mark(of: container, before: items.map(\.header))
            intent = BatchIntent(keys: items.map(\.header.key), mark: mark)
        } catch {
            throw .connector(error)
        }
        var checkpoint = pending.take() ?? journal.checkpoint(tally.current)
        checkpoint.intent = intent
        pending = checkpoint
        try await flush()
        let stale = items.filter { $0.previous != nil && $0.previous != .elsewhere }
            .map { PlacedItem(key: $0.header.key, place: $0.header.place) }
        guard !stale.isEmpty else { return }
        do throws(ConnectorError) { try await session.remove(stale, in: container) } catch { throw .connector(error) }
        guard session.capabilities.marksWhatIsRemoved, stale.contains(where: { $0.place != nil }) else { return }
        var remark = journal.checkpoint(tally.current)
        remark.intent = intent
        remark.findings = [journal.marked(stale.count { $0.place != nil }, in: container)]
        pending = remark
    }

    private mutating func settle(
        _ items: [CopyItem], _ receipts: [WriteReceipt], _ tally: PassTally
    ) async throws(WorkError) {
        guard items.count == receipts.count else {
            throw .connector(
                ConnectorError(
                    .internalFault, .failRun,
                    "The target answered with \(receipts.count) receipts for \(items.count) items. Please report this.")
            )
        }
        var decisions: [Decision] = []
        decisions.reserveCapacity(items.count)
        var stop: ConnectorError?
        var putOff: ConnectorError?
        for (item, receipt) in zip(items, receipts) {
            switch receipt {
            case .written(_, let place):
                decisions.append(Decision(item: item, outcome: .copied, error: nil, place: place))
            case .altered(_, let place, let loss):
                decisions.append(Decision(item: item, outcome: .copied, error: loss, place: place))
            case .failure(let error):
                do throws(ConnectorError) {
                    let outcome = try error.outcome()
                    if outcome == .failed { putOff = putOff ?? error }
                    decisions.append(Decision(item: item, outcome: outcome, error: error))
                } catch {
                    stop = stop ?? error
                }
            }
        }
        let failed = decisions.count { $0.outcome == .failed }
        if failed == items.count, failed >= Self.trouble { stop = stop ?? putOff }
        record(decisions, tally)
        if let stop { throw .connector(stop) }
    }

    private mutating func update(_ items: [CopyItem], _ tally: PassTally) async throws(WorkError) {
        guard sizer.targetCanUpdate else { return returned.append(contentsOf: items) }
        let receipts: [WriteReceipt]?
        do throws(ConnectorError) {
            receipts = try await session.update(items.map(\.header), in: container)
        } catch {
            throw .connector(error)
        }
        guard let receipts, receipts.count == items.count else {
            sizer.noteThatTargetCannotUpdate()
            return returned.append(contentsOf: items)
        }
        var updated: [Decision] = []
        for (item, receipt) in zip(items, receipts) {
            switch receipt {
            case .written(_, let place):
                updated.append(
                    Decision(item: item, outcome: .copied, error: nil, place: place ?? item.header.place))
            case .altered(_, let place, let loss):
                updated.append(
                    Decision(item: item, outcome: .copied, error: loss, place: place ?? item.header.place))
            case .failure(let error):
                do throws(ConnectorError) { _ = try error.outcome() } catch { throw .connector(error) }
                returned.append(item)
            }
        }
        record(updated, tally)
    }

    private mutating func returnLeftovers() async throws(WorkError) {
        defer { returned = [] }
        do throws(ConnectorError) { try await leftovers.send(returned) } catch { throw .connector(error) }
    }

    /// Adds outcomes to the checkpoint that is to be stored next.
    private mutating func record(_ decisions: [Decision], _ tally: PassTally) {
        guard !decisions.isEmpty else { return }
        hasRecorded = true
        var checkpoint = pending ?? journal.checkpoint(tally.current)
        for decision in decisions {
            let (item, outcome) = (decision.item, decision.outcome)
            checkpoint.entries.append(
                LedgerEntry(
                    key: item.header.key, version: item.header.version, outcome: outcome, place: decision.place))
            tally.count(from: item.previous, to: outcome, bytes: item.sourceSize)
            if outcome == .copied {
                tally.note(changes: 1, in: journal.place)
                copiedBytes += item.sourceSize
                if journal.reportsArrivals, item.previous == nil {
                    tally.noteArrival()
                    checkpoint.findings.append(journal.arrival(item.header.name))
                }
            }
            if outcome == .elsewhere {
                elsewhereBytes += item.sourceSize
            } else {
                expectedBytes += item.sourceSize
                if item.previous == nil { newBytes += item.sourceSize }
            }
            if let error = decision.error {
                checkpoint.findings.append(journal.finding(item.header.name, outcome, error))
            }
        }
        checkpoint.progress = tally.current
        pending = checkpoint
    }

    private static func attempt<R>(
        _ body: () async throws(ConnectorError) -> R
    ) async -> Result<R, ConnectorError> {
        do throws(ConnectorError) { return .success(try await body()) } catch { return .failure(error) }
    }
}
