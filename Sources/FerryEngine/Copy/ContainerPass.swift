import FerryConnector
import FerryCore
import FerryFormats
import FerryStore

/// One pass over one container of the source.
struct ContainerPass: Sendable {
    let container: Container
    let leg: LegContext
    let journal: Journal
    /// The name under which the ledger of the way back knows a container of the target.
    var counterpart: @Sendable (Container) -> ContainerID = { ContainerID($0.name) }

    /// Where the source is now, as far as this pass is concerned; `nil` when nothing is to be done, and that is noted. Costs a
    /// handful of calls, and none of the target.
    func look(_ tally: PassTally) async throws(WorkError) -> Cursor? {
        try await passingOver(tally) { () async throws(WorkError) -> Cursor? in
            let ledger = try await journal.ledger()
            do throws(ConnectorError) {
                let state = try await leg.source.state(of: container)
                guard let known = ContainerMemo(ledger.cursor), ledger.intent == nil,
                    try await isUpToDate(known, ledger.entries.tally)
                else { return state }
                tally.complete(
                    ledger.entries.tally, copiedBytes: known.copiedBytes, expectedBytes: known.expectedBytes)
                return nil
            } catch {
                throw .connector(error)
            }
        }
    }

    /// Brings the target up to date with the container, which was looked at.
    func run(from state: Cursor, _ target: inout LazyTarget, _ tally: PassTally) async throws(WorkError) {
        let session = try await target.open()
        let sizer = target.sizer(leg.settings, session.capabilities)
        _ = try await passingOver(tally) { () async throws(WorkError) -> Cursor? in
            try await copy(from: state, session, sizer, tally)
            return nil
        }
    }

    /// A container that can never move is recorded and passed over.
    private func passingOver(
        _ tally: PassTally, _ body: () async throws(WorkError) -> Cursor?
    ) async throws(WorkError) -> Cursor? {
        do throws(WorkError) {
            return try await body()
        } catch {
            guard case .connector(let problem) = error, problem.disposition == .skip else { throw error }
            try await recordAsSkipped(problem, tally)
            return nil
        }
    }

    private func copy(
        from state: Cursor, _ session: any TargetSession, _ sizer: SharedSizer, _ tally: PassTally
    ) async throws(WorkError) {
        var ledger = try await journal.ledger()
        let known = ContainerMemo(ledger.cursor)
        // Nobody else needs the source before a new container is listed, so that begins while the target makes it.
        let isNew = known == nil && ledger.intent == nil
        async let ahead = isNew ? firstPage() : nil
        let there: Container
        do throws(ConnectorError) {
            there = try await session.ensure(leg.rewriter.rewrite(container))
        } catch {
            throw .connector(error)
        }
        let lost = container.details.traits.missing(in: there.details.traits)
        if lost != CollectionTraits(), known?.container != container {
            var checkpoint = journal.checkpoint(tally.current)
            checkpoint.intent = ledger.intent
            checkpoint.findings = [journal.lost(lost, of: container)]
            do throws(StoreError) { try await journal.commit(checkpoint).get() } catch { throw .store(error) }
        }
        if known == nil {
            // Known from here on even if the source forgets it before the pass is over.
            ledger.cursor = ContainerMemo(container: container, rules: leg.rules).bytes
            let outbound = try await journal.ledgerBack(counterpart(there))
            if !outbound.isEmpty {
                // It reads the source itself.
                _ = await ahead
                let homecoming = Homecoming(container: container, there: there, leg: leg, session: session)
                ledger.entries = LedgerEntries(try await homecoming.entries(outbound))
            }
            try await journal.replace(with: ledger, tally.current)
        }
        if !session.capabilities.isIdempotent {
            let relocation = Relocation(
                container: container, leg: leg, journal: journal, session: session, there: there)
            if try await relocation.run(ledger, tally) { ledger = try await journal.ledger() }
        }
        if let intent = ledger.intent {
            if !session.capabilities.isIdempotent { ledger = try await journal.distrust(ledger, tally.current) }
            try await recover(intent, ledger.entries, session, there, tally)
            ledger = try await journal.ledger()
        }

        // Read again, because what was put right above is not to be taken for what the source has said.
        let stored = ContainerMemo(ledger.cursor)
        let hasNewRules = stored.map { $0.rules != leg.rules } ?? false
        var since = leg.comparesEverything || hasNewRules ? nil : stored?.cursor
        var hasChanged = false
        var first = await ahead
        while true {
            let index = LedgerIndex(ledger.entries, treatingAllAsChanged: hasNewRules)
            ledger = ContainerLedger()
            let round = try await round(index, since: since, first: first.take(), session, there, sizer, tally)
            hasChanged = hasChanged || round.hasChanged
            if round.addsUp {
                do throws(ConnectorError) { try await session.finish(there) } catch { throw .connector(error) }
                let memo = memo(of: round, after: stored, state)
                return try await complete(memo, stored, hasChanged: hasChanged, tally)
            }
            // The source has said less than has happened. What it did say is done; now everything is compared.
            since = nil
            ledger = try await journal.ledger()
        }
    }

