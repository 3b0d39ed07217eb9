package import FerryConnector
package import FerryCore
import FerryFormats

/// One service of a fake tenant.
package struct FakeConnector: Connector {
    let tenant: FakeTenant
    package let service: ServiceKind

    package var lane: LaneID { LaneID("fake/\(service.rawValue)") }
    package var parallelism: Int { 4 }
    package var rewritesObjects: Bool { tenant.settings.rewritesObjects }

    package func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
        _ = try await tenant.begin(.openSource)
        let place = FakeTenant.Place(service, account.login)
        guard tenant.has(place) else {
            throw ConnectorError(.sourceNotFound, .failRun, "The fake tenant knows nobody of that name.")
        }
        return FakeSource(tenant: tenant, place: place)
    }

    package func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
        _ = try await tenant.begin(.openTarget)
        let place = FakeTenant.Place(service, account.login)
        tenant.edit(place) { _ in }
        return FakeTarget(tenant: tenant, place: place)
    }

    package func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
        _ = try await tenant.begin(.probe)
        let place = FakeTenant.Place(service, account.login)
        let items = tenant[place].folders.flatMap(\.items)
        var facts = AccountFacts(
            exists: tenant.has(place), isReadable: tenant.has(place), isWritable: true, isEmpty: items.isEmpty,
            roomBytes: role == .target ? tenant.settings.roomBytes : nil, items: Int64(items.count),
            bytes: tenant.settings.tellsBytes ? items.reduce(0) { $0 + Int64($1.content.count) } : nil)
        facts.largestItemBytes = tenant.settings.largestItemBytes
        facts.canRedirect = tenant.settings.canFreeze
        return facts
    }

    package func objection(to header: ItemHeader) -> ConnectorError? {
        guard let limit = tenant.settings.longestName, header.name.utf8.count > limit else { return nil }
        return ConnectorError(.targetNameRefused, .skip, "The name is longer than \(limit) bytes. Shorten it.")
    }
}

struct FakeSource: SourceSession {
    let tenant: FakeTenant
    let place: FakeTenant.Place

    func containers() async throws(ConnectorError) -> [Container] {
        _ = try await tenant.begin(.containers)
        return tenant[place].folders.map(\.container)
    }

    func state(of container: Container) async throws(ConnectorError) -> Cursor {
        _ = try await tenant.begin(.state)
        return cursor(try folder(container).revision)
    }

    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        _ = try await tenant.begin(.isUnchanged)
        return self.cursor(try folder(container).revision) == cursor
    }

    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        _ = try await tenant.begin(.items)
        let folder = try folder(container)
        guard let cursor, cursor.bytes.first == Self.changesForm else {
            return page(folder.items, after: cursor.map { number($0.bytes.dropFirst()) } ?? 0) { self.cursor($0) }
        }
        // Since when, how far the listing is, then the keys that were asked for.
        let words = stride(from: 1, to: cursor.bytes.count, by: 8).map { number(cursor.bytes[$0..<$0 + 8]) }
        let keys = stride(from: 2, to: words.count, by: 2).map { ItemKey(high: words[$0], low: words[$0 + 1]) }
        return changed(in: folder, since: words[0], and: keys, after: words[1])
    }

    func changes(
        in container: Container, since cursor: Cursor, and keys: [ItemKey]
    ) async throws(ConnectorError) -> ContainerChanges? {
        guard tenant.settings.tellsChanges else { return nil }
        _ = try await tenant.begin(.changes)
        let folder = try folder(container)
        let since = number(cursor.bytes.dropFirst())
        guard since <= folder.revision else { return nil }
        return ContainerChanges(
            first: changed(in: folder, since: since, and: keys, after: 0),
            gone: folder.removals.filter { $0.value > since }.map { $0.key...$0.key },
            items: Int64(folder.items.count), bytes: folder.items.reduce(0) { $0 + Int64($1.content.count) })
    }

    private func changed(
        in folder: FakeTenant.Folder, since: UInt64, and keys: [ItemKey], after start: UInt64
    ) -> ItemPage {
        let wanted = Set(keys)
        return page(folder.items.filter { $0.changedAt > since || wanted.contains($0.key) }, after: start) { last in
            let words = [since, last] + keys.flatMap { [$0.high, $0.low] }
            return Cursor([Self.changesForm] + words.flatMap(Self.bytes))
        }
    }

    private func page(
        _ items: [FakeTenant.Item], after start: UInt64, _ cursor: (UInt64) -> Cursor
    ) -> ItemPage {
        let rest = items.filter { $0.id > start }
        let page = rest.prefix(tenant.settings.pageItems)
        return ItemPage(
            headers: page.map(\.header), next: page.count < rest.count ? page.last.map { cursor($0.id) } : nil)
    }

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        let fault = try await tenant.begin(.bodies)
        return FakeBodyReader(
            tenant: tenant, place: place, path: container.path, headers: headers, fault: fault)
    }

    func mailboxIdentity(recorded: String?) async throws(ConnectorError) -> String? { tenant[place].identity }

    var custody: (any SourceCustody)? { tenant.settings.canFreeze ? FakeCustody(tenant: tenant, place: place) : nil }

    var canShareWork: Bool { tenant.settings.sharesWork }

    func sibling() async -> (any SourceSession)? { tenant.settings.sharesWork ? self : nil }

    func close() async {}

    private func folder(_ container: Container) throws(ConnectorError) -> FakeTenant.Folder {
        guard let folder = tenant[place].folders.first(where: { $0.container.name == container.name }) else {
            throw ConnectorError(.sourceNotFound, .retry(after: nil), "The container is gone.")
        }
        return folder
    }

    private static let changesForm: UInt8 = 2

    private func cursor(_ number: UInt64) -> Cursor { Cursor([1] + Self.bytes(number)) }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - $0 * 8)) }
    }

    private func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}

struct FakeCustody: SourceCustody {
    let tenant: FakeTenant
    let place: FakeTenant.Place

    func freeze() async throws(ConnectorError) {
        _ = try await tenant.begin(.freeze)
        tenant.edit(place) { $0.isFrozen = true }
    }
    func thaw() async throws(ConnectorError) {
        _ = try await tenant.begin(.thaw)
        tenant.edit(place) { $0.isFrozen = false }
    }
    func redirect(to address: String) async throws(ConnectorError) {
        _ = try await tenant.begin(.redirect)
        tenant.edit(place) { $0.redirect = address }
    }
    func removeRedirect() async throws(ConnectorError) {
        _ = try await tenant.begin(.removeRedirect)
        tenant.edit(place) { $0.redirect = nil }
    }
}
