import FerryConnector
import FerryCore
import Synchronization

/// A person's mailboxes, opened for reading: EXAMINE and BODY.PEEK only, so nobody sees that Ferry was there.
final class IMAPSource: SourceSession {
    /// Messages per page of a listing.
    static let pageSize = 1000

    private struct State: Sendable {
        var judged: (name: MailboxName, status: MailboxStatus)?
        /// The mailbox that is being listed: what is in it, or what of it is to be listed.
        var listing: (name: MailboxName, uidValidity: UInt32, uids: UIDSet)?
        var reader: IMAPBodyReader?
        /// Read when the account was opened; serves the first `containers()`.
        var tree: MailboxTree?
        /// More connections for bodies, made when they first help.
        var siblings: [IMAPLink] = []
        var hasAccessControl = false
    }

    /// What the server has told of the mailboxes; siblings know it, too.
    private final class Statuses: Sendable {
        private let state = Mutex<(fresh: [MailboxName: MailboxStatus], judged: [MailboxName: MailboxStatus])>(
            ([:], [:]))

        /// What comes with a listing of all mailboxes: each status is news once.
        func begin(_ folders: [MailboxTree.Folder]) {
            state.withLock { state in
                state = ([:], [:])
                for folder in folders { state.fresh[folder.name] = folder.status }
            }
        }

        func fresh(_ name: MailboxName) -> MailboxStatus? { state.withLock { $0.fresh[name] } }

        /// The news of a mailbox, which are none any more then.
        func take(_ name: MailboxName) -> MailboxStatus? { state.withLock { $0.fresh.removeValue(forKey: name) } }

        /// What the last `state` of a mailbox was made of.
        subscript(name: MailboxName) -> MailboxStatus? {
            get { state.withLock { $0.judged[name] } }
            set { state.withLock { $0.judged[name] = newValue } }
        }
    }

    private let link: IMAPLink
    private let readers: Int
    private let statuses: Statuses
    private let state = Mutex(State())

    convenience init(link: IMAPLink, readers: Int) { self.init(link, readers, Statuses()) }

    private init(_ link: IMAPLink, _ readers: Int, _ statuses: Statuses) {
        self.link = link
        self.readers = readers
        self.statuses = statuses
    }

    var canShareWork: Bool { true }

    func sibling() async -> (any SourceSession)? {
        guard let link = await link.connectedSibling() else { return nil }
        return IMAPSource(link, readers, statuses)
    }

    // MARK: containers

    /// Looks whether there is anything at all: an administrator is let in for anybody.
    func open() async throws(ConnectorError) {
        let tree = try await readTree()
        let hasAccessControl = try await link.session().capabilities.acl
        state.withLock { ($0.tree, $0.hasAccessControl) = (tree, hasAccessControl) }
    }

    func place(of header: ItemHeader) -> ItemPlace? {
        let uidValidity = UInt32(truncatingIfNeeded: header.key.high)
        return header.key.uid(in: uidValidity).map { ItemPlace(uidValidity: uidValidity, uid: $0) }
    }

    var custody: (any SourceCustody)? {
        IMAPCustody(
            link: link, hasAccessControl: state.withLock { $0.hasAccessControl }, redirection: link.redirection)
    }

    /// Server, account and UIDVALIDITY of the INBOX, in the form of RFC 5092. A mailbox that was made anew has another
    /// UIDVALIDITY (RFC 3501 section 2.3.1.1); an INBOX that was renamed has taken its own along.
    func mailboxIdentity(recorded: String?) async throws(ConnectorError) -> String? {
        let tree: MailboxTree
        // Read when the account was opened, as a rule a moment ago.
        if let known = state.withLock({ $0.tree }) { tree = known } else { tree = try await readTree() }
        guard let inbox = tree.folders.first(where: { FolderPath.isInbox($0.path) }) else { return nil }
        let told = inbox.status?.uidValidity
        let uidValidity = if let told { told } else { try await status(of: inbox.name).uidValidity }
        guard let uidValidity, uidValidity > 0 else { return nil }
        if let recorded {
            let folders = tree.folders.compactMap(\.status?.uidValidity)
            if folders.contains(where: { identity($0) == recorded }) { return recorded }
        }
        return identity(uidValidity)
    }

    private func identity(_ uidValidity: UInt32) -> String {
        "imap://\(link.account)/INBOX;UIDVALIDITY=\(uidValidity)"
    }

    func containers() async throws(ConnectorError) -> [Container] {
        let known = state.withLock { state in
            defer { state.tree = nil }
            return state.tree
        }
        let tree: MailboxTree
        if let known { tree = known } else { tree = try await readTree() }
        statuses.begin(tree.folders)
        state.withLock { $0.judged = nil }
        return tree.folders.map { folder in
            Container(
                name: folder.name.spelled, path: folder.path,
                details: .mailFolder(isSubscribed: folder.isSubscribed, use: folder.use))
        }
    }

