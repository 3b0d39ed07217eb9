import FerryConnector
import FerryCore
import FerryFormats

/// The half of the copier that reads: asks what has changed in a container, or lists it, holds the answer against the
/// ledger, cuts what is due into batches, reads their contents and rewrites those that name people.
///
/// Runs ahead of the target side by one batch and `readAheadBytes`. It alone talks to the source session while it runs.
struct SourceSide: Sendable {
    /// What a complete listing came to.
    struct Listing: Sendable {
        var index: LedgerIndex
        /// What the source said of changes; `nil` where everything was listed. Without the page.
        var changes: ContainerChanges?
        /// Bytes of the listed items that were up to date and copied.
        var unchangedBytes: Int64 = 0
        /// Bytes of the listed items that were up to date and another workload's.
        var elsewhereBytes: Int64 = 0
        /// The source could not list everything. Then an item that is missing from the listing need not be gone.
        var hasProblems = false

        /// Entries whose items the source does not have any more.
        var gone: [LedgerEntry] {
            if let changes { return index.unseen(in: changes.gone) }
            // What a listing with gaps does not show may still be there.
            return hasProblems ? [] : index.unseen
        }

        /// Whether the ledger has as many items as the source says, once those are in it that are new and those out of it
        /// that are gone. If not, a change was missed, and only a listing of everything helps.
        func addsUp(without gone: Int) -> Bool {
            guard let items = changes?.items else { return true }
            return Int64(index.count - gone + index.newcomers) == items
        }
    }

    /// A listing's beginning that was asked for ahead.
    typealias FirstPage = Result<ItemPage, ConnectorError>

    let session: any SourceSession
    let container: Container
    let rewriter: Rewriter
    let capabilities: TargetCapabilities
    let settings: CopySettings
    let sizer: SharedSizer
    let batches: Conduit<CopyBatch>
    let leftovers: Conduit<[CopyItem]>

    /// Works until the listing is complete and everything that is due was handed over; ends `batches` in any case.
    /// - Parameters:
    ///   - since: when the ledger was right; `nil` to list everything.
    ///   - first: the beginning of that list, where it is here already.
    @concurrent
    func run(_ index: LedgerIndex, since: Cursor?, first: FirstPage?) async -> Result<Listing, ConnectorError> {
        do throws(ConnectorError) {
            let listing = try await list(against: index, since: since, first: first)
            batches.finish()
            return .success(listing)
        } catch {
            batches.finish(error)
            return .failure(error)
        }
    }

    private func list(
        against index: LedgerIndex, since: Cursor?, first: FirstPage?
    ) async throws(ConnectorError) -> Listing {
        var listing = Listing(index: index)
        var streamed = PendingItems()
        var rewritten = PendingItems()
        var next: ItemPage? = if let first { try first.get() } else { try await firstPage(&listing, since: since) }
        while let page = next {
            var updates: [CopyItem] = []
            var decided: [Decision] = []
            for header in page.headers {
                switch listing.index.see(header.key, header.version) {
                case .unchanged(let outcome):
                    switch outcome {
                    case .copied: listing.unchangedBytes += header.size
                    case .elsewhere: listing.elsewhereBytes += header.size
                    case .skipped, .failed: break
                    }
                case .due(let previous):
                    var item = CopyItem(header, previous: previous)
                    if previous != nil { item.header.place = listing.index.place(of: header.key) }
                    if let error = obstacle(to: header) {
                        decided.append(Decision(item: item, outcome: .skipped, error: error))
                    } else if previous == .copied, header.metadata.hasConstantContent, sizer.targetCanUpdate {
                        updates.append(item)
                    } else if rewriter.rewrites(header.metadata) {
                        rewritten.append(item)
                    } else {
                        streamed.append(item)
                    }
                }
            }
            for problem in page.problems {
                listing.hasProblems = true
                decided.append(try decision(on: problem, &listing.index))
            }
            if !decided.isEmpty { try await batches.send(.record(decided)) }
            if !updates.isEmpty { try await update(updates, orElse: &streamed) }
            while streamed.fills(sizer.limits) { try await stream(streamed.cut(sizer.limits)) }
            while rewritten.fills(sizer.limits) { try await rewrite(rewritten.cut(sizer.limits)) }
            next = nil
            if let cursor = page.next { next = try await session.items(in: container, after: cursor) }
        }
        // Media come before the events that refer to them.
        while !streamed.isEmpty { try await stream(streamed.cut(sizer.limits)) }
        while !rewritten.isEmpty { try await rewrite(rewritten.cut(sizer.limits)) }
        return listing
    }