    private func firstPage() async -> SourceSide.FirstPage {
        do throws(ConnectorError) {
            return .success(try await leg.source.items(in: container, after: nil))
        } catch {
            return .failure(error)
        }
    }

    /// What one listing, of changes or of everything, came to.
    private struct Round {
        var listing: SourceSide.Listing
        var writing: TargetSide
        /// Entries of items that were removed.
        var gone: Int

        var hasChanged: Bool { writing.hasRecorded || gone > 0 }
        var addsUp: Bool { listing.addsUp(without: gone) }
    }

    /// Reads and writes at the same time what is new or has changed, then removes what is gone.
    private func round(
        _ index: LedgerIndex, since: Cursor?, first: SourceSide.FirstPage?, _ session: any TargetSession,
        _ there: Container, _ sizer: SharedSizer,
        _ tally: PassTally
    ) async throws(WorkError) -> Round {
        let batches = Conduit<CopyBatch>(limit: 1)
        let leftovers = Conduit<[CopyItem]>(limit: 1)
        let reading = SourceSide(
            session: leg.source, container: container, rewriter: leg.rewriter, capabilities: session.capabilities,
            settings: leg.settings, sizer: sizer, batches: batches, leftovers: leftovers)
        var writing = TargetSide(
            session: session, container: there, journal: journal, clock: leg.clock, sizer: sizer, batches: batches,
            leftovers: leftovers)
        async let listed = reading.run(index, since: since, first: first)
        try await writing.run(tally)
        let listing: SourceSide.Listing
        do throws(ConnectorError) { listing = try await listed.get() } catch { throw .connector(error) }
        let gone = listing.gone
        try await remove(gone, session, there, tally)
        return Round(listing: listing, writing: writing, gone: gone.count)
    }

    /// What is kept of the container once everything that the round found is done.
    private func memo(of round: Round, after known: ContainerMemo?, _ state: Cursor) -> ContainerMemo {
        let (listing, writing) = (round.listing, round.writing)
        var memo = ContainerMemo(container: container, rules: leg.rules)
        if let changes = listing.changes, let known {
            // Everything that is not copied was listed, so the rest is.
            if let bytes = changes.bytes {
                memo.expectedBytes = max(0, bytes - listing.elsewhereBytes - writing.elsewhereBytes)
            } else {
                // The ledger does not know how large the items were that are gone: as large as most, say.
                let mean = known.expectedBytes / Int64(max(1, listing.index.count))
                memo.expectedBytes = max(0, known.expectedBytes + writing.newBytes - mean * Int64(round.gone))
            }
            memo.copiedBytes = max(0, memo.expectedBytes - (writing.expectedBytes - writing.copiedBytes))
        } else {
            memo.copiedBytes = listing.unchangedBytes + writing.copiedBytes
            memo.expectedBytes = listing.unchangedBytes + writing.expectedBytes
        }
        // What was not listed might change without being named among the changes.
        memo.cursor = listing.hasProblems ? nil : state
        return memo
    }

    /// Whether a handful of calls shows that there is nothing to do. Items that could not be moved are tried again.
    private func isUpToDate(_ known: ContainerMemo, _ entries: LedgerEntries.Tally) async throws(ConnectorError) -> Bool
    {
        guard !leg.comparesEverything, let cursor = known.cursor, known.container == container,
            known.rules == leg.rules,
            entries.skipped == 0, entries.failed == 0
        else { return false }
        return try await leg.source.isUnchanged(container, since: cursor)
    }

