import FerryConnector
import FerryCore
import NIOCore
import Synchronization

/// A person's mailboxes, opened for writing. Appends only, so it is not idempotent: `mark` and `find` tell after a crash
/// what has arrived, `misplaced` and `find` where copies are in a folder that was made anew.
final class IMAPTarget: TargetSession {
    let capabilities: TargetCapabilities

    /// What is known of the folders; siblings know it, too.
    private final class Folders: Sendable {
        struct State: Sendable {
            var tree: MailboxTree
            /// The next UID that a folder can give, as far as our own appends and the server have told: never too high.
            var next: [MailboxName: (uidValidity: UInt32, uid: UID)] = [:]
        }

        let state: Mutex<State>
        /// One folder is made at a time, parents before children.
        let making = ConnectionLimit(1)

        init(_ tree: MailboxTree) {
            var next: [MailboxName: (uidValidity: UInt32, uid: UID)] = [:]
            for folder in tree.folders {
                guard let uidValidity = folder.status?.uidValidity, let uid = folder.status?.uidNext else { continue }
                next[folder.name] = (uidValidity, uid)
            }
            state = Mutex(State(tree: tree, next: next))
        }

        func withLock<R>(_ body: (inout sending State) -> sending R) -> sending R { state.withLock(body) }
    }

    private let link: IMAPLink
    private let writers: Int
    /// More connections for large batches, made when they first help.
    private let siblings = Mutex<[IMAPLink]>([])
    private let state: Folders
    /// The server says where an appended message is, and expunges those that it is told to (UIDPLUS, RFC 4315). Else copies
    /// are looked for after each batch, and what is to go is marked \Deleted.
    private let tellsPlaces: Bool

    private init(
        link: IMAPLink, writers: Int, _ folders: Folders, _ capabilities: TargetCapabilities, tellsPlaces: Bool
    ) {
        self.link = link
        self.writers = writers
        self.capabilities = capabilities
        self.tellsPlaces = tellsPlaces
        state = folders
    }

    private convenience init(link: IMAPLink, writers: Int, tree: MailboxTree, offers: Capabilities) {
        var capabilities = TargetCapabilities(
            isIdempotent: false, largestItemBytes: offers.appendLimit.map { Int64(clamping: $0) }, batchItems: 512,
            batchBytes: 8 << 20)
        capabilities.marksWhatIsRemoved = !offers.uidPlus
        self.init(link: link, writers: writers, Folders(tree), capabilities, tellsPlaces: offers.uidPlus)
    }

    func sibling() async -> (any TargetSession)? {
        guard let link = await link.connectedSibling() else { return nil }
        return IMAPTarget(link: link, writers: writers, state, capabilities, tellsPlaces: tellsPlaces)
    }

    /// Enters the mailbox; makes INBOX where there is none yet.
    static func open(_ link: IMAPLink, writers: Int) async throws(ConnectorError) -> IMAPTarget {
        let session = try await link.session()
        do throws(IMAPError) {
            // What each folder would be asked for in a round of its own, where it comes with the names.
            var tree = try await MailboxTree.read(
                session, status: session.capabilities.listStatus ? [.uidValidity, .uidNext] : [])
            if tree[.inbox] == nil {
                for result in try await session.create([(name: .inbox, specialUse: [])]) { try result.get() }
                tree.add(.inbox, ["INBOX"], isSubscribed: false, use: nil)
            }
            return IMAPTarget(link: link, writers: writers, tree: tree, offers: session.capabilities)
        } catch {
            throw IMAPSide.target.container(error, .inbox)
        }
    }

