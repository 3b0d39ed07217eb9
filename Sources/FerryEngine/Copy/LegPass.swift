import FerryConnector
import FerryCore
import FerryStore
import Logging
import Synchronization

/// What all containers of a leg have in common during a pass.
struct LegContext: Sendable {
    let leg: Transfer.Leg
    var source: any SourceSession
    let rewriter: Rewriter
    /// The rewriter's fingerprint for this leg's service.
    let rules: UInt64
    let settings: CopySettings
    /// No cursor is believed: everything is listed and compared with the ledger.
    let comparesEverything: Bool
    let clock: any Clock<Duration>

    /// Removes at the target what the entries stand for, but for what another run of the person takes care of.
    func remove(
        _ entries: some Collection<LedgerEntry>, from session: any TargetSession, _ there: Container
    ) async throws(WorkError) {
        let items = entries.filter { $0.outcome != .elsewhere }.map { PlacedItem(key: $0.key, place: $0.place) }
        guard !items.isEmpty else { return }
        do throws(ConnectorError) { try await session.remove(items, in: there) } catch { throw .connector(error) }
    }
}

/// The target of a leg, opened when there is something to write: a pass that finds nothing to do never disturbs it.
struct LazyTarget: Sendable {
    private let leg: Transfer.Leg
    private var session: (any TargetSession)?
    private var sizer: SharedSizer?

    init(_ leg: Transfer.Leg, _ session: (any TargetSession)? = nil) {
        self.leg = leg
        self.session = session
    }

    mutating func open() async throws(WorkError) -> any TargetSession {
        if let session { return session }
        do throws(ConnectorError) {
            let opened = try await leg.target.target(for: leg.targetAccount)
            session = opened
            return opened
        } catch {
            throw .connector(error)
        }
    }

    /// What was learned about batches in one container holds for the next one.
    mutating func sizer(_ settings: CopySettings, _ capabilities: TargetCapabilities) -> SharedSizer {
        let sizer = sizer ?? SharedSizer(BatchSizer(capabilities, settings))
        self.sizer = sizer
        return sizer
    }

    func close() async { await session?.close() }
}

/// One pass over one service of a run.
struct LegPass: Sendable {
    let leg: Transfer.Leg
    let transfer: Transfer
    let store: any Store
    let effects: Effects
    let settings: CopySettings
    let comparesEverything: Bool
    let lease: Lease
    let logger: Logger
    var reportsArrivals = false

    /// Returns whether the person has anything at the source's service at all.
    func run(_ tally: PassTally) async throws(WorkError) -> Bool {
        let known = try await knownContainers()
        let source: any SourceSession
        do throws(ConnectorError) {
            source = try await leg.source.source(for: leg.sourceAccount)
        } catch {
            // Never there is nothing to move; there once and now gone is no reason to empty the target.
            guard error.code == .sourceNotFound, known.isEmpty else { throw .connector(error) }
            return false
        }
        var target = LazyTarget(leg)
        let failure = await copy(from: source, to: &target, known, tally)
        await source.close()
        await target.close()
        if let failure { throw failure }
        return true
    }

    /// Removes at the target whatever was copied there, container by container.
    func takeBack(_ tally: PassTally) async throws(WorkError) {
        let known = try await knownContainers()
        guard !known.isEmpty else { return }
        let source: any SourceSession
        do throws(ConnectorError) { source = try await leg.source.source(for: leg.sourceAccount) } catch {
            throw .connector(error)
        }
        var target = LazyTarget(leg)
        let context = context(source)
        var failure: WorkError?
        for container in known where failure == nil {
            do throws(WorkError) { try await clear(container, context, &target, tally) } catch { failure = error }
        }
        await source.close()
        await target.close()
        if let failure { throw failure }
    }

    private func context(_ source: any SourceSession) -> LegContext {
        let rewriter = Rewriter(transfer)
        return LegContext(
            leg: leg, source: source, rewriter: rewriter, rules: rewriter.fingerprint(for: leg.service),
            settings: settings, comparesEverything: comparesEverything, clock: effects.clock)
    }

