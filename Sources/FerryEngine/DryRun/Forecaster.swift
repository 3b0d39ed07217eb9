import FerryConnector
package import FerryCore
import FerryFormats
package import FerryStore

/// Looks at one workload of one person as a copy would, and changes nothing on either side. Memory grows with the ledger
/// of the largest container and a page of its listing.
package struct Forecaster: Sendable {
    private let store: any Store
    private let planner: TransferPlanner
    private let concurrency: Int

    /// - Parameter concurrency: runs at once, over all lanes.
    package init(store: any Store, planner: TransferPlanner, concurrency: Int) {
        self.store = store
        self.planner = planner
        self.concurrency = concurrency
    }

    /// - Parameter isWanted: asked before each container and page; what it throws ends the look.
    package func forecast(
        _ run: RunID, of job: Job, while isWanted: @Sendable () async throws(WorkError) -> Void = {}
    ) async throws(WorkError) -> Forecast {
        var forecast = Forecast()
        let transfer: Transfer
        switch planner.transfer(for: run, of: job) {
        case .success(let found): transfer = found
        case .failure(let finding):
            forecast.findings = [finding]
            return forecast
        }
        for leg in transfer.legs {
            var look = LegForecast(
                leg: leg, transfer: transfer, reader: store.reader,
                domains: planner.directory.tenant(job.sourceTenant)?.domains ?? [], forecast: forecast)
            try await look.run(while: isWanted)
            forecast = look.forecast
        }
        let measured: MeasuredRuns?
        do throws(StoreError) {
            measured = try await store.reader.measured(from: job.sourceTenant, to: job.targetTenant)[run.workload]
        } catch {
            throw .store(error)
        }
        forecast.pace =
            measured.flatMap { Pace(measured: $0.progress, runs: $0.runs) } ?? .assumed(for: run.workload)
        forecast.seconds = forecast.pace.seconds(for: forecast.total(\.due))
        let lane = planner.lane(for: run, of: job)
        forecast.lane = lane.name
        forecast.parallel = Lane(lane).endpoints.reduce(concurrency) {
            min($0, planner.connections.parallelism(ofEndpoint: $1))
        }
        return forecast
    }
}

/// The part of one service in a forecast.
private struct LegForecast {
    let leg: Transfer.Leg
    let transfer: Transfer
    let reader: any StoreReader
    /// Of the source tenant: whoever has an address there and is not mapped is worth telling.
    let domains: [String]
    private(set) var forecast: Forecast
    private var share: Forecast.Share
    private let rewriter: Rewriter
    private var largestItemBytes: Int64?

    init(
        leg: Transfer.Leg, transfer: Transfer, reader: any StoreReader, domains: [String], forecast: Forecast
    ) {
        self.leg = leg
        self.transfer = transfer
        self.reader = reader
        self.domains = domains.map { $0.lowercased() }
        self.forecast = forecast
        share = Forecast.Share(leg.service)
        rewriter = Rewriter(transfer)
    }

    mutating func run(while isWanted: @Sendable () async throws(WorkError) -> Void) async throws(WorkError) {
        let present: [Container]
        let source: any SourceSession
        do throws(ConnectorError) {
            let facts = try await leg.target.probe(leg.targetAccount, as: .target)
            share.roomBytes = facts.roomBytes
            largestItemBytes = facts.largestItemBytes
            present = facts.exists && facts.isReadable ? try await targetContainers() : []
            source = try await leg.source.source(for: leg.sourceAccount)
        } catch {
            throw .connector(error)
        }
        let failure = await look(at: source, present, isWanted)
        await source.close()
        if let failure { throw failure }
        forecast.shares.append(share)
        if let room = share.roomBytes, share.due.bytes > room {
            forecast.findings.append(
                Finding(
                    code: leg.service == .files ? .fileMoveFailed : .mailboxProbeFailed,
                    message:
                        "The target \(leg.service.rawValue) has \(share.due.bytes - room) bytes too little room for what is "
                        + "to come. Raise the quota or clean up the source.",
                    reason: FindingReason.overQuota.rawValue, object: "target \(leg.service.rawValue)"))
        }
    }

