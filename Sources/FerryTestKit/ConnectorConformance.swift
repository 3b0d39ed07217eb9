package import FerryConnector
import FerryCore
import NIOCore

/// What every connector has to do, whatever peer is behind it: one list of checks, judged from outside through the door.
///
/// A test of a connector makes a `ConnectorFixture` and runs each check against a fresh one:
/// ```swift
/// @Test(arguments: ConnectorConformance.checks) func conforms(_ check: ConnectorConformance.Check) async throws {
///     try await check.run(MyFixture())
/// }
/// ```
package enum ConnectorConformance {
    /// One claim about a connector. `run` throws `ConformanceFailure` when it is not true.
    package struct Check: Sendable, CustomStringConvertible {
        package let description: String
        package let run: @Sendable (any ConnectorFixture) async throws -> Void
    }

    package static let checks: [Check] = sourceChecks + changeChecks + deltaChecks + targetChecks + faultChecks
}

/// A pair of accounts for one check, and the means to change the source behind Ferry's back. Used by one check only.
package protocol ConnectorFixture: Sendable {
    var source: any Connector { get }
    var sourceAccount: Account { get }
    /// An account that does not exist at the source.
    var strangerAccount: Account { get }
    var target: any Connector { get }
    var targetAccount: Account { get }
    /// Reads what was written: the target's own source side.
    var targetReader: any Connector { get }

    /// The container that the checks use; made by `put`. Path and details as the source lists it.
    var home: Container { get }
    /// Containers that the target should take beside `home`: nested, with letters of many scripts, with names that no
    /// file system takes as they are, such as `..`. Empty where an account has one container only.
    var oddContainers: [Container] { get }
    /// Whether the target's `update` changes metadata in place: flags of mail, times of files.
    var canUpdate: Bool { get }

    /// The metadata that `update` is to give an item: `new`, but for what the target cannot change once it is written.
    func keepingWhatStays(of old: ItemMetadata, in new: ItemMetadata) -> ItemMetadata

    /// What of an item's metadata the target can keep at all; the checks compare no more.
    func kept(_ metadata: ItemMetadata) -> ItemMetadata

    /// A valid item of this service, different for every number, of about `bytes` bytes.
    func item(_ number: Int, bytes: Int) -> SeedItem
    /// Whether the source names what has changed (`changes`).
    var tellsChanges: Bool { get }
    /// Whether an item's bytes and names may be anything; else those checks take items as `item` makes them.
    var takesAnyName: Bool { get }

    /// The item as it is after somebody has changed it at the source.
    func changed(_ item: SeedItem) -> SeedItem
    /// The name under which the item was put; sources that give names of their own need a table for it.
    func name(of header: ItemHeader) -> String

    /// Puts items into `home` at the source, replacing those of the same name.
    func put(_ items: [SeedItem]) async throws
    /// Removes an item from `home` at the source.
    func delete(_ item: SeedItem) async throws
    /// Lets so much time pass at the source that its own clock tells a later change from all earlier ones.
    func settle() async throws
    /// Whether everything beside the target account is as it was.
    func isOutsideUntouched() async throws -> Bool
}

/// An item as a fixture puts it into a source.
package struct SeedItem: Sendable, Hashable {
    package var name: String
    package var body: [UInt8]
    package var metadata: ItemMetadata

    package init(name: String, body: [UInt8], metadata: ItemMetadata) {
        self.name = name
        self.body = body
        self.metadata = metadata
    }
}

/// A claim that turned out wrong, in words.
package struct ConformanceFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// What of an item must survive a move.
struct Survivor: Hashable {
    var body: [UInt8]
    var metadata: ItemMetadata
}

func expect(_ isTrue: Bool, _ claim: @autoclosure () -> String) throws {
    if !isTrue { throw ConformanceFailure(claim()) }
}

extension ConnectorFixture {
    package func keepingWhatStays(of old: ItemMetadata, in new: ItemMetadata) -> ItemMetadata { new }

    package var tellsChanges: Bool { false }

    package func kept(_ metadata: ItemMetadata) -> ItemMetadata { metadata }

    package func changed(_ item: SeedItem) -> SeedItem {
        var item = item
        item.body = self.item(77, bytes: 44).body
        return item
    }

    package func name(of header: ItemHeader) -> String { header.name }
}

extension ConnectorFixture {
    func homeContainer(of session: any SourceSession) async throws -> Container {
        let found = try await session.containers().first { $0.path == home.path }
        guard let found else { throw ConformanceFailure("containers() does not list \(home.path).") }
        return found
    }

    /// Every item of a container but folders of a tree, which `put` may have made on the way.
    func headers(_ session: any SourceSession, _ container: Container) async throws -> [ItemHeader] {
        var headers = [ItemHeader]()
        var cursor: Cursor?
        var pages = 0
        repeat {
            let page = try await session.items(in: container, after: cursor)
            headers += page.headers
            cursor = page.next
            pages += 1
            try expect(page.problems.isEmpty, "Listing reports problems: \(page.problems.map(\.error.context))")
            try expect(pages < 10_000, "A listing does not end.")
        } while cursor != nil
        return items(in: headers)
    }

    /// Headers of items but folders of a tree, under the names by which they were put.
    func items(in headers: [ItemHeader]) -> [ItemHeader] {
        headers.filter { if case .fileFolder = $0.metadata { false } else { true } }.map { header in
            var header = header
            header.name = name(of: header)
            return header
        }
    }

    func survivors(_ session: any SourceSession, _ container: Container) async throws -> [Survivor] {
        let headers = try await headers(session, container)
        let bodies = try await contents(of: session.bodies(of: headers, in: container))
        try expect(bodies.count == headers.count, "\(bodies.count) bodies for \(headers.count) headers.")
        return try zip(headers, bodies).map { header, body in
            Survivor(body: try body.get(), metadata: kept(header.metadata))
        }
    }

    /// What the target account has in the container.
    func arrived(_ container: Container) async throws -> [Survivor] {
        try await reading(targetReader, targetAccount) { session in
            guard let found = try await session.containers().first(where: { $0.name == container.name }) else {
                throw ConformanceFailure("The target does not list the container it made: \(container.name)")
            }
            return try await survivors(session, found)
        }
    }

    func contents(of reader: any BodyReader) async throws -> [Result<[UInt8], ConnectorError>] {
        var results = [Result<[UInt8], ConnectorError>]()
        var body = [UInt8]()
        while let events = try await reader.next() {
            for event in events {
                switch event {
                case .bytes(let bytes): body += bytes.readableBytesView
                case .end: results.append(.success(body))
                case .failed(let error): results.append(.failure(error))
                }
                if case .bytes = event { continue }
                body = []
            }
        }
        return results
    }

    func reading<Value>(
        _ connector: any Connector, _ account: Account, _ body: (any SourceSession) async throws -> Value
    ) async throws -> Value {
        let session = try await connector.source(for: account)
        do {
            let value = try await body(session)
            await session.close()
            return value
        } catch {
            await session.close()
            throw error
        }
    }

    func writing<Value>(_ body: (any TargetSession) async throws -> Value) async throws -> Value {
        let session = try await target.target(for: targetAccount)
        do {
            let value = try await body(session)
            await session.close()
            return value
        } catch {
            await session.close()
            throw error
        }
    }

    /// Writes items as another source would hand them over: with keys made of their names.
    func write(
        _ items: [SeedItem], _ session: any TargetSession, _ container: Container
    ) async throws -> [WriteReceipt] {
        try await session.write(
            items.map(\.header), bodies: ListBodyReader(items.map { .success($0.body) }), in: container)
    }
}
