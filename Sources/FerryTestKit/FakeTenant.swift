package import FerryConnector
package import FerryCore
import FerryFormats
import Synchronization

/// A tenant in memory, for any service: what people have there, and what went over the wire.
///
/// Append-only tenants (`isIdempotent: false`) behave like IMAP: each write makes a new item, whatever its key.
package final class FakeTenant: Sendable {
    package struct Item: Sendable, Hashable {
        /// Rises within the container; a number never comes back.
        package var id: UInt64
        package var name: String
        package var content: [UInt8]
        package var metadata: ItemMetadata
        /// Rises with each change of content.
        package var revision: UInt64 = 0
        /// The folder's revision when it was made or changed last.
        package var changedAt: UInt64 = 0
        /// The key that Ferry gave; `nil` for what people made.
        package var origin: ItemKey?
        /// The writer hung up before the end.
        package var isFragment = false
    }

    package struct Folder: Sendable, Hashable {
        package var container: Container
        package var items: [Item] = []
        /// Rises with each change.
        package var revision: UInt64 = 0
        package var lastID: UInt64 = 0
        /// The folder's revision when an item was removed, by key.
        package var removals: [ItemKey: UInt64] = [:]
        /// Calls of `finish`.
        package var finished = 0
    }

    package struct Holdings: Sendable, Hashable {
        package var folders: [Folder] = []
        package var isFrozen = false
        package var redirect: String?
        /// What tells the mailbox from another one; `nil`: nothing does.
        package var identity: String?
    }

    /// An account at one service.
    package struct Place: Sendable, Hashable {
        package var service: ServiceKind
        package var login: String
        package init(_ service: ServiceKind, _ login: String) {
            self.service = service
            self.login = login
        }
    }

    package struct Settings: Sendable {
        package var isIdempotent = true
        /// What the capabilities say where that is not the truth.
        package var claimsToBeIdempotent: Bool?
        /// Whether the target has the verb `update`.
        package var canUpdate = true
        package var canFreeze = true
        /// Whether it says that it lays out calendars and contacts anew.
        package var rewritesObjects = false
        /// Whether the source has the verb `changes`.
        package var tellsChanges = true
        /// Whether sessions have siblings, so that several containers are gone through at once.
        package var sharesWork = false
        package var largestItemBytes: Int64?
        /// Bytes of the longest name of an item that a target takes.
        package var longestName: Int?
        /// Free room that a probe of a target tells.
        package var roomBytes: Int64?
        /// Whether a probe of a source says how much there is.
        package var tellsBytes = true
        package var batchItems = 16
        package var pageItems = 10
        /// Bytes per piece of a body, and pieces per bunch.
        package var pieceBytes = 64
        package var bunchEvents = 8
        /// How long each call takes, on the clock.
        package var latency: Duration = .zero
        package init() {}
    }

    private struct State {
        var places: [Place: Holdings] = [:]
        var bytesRead: Int64 = 0
        var bytesWritten: Int64 = 0
        var meanwhile: (@Sendable (FakeOperation) -> Void)?
    }

    package let settings: Settings
    package let faults = Faults()
    private let clock: VirtualClock?
    private let state = Mutex(State())

    package init(_ settings: Settings = Settings(), clock: VirtualClock? = nil) {
        self.settings = settings
        self.clock = clock
    }

    package func connector(_ service: ServiceKind) -> FakeConnector { FakeConnector(tenant: self, service: service) }

    // MARK: what tests and people do

    /// Changes an account by hand; creates it when it is missing.
    @discardableResult
    package func edit<R: Sendable>(_ place: Place, _ body: (inout Holdings) -> R) -> R {
        state.withLock { body(&$0.places[place, default: Holdings()]) }
    }

    package subscript(place: Place) -> Holdings { state.withLock { $0.places[place] ?? Holdings() } }

    package func has(_ place: Place) -> Bool { state.withLock { $0.places[place] != nil } }

    package func removeAccount(_ place: Place) { state.withLock { $0.places[place] = nil } }

    /// Called before each call of a session: the moment in which people work meanwhile.
    package func meanwhile(_ body: (@Sendable (FakeOperation) -> Void)?) { state.withLock { $0.meanwhile = body } }

    package var bytesRead: Int64 { state.withLock { $0.bytesRead } }
    package var bytesWritten: Int64 { state.withLock { $0.bytesWritten } }

    // MARK: what sessions do

    /// Waits, lets people work, and asks what goes wrong. Throws what is refused at once.
    func begin(_ operation: FakeOperation) async throws(ConnectorError) -> Fault? {
        if Task.isCancelled { throw .cancelled }
        state.withLock { $0.meanwhile }?(operation)
        if settings.latency > .zero, let clock {
            do { try await clock.sleep(until: clock.now.advanced(by: settings.latency), tolerance: nil) } catch {
                throw .cancelled
            }
        }
        let fault = faults.next(operation)
        if case .refuse(let error) = fault { throw error }
        return fault
    }

    func count(read: Int = 0, written: Int = 0) {
        state.withLock {
            $0.bytesRead += Int64(read)
            $0.bytesWritten += Int64(written)
        }
    }
}

extension FakeTenant.Holdings {
    /// The folder with that path; made when it is missing.
    package subscript(path: [String], details: ContainerDetails = .mailFolder(isSubscribed: true)) -> FakeTenant.Folder
    {
        get {
            folders.first { $0.container.path == path }
                ?? FakeTenant.Folder(
                    container: Container(name: path.joined(separator: "/"), path: path, details: details))
        }
        set {
            if let index = folders.firstIndex(where: { $0.container.path == path }) {
                folders[index] = newValue
            } else {
                folders.append(newValue)
            }
        }
    }
}

extension FakeTenant.Folder {
    /// Adds what a person made.
    package mutating func add(_ name: String, _ content: [UInt8], _ metadata: ItemMetadata) {
        append(FakeTenant.Item(id: 0, name: name, content: content, metadata: metadata))
    }

    /// Replaces content, metadata or both.
    package mutating func change(_ name: String, _ change: (inout FakeTenant.Item) -> Void) {
        for index in items.indices where items[index].name == name {
            let before = items[index].content
            change(&items[index])
            if items[index].content != before { items[index].revision += 1 }
            revision += 1
            items[index].changedAt = revision
        }
    }

    package mutating func remove(_ name: String) {
        revision += 1
        for item in items where item.name == name { removals[item.key] = revision }
        items.removeAll { $0.name == name }
    }

    mutating func append(_ item: FakeTenant.Item) {
        lastID += 1
        revision += 1
        var item = item
        item.id = lastID
        item.changedAt = revision
        removals[item.key] = nil
        items.append(item)
    }
}

extension FakeTenant.Item {
    /// What a source session calls the item: messages are numbered, everything else has a name.
    package var key: ItemKey {
        if case .message = metadata { ItemKey(high: 1, low: id) } else { ItemKey(name: name) }
    }

    package var header: ItemHeader {
        var version = VersionHasher()
        version.combine(Int64(content.count))
        version.combine(Int64(bitPattern: revision))
        switch metadata {
        case .message(let metadata):
            version.combine(Int64(metadata.flags.rawValue))
            version.combine(metadata.internalDate.microseconds)
            for keyword in metadata.keywords { version.combine(keyword) }
        case .file(let metadata), .fileFolder(let metadata):
            version.combine(metadata.modified.microseconds)
            version.combine(metadata.isExecutable ? 1 : 0 as Int64)
        case .calendarObject, .contact, .event, .media: break
        }
        return ItemHeader(
            key: key, version: version.finish(), name: name, size: Int64(content.count), metadata: metadata)
    }
}