    // MARK: folders

    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        guard case .mailFolder(let isSubscribed, let use) = container.details else {
            throw ConnectorError(.targetItemRefused, .failRun, "A mailbox takes mail folders only.")
        }
        let folder: MailboxTree.Folder
        if let known = known(container, use) {
            folder = known
        } else {
            try await state.making.take()
            defer { state.making.giveBack() }
            // A sibling may have made it meanwhile.
            if let known = known(container, use) {
                folder = known
            } else {
                folder = try await make(container, use, isSubscribed)
            }
        }
        if folder.isSubscribed != isSubscribed { try await subscribe(folder.name, isSubscribed) }
        return Container(name: folder.name.spelled, path: folder.path, details: container.details)
    }

    /// The folder that is there already.
    private func known(_ container: Container, _ use: MailFolderUse?) -> MailboxTree.Folder? {
        let tree = state.withLock { $0.tree }
        // A folder with a purpose becomes the target's own folder for it, whatever the two are called.
        if let use, !FolderPath.isInbox(container.path), let own = tree.folders.first(where: { $0.use == use }) {
            return own
        }
        // Not those with the names that are second best: they may be another folder's own.
        return FolderPath.candidates(for: container.path, separator: tree.separator).first
            .flatMap { tree.name(for: $0) }.flatMap { tree[$0] }
    }

    private func make(
        _ container: Container, _ use: MailFolderUse?, _ isSubscribed: Bool
    ) async throws(ConnectorError) -> MailboxTree.Folder {
        let tree = state.withLock { $0.tree }
        var refusal: IMAPError?
        for path in FolderPath.candidates(for: container.path, separator: tree.separator) {
            guard let name = tree.name(for: path) else { continue }
            if let found = tree[name] { return found }
            let session = try await link.session()
            let result: Result<IMAPSession.NewMailbox, IMAPError>
            do throws(IMAPError) {
                // The status is what `mark` will ask for.
                result = try await session.make(
                    name, use?.attribute ?? [], subscribed: isSubscribed, [.uidValidity, .uidNext])
            } catch {
                throw IMAPSide.target.connection(error)
            }
            switch result {
            case .success(let new):
                state.withLock { state in
                    state.tree.add(name, path, isSubscribed: new.isSubscribed, use: use)
                    if let uidValidity = new.status?.uidValidity, let next = new.status?.uidNext {
                        state.next[name] = (uidValidity, next)
                    }
                }
                return MailboxTree.Folder(name: name, path: path, isSubscribed: new.isSubscribed, use: use)
            case .failure(let error):
                switch error.refusal?.reason {
                case .noPermission, .authorizationFailed, .limit, .unavailable, .inUse, .throttled, .overQuota:
                    throw IMAPSide.target.container(error, name)
                default:
                    guard error.kind == .refused else { throw IMAPSide.target.connection(error) }
                    refusal = error
                }
            }
        }
        let asked = MailboxName(container.path.joined(separator: "/"), utf8: true).printable
        let said = refusal?.refusal.map { " It said: \($0.text)" } ?? ""
        throw ConnectorError(
            .targetNameRefused, .skip,
            "The target does not take the folder '\(asked)' under any name.\(said) Rename it at the source.",
            underlying: refusal)
    }

    /// Not being able to subscribe is no reason to leave messages behind.
    private func subscribe(_ name: MailboxName, _ isSubscribed: Bool) async throws(ConnectorError) {
        let session = try await link.session()
        do throws(IMAPError) {
            let results =
                isSubscribed ? try await session.subscribe([name]) : try await session.unsubscribe([name])
            if case .success = results.first { state.withLock { $0.tree.setSubscribed(isSubscribed, name) } }
        } catch {
            throw IMAPSide.target.connection(error)
        }
    }

    private func name(of container: Container) throws(ConnectorError) -> MailboxName {
        guard let name = MailboxName(spelled: container.name) else {
            throw ConnectorError(
                .internalFault, .failRun, "The stored name of a mail folder is not readable. Please report this.")
        }
        return name
    }

    // MARK: writing

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let name = try name(of: container)
        var writer = AppendWriter(links: await links(for: headers), folder: name, limit: capabilities.largestItemBytes)
        let receipts: [WriteReceipt]
        if tellsPlaces {
            receipts = try await writer.write(headers, bodies)
        } else {
            let start = try await next(in: name)
            let record = FingerprintRecord(bodies)
            receipts = try await placed(
                try await writer.write(headers, record), of: headers, record.fingerprints, from: start, in: name)
        }
        state.withLock { state in
            // Only our own numbers are known; what others add in between makes the next mark low, which is safe.
            guard let last = receipts.lazy.compactMap(\.place).last?.number else {
                if receipts.contains(where: \.isWritten) { state.next[name] = nil }
                return
            }
            let uidValidity = UInt32(last >> 32)
            let highest = receipts.lazy.compactMap { $0.place?.uid(in: uidValidity) }.max()
            state.next[name] = highest.map { (uidValidity, $0 + 1) }
        }
        return receipts
    }

    /// More than one connection where there is enough to write, as far as the endpoint has room.
    private func links(for headers: [ItemHeader]) async -> [IMAPLink] {
        // Where nothing says what has arrived, one order is all that there is to go by.
        let wanted = tellsPlaces ? min(writers, AppendWriter.LotSize(of: headers).links) : 1
        while siblings.withLock({ $0.count }) + 1 < wanted, let sibling = await link.connectedSibling() {
            siblings.withLock { $0.append(sibling) }
        }
        return [link] + siblings.withLock { $0.prefix(wanted - 1) }
    }

    /// Finds the messages of a batch among those that have arrived since, as after a crash.
    private func placed(
        _ receipts: [WriteReceipt], of headers: [ItemHeader], _ fingerprints: [MessageFingerprint?],
        from start: (uidValidity: UInt32, uid: UID), in name: MailboxName
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let written = headers.indices.filter { receipts[$0].isWritten }
        guard !written.isEmpty else { return receipts }
        let known = Dictionary(
            written.map { (headers[$0].key, fingerprints.indices.contains($0) ? fingerprints[$0] : nil) },
            uniquingKeysWith: { first, _ in first })
        let (session, mailbox) = try await link.select(name, readOnly: true, afresh: true)
        guard mailbox.uidValidity == start.uidValidity else {
            // The intent stays open, and everything is looked for before anything is written.
            throw ConnectorError(
                .targetConflict, .retry(after: nil),
                "The folder '\(name.printable)' was made anew at the target while it was written (UIDVALIDITY).")
        }
        let recovery = AppendRecovery(
            session: session, folder: name, uidValidity: start.uidValidity, first: max(1, start.uid), taken: [])
        let found = try await recovery.find(written.map { headers[$0] }, []) { (some) throws(ConnectorError) in
            some.map { known[$0.key] ?? nil }
        }
        let places = Dictionary(found.map { ($0.key, $0.place) }, uniquingKeysWith: { first, _ in first })
        return zip(headers, receipts).map { header, receipt in
            receipt.isWritten ? receipt.placed(at: places[header.key] ?? nil, header) : receipt
        }
    }

    /// Sets flags. A message whose date has changed too is written anew, since no server lets a date be set.
    func update(_ headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> [WriteReceipt]? {
        let name = try name(of: container)
        let (session, mailbox) = try await link.select(name, readOnly: false)
        let uidValidity = mailbox.uidValidity ?? 0
        try checkPlaces(headers.map(\.place), in: uidValidity, name)
        let uids = headers.map { $0.place?.uid(in: uidValidity) }
        var receipts: [WriteReceipt] = headers.map { header in
            // Written again it would be there twice.
            if header.place == nil, !tellsPlaces { return .altered(bytes: 0, place: nil, .unplaced(header)) }
            return .failure(
                ConnectorError(
                    .targetConflict, .retry(after: nil),
                    "The message \(header.name) is not where Ferry put it any more."))
        }
        let wanted = UIDSet(uids.compactMap(\.self))
        guard !wanted.isEmpty else { return receipts }
        do throws(IMAPError) {
            let rows = try await session.messages(
                wanted, [.flags, .internalDate], changedSince: nil, vanished: false
            ).rows
            let present = Dictionary(rows.map { ($0.uid, $0) }, uniquingKeysWith: { first, _ in first })
            var groups: [MessageFlags: [Int]] = [:]
            for (index, header) in headers.enumerated() {
                guard let uid = uids[index], let row = present[uid], case .message(let message) = header.metadata,
                    // A date that the server does not keep differs always; writing it again would not help.
                    row.internalDate == message.internalDate || AppendRecovery.reliable(message.internalDate) == nil
                else { continue }
                if let flags = row.flags, flags.means(message.messageFlags) {
                    receipts[index] = .written(bytes: 0, place: header.place)
                    continue
                }
                groups[message.messageFlags, default: []].append(index)
            }
            let changes = groups.map { flags, indices in
                (uids: UIDSet(indices.compactMap { uids[$0] }), change: FlagChange.set(flags), indices: indices)
            }
            let results = try await session.store(
                changes.map { (uids: $0.uids, change: $0.change) }, unchangedSince: nil)
            for (change, result) in zip(changes, results) {
                guard case .success = result else { continue }
                for index in change.indices {
                    receipts[index] = .written(bytes: 0, place: headers[index].place)
                }
            }
        } catch {
            throw IMAPSide.target.container(error, name)
        }
        return receipts
    }

    /// Expunges just what Ferry has put there (UID EXPUNGE), or marks it; what people have marked \Deleted stays.
    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        guard items.contains(where: { $0.place != nil }) else { return }
        let name = try name(of: container)
        let (session, mailbox) = try await link.select(name, readOnly: false)
        try checkPlaces(items.map(\.place), in: mailbox.uidValidity ?? 0, name)
        let uids = UIDSet(items.compactMap { $0.place?.uid(in: mailbox.uidValidity ?? 0) })
        guard !uids.isEmpty else { return }
        do throws(IMAPError) {
            if tellsPlaces { try await session.expunge(uids) } else { try await session.markDeleted(uids) }
        } catch {
            throw IMAPSide.target.container(error, name)
        }
    }

    /// Throws when the folder was made anew since the pass began: then its copies are looked for before anything else.
    private func checkPlaces(
        _ places: [ItemPlace?], in uidValidity: UInt32, _ name: MailboxName
    ) throws(ConnectorError) {
        guard places.contains(where: { $0.map { $0.uid(in: uidValidity) == nil } ?? false }) else { return }
        throw ConnectorError(
            .targetConflict, .retry(after: nil),
            "The folder '\(name.printable)' was made anew at the target (UIDVALIDITY). Ferry looks for its copies first."
        )
    }

    // MARK: copies that are to be found again

    func mark(
        of container: Container, before headers: [ItemHeader]
    ) async throws(ConnectorError) -> [UInt8] {
        let next = try await next(in: try name(of: container))
        return AppendMark(uidValidity: next.uidValidity, first: next.uid, before: headers).bytes
    }

    /// UIDVALIDITY and a UID that nothing to come will be below.
    private func next(in name: MailboxName) async throws(ConnectorError) -> (uidValidity: UInt32, uid: UID) {
        if let next = state.withLock({ $0.next[name] }) { return next }
        let session = try await link.session()
        do throws(IMAPError) {
            let status = try await session.status(of: [name], [.uidValidity, .uidNext]).first?.get()
            guard let uidValidity = status?.uidValidity, let uid = status?.uidNext else {
                throw IMAPError(.unsupported, "The target does not tell UIDVALIDITY and UIDNEXT.")
            }
            state.withLock { $0.next[name] = (uidValidity, uid) }
            return (uidValidity, uid)
        } catch {
            throw IMAPSide.target.container(error, name)
        }
    }

    func misplaced(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) -> [PlacedItem] {
        let uidValidity = try await next(in: try name(of: container)).uidValidity
        return items.filter { $0.place.map { $0.uid(in: uidValidity) == nil } ?? false }
    }

    func find(
        _ search: CopySearch, in container: Container, original: @escaping OriginalBodies
    ) async throws(ConnectorError) -> [PlacedItem] {
        let name = try name(of: container)
        let (session, mailbox) = try await link.select(name, readOnly: true, afresh: true)
        guard let uidValidity = mailbox.uidValidity, mailbox.exists > 0 else { return [] }
        var first: UID = 1
        var traces: [AppendRecovery.Trace] = []
        if let batch = search.batch {
            guard let mark = AppendMark(batch.mark) else {
                throw ConnectorError(.internalFault, .failRun, "A stored mark of a mail folder is not readable.")
            }
            // A folder that was made anew numbers its messages anew: then any of them may be ours.
            if mark.uidValidity == uidValidity { first = max(1, mark.first) }
            traces = mark.traces(of: batch.keys, without: search.headers)
        }
        let recovery = AppendRecovery(
            session: session, folder: name, uidValidity: uidValidity, first: first,
            taken: Set(search.taken.compactMap { $0.uid(in: uidValidity) }))
        return try await recovery.find(search.headers, traces) { (headers) throws(ConnectorError) in
            try await MessageFingerprint.all(of: try await original(headers))
        }
    }

    func close() async {
        let siblings = siblings.withLock { siblings in
            defer { siblings = [] }
            return siblings
        }
        for sibling in siblings { await sibling.close() }
        await link.close()
    }
}

extension WriteReceipt {
    fileprivate var isWritten: Bool {
        switch self {
        case .written, .altered: true
        case .failure: false
        }
    }

    /// The receipt of a message that was looked for after it was written; `nil` where it was not found.
    fileprivate func placed(at place: ItemPlace?, _ header: ItemHeader) -> WriteReceipt {
        switch self {
        case .written(let bytes, nil):
            place == nil ? .altered(bytes: bytes, place: nil, .unplaced(header)) : .written(bytes: bytes, place: place)
        case .altered(let bytes, nil, let loss): .altered(bytes: bytes, place: place, loss)
        case .written, .altered, .failure: self
        }
    }
}

extension ConnectorError {
    /// The target took a message and does not show it.
    fileprivate static func unplaced(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(
            .targetConflict, .skip,
            "The target took the message \(header.name) and does not say where it is (no UIDPLUS), nor is it found by"
                + " date and content. If it changes or goes at the source, change or delete it at the target by hand.")
    }
}
