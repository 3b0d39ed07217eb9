import FerryConnector
import FerryCore
import Synchronization

/// A bug that is put in at one of the two doors, so that it can be shown that a simulation finds it.
package enum Sabotage: String, Sendable, CaseIterable {
    // The store.
    case forgetsIntents, acceptsLateResults, forgetsEntries, losesWork, dropsRepetitions, overlooksOtherJobs
    case forgetsLedgerAtTheEnd, clockRunsAhead, forgetsCutovers
    // Sources.
    case hidesItems, seesNoChange, cutsBodies, freezesNothing, thawsNothing, redirectsNothing
    // Targets.
    case claimsIdempotence, losesLastOfBatch, findsNothing, findsEverything, removesNothing, removesOthers
    case updatesNothing, mixesPeople, writesTwice

    func spoil(_ connector: any Connector) -> any Connector { SabotagedConnector(inner: connector, sabotage: self) }
}

// MARK: connectors

private struct SabotagedConnector: Connector {
    let inner: any Connector
    let sabotage: Sabotage

    var service: ServiceKind { inner.service }
    var lane: LaneID { inner.lane }
    var parallelism: Int { inner.parallelism }

    func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
        SabotagedSource(inner: try await inner.source(for: account), sabotage: sabotage)
    }

    func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
        var account = account
        if sabotage == .mixesPeople, account.person.id == Samples.person(2) {
            account.login = StaticDirectory.targetPerson(1).mail
        }
        return SabotagedTarget(inner: try await inner.target(for: account), sabotage: sabotage)
    }

    func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
        try await inner.probe(account, as: role)
    }

    func objection(to container: Container) -> ConnectorError? { inner.objection(to: container) }
    func objection(to header: ItemHeader) -> ConnectorError? { inner.objection(to: header) }
}

private struct SabotagedSource: SourceSession {
    let inner: any SourceSession
    let sabotage: Sabotage

    func containers() async throws(ConnectorError) -> [Container] { try await inner.containers() }
    func state(of container: Container) async throws(ConnectorError) -> Cursor { try await inner.state(of: container) }
    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        if sabotage == .seesNoChange { return true }
        return try await inner.isUnchanged(container, since: cursor)
    }
    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        var page = try await inner.items(in: container, after: cursor)
        if sabotage == .hidesItems, page.headers.count > 1 { page.headers.removeLast() }
        return page
    }
    func changes(
        in container: Container, since cursor: Cursor, and keys: [ItemKey]
    ) async throws(ConnectorError) -> ContainerChanges? {
        var changes = try await inner.changes(in: container, since: cursor, and: keys)
        // Whoever hides something does not count it, either.
        if sabotage == .hidesItems, let count = changes?.first.headers.count, count > 0 {
            changes?.first.headers.removeLast()
            changes?.items = nil
        }
        return changes
    }
    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        let bodies = try await inner.bodies(of: headers, in: container)
        return sabotage == .cutsBodies ? CuttingReader(bodies) : bodies
    }
    func mailboxIdentity(recorded: String?) async throws(ConnectorError) -> String? {
        try await inner.mailboxIdentity(recorded: recorded)
    }
    var custody: (any SourceCustody)? { inner.custody.map { SabotagedCustody(inner: $0, sabotage: sabotage) } }
    func close() async { await inner.close() }
}

/// Leaves out the second piece of every item that has one.
private final class CuttingReader: BodyReader {
    private let inner: any BodyReader
    init(_ inner: any BodyReader) { self.inner = inner }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        guard let events = try await inner.next() else { return nil }
        var result: [BodyEvent] = []
        for event in events {
            if case .bytes = event, case .bytes? = result.last { continue }
            result.append(event)
        }
        return result
    }
}

private struct SabotagedCustody: SourceCustody {
    let inner: any SourceCustody
    let sabotage: Sabotage

    var abilities: CustodyAbilities { inner.abilities }
    func freeze() async throws(ConnectorError) { if sabotage != .freezesNothing { try await inner.freeze() } }
    func thaw() async throws(ConnectorError) { if sabotage != .thawsNothing { try await inner.thaw() } }
    func redirect(to address: String) async throws(ConnectorError) {
        if sabotage != .redirectsNothing { try await inner.redirect(to: address) }
    }
    func removeRedirect() async throws(ConnectorError) { try await inner.removeRedirect() }
}

private struct SabotagedTarget: TargetSession {
    let inner: any TargetSession
    let sabotage: Sabotage

    var capabilities: TargetCapabilities {
        var capabilities = inner.capabilities
        if sabotage == .claimsIdempotence { capabilities.isIdempotent = true }
        return capabilities
    }

    func ensure(_ container: Container) async throws(ConnectorError) -> Container { try await inner.ensure(container) }

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        if sabotage == .losesLastOfBatch, let last = headers.last {
            return try await inner.write(headers.dropLast(), bodies: bodies, in: container)
                + [.written(bytes: last.size)]
        }
        if sabotage == .writesTwice, headers.count == 1 {
            let copies = CopyingReader(bodies)
            _ = try await inner.write(headers, bodies: copies, in: container)
            return try await inner.write(headers, bodies: copies.copy, in: container)
        }
        return try await inner.write(headers, bodies: bodies, in: container)
    }

    func update(_ headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> [WriteReceipt]? {
        if sabotage == .updatesNothing { return headers.map { .written(bytes: $0.size) } }
        return try await inner.update(headers, in: container)
    }

    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        switch sabotage {
        case .removesNothing: return
        case .removesOthers:
            let neighbours = items.map { PlacedItem(key: ItemKey(high: $0.key.high, low: $0.key.low &+ 1)) }
            try await inner.remove(items + neighbours, in: container)
        default: try await inner.remove(items, in: container)
        }
    }

    func mark(of container: Container, before headers: [ItemHeader]) async throws(ConnectorError) -> [UInt8] {
        try await inner.mark(of: container, before: headers)
    }

    func misplaced(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) -> [PlacedItem] {
        try await inner.misplaced(items, in: container)
    }

    func find(
        _ search: CopySearch, in container: Container, original: @escaping OriginalBodies
    ) async throws(ConnectorError) -> [PlacedItem] {
        switch sabotage {
        case .findsNothing: return []
        case .findsEverything: return (search.batch?.keys ?? search.headers.map(\.key)).map { PlacedItem(key: $0) }
        default: return try await inner.find(search, in: container, original: original)
        }
    }

    func finish(_ container: Container) async throws(ConnectorError) { try await inner.finish(container) }
    func close() async { await inner.close() }
}

/// Keeps what it passes on.
private final class CopyingReader: BodyReader {
    private let inner: any BodyReader
    private let bunches = Mutex<[[BodyEvent]]>([])
    init(_ inner: any BodyReader) { self.inner = inner }

    var copy: ReplayingReader { ReplayingReader(bunches.withLock { $0 }) }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        let bunch = try await inner.next()
        if let bunch { bunches.withLock { $0.append(bunch) } }
        return bunch
    }
}

private final class ReplayingReader: BodyReader {
    private let bunches: Mutex<ArraySlice<[BodyEvent]>>
    init(_ bunches: [[BodyEvent]]) { self.bunches = Mutex(bunches[...]) }
    func next() async throws(ConnectorError) -> [BodyEvent]? { bunches.withLock { $0.popFirst() } }
}