    /// Only mail folders get other names at a target.
    private func targetContainers() async throws(ConnectorError) -> [Container] {
        guard leg.service == .mail else { return [] }
        let session: any SourceSession
        do throws(ConnectorError) { session = try await leg.target.source(for: leg.targetAccount) } catch {
            guard error.code == .sourceNotFound else { throw error }
            return []
        }
        let found: Result<[Container], ConnectorError>
        do throws(ConnectorError) { found = .success(try await session.containers()) } catch { found = .failure(error) }
        await session.close()
        return try found.get()
    }

    private mutating func look(
        at source: any SourceSession, _ present: [Container], _ isWanted: @Sendable () async throws(WorkError) -> Void
    ) async -> WorkError? {
        do throws(WorkError) {
            let containers: [Container]
            do throws(ConnectorError) { containers = try await source.containers() } catch {
                throw WorkError.connector(error)
            }
            for container in containers {
                try await Self.check(isWanted)
                share.containers += 1
                do throws(WorkError) {
                    try await look(at: container, source, present, isWanted)
                } catch {
                    guard case .connector(let problem) = error, problem.disposition == .skip else { throw error }
                    skip(container, "", problem, 0)
                }
            }
            return nil
        } catch {
            return error
        }
    }

    private static func check(_ isWanted: @Sendable () async throws(WorkError) -> Void) async throws(WorkError) {
        if Task.isCancelled { throw .connector(.cancelled) }
        try await isWanted()
    }

    private mutating func look(
        at container: Container, _ source: any SourceSession, _ present: [Container],
        _ isWanted: @Sendable () async throws(WorkError) -> Void
    ) async throws(WorkError) {
        let known = try await ledger(of: container)
        let memo = ContainerMemo(known.cursor)
        let rules = rewriter.fingerprint(for: leg.service)
        let objection = leg.target.objection(to: container)
        if let objection {
            skip(container, "", objection, 0)
        } else {
            if leg.service == .mail {
                let path = leg.target.counterpart(of: container, among: present)
                if path != container.path {
                    forecast.rename(
                        Forecast.Renaming(
                            service: .mail, container: container.path.joined(separator: "/"),
                            target: path.joined(separator: "/")))
                }
            }
            if case .room(let state) = container.details { mention(EventRewriting.people(inState: state)) }
            if let memo, memo.container == container, memo.rules == rules, known.intent == nil,
                let cursor = memo.cursor,
                known.entries.tally.skipped == 0, known.entries.tally.failed == 0,
                try await connecting({ () throws(ConnectorError) in
                    try await source.isUnchanged(container, since: cursor)
                })
            {
                return count(known.entries.tally, memo)
            }
        }
        var index = LedgerIndex(known.entries, treatingAllAsChanged: memo.map { $0.rules != rules } ?? false)
        var cursor: Cursor?
        repeat {
            let start = cursor
            let page = try await connecting { () throws(ConnectorError) in
                try await source.items(in: container, after: start)
            }
            var rewritten: [ItemHeader] = []
            for header in page.headers {
                share.listed.add(header.size)
                if let objection {
                    share.skipped.add(header.size)
                    forecast.skipMore(objection.code, Forecast.Amount(items: 1, bytes: header.size))
                    continue
                }
                switch index.see(header.key, header.version) {
                case .unchanged(.copied): share.copied.add(header.size)
                case .unchanged(.elsewhere): share.elsewhere.add(header.size)
                case .unchanged, .due:
                    if let error = SourceSide.obstacle(to: header, largest: largestItemBytes)
                        ?? leg.target.objection(to: header)
                    {
                        skip(container, header.name, error, header.size)
                        share.skipped.add(header.size)
                    } else if rewriter.rewrites(header.metadata) {
                        rewritten.append(header)
                    } else {
                        share.due.add(header.size)
                    }
                }
            }
            for problem in page.problems {
                share.listed.add(0)
                share.skipped.add(0)
                skip(container, problem.name, problem.error, 0)
            }
            try await read(rewritten, of: container, source)
            cursor = page.next
            if cursor != nil { try await Self.check(isWanted) }
        } while cursor != nil
    }