    private func firstPage(_ listing: inout Listing, since: Cursor?) async throws(ConnectorError) -> ItemPage {
        if let since,
            var changes = try await session.changes(in: container, since: since, and: listing.index.unsettled)
        {
            let page = changes.first
            changes.first = ItemPage(headers: [], next: nil)
            listing.changes = changes
            return page
        }
        return try await session.items(in: container, after: nil)
    }

    /// Why an item need not even be read.
    private func obstacle(to header: ItemHeader) -> ConnectorError? {
        Self.obstacle(to: header, largest: capabilities.largestItemBytes)
    }

    /// - Parameter largest: bytes of the largest item that the target takes.
    static func obstacle(to header: ItemHeader, largest: Int64?) -> ConnectorError? {
        guard let limit = largest, !header.sizeIsHint, header.size > limit else { return nil }
        return ConnectorError(
            .targetItemTooLarge, .skip,
            "The item has \(header.size) bytes, the target takes \(limit) at most. Raise the target's limit, or move "
                + "the item by hand.")
    }

    static func key(unlisted name: String) -> ItemKey { ItemKey(hashing: "\u{0}unlisted/\(name)".utf8) }

    /// The ledger's view of an item that could not be listed. It has no key, so one is made from its name.
    private func decision(
        on problem: ItemPage.Problem, _ index: inout LedgerIndex
    ) throws(ConnectorError) -> Decision {
        let outcome = try problem.error.outcome()
        let header = ItemHeader(
            key: Self.key(unlisted: problem.name), version: ItemVersion(0), name: problem.name, size: 0,
            sizeIsHint: true,
            metadata: .media)
        let previous =
            switch index.see(header.key, header.version) {
            case .unchanged(let outcome): outcome as ItemOutcome?
            case .due(let previous): previous
            }
        return Decision(item: CopyItem(header, previous: previous), outcome: outcome, error: problem.error)
    }

    private func update(_ items: [CopyItem], orElse streamed: inout PendingItems) async throws(ConnectorError) {
        var rest = items[...]
        while !rest.isEmpty {
            let chunk = Array(rest.prefix(settings.largestBatchItems))
            rest = rest.dropFirst(chunk.count)
            try await batches.send(.update(chunk))
        }
        try await batches.send(.returnLeftovers)
        for item in try await leftovers.next() ?? [] { streamed.append(item) }
    }

    /// Contents that nobody looks at flow through in bunches; none is ever held as a whole.
    private func stream(_ items: [CopyItem]) async throws(ConnectorError) {
        let pipe = BodyPipe(readAheadBytes: settings.readAheadBytes)
        try await batches.send(.write(items, pipe))
        do throws(ConnectorError) {
            let reader = try await session.bodies(of: items.map(\.header), in: container)
            while let bunch = try await reader.next() { try await pipe.send(bunch) }
            pipe.conduit.finish()
        } catch {
            // In this order, so that whoever sees the pipe break finds the reason.
            batches.finish(error)
            pipe.conduit.finish(error)
            throw error
        }
    }

    /// Contents that name people are read as a whole and rewritten before the target hears of them, because the
    /// content decides whether the item is ours at all.
    private func rewrite(_ items: [CopyItem]) async throws(ConnectorError) {
        let reader = try await session.bodies(of: items.map(\.header), in: container)
        var contents = ContentCollector(reader, limit: settings.maximumObjectBytes)
        var ready: [CopyItem] = []
        var bodies: [[UInt8]] = []
        var held = 0
        var decided: [Decision] = []
        for var item in items {
            guard let content = try await contents.next() else {
                throw ConnectorError(
                    .internalFault, .failRun,
                    "The source answered with fewer contents than were asked for. Please report this.")
            }
            switch rewriter.rewrite(content, of: item.header, limit: settings.maximumObjectBytes) {
            case .content(let bytes):
                item.header.size = Int64(bytes.count)
                item.header.sizeIsHint = false
                if let error = obstacle(to: item.header) {
                    decided.append(Decision(item: item, outcome: .skipped, error: error))
                    continue
                }
                ready.append(item)
                bodies.append(bytes)
                held += bytes.count
                if held >= settings.readAheadBytes {
                    // Sizes may have been hints; what is held in memory decides.
                    try await batches.send(.write(ready, BufferedBodies(bodies)))
                    (ready, bodies, held) = ([], [], 0)
                }
            case .elsewhere:
                decided.append(Decision(item: item, outcome: .elsewhere, error: nil))
            case .unusable(let error):
                decided.append(Decision(item: item, outcome: try error.outcome(), error: error))
            }
        }
        if !ready.isEmpty { try await batches.send(.write(ready, BufferedBodies(bodies))) }
        if !decided.isEmpty { try await batches.send(.record(decided)) }
    }
}
