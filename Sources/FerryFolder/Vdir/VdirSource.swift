import FerryConnector
import FerryCore
import FerryFormats
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A person's calendars or address books in a vdir, opened for reading.
final class VdirSource: SourceSession {
    /// Items per page of a listing.
    static let pageSize = 1000
    /// First byte of a listing's cursor; the file name of the last item follows.
    private static let cursorForm: UInt8 = 1

    private struct OpenCollection: Sendable {
        var container: String
        var directory: Directory
        /// By bytes, ascending.
        var names: [FileName]
        /// Filled page by page; the names of items that are not UTF-8 are lost in their headers.
        var files: [ItemKey: FileName]
    }

    private let root: Directory
    private let kind: VdirKind
    private let place: String
    private let now: @Sendable () -> Instant
    private let current = Mutex<OpenCollection?>(nil)
    let custody: (any SourceCustody)?

    init(root: Directory, kind: VdirKind, place: String, now: @escaping @Sendable () -> Instant) {
        self.root = root
        self.kind = kind
        self.place = place
        self.now = now
        custody = FolderCustody(root: root, place: place, markers: .collections)
    }

    /// Directory names of all collections, and links that stand where one could be.
    static func collections(of root: Directory) throws(SystemError) -> (names: [FileName], links: [FileName]) {
        var names = [FileName]()
        var links = [FileName]()
        for name in try root.names().sorted() where !VdirKind.isHidden(name) {
            switch try root.statusIfPresent(of: name)?.kind {
            case .directory: names.append(name)
            case .symbolicLink: links.append(name)
            case .file, .other, nil: break
            }
        }
        return (names, links)
    }

    func containers() async throws(ConnectorError) -> [Container] {
        try await Disk.run { [root, kind, place] () throws(ConnectorError) in
            try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in
                var containers = [Container]()
                for name in try Self.collections(of: root).names {
                    containers.append(
                        Container(
                            name: ContainerName.make(name), path: [name.text ?? ContainerName.make(name)],
                            details: try kind.details(of: try root.directory(name))))
                }
                return containers
            }
        }
    }

    // MARK: changes

    func state(of container: Container) async throws(ConnectorError) -> Cursor {
        try await fingerprint(of: container).cursor(takenAt: now())
    }

    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        try await fingerprint(of: container).matches(cursor)
    }

    /// Of every file, because an item that is changed in place leaves the directory's time as it was.
    private func fingerprint(of container: Container) async throws(ConnectorError) -> Fingerprint {
        try await Disk.run { [self] () throws(ConnectorError) in
            let directory = try open(container)
            return try translating({ .sourceContainer($0, container.place) }) { () throws(SystemError) in
                var fingerprint = Fingerprint()
                for name in try directory.names().sorted() where !VdirKind.isHidden(name) {
                    fingerprint.combine(name)
                    fingerprint.combine(try directory.statusIfPresent(of: name))
                }
                return fingerprint
            }
        }
    }

    // MARK: items

    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        try await Disk.run { [self] () throws(ConnectorError) in
            var open = try opened(container, afresh: cursor == nil)
            var page = ItemPage(headers: [], next: nil)
            var start = 0
            if let cursor {
                guard cursor.bytes.first == Self.cursorForm, let last = FileName(cursor.bytes.dropFirst()) else {
                    throw ConnectorError(.internalFault, .failRun, "A stored place in a collection is not readable.")
                }
                start = open.names.firstIndex { last < $0 } ?? open.names.count
            } else {
                page.problems = try linkProblems(toldWith: container)
            }
            let names = open.names[start...].prefix(Self.pageSize)
            for name in names {
                do throws(ConnectorError) {
                    guard let header = try header(of: name, in: open.directory) else { continue }
                    open.files[header.key] = name
                    page.headers.append(header)
                } catch {
                    page.problems.append(ItemPage.Problem(name: name.description, error: error))
                }
            }
            if let last = names.last, names.endIndex < open.names.count {
                page.next = Cursor([Self.cursorForm] + last.bytes)
            }
            current.withLock { $0 = open }
            return page
        }
    }

    /// `nil` for what is not an item or has just gone.
    private func header(of name: FileName, in directory: Directory) throws(ConnectorError) -> ItemHeader? {
        let status = try translating({ .sourceItem($0, "'\(name)'") }) { () throws(SystemError) in
            try directory.statusIfPresent(of: name)
        }
        guard let status else { return nil }
        switch status.kind {
        case .file where kind.isItem(name):
            var version = VersionHasher()
            version.combine(status.size)
            version.combine(status.modified.seconds)
            version.combine(status.modified.nanoseconds)
            return ItemHeader(
                key: ItemKey(hashing: name.bytes), version: version.finish(),
                name: String(decoding: name.bytes, as: UTF8.self), size: status.size, metadata: kind.metadata)
        case .symbolicLink:
            throw .sourceItem(SystemError(ELOOP, "stat"), "'\(name)'")
        case .directory:
            throw ConnectorError(
                .sourceItemUnsupported, .skip,
                "'\(name)' is a folder inside a collection; collections are not nested. Move it one level up.")
        case .file, .other:
            throw ConnectorError(
                .sourceItemUnsupported, .skip,
                "'\(name)' is not an item of this collection: its name does not end in '\(kind.suffix)'.")
        }
    }

    /// Collections that are links; told with the first collection, because a listing of collections has no place for it.
    private func linkProblems(toldWith container: Container) throws(ConnectorError) -> [ItemPage.Problem] {
        try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in
            let (names, links) = try Self.collections(of: root)
            guard let first = names.first, ContainerName.make(first) == container.name else { return [] }
            return links.map { link in
                ItemPage.Problem(
                    name: link.description, error: .sourceItem(SystemError(ELOOP, "open"), "The folder '\(link)'"))
            }
        }
    }

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        let open = try await Disk.run { [self] () throws(ConnectorError) in try opened(container, afresh: false) }
        return FileBodyReader(headers) { (header) throws(ConnectorError) in
            try translating({ .sourceItem($0, header.place) }) { () throws(SystemError) in
                guard let name = open.files[header.key] ?? FileName(header.name) else {
                    throw SystemError(ENOENT, "open")
                }
                return try open.directory.file(name)
            }
        }
    }

    func close() async { current.withLock { $0 = nil } }

    // MARK: collections

    private func open(_ container: Container) throws(ConnectorError) -> Directory {
        try translating({ .sourceContainer($0, container.place) }) { () throws(SystemError) in
            guard let name = ContainerName.directory(container.name) else { throw SystemError(ENOENT, "open") }
            return try root.directory(name)
        }
    }

    private func opened(_ container: Container, afresh: Bool) throws(ConnectorError) -> OpenCollection {
        if !afresh, let open = current.withLock({ $0 }), open.container == container.name { return open }
        let directory = try open(container)
        let names = try translating({ .sourceContainer($0, container.place) }) { () throws(SystemError) in
            try directory.names().filter { !kind.isIgnored($0) }.sorted()
        }
        let open = OpenCollection(container: container.name, directory: directory, names: names, files: [:])
        current.withLock { $0 = open }
        return open
    }
}
