package import FerryConnector
package import FerryCore

/// A service where everybody has an account and nobody has anything: what is left of a move is Ferry's own work.
package struct EmptyConnector: Connector {
    package let service: ServiceKind
    package let lane: LaneID
    package let parallelism: Int
    /// What a probe answers; tests change it to make people fail.
    package var facts: @Sendable (Account, AccountRole) -> AccountFacts

    package init(
        service: ServiceKind, lane: LaneID, parallelism: Int = 16,
        facts: @escaping @Sendable (Account, AccountRole) -> AccountFacts = { _, _ in
            AccountFacts(exists: true, isReadable: true, isWritable: true, isEmpty: true)
        }
    ) {
        self.service = service
        self.lane = lane
        self.parallelism = parallelism
        self.facts = facts
    }

    package func source(for account: Account) async throws(ConnectorError) -> any SourceSession { Session() }

    package func target(for account: Account) async throws(ConnectorError) -> any TargetSession { Session() }

    package func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
        facts(account, role)
    }

    private struct Session: SourceSession, TargetSession {
        var capabilities: TargetCapabilities { TargetCapabilities(isIdempotent: true) }

        func containers() async throws(ConnectorError) -> [Container] { [] }
        func state(of container: Container) async throws(ConnectorError) -> Cursor { Cursor([1]) }
        func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool { true }
        func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
            ItemPage(headers: [], next: nil)
        }
        func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
            NoBodies()
        }
        func ensure(_ container: Container) async throws(ConnectorError) -> Container { container }
        func write(
            _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
        ) async throws(ConnectorError) -> [WriteReceipt] { headers.map { _ in .written(bytes: 0) } }
        func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {}
        func close() async {}
    }

    private final class NoBodies: BodyReader {
        func next() async throws(ConnectorError) -> [BodyEvent]? { nil }
    }
}