    /// Finds out what became of a batch whose writer did not live to record it.
    private func recover(
        _ intent: BatchIntent, _ entries: LedgerEntries, _ session: any TargetSession, _ there: Container,
        _ tally: PassTally
    ) async throws(WorkError) {
        var checkpoint = journal.checkpoint(tally.current)
        if !session.capabilities.isIdempotent {
            let headers: [ItemHeader]
            let arrived: [ItemKey: PlacedItem]
            do throws(ConnectorError) {
                headers = try await self.headers(of: intent.keys)
                let (source, container) = (leg.source, container)
                let search = CopySearch(
                    headers, batch: CopySearch.Batch(keys: intent.keys, mark: intent.mark),
                    besides: entries.compactMap(\.place))
                let found = try await session.find(search, in: there) { (some) throws(ConnectorError) in
                    try await source.bodies(of: some, in: container)
                }
                arrived = Dictionary(found.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
            } catch {
                throw .connector(error)
            }
            var index = LedgerIndex(entries, treatingAllAsChanged: false)
            let sources = Dictionary(headers.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
            for key in intent.keys {
                guard let item = arrived[key] else { continue }
                // What the source has forgotten meanwhile is recorded too: the listing then misses it, and it is removed.
                let header = sources[key]
                // Which of its versions arrived nobody knows, so it is recorded with one that the source does not have:
                // the listing then finds it changed, and its metadata are brought up to date.
                checkpoint.entries.append(
                    LedgerEntry(
                        key: key, version: ItemVersion(~(header?.version.bits ?? 0)), outcome: .copied,
                        place: item.place))
                let previous = index.outcome(of: key)
                if journal.reportsArrivals, previous == nil, let header {
                    checkpoint.findings.append(journal.arrival(header.name))
                    tally.noteArrival()
                }
                tally.count(from: previous, to: .copied, bytes: header?.size ?? 0)
            }
            tally.note(changes: Int64(checkpoint.entries.count), in: journal.place)
            checkpoint.progress = tally.current
        }
        do throws(StoreError) { try await journal.commit(checkpoint).get() } catch { throw .store(error) }
    }

    /// The headers of those of the items that the source still has, in the order given.
    private func headers(of keys: [ItemKey]) async throws(ConnectorError) -> [ItemHeader] {
        let places = Dictionary(keys.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [(place: Int, header: ItemHeader)] = []
        var cursor: Cursor?
        repeat {
            let page = try await leg.source.items(in: container, after: cursor)
            for var header in page.headers {
                guard let place = places[header.key] else { continue }
                header.sizeIsHint = header.sizeIsHint || leg.rewriter.rewrites(header.metadata)
                found.append((place, header))
            }
            cursor = page.next
        } while cursor != nil && found.count < places.count
        return found.sorted { $0.place < $1.place }.map(\.header)
    }

    private func remove(
        _ gone: [LedgerEntry], _ session: any TargetSession, _ there: Container, _ tally: PassTally
    ) async throws(WorkError) {
        var rest = gone[...]
        while !rest.isEmpty {
            if Task.isCancelled { throw .connector(.cancelled) }
            let chunk = rest.prefix(leg.settings.removalItems)
            rest = rest.dropFirst(chunk.count)
            try await leg.remove(chunk, from: session, there)
            var checkpoint = journal.checkpoint(tally.current)
            if session.capabilities.marksWhatIsRemoved {
                checkpoint.findings = [journal.marked(chunk.count, in: container)]
            }
            for entry in chunk {
                checkpoint.removed.append(entry.key)
                tally.count(from: entry.outcome, to: nil, bytes: 0)
                if entry.outcome == .copied { tally.note(changes: 1, in: journal.place) }
            }
            checkpoint.progress = tally.current
            do throws(StoreError) { try await journal.commit(checkpoint).get() } catch { throw .store(error) }
        }
    }

    /// Counts the container, and stores its ledger in compact form with the cursor by which the next pass may pass it over.
    private func complete(
        _ memo: ContainerMemo, _ known: ContainerMemo?, hasChanged: Bool, _ tally: PassTally
    ) async throws(WorkError) {
        var ledger = try await journal.ledger()
        tally.complete(
            ledger.entries.tally, copiedBytes: memo.copiedBytes, expectedBytes: memo.expectedBytes)
        guard hasChanged || memo != known else { return }
        ledger.cursor = memo.bytes
        try await journal.replace(with: ledger, tally.current)
    }

    private func recordAsSkipped(_ problem: ConnectorError, _ tally: PassTally) async throws(WorkError) {
        let key = ItemKey(hashing: "\u{0}container".utf8)
        let ledger = try await journal.ledger()
        var index = LedgerIndex(ledger.entries, treatingAllAsChanged: false)
        let known = index.outcome(of: key)
        var checkpoint = journal.checkpoint(tally.current)
        checkpoint.entries = [LedgerEntry(key: key, version: ItemVersion(0), outcome: .skipped)]
        checkpoint.intent = ledger.intent
        checkpoint.findings = [journal.finding(container.path.joined(separator: "/"), .skipped, problem)]
        tally.count(from: known, to: .skipped, bytes: 0)
        checkpoint.progress = tally.current
        do throws(StoreError) { try await journal.commit(checkpoint).get() } catch { throw .store(error) }
        tally.complete(try await journal.ledger().entries.tally)
    }
}