    private func copy(
        from source: any SourceSession, to target: inout LazyTarget, _ known: [ContainerID], _ tally: PassTally
    ) async -> WorkError? {
        let context = context(source)
        do throws(WorkError) {
            if leg.service == .mail { try await recognize(source) }
            let containers: [Container]
            do throws(ConnectorError) { containers = try await source.containers() } catch {
                throw WorkError.connector(error)
            }
            // First, so that a container that was renamed never loses in the new place what is cleared from the old one.
            let present = Set(containers.flatMap { container in ids(of: container) })
            for vanished in known where !present.contains(vanished) {
                try await clear(vanished, context, &target, tally)
            }
            if source.canShareWork {
                try await copySideBySide(containers, context, &target, tally)
            } else {
                for container in containers {
                    let pass = try self.pass(over: container, context)
                    guard let state = try await pass.look(tally) else { continue }
                    try await pass.run(from: state, &target, tally)
                }
            }
            return nil
        } catch {
            return error
        }
    }

    private func pass(over container: Container, _ context: LegContext) throws(WorkError) -> ContainerPass {
        if Task.isCancelled { throw .connector(.cancelled) }
        return ContainerPass(
            container: container, leg: context,
            journal: journal(
                Self.id(of: container, transfer, leg.service),
                at: ContainerPlace(service: leg.service, path: container.path)),
            counterpart: { Self.id(of: $0, transfer, leg.service) })
    }

    /// Looks at all containers first; then those in which something has changed are gone through by several workers, each
    /// with sessions of its own.
    private func copySideBySide(
        _ containers: [Container], _ context: LegContext, _ target: inout LazyTarget, _ tally: PassTally
    ) async throws(WorkError) {
        var due: [(container: Container, state: Cursor)] = []
        for container in containers {
            if let state = try await pass(over: container, context).look(tally) { due.append((container, state)) }
        }
        guard !due.isEmpty else { return }
        // First of all: whoever waits for a connection to the target must not keep others from theirs.
        let main = try await target.open()
        let queue = ContainerQueue(due)
        let source = context.source
        let workers = min(settings.containersAtOnce, due.count)
        let failures = await withTaskGroup(of: WorkError?.self) { group in
            for number in 0..<workers {
                let first = number == 0 ? target : nil
                group.addTask {
                    if let first { return await self.work(context, first, queue, tally) }
                    async let opened = source.sibling()
                    guard let there = await main.sibling() else {
                        await opened?.close()
                        return nil
                    }
                    var failure: WorkError?
                    if let here = await opened {
                        var context = context
                        context.source = here
                        failure = await self.work(context, LazyTarget(self.leg, there), queue, tally)
                        await here.close()
                    }
                    await there.close()
                    return failure
                }
            }
            var failures: [WorkError] = []
            for await failure in group {
                guard let failure else { continue }
                failures.append(failure)
                // The others come to the end of their batches, and what they have done is recorded.
                group.cancelAll()
            }
            return failures
        }
        // The first is the reason; the others were cancelled.
        if let failure = failures.first { throw failure }
        if Task.isCancelled { throw .connector(.cancelled) }
    }

    /// Goes through containers until there are no more.
    private func work(
        _ context: LegContext, _ target: LazyTarget, _ queue: ContainerQueue, _ tally: PassTally
    ) async -> WorkError? {
        var target = target
        do throws(WorkError) {
            while let (container, state) = queue.next() {
                try await pass(over: container, context).run(from: state, &target, tally)
            }
            return nil
        } catch {
            return error
        }
    }

    /// It is still the mailbox that was recorded for the person; at the first sync it is recorded.
    private func recognize(_ source: any SourceSession) async throws(WorkError) {
        let (person, pair) = (transfer.route.sourcePerson, transfer.route.pair)
        let recorded: String?
        do throws(StoreError) { recorded = try await store.reader.mailbox(of: person, in: pair) } catch {
            throw .store(error)
        }
        let found: String?
        do throws(ConnectorError) { found = try await source.mailboxIdentity(recorded: recorded) } catch {
            throw .connector(error)
        }
        if found == recorded { return }
        if let recorded {
            let name = leg.sourceAccount.person.userPrincipalName
            throw .connector(
                ConnectorError(
                    .sourceReplaced, .failRun,
                    MailboxIdentityFacts(recorded: recorded, found: found).difference(of: name)))
        }
        do throws(StoreError) {
            try await store.transact { [lease] (tx) throws(StoreError) in
                try tx.require(lease)
                try tx.setMailbox(found, of: person, in: pair)
            }
        } catch {
            throw .store(error)
        }
    }

