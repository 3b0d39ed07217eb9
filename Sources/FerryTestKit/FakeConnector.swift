package import FerryConnector
package import FerryCore
import FerryFormats

/// One service of a fake tenant.
package struct FakeConnector: Connector {
    let tenant: FakeTenant
    package let service: ServiceKind

    package var lane: LaneID { LaneID("fake/\(service.rawValue)") }
    package var parallelism: Int { 4 }

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
        return AccountFacts(
            exists: tenant.has(place), isReadable: tenant.has(place), isWritable: true, isEmpty: items.isEmpty,
            items: Int64(items.count), bytes: items.reduce(0) { $0 + Int64($1.content.count) })
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
        let start = cursor.map { $0.bytes.dropFirst().reduce(0) { $0 << 8 | UInt64($1) } } ?? 0
        let items = try folder(container).items.filter { $0.id > start }
        let page = items.prefix(tenant.settings.pageItems)
        return ItemPage(
            headers: page.map(\.header), next: page.count < items.count ? page.last.map { self.cursor($0.id) } : nil)
    }

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        let fault = try await tenant.begin(.bodies)
        return FakeBodyReader(
            tenant: tenant, place: place, path: container.path, headers: headers, fault: fault)
    }

    var custody: (any SourceCustody)? { tenant.settings.canFreeze ? FakeCustody(tenant: tenant, place: place) : nil }

    func close() async {}

    private func folder(_ container: Container) throws(ConnectorError) -> FakeTenant.Folder {
        guard let folder = tenant[place].folders.first(where: { $0.container.name == container.name }) else {
            throw ConnectorError(.sourceNotFound, .retry(after: nil), "The container is gone.")
        }
        return folder
    }

    private func cursor(_ number: UInt64) -> Cursor {
        Cursor([1] + (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - $0 * 8)) })
    }
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