    private func readTree() async throws(ConnectorError) -> MailboxTree {
        let session = try await quietSession()
        let tree: MailboxTree
        do throws(IMAPError) {
            // One round for names, subscriptions and what has changed, where the server has LIST-STATUS.
            tree = try await MailboxTree.read(session, status: [.change, .size])
        } catch {
            throw IMAPSide.source.connection(error)
        }
        guard !tree.folders.isEmpty else {
            throw ConnectorError(
                .sourceNotFound, .failRun,
                "The account has no mailbox, not even INBOX. Mend the login in the list of people.")
        }
        return tree
    }

    /// The session, with nothing of an unfinished reader in the way.
    private func quietSession() async throws(ConnectorError) -> IMAPSession {
        let reader = state.withLock { state in
            defer { state.reader = nil }
            return state.reader
        }
        await reader?.cancel()
        return try await link.session()
    }

    private func name(of container: Container) throws(ConnectorError) -> MailboxName {
        guard let name = MailboxName(spelled: container.name) else {
            throw ConnectorError(
                .internalFault, .failRun, "The stored name of a mail folder is not readable. Please report this.")
        }
        return name
    }

    // MARK: changes

    func state(of container: Container) async throws(ConnectorError) -> Cursor {
        let name = try name(of: container)
        let status: MailboxStatus
        if let known = statuses.take(name) { status = known } else { status = try await self.status(of: name) }
        statuses[name] = status
        state.withLock { $0.judged = (name, status) }
        return MailboxState(status).cursor
    }

    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool {
        let name = try name(of: container)
        let known = state.withLock { state -> MailboxStatus? in
            defer { state.judged = nil }
            return state.judged.flatMap { $0.name == name ? $0.status : nil }
        }
        let status: MailboxStatus
        if let known { status = known } else { status = try await self.status(of: name) }
        return MailboxState(status).isUnchanged(since: cursor)
    }

    /// Expunged messages are told by QRESYNC, else by the numbers that a search does not find any more.
    func changes(
        in container: Container, since cursor: Cursor, and keys: [ItemKey]
    ) async throws(ConnectorError) -> ContainerChanges? {
        let name = try name(of: container)
        guard let before = MailboxState(cursor),
            let status = statuses[name], MailboxState(status).follows(before)
        else { return nil }
        // Whatever has no number, nobody can ask for.
        let asked = keys.map { $0.uid(in: before.uidValidity) }
        guard !asked.contains(nil), try await quietSession().capabilities.condStore else { return nil }
        let (mailbox, told) = try await link.examine(
            name, uidValidity: before.uidValidity, changedSince: before.highestModSeq, mostRows: Self.pageSize)
        guard let told else { return nil }
        var first = ItemPage(headers: [], next: nil)
        for row in told.rows { add(row, before.uidValidity, to: &first) }
        var rest = told.others
        rest.formUnion(UIDSet(asked.compactMap(\.self)).subtracting(UIDSet(told.rows.map(\.uid))))
        if let last = rest.last {
            state.withLock { [rest] in $0.listing = (name, before.uidValidity, rest) }
            first.next = ListingPlace(uidValidity: before.uidValidity, lowest: last == .max ? last : last + 1).cursor
        }
        func key(_ uid: UID) -> ItemKey { ItemKey(uidValidity: before.uidValidity, uid: uid) }
        return ContainerChanges(
            first: first, gone: told.gone.ranges.map { key($0.lowerBound)...key($0.upperBound) },
            items: Int64(mailbox.exists),
            bytes: mailbox.exists == status.messages ? status.size.map { Int64(clamping: $0) } : nil)
    }

    private func status(of name: MailboxName) async throws(ConnectorError) -> MailboxStatus {
        let session = try await quietSession()
        do throws(IMAPError) {
            guard let result = try await session.status(of: [name], [.change, .size]).first else {
                throw IMAPError(.protocolViolation, "The server did not answer STATUS.")
            }
            return try result.get()
        } catch {
            throw IMAPSide.source.container(error, name)
        }
    }

    func extent(of container: Container) async throws(ConnectorError) -> ContainerExtent? {
        let name = try name(of: container)
        guard let status = statuses.fresh(name), let messages = status.messages, let size = status.size
        else { return nil }
        return ContainerExtent(items: Int64(messages), bytes: Int64(clamping: size))
    }

    // MARK: items

