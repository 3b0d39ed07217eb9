import FerryConnector
import FerryCore
import FerryFormats
import Synchronization

/// A person's file tree on a WebDAV server, opened for reading, as one container.
final class DAVFileSource: SourceSession {
    static let container = Container(name: "files", path: [], details: .fileTree)
    private static let pageItems = 1_000
    /// Elements of a walk that are kept from `state` for the listing that follows: about 300 bytes each.
    private static let keptElements = 50_000

    private struct State: Sendable {
        /// The walk that made the last page, so that the next page need not find its place again.
        var walk: (cursor: Cursor, walk: TreeWalk)?
        /// What `state` has just seen.
        var fingerprint: TreeFingerprint?
        /// The listing of that same walk, the next page last; empty where it was too long to keep.
        var kept: [ItemPage] = []
        /// Which page of the kept ones comes next.
        var keptCursor: Cursor?
    }

    private let session: DAVSession
    private let state = Mutex(State())

    init(_ session: DAVSession) { self.session = session }

    func containers() async throws(ConnectorError) -> [Container] { [Self.container] }

    /// Of every file and folder: WebDAV says nothing at the top of what was changed below. The listing that a pass makes
    /// next is of the same walk.
    func state(of container: Container) async throws(ConnectorError) -> Cursor {
        let (fingerprint, pages) = try await look()
        state.withLock { state in
            state = State(walk: nil, fingerprint: fingerprint, kept: pages.reversed(), keptCursor: nil)
        }
        return fingerprint.cursor
    }

    /// The first time after `state`, of what that has seen.
    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        let seen = state.withLock { state in
            defer { state.fingerprint = nil }
            return state.fingerprint
        }
        if let seen { return seen.matches(cursor) }
        return try await look().fingerprint.matches(cursor)
    }

    private func look() async throws(ConnectorError) -> (fingerprint: TreeFingerprint, pages: [ItemPage]) {
        var fingerprint = TreeFingerprint()
        var pages: [ItemPage] = []
        var elements = 0
        var walk = TreeWalk(session)
        while true {
            let page = try await walk.next(Self.pageItems)
            fingerprint.combine(page)
            elements += page.elements.count + page.problems.count
            if elements > Self.keptElements { pages = [] } else { pages.append(Self.page(page)) }
            if page.next == nil { return (fingerprint, pages) }
        }
    }

    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        let kept: ItemPage? = state.withLock { state in
            state.fingerprint = nil
            guard state.keptCursor == cursor, let page = state.kept.popLast() else {
                state.kept = []
                return nil
            }
            state.keptCursor = page.next
            return page
        }
        if let kept { return kept }
        let present: TreeWalk? = state.withLock { state in
            defer { state.walk = nil }
            return state.walk?.cursor == cursor ? state.walk?.walk : nil
        }
        var walk: TreeWalk
        if let present {
            walk = present
        } else if let cursor {
            walk = try await TreeWalk(session, after: cursor)
        } else {
            walk = TreeWalk(session)
        }
        let page = try await walk.next(Self.pageItems)
        if let next = page.next { state.withLock { [walk] in $0.walk = (next, walk) } }
        return Self.page(page)
    }

    private static func page(_ page: TreeWalk.Page) -> ItemPage {
        ItemPage(
            headers: page.elements.map { $0.entry.header($0.path) }, problems: page.problems, next: page.next)
    }

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        DAVFileBodies(headers, session: session)
    }

    var custody: (any SourceCustody)? { DAVCustody(session) }

    func close() async { state.withLock { $0 = State() } }
}
