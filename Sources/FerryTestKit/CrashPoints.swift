package import FerryConnector
import FerryCore
package import FerryStore
import Synchronization

/// One life of a process that dies at a chosen boundary: right before or right after something became durable.
///
/// Wrap the store and the connectors of that life. From the fatal boundary on, everything wrapped fails, so nothing the
/// "process" still tries has an effect; the things inside the wrappers live on for the next life.
package final class CrashPoints: Sendable {
    private struct State {
        var passed = 0
        var isDead = false
    }

    private let fatal: Int?
    private let state = Mutex(State())

    /// Dies at the boundary of that number, counted from 1; never for `nil`.
    package init(dyingAt fatal: Int? = nil) { self.fatal = fatal }

    package var isDead: Bool { state.withLock { $0.isDead } }

    /// Boundaries passed so far, the fatal one included.
    package var passed: Int { state.withLock { $0.passed } }

    /// Dies now, wherever it is.
    package func kill() { state.withLock { $0.isDead = true } }

    /// Passes a boundary; `false` when the process is dead from here on.
    package func pass() -> Bool {
        state.withLock { state in
            if state.isDead { return false }
            state.passed += 1
            state.isDead = state.passed == fatal
            return !state.isDead
        }
    }

    package func wrap(_ store: any Store) -> any Store { MortalStore(inner: store, points: self) }
    package func wrap(_ connector: any Connector) -> any Connector { MortalConnector(inner: connector, points: self) }

    fileprivate func boundary() throws(ConnectorError) { if !pass() { throw Self.dead } }
    fileprivate func live() throws(ConnectorError) { if isDead { throw Self.dead } }

    fileprivate static let dead = ConnectorError(.internalFault, .cancelled, "The process is dead.")
}

// MARK: the store

private struct MortalStore: Store {
    let inner: any Store
    let points: CrashPoints

    func transact<R: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        if points.isDead { throw .closed }
        let result = try await inner.transact(body)
        // The commit is durable; whether its caller hears of it is another matter.
        if !points.pass() { throw .closed }
        return result
    }

    var reader: any StoreReader { inner.reader }
    func workChanges() -> AsyncStream<Void> { inner.workChanges() }
    var now: Instant { inner.now }
    func close() async {}
}

// MARK: connectors

private struct MortalConnector: Connector {
    let inner: any Connector
    let points: CrashPoints

    var service: ServiceKind { inner.service }
    var lane: LaneID { inner.lane }
    var parallelism: Int { inner.parallelism }
    var rewritesObjects: Bool { inner.rewritesObjects }

    func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
        try points.live()
        return MortalSource(inner: try await inner.source(for: account), points: points)
    }

    func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
        try points.live()
        return MortalTarget(inner: try await inner.target(for: account), points: points)
    }

    func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
        try points.live()
        return try await inner.probe(account, as: role)
    }

    func objection(to container: Container) -> ConnectorError? { inner.objection(to: container) }
    func objection(to header: ItemHeader) -> ConnectorError? { inner.objection(to: header) }

    func counterpart(of container: Container, among present: [Container]) -> [String] {
        inner.counterpart(of: container, among: present)
    }
}

private struct MortalSource: SourceSession {
    let inner: any SourceSession
    let points: CrashPoints

    var canShareWork: Bool { inner.canShareWork }

    func sibling() async -> (any SourceSession)? {
        await inner.sibling().map { MortalSource(inner: $0, points: points) }
    }

    func containers() async throws(ConnectorError) -> [Container] {
        try points.live()
        return try await inner.containers()
    }
    func state(of container: Container) async throws(ConnectorError) -> Cursor {
        try points.live()
        return try await inner.state(of: container)
    }
    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        try points.live()
        return try await inner.isUnchanged(container, since: cursor)
    }
    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        try points.live()
        return try await inner.items(in: container, after: cursor)
    }
    func changes(
        in container: Container, since cursor: Cursor, and keys: [ItemKey]
    ) async throws(ConnectorError) -> ContainerChanges? {
        try points.live()
        return try await inner.changes(in: container, since: cursor, and: keys)
    }
    func extent(of container: Container) async throws(ConnectorError) -> ContainerExtent? {
        try points.live()
        return try await inner.extent(of: container)
    }
    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        try points.live()
        return try await inner.bodies(of: headers, in: container)
    }
    func mailboxIdentity(recorded: String?) async throws(ConnectorError) -> String? {
        try points.live()
        return try await inner.mailboxIdentity(recorded: recorded)
    }
    var custody: (any SourceCustody)? { inner.custody.map { MortalCustody(inner: $0, points: points) } }
    func close() async { await inner.close() }
}

private struct MortalCustody: SourceCustody {
    let inner: any SourceCustody
    let points: CrashPoints

    var abilities: CustodyAbilities { inner.abilities }

    func freeze() async throws(ConnectorError) {
        try points.boundary()
        try await inner.freeze()
        try points.boundary()
    }
    func thaw() async throws(ConnectorError) {
        try points.boundary()
        try await inner.thaw()
        try points.boundary()
    }
    func redirect(to address: String) async throws(ConnectorError) {
        try points.boundary()
        try await inner.redirect(to: address)
        try points.boundary()
    }
    func removeRedirect() async throws(ConnectorError) {
        try points.boundary()
        try await inner.removeRedirect()
        try points.boundary()
    }
}

private struct MortalTarget: TargetSession {
    let inner: any TargetSession
    let points: CrashPoints

    var capabilities: TargetCapabilities { inner.capabilities }

    func sibling() async -> (any TargetSession)? {
        await inner.sibling().map { MortalTarget(inner: $0, points: points) }
    }

    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        try points.live()
        let found = try await inner.ensure(container)
        try points.boundary()
        return found
    }

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        try points.boundary()
        if headers.count > 1, !points.pass() {
            // Dies in the midst: half of the batch has arrived, and nobody was told.
            _ = try await inner.write(Array(headers.prefix(headers.count / 2)), bodies: bodies, in: container)
            throw CrashPoints.dead
        }
        let receipts = try await inner.write(headers, bodies: bodies, in: container)
        try points.boundary()
        return receipts
    }

    func update(_ headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> [WriteReceipt]? {
        try points.boundary()
        let receipts = try await inner.update(headers, in: container)
        try points.boundary()
        return receipts
    }

    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        try points.boundary()
        try await inner.remove(items, in: container)
        try points.boundary()
    }

    func mark(of container: Container, before headers: [ItemHeader]) async throws(ConnectorError) -> [UInt8] {
        try points.live()
        return try await inner.mark(of: container, before: headers)
    }

    func misplaced(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) -> [PlacedItem] {
        try points.live()
        return try await inner.misplaced(items, in: container)
    }

    func find(
        _ search: CopySearch, in container: Container, original: @escaping OriginalBodies
    ) async throws(ConnectorError) -> [PlacedItem] {
        try points.boundary()
        let items = try await inner.find(search, in: container, original: original)
        try points.boundary()
        return items
    }

    func finish(_ container: Container) async throws(ConnectorError) {
        try points.live()
        try await inner.finish(container)
        try points.boundary()
    }

    func close() async { await inner.close() }
}
