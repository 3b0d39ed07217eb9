import FerryConnector
import FerryCore
import Synchronization

/// Goes through a person's tree, folder by folder, with several listings on their way at once.
///
/// The order is the same each time, whatever arrives first: the entries of a folder by their names, then the folders in
/// it, one after the other, each with all that is below. So a walk can go on after any entry of an earlier one.
struct TreeWalk: Sendable {
    /// A folder that is still to come.
    private struct Folder: Sendable {
        var path: DAVPath
        /// `nil`: not asked for yet.
        var listing: FolderListing?
        var isOnItsWay = false
    }

    /// What came of a folder that was asked for. No tuple: Swift 6.3.1 with optimization takes an optional tuple with such
    /// a result in it for `nil`, and the walk for being over.
    private struct Arrival: Sendable {
        var path: DAVPath
        var result: Result<FolderListing, ConnectorError>
    }

    /// Entries and problems of one folder.
    struct Element: Sendable {
        var path: String
        var entry: FileEntry
    }

    struct Page: Sendable {
        var elements: [Element] = []
        var problems: [ItemPage.Problem] = []
        /// Where the walk goes on; `nil` at its end.
        var next: Cursor?
        /// The earliest of the server's clock when it listed something of this page.
        var date: Instant?
    }

    private let session: DAVSession
    /// The next one last.
    private var pending: [Folder]
    private var current: (folder: DAVPath, entries: ArraySlice<FileEntry>)?
    private var problems: [ItemPage.Problem] = []
    private var date: Instant?

    /// From the top.
    init(_ session: DAVSession) {
        self.session = session
        pending = [Folder(path: DAVPath())]
    }

    /// After the last entry of an earlier walk's page, which may be gone by now.
    init(_ session: DAVSession, after cursor: Cursor) async throws(ConnectorError) {
        self.session = session
        pending = []
        guard let place = Place(cursor) else {
            throw ConnectorError(.internalFault, .failRun, "A cursor of another form was given to a listing of files.")
        }
        for depth in 0...place.folder.names.count {
            let folder = DAVPath(Array(place.folder.names.prefix(depth)))
            let listing = try await session.list(folder)
            if depth < place.folder.names.count {
                let next = place.folder.names[depth]
                push(listing.entries.filter { $0.isFolder && next.precedes($0.name) }, of: folder)
            } else {
                push(listing.entries.filter(\.isFolder), of: folder)
                current = (folder, listing.entries.filter { place.name.precedes($0.name) }[...])
            }
        }
    }

    private mutating func push(_ folders: [FileEntry], of parent: DAVPath) {
        pending += folders.reversed().map { Folder(path: parent.appending($0.name)) }
    }

    /// The next `count` elements, or fewer at the end.
    mutating func next(_ count: Int) async throws(ConnectorError) -> Page {
        var page = Page()
        var walk = self
        let failure: ConnectorError? = await withTaskGroup(of: Arrival.self) { [session] group in
            var failure: ConnectorError?
            var underWay = 0
            while failure == nil, !walk.fill(&page, count) {
                for index in walk.pending.indices.suffix(2 * session.width).reversed() where underWay < session.width {
                    guard walk.pending[index].listing == nil, !walk.pending[index].isOnItsWay else { continue }
                    walk.pending[index].isOnItsWay = true
                    underWay += 1
                    let path = walk.pending[index].path
                    group.addTask {
                        do throws(ConnectorError) {
                            return Arrival(path: path, result: .success(try await session.list(path)))
                        } catch {
                            return Arrival(path: path, result: .failure(error))
                        }
                    }
                }
                guard let arrival = await group.next() else {
                    failure = ConnectorError(
                        .internalFault, .failRun, "A walk through the files came to no end. Please report this.")
                    break
                }
                underWay -= 1
                failure = walk.take(arrival)
            }
            if failure != nil { group.cancelAll() }
            // What is under way when the page is full belongs to the next one.
            for await arrival in group { failure = failure ?? walk.take(arrival) }
            return failure
        }
        if let failure { throw failure }
        page.date = walk.date
        walk.date = nil
        self = walk
        return page
    }

    private mutating func take(_ arrival: Arrival) -> ConnectorError? {
        let path = arrival.path
        guard let index = pending.lastIndex(where: { $0.path == path }) else { return nil }
        pending[index].isOnItsWay = false
        switch arrival.result {
        case .success(let listing):
            if path.names.isEmpty, !listing.exists {
                return ConnectorError(
                    session.side == .source ? .sourceNotFound : .targetConflict, .failRun,
                    "The person's folder does not exist any more.")
            }
            if let seen = listing.date { date = min(date ?? seen, seen) }
            pending[index].listing = listing
            return nil
        case .failure(let error):
            // Forbidden folders are told of; what is in the others moves.
            guard error.code == .sourceForbidden, !path.names.isEmpty else { return error }
            var listing = FolderListing()
            listing.problems = [
                ItemPage.Problem(
                    name: path.text.printable(limit: 400),
                    error: ConnectorError(.sourceForbidden, .skip, error.context))
            ]
            pending[index].listing = listing
            return nil
        }
    }

    /// Moves what is listed into the page; whether the page is full or the walk over.
    private mutating func fill(_ page: inout Page, _ count: Int) -> Bool {
        while true {
            if let (folder, listed) = current {
                var entries = listed
                while page.elements.count < count, let entry = entries.popFirst() {
                    page.elements.append(Element(path: folder.appending(entry.name).text, entry: entry))
                }
                current = (folder, entries)
                if page.elements.count == count, let last = page.elements.last {
                    if entries.isEmpty, pending.isEmpty { return true }
                    page.next = Place(folder: folder, name: last.entry.name).cursor
                    return true
                }
                current = nil
            }
            guard let next = pending.last else { return true }
            guard let listing = next.listing else { return false }
            pending.removeLast()
            page.problems += listing.problems
            push(listing.entries.filter(\.isFolder), of: next.path)
            current = (next.path, listing.entries[...])
        }
    }

    /// The last entry of a page. The folder's path and the name with a NUL between them, which neither has.
    private struct Place {
        private static let form: UInt8 = 1

        var folder: DAVPath
        var name: String

        init(folder: DAVPath, name: String) {
            self.folder = folder
            self.name = name
        }

        init?(_ cursor: Cursor) {
            guard cursor.bytes.first == Self.form else { return nil }
            let parts = cursor.bytes.dropFirst().split(
                separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let path = String(decoding: parts[0], as: UTF8.self)
            guard let folder = path.isEmpty ? DAVPath() : DAVPath(relative: path) else { return nil }
            self.folder = folder
            name = String(decoding: parts[1], as: UTF8.self)
        }

        var cursor: Cursor { Cursor([Self.form] + Array(folder.text.utf8) + [0] + Array(name.utf8)) }
    }
}

extension String {
    /// In byte order.
    fileprivate func precedes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}