    /// Newest first, so that people find what they need early. Within a page the numbers rise.
    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        let name = try name(of: container)
        _ = try await quietSession()
        let place: ListingPlace?
        if let cursor {
            guard let read = ListingPlace(cursor) else {
                throw ConnectorError(.internalFault, .failRun, "A stored place in a mail folder is not readable.")
            }
            place = read
        } else {
            place = nil
        }
        let (session, uidValidity, contents) = try await listing(of: name, afresh: cursor == nil)
        let uids = contents.uids
        if let place, place.uidValidity != uidValidity {
            throw ConnectorError(
                .sourceChangedIdentity, .retry(after: nil),
                "The folder '\(name.printable)' was replaced while it was listed (UIDVALIDITY).")
        }
        let page = uids.top(Self.pageSize, below: place?.lowest)
        guard let lowest = page.first else { return ItemPage(headers: [], next: nil) }
        var rows = contents.rows
        if rows.isEmpty {
            do throws(IMAPError) {
                rows = try await session.messages(page, .listing, changedSince: nil, vanished: false).rows
            } catch {
                throw IMAPSide.source.container(error, name)
            }
        }
        var result = ItemPage(headers: [], next: nil)
        result.headers.reserveCapacity(rows.count)
        for row in rows.sorted(by: { $0.uid < $1.uid }) where page.contains(row.uid) {
            add(row, uidValidity, to: &result)
        }
        if let first = uids.first, first < lowest {
            result.next = ListingPlace(uidValidity: uidValidity, lowest: lowest).cursor
        }
        return result
    }

    private func add(_ row: MessageRow, _ uidValidity: UInt32, to page: inout ItemPage) {
        let name = "UID \(row.uid)"
        guard let flags = row.flags, let date = row.internalDate, let size = row.size else {
            page.problems.append(
                ItemPage.Problem(
                    name: name,
                    error: ConnectorError(
                        .sourceItemUnreadable, .retry(after: nil),
                        "The server does not tell flags, date and size of the message \(name). Repair the mailbox's"
                            + " index there.")))
            return
        }
        let message = MessageMetadata(flags, internalDate: date)
        page.headers.append(
            ItemHeader(
                key: ItemKey(uidValidity: uidValidity, uid: row.uid), version: message.version, name: name,
                size: Int64(clamping: size), metadata: .message(message)))
    }

    /// What is in the mailbox; asked once per listing. Rows only the first time: they are those of the first page, if any.
    private func listing(
        of name: MailboxName, afresh: Bool
    ) async throws(ConnectorError) -> (session: IMAPSession, uidValidity: UInt32, contents: MailboxContents) {
        if !afresh {
            let (session, mailbox) = try await link.select(name, readOnly: true)
            let uidValidity = try numbering(mailbox)
            if let known = state.withLock({ $0.listing }), known.name == name, known.uidValidity == uidValidity {
                var contents = MailboxContents()
                contents.uids = known.uids
                return (session, uidValidity, contents)
            }
        }
        let (mailbox, contents) = try await link.list(
            name, expecting: afresh ? statuses[name]?.messages : nil, mostRows: Self.pageSize)
        let uidValidity = try numbering(mailbox)
        state.withLock { $0.listing = (name, uidValidity, contents.uids) }
        return (try await link.session(), uidValidity, contents)
    }

    private func numbering(_ mailbox: SelectedMailbox) throws(ConnectorError) -> UInt32 {
        if let uidValidity = mailbox.uidValidity { return uidValidity }
        throw ConnectorError(.sourceItemUnsupported, .failRun, "The server has no UIDVALIDITY; Ferry needs IMAP4rev1.")
    }

    // MARK: bodies

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        let name = try name(of: container)
        _ = try await quietSession()
        let (_, mailbox) = try await link.select(name, readOnly: true)
        let uidValidity = mailbox.uidValidity ?? 0
        let uids = headers.map { $0.key.uid(in: uidValidity) }
        guard !uids.contains(nil) else {
            throw ConnectorError(
                .sourceChangedIdentity, .retry(after: nil),
                "The folder '\(name.printable)' was replaced since it was listed (UIDVALIDITY).")
        }
        let reader = IMAPBodyReader(headers, uids.compactMap(\.self), in: name, links(for: headers))
        state.withLock { $0.reader = reader }
        return reader
    }

    /// More than one connection where there is enough to read, as far as the endpoint has room.
    private func links(for headers: [ItemHeader]) -> [IMAPLink] {
        let wanted = min(readers, 1 + headers.count / (2 * IMAPBodyReader.segmentItems))
        return state.withLock { state in
            while state.siblings.count + 1 < wanted, let sibling = link.sibling() { state.siblings.append(sibling) }
            return [link] + state.siblings.prefix(wanted - 1)
        }
    }

    func close() async {
        let (reader, siblings) = state.withLock { state in
            defer { (state.reader, state.siblings) = (nil, []) }
            return (state.reader, state.siblings)
        }
        await reader?.cancel()
        for sibling in siblings { await sibling.close() }
        await link.close()
    }
}
