import FerryConnector
import FerryCore

struct FakeTarget: TargetSession {
    let tenant: FakeTenant
    let place: FakeTenant.Place

    var capabilities: TargetCapabilities {
        TargetCapabilities(
            isIdempotent: tenant.settings.claimsToBeIdempotent ?? tenant.settings.isIdempotent,
            largestItemBytes: tenant.settings.largestItemBytes,
            batchItems: tenant.settings.batchItems)
    }

    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        let fault = try await tenant.begin(.ensure)
        let found = tenant.edit(place) { holdings -> Container in
            holdings[container.path, container.details].container.details = container.details
            return holdings[container.path].container
        }
        try lose(fault)
        return found
    }

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let fault = try await tenant.begin(.write)
        var contents = BodyAssembler(bodies)
        var receipts: [WriteReceipt] = []
        for header in headers {
            let content: BodyAssembler.Content
            do throws(ConnectorError) {
                content = try await contents.next()
            } catch {
                leaveFragment(of: header, contents.fragment, in: container)
                throw error
            }
            switch (content, fault) {
            case (.whole(let bytes), .breakOff(let count, let error)) where receipts.count >= count:
                leaveFragment(of: header, Array(bytes.prefix(bytes.count / 2)), in: container)
                throw error
            case (.whole, .spoil(let names, let error)) where names.contains(header.name):
                receipts.append(.failure(error))
            case (.whole, _) where tenant.connector(place.service).objection(to: header) != nil:
                if let error = tenant.connector(place.service).objection(to: header) {
                    receipts.append(.failure(error))
                }
            case (.whole(let bytes), _):
                store(header, bytes, in: container)
                receipts.append(.written(bytes: Int64(bytes.count)))
            case (.failed(let error), _):
                receipts.append(.failure(error))
            }
        }
        try lose(fault)
        return receipts
    }

    func update(_ headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> [WriteReceipt]? {
        guard tenant.settings.canUpdate else { return nil }
        let fault = try await tenant.begin(.update)
        let receipts = tenant.edit(place) { holdings -> [WriteReceipt] in
            headers.map { header in
                guard let index = holdings[container.path].items.firstIndex(where: { $0.origin == header.key }) else {
                    return .failure(ConnectorError(.targetConflict, .retry(after: nil), "The item is not there."))
                }
                holdings[container.path].items[index].metadata = header.metadata
                holdings[container.path].revision += 1
                return .written(bytes: header.size)
            }
        }
        try lose(fault)
        return receipts
    }

    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        let fault = try await tenant.begin(.remove)
        let keys = Set(items.map(\.key))
        tenant.edit(place) { holdings in
            holdings[container.path].items.removeAll { $0.origin.map(keys.contains) ?? false }
            holdings[container.path].revision += 1
        }
        try lose(fault)
    }

    func mark(of container: Container, before headers: [ItemHeader]) async throws(ConnectorError) -> [UInt8] {
        _ = try await tenant.begin(.mark)
        let last = tenant[place][container.path].lastID
        return (0..<8).map { UInt8(truncatingIfNeeded: last >> (56 - $0 * 8)) }
    }

    func find(
        _ search: CopySearch, in container: Container, original: @escaping OriginalBodies
    ) async throws(ConnectorError) -> [PlacedItem] {
        _ = try await tenant.begin(.arrived)
        let last = (search.batch?.mark ?? []).reduce(0) { $0 << 8 | UInt64($1) }
        let wanted = Set(search.batch?.keys ?? search.headers.map(\.key))
        return tenant.edit(place) { holdings in
            holdings[container.path].items.removeAll { $0.id > last && $0.isFragment }
            return Set(holdings[container.path].items.filter { $0.id > last }.compactMap(\.origin))
                .intersection(wanted).map { PlacedItem(key: $0) }
        }
    }

    func finish(_ container: Container) async throws(ConnectorError) {
        _ = try await tenant.begin(.finish)
        tenant.edit(place) { $0[container.path].finished += 1 }
    }

    func sibling() async -> (any TargetSession)? {
        tenant.settings.sharesWork ? FakeTarget(tenant: tenant, place: place) : nil
    }

    func close() async {}

    private func store(_ header: ItemHeader, _ content: [UInt8], in container: Container) {
        tenant.count(written: content.count)
        tenant.edit(place) { holdings in
            let item = FakeTenant.Item(
                id: 0, name: header.name, content: content, metadata: header.metadata, origin: header.key)
            if tenant.settings.isIdempotent,
                let index = holdings[container.path].items.firstIndex(where: { $0.origin == header.key })
            {
                holdings[container.path].items[index].content = content
                holdings[container.path].items[index].metadata = header.metadata
                holdings[container.path].items[index].revision += 1
                holdings[container.path].revision += 1
            } else {
                holdings[container.path].append(item)
            }
        }
    }

    /// An append-only peer keeps what it got; the others write beside and rename.
    private func leaveFragment(of header: ItemHeader, _ content: [UInt8], in container: Container) {
        guard !tenant.settings.isIdempotent else { return }
        tenant.edit(place) { holdings in
            holdings[container.path].append(
                FakeTenant.Item(
                    id: 0, name: header.name, content: content, metadata: header.metadata, origin: header.key,
                    isFragment: true))
        }
    }

    private func lose(_ fault: Fault?) throws(ConnectorError) {
        if case .loseAnswer(let error) = fault { throw error }
    }
}
