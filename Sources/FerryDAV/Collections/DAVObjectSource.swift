import FerryConnector
import FerryCore
import FerryFormats
import Synchronization

/// A person's calendars or address books on a server, opened for reading.
final class DAVObjectSource: SourceSession {
    private static let pageSize = 1_000
    /// First byte of a listing's cursor; the name of the last object follows.
    private static let listingForm: UInt8 = 1
    /// First byte of a state's cursor: what the server says stands for it, or a digest of a listing.
    private static let stateForm: UInt8 = 2
    private static let digestForm: UInt8 = 3

    private struct Open: Sendable {
        var container: String
        var listing: ObjectListing
    }

    private struct State: Sendable {
        /// By container name, as `containers` saw them.
        var collections: [String: FoundCollection] = [:]
        /// States that `containers` saw and that nobody has used: good for the first question of a pass.
        var fresh: [String: String] = [:]
        var open: Open?
    }

    private let session: DAVSession
    private let kind: CollectionKind
    private let homes: [DAVPath]
    private let state = Mutex(State())

    /// `session` speaks to the server's root.
    init(_ session: DAVSession, _ kind: CollectionKind, homes: [DAVPath]) {
        self.session = session
        self.kind = kind
        self.homes = homes
    }

    func containers() async throws(ConnectorError) -> [Container] {
        var found: [FoundCollection] = []
        for home in homes { found += try await session.collections(in: home, kind) }
        var names: Set<String> = []
        // Of two homes with a collection of the same name the first counts; so it does for writing.
        let collections = found.filter { names.insert($0.name).inserted }
        state.withLock { state in
            state = State()
            for collection in collections {
                state.collections[collection.name] = collection
                state.fresh[collection.name] = collection.state
            }
        }
        return collections.map { $0.container(kind) }
    }

    // MARK: changes

    func state(of container: Container) async throws(ConnectorError) -> Cursor {
        let path = try await path(of: container)
        state.withLock { if $0.open?.container == container.name { $0.open = nil } }
        if let text = try await stateText(of: path, container.name) { return Cursor([Self.stateForm] + text.utf8) }
        return Cursor([Self.digestForm] + Self.digest(try await open(container, afresh: true).listing))
    }

    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        let path = try await path(of: container)
        switch cursor.bytes.first {
        case Self.stateForm:
            guard let text = try await stateText(of: path, container.name) else { return false }
            return cursor.bytes.dropFirst().elementsEqual(text.utf8)
        case Self.digestForm:
            let listing = try await open(container, afresh: true).listing
            return cursor.bytes.dropFirst().elementsEqual(Self.digest(listing))
        default: return false
        }
    }

    /// By a `sync-collection` report, where the state is a sync token. Items that are asked for by their keys have to be
    /// listed, for nothing leads back from a key to a name.
    func changes(
        in container: Container, since cursor: Cursor, and keys: [ItemKey]
    ) async throws(ConnectorError) -> ContainerChanges? {
        guard cursor.bytes.first == Self.stateForm,
            let text = String(validating: cursor.bytes.dropFirst(), as: UTF8.self), text.hasPrefix("t")
        else { return nil }
        let path = try await path(of: container)
        guard let changes = try await session.changes(in: path, since: String(text.dropFirst())) else { return nil }
        var (listing, gone) = (changes.listing, changes.gone)
        if !keys.isEmpty {
            let wanted = Set(keys)
            let told = Set(listing.objects.map(\.name))
            listing.objects += try await session.objects(in: path).objects.filter {
                wanted.contains(ItemKey(name: $0.name)) && !told.contains($0.name)
            }
            listing.objects.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            gone.subtract(listing.objects.map(\.name))
        }
        state.withLock { [listing] in $0.open = Open(container: container.name, listing: listing) }
        let keysGone = gone.map { ItemKey(name: $0) }
        return ContainerChanges(first: try page(of: listing, after: nil), gone: keysGone.map { $0...$0 })
    }

    private func stateText(of path: DAVPath, _ name: String) async throws(ConnectorError) -> String? {
        if let fresh = state.withLock({ $0.fresh.removeValue(forKey: name) }) { return fresh }
        return try await session.collectionState(of: path)
    }

    private static func digest(_ listing: ObjectListing) -> [UInt8] {
        var hasher = ContentHasher()
        for object in listing.objects { hasher.update(Array("\(object.name)\u{0}\(object.tag)\u{0}".utf8)) }
        for problem in listing.problems { hasher.update(Array("\(problem.name)\u{0}".utf8)) }
        return hasher.finish().bytes
    }

    // MARK: objects

    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        try page(of: try await open(container, afresh: cursor == nil).listing, after: cursor)
    }

    private func page(of listing: ObjectListing, after cursor: Cursor?) throws(ConnectorError) -> ItemPage {
        var page = ItemPage(headers: [], next: nil)
        var start = 0
        if let cursor {
            guard cursor.bytes.first == Self.listingForm else {
                throw ConnectorError(.internalFault, .failRun, "A stored place in a collection is not readable.")
            }
            let last = cursor.bytes.dropFirst()
            start =
                listing.objects.firstIndex { last.lexicographicallyPrecedes($0.name.utf8) } ?? listing.objects.count
        } else {
            page.problems = listing.problems
        }
        let objects = listing.objects[start...].prefix(Self.pageSize)
        page.headers = objects.map { $0.header(kind) }
        if let last = objects.last, objects.endIndex < listing.objects.count {
            page.next = Cursor([Self.listingForm] + last.name.utf8)
        }
        return page
    }

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        DAVObjectBodies(headers, session: session, collection: try await path(of: container), kind)
    }

    func close() async { state.withLock { $0 = State() } }

    private func open(_ container: Container, afresh: Bool) async throws(ConnectorError) -> Open {
        if !afresh, let open = state.withLock({ $0.open }), open.container == container.name { return open }
        let listing = try await session.objects(in: try await path(of: container))
        let open = Open(container: container.name, listing: listing)
        state.withLock { $0.open = open }
        return open
    }

    private func path(of container: Container) async throws(ConnectorError) -> DAVPath {
        if let known = state.withLock({ $0.collections[container.name] }) { return known.path }
        _ = try await containers()
        guard let known = state.withLock({ $0.collections[container.name] }) else {
            throw ConnectorError(
                session.side == .source ? .sourceNotFound : .targetConflict, .failRun,
                "'\(container.name.printable(limit: 200))' is not among the \(kind.plural) any more.")
        }
        return known.path
    }
}