    /// Everything is at the target, and a handful of calls has shown it.
    private mutating func count(_ entries: LedgerEntries.Tally, _ memo: ContainerMemo) {
        let (copied, elsewhere) = (Int64(entries.copied), Int64(entries.elsewhere))
        share.copied = share.copied + Forecast.Amount(items: copied, bytes: memo.copiedBytes)
        share.elsewhere = share.elsewhere + Forecast.Amount(items: elsewhere)
        share.listed = share.listed + Forecast.Amount(items: copied + elsewhere, bytes: memo.copiedBytes)
    }

    /// Contents decide of these whether they move at all, and name people.
    private mutating func read(
        _ headers: [ItemHeader], of container: Container, _ source: any SourceSession
    ) async throws(WorkError) {
        guard !headers.isEmpty else { return }
        let limit = CopySettings().maximumObjectBytes
        do throws(ConnectorError) {
            var contents = ContentCollector(try await source.bodies(of: headers, in: container), limit: limit)
            for var header in headers {
                guard let content = try await contents.next() else { return }
                switch rewriter.rewrite(content, of: header, limit: limit) {
                case .content(let bytes):
                    let size = header.size
                    (header.size, header.sizeIsHint) = (Int64(bytes.count), false)
                    if let error = SourceSide.obstacle(to: header, largest: largestItemBytes) {
                        skip(container, header.name, error, size)
                        share.skipped.add(size)
                        continue
                    }
                    share.due.add(size)
                    if case .whole(let original) = content { mention(Self.people(in: original, header.metadata)) }
                case .elsewhere: share.elsewhere.add(header.size)
                case .unusable(let error):
                    skip(container, header.name, error, header.size)
                    share.skipped.add(header.size)
                }
            }
        } catch {
            throw .connector(error)
        }
    }

    private static func people(in content: [UInt8], _ metadata: ItemMetadata) -> Set<String> {
        switch metadata {
        case .calendarObject: CalendarRewriting.people(in: content)
        case .event: EventRewriting.people(in: content)
        case .contact, .message, .file, .fileFolder, .media: []
        }
    }

    /// Counts those of the source tenant whom nobody is mapped to.
    private mutating func mention(_ people: Set<String>) {
        let unmapped = people.filter { address in
            guard let domain = address.split(separator: address.hasPrefix("@") ? ":" : "@", maxSplits: 1).last else {
                return false
            }
            return domains.contains(String(domain)) && transfer.addresses.target(of: address) == nil
        }
        if !unmapped.isEmpty { forecast.mention(unmapped) }
    }

    private mutating func skip(_ container: Container, _ item: String, _ error: ConnectorError, _ bytes: Int64) {
        forecast.skip(
            Forecast.Place(
                service: leg.service, container: container.path.joined(separator: "/"), item: String(item.prefix(400)),
                code: error.code, message: error.context, bytes: bytes))
    }

    private func ledger(of container: Container) async throws(WorkError) -> ContainerLedger {
        do throws(StoreError) {
            return try await reader.ledger(
                transfer.route, LegPass.id(of: container, transfer, leg.service))
        } catch {
            throw .store(error)
        }
    }

    private func connecting<R: Sendable>(
        _ body: () async throws(ConnectorError) -> R
    ) async throws(WorkError) -> R {
        do throws(ConnectorError) { return try await body() } catch { throw .connector(error) }
    }
}