    /// Removes at the target what came from a container that the source does not have any more.
    private func clear(
        _ id: ContainerID, _ context: LegContext, _ target: inout LazyTarget, _ tally: PassTally
    ) async throws(WorkError) {
        let journal = journal(id, at: nil)
        let ledger = try await journal.ledger()
        guard let memo = ContainerMemo(ledger.cursor) else {
            logger.warning(
                "A container is gone from the source, and the ledger does not say where it was at the target")
            return
        }
        if ledger.intent != nil || ledger.entries.contains(where: { $0.outcome != .elsewhere }) {
            let session = try await target.open()
            let there: Container
            do throws(ConnectorError) {
                there = try await session.ensure(context.rewriter.rewrite(memo.container))
            } catch {
                throw .connector(error)
            }
            let relocation = Relocation(
                container: memo.container, leg: context, journal: journal, session: session, there: there)
            var rest = try await relocation.lastPlaces(of: ledger, tally)[...]
            if session.capabilities.marksWhatIsRemoved, rest.contains(where: { $0.place != nil }) {
                var checkpoint = journal.checkpoint(tally.current)
                checkpoint.intent = ledger.intent
                checkpoint.findings = [journal.marked(rest.count { $0.place != nil }, in: memo.container)]
                do throws(StoreError) { try await journal.commit(checkpoint).get() } catch { throw .store(error) }
            }
            while !rest.isEmpty {
                let chunk = rest.prefix(settings.removalItems)
                rest = rest.dropFirst(chunk.count)
                try await context.remove(chunk, from: session, there)
            }
        }
        for entry in ledger.entries {
            tally.count(from: entry.outcome, to: nil, bytes: 0)
            if entry.outcome == .copied { tally.note(changes: 1, in: journal.place) }
        }
        try await journal.replace(with: nil, tally.current)
    }

    private func journal(_ id: ContainerID, at place: ContainerPlace?) -> Journal {
        Journal(
            store: store, lease: lease, run: transfer.run, route: transfer.route, container: id, place: place,
            now: effects.now, reportsArrivals: reportsArrivals)
    }

    /// Containers of this service that the route's ledger knows.
    private func knownContainers() async throws(WorkError) -> [ContainerID] {
        do throws(StoreError) {
            return try await store.reader.ledgerContainers(transfer.route)
                .filter { $0.text.hasPrefix("\(leg.service.rawValue)/") }
        } catch {
            throw .store(error)
        }
    }

    /// All names under which the ledger may know a container, those of jobs with other workloads included.
    private func ids(of container: Container) -> [ContainerID] {
        let plain = ContainerID("\(leg.service.rawValue)/\(container.name)")
        return [plain, ContainerID(plain.text + Self.ownMeetingsElsewhere)]
    }

    /// The name under which the ledger knows a container. A calendar without the person's own meetings is another thing
    /// than the whole calendar, and has a ledger of its own.
    static func id(of container: Container, _ transfer: Transfer, _ service: ServiceKind) -> ContainerID {
        let suffix = service == .calendar && transfer.hasMeetingsRun ? ownMeetingsElsewhere : ""
        return ContainerID("\(service.rawValue)/\(container.name)\(suffix)")
    }

    private static let ownMeetingsElsewhere = ";own-meetings-elsewhere"
}

/// Containers that are due, in order.
private final class ContainerQueue: Sendable {
    private let waiting: Mutex<ArraySlice<(container: Container, state: Cursor)>>

    init(_ containers: [(container: Container, state: Cursor)]) { waiting = Mutex(containers[...]) }

    func next() -> (container: Container, state: Cursor)? { waiting.withLock { $0.popFirst() } }
}
