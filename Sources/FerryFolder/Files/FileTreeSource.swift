import FerryConnector
import FerryCore
import Synchronization

/// A person's file tree, opened for reading: everything below `ROOT/LOGIN`, as one container.
final class FileTreeSource: SourceSession {
    static let container = Container(name: "files", path: [], details: .fileTree)
    private static let pageItems = 1_000

    let custody: (any SourceCustody)?
    private let root: Directory
    private let place: String
    private let now: @Sendable () -> Instant
    /// The walk that made the last page, so that the next page need not find its place again.
    private let walk = Mutex<(cursor: Cursor, walk: TreeWalk)?>(nil)

    /// `place` is the root in words, for messages; `now` is the wall clock.
    init(root: Directory, place: String, now: @escaping @Sendable () -> Instant) {
        self.root = root
        self.place = place
        self.now = now
        custody = FolderCustody(root: root, place: place, markers: .hidden)
    }

    func containers() async throws(ConnectorError) -> [Container] { [Self.container] }

    /// Of every file and folder, because nothing above a file says that it was changed in place. Still far cheaper than
    /// a listing: nothing is hashed by name, sent or compared.
    func state(of container: Container) async throws(ConnectorError) -> Cursor {
        try await fingerprint().cursor(takenAt: now())
    }

    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        try await fingerprint().matches(cursor)
    }

    private func fingerprint() async throws(ConnectorError) -> Fingerprint {
        try await Disk.run { [root, place] () throws(ConnectorError) in
            try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in
                var fingerprint = Fingerprint()
                var walk = try TreeWalk(root)
                while let encounter = try walk.next() {
                    switch encounter {
                    case .entry(let path, let status):
                        for name in path.names { fingerprint.combine(name) }
                        fingerprint.combine(item: status)
                    case .unreadable(_, let error): throw error
                    }
                }
                return fingerprint
            }
        }
    }

    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        try await Disk.run { [self] () throws(ConnectorError) in
            try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in try page(cursor) }
        }
    }

    /// The cursor is the last path of the page before.
    private func page(_ cursor: Cursor?) throws(SystemError) -> ItemPage {
        let kept: TreeWalk? = walk.withLock { kept in
            defer { kept = nil }
            return kept?.cursor == cursor ? kept?.walk : nil
        }
        var walk: TreeWalk
        if let kept {
            walk = kept
        } else {
            walk = try TreeWalk(root, after: cursor.flatMap { TreePath($0.bytes.dropFirst(), limit: .max) })
        }
        var page = ItemPage(headers: [], next: nil)
        while let encounter = try walk.next() {
            let path: TreePath
            switch encounter {
            case .entry(let found, let status):
                path = found
                do throws(ConnectorError) { page.headers.append(try FileItem.header(path, status)) } catch {
                    page.problems.append(ItemPage.Problem(name: path.description, error: error))
                }
            case .unreadable(let found, let error):
                path = found
                page.problems.append(
                    ItemPage.Problem(name: path.description, error: .sourceItem(error, "'\(path)'")))
            }
            guard page.headers.count + page.problems.count == Self.pageItems else { continue }
            let next = Cursor([1] + path.bytes)
            page.next = next
            self.walk.withLock { [walk] in $0 = (next, walk) }
            return page
        }
        return page
    }

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        FileTreeBodies(headers, root: root)
    }

    func close() async { walk.withLock { $0 = nil } }
}
