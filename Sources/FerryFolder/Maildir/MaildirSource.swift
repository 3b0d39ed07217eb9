import FerryConnector
import FerryCore
import FerryFormats
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A person's Maildir++, opened for reading.
final class MaildirSource: SourceSession {
    /// Messages per page of a listing.
    static let pageSize = 1000
    /// First byte of a listing's cursor; the base name of the last message follows.
    private static let cursorForm: UInt8 = 1

    private let root: Directory
    private let place: String
    private let now: @Sendable () -> Instant
    /// The folder that was listed last.
    private let current = Mutex<OpenFolder?>(nil)
    let custody: (any SourceCustody)?

    init(root: Directory, place: String, now: @escaping @Sendable () -> Instant) {
        self.root = root
        self.place = place
        self.now = now
        custody = FolderCustody(root: root, place: place, markers: .mail)
    }

    // MARK: containers

    func containers() async throws(ConnectorError) -> [Container] {
        try await Disk.run { [root, place] () throws(ConnectorError) in
            try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in
                let subscriptions = try MaildirSubscriptions.load(from: root)
                var containers = [
                    Container(
                        name: MaildirFolder.inbox, path: [MaildirFolder.inbox],
                        details: .mailFolder(isSubscribed: subscriptions.contains(nil)))
                ]
                var taken = Set([Self.identity([MaildirFolder.inbox])])
                for name in try MaildirFolder.folders(of: root).names {
                    let path = Self.unique(MaildirFolderName.decode(name), &taken)
                    containers.append(
                        Container(
                            name: ContainerName.make(name), path: path,
                            details: .mailFolder(isSubscribed: subscriptions.contains(name))))
                }
                return containers
            }
        }
    }

    /// Damaged names may decode to a path that exists already: the later folder gets a number, or it would be lost.
    private static func unique(_ path: [String], _ taken: inout Set<[String]>) -> [String] {
        var path = path
        let last = path.removeLast()
        var number = 1
        while !taken.insert(identity(path + [number == 1 ? last : "\(last) (\(number))"])).inserted { number += 1 }
        return path + [number == 1 ? last : "\(last) (\(number))"]
    }

    /// `INBOX` is one name in every case (RFC 3501 section 5.1).
    private static func identity(_ path: [String]) -> [String] {
        path.count == 1 && path[0].uppercased() == MaildirFolder.inbox ? [MaildirFolder.inbox] : path
    }

    // MARK: identity

    /// The content of a file that Ferry leaves in the Maildir at the first sync. It moves and comes back from a backup with
    /// the Maildir, and no other one has it.
    func mailboxIdentity(recorded: String?) async throws(ConnectorError) -> String? {
        try await Disk.run { [root, place, now] () throws(ConnectorError) in
            try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in
                if let mark = try root.content(of: Markers.mailbox, limit: 1024), !mark.isEmpty {
                    return "maildir:" + String(decoding: mark.prefix { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
                }
                guard recorded == nil else { return nil }
                let mark = "\(String(now().microseconds, radix: 36))-\(String(try root.status().inode, radix: 36))"
                do throws(SystemError) {
                    try root.replaceContent(of: Markers.mailbox, with: Array("\(mark)\n".utf8))
                } catch {
                    // A source that may only be read cannot be marked.
                    if [EACCES, EPERM, EROFS].contains(error.number) { return nil }
                    throw error
                }
                return "maildir:" + mark
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

    private func fingerprint(of container: Container) async throws(ConnectorError) -> Fingerprint {
        try await Disk.run { [self] () throws(ConnectorError) in
            let folder = try open(container)
            return try translating({ .sourceContainer($0, container.place) }) { () throws(SystemError) in
                try folder.fingerprint()
            }
        }
    }

    // MARK: items

    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage {
        try await Disk.run { [self] () throws(ConnectorError) in
            var open = try opened(container, afresh: cursor == nil)
            open.renewRelistings()
            // Held on to, because a listing made meanwhile has other indices.
            let listing = open.listing
            var page = ItemPage(headers: [], next: nil)
            var start = 0
            if let cursor {
                guard cursor.bytes.first == Self.cursorForm else {
                    throw ConnectorError(.internalFault, .failRun, "A stored place in a mail folder is not readable.")
                }
                start = listing.index(afterBase: Array(cursor.bytes.dropFirst()))
            } else if container.name == MaildirFolder.inbox {
                page.problems = try linkProblems()
            }
            let entries = listing[start...].prefix(Self.pageSize)
            page.headers.reserveCapacity(entries.count)
            for entry in entries { try open.add(entry, to: &page) }
            if let last = entries.last, entries.endIndex < listing.endIndex {
                page.next = Cursor([Self.cursorForm] + last.name.base)
            }
            current.withLock { $0 = open }
            return page
        }
    }

    /// Folders that are links; told with the inbox, because a listing of folders has no place for problems.
    private func linkProblems() throws(ConnectorError) -> [ItemPage.Problem] {
        try translating({ .sourceContainer($0, place) }) { () throws(SystemError) in
            try MaildirFolder.folders(of: root).links.map { link in
                ItemPage.Problem(
                    name: link.description, error: .sourceItem(SystemError(ELOOP, "open"), "The folder '\(link)'"))
            }
        }
    }

    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader {
        var open = try await Disk.run { [self] () throws(ConnectorError) in try opened(container, afresh: false) }
        open.renewRelistings()
        let reading = Mutex(open)
        return FileBodyReader(headers) { (header) throws(ConnectorError) in
            try reading.withLock { (open) throws(ConnectorError) in try open.file(of: header) }
        }
    }

    func close() async { current.withLock { $0 = nil } }

    // MARK: folders

    private func open(_ container: Container) throws(ConnectorError) -> MaildirFolder {
        try translating({ .sourceContainer($0, container.place) }) { () throws(SystemError) in
            if container.name == MaildirFolder.inbox { return try MaildirFolder(root) }
            guard let name = ContainerName.directory(container.name) else { throw SystemError(ENOENT, "open") }
            return try MaildirFolder(try root.directory(name))
        }
    }

    private func opened(_ container: Container, afresh: Bool) throws(ConnectorError) -> OpenFolder {
        if !afresh, let open = current.withLock({ $0 }), open.container == container.name { return open }
        let folder = try open(container)
        let open = try translating({ .sourceContainer($0, container.place) }) { () throws(SystemError) in
            try OpenFolder(container: container.name, folder: folder)
        }
        current.withLock { $0 = open }
        return open
    }
}

/// A folder with its listing.
private struct OpenFolder: Sendable {
    /// Listings that one page or one sequence of bodies may cost because messages were renamed under it.
    private static let relistings = 8

    let container: String
    let folder: MaildirFolder
    private(set) var listing: MaildirListing
    private var keywords: MaildirKeywords
    private var relistingsLeft = Self.relistings

    init(container: String, folder: MaildirFolder) throws(SystemError) {
        self.container = container
        self.folder = folder
        keywords = try MaildirKeywords.load(from: folder.directory)
        listing = try MaildirListing(of: folder) { ItemKey(hashing: $0) }
    }

    /// Adds a message to a page; not if it is gone.
    mutating func add(_ entry: MaildirListing.Entry, to page: inout ItemPage) throws(ConnectorError) {
        var name = entry.name
        do throws(SystemError) {
            let found = try find(entry) { (directory, entry) throws(SystemError) in
                name = entry.name
                return (try directory.status(of: entry.name.file), entry.isNew)
            }
            guard let (status, isNew) = found else { return }
            switch status.kind {
            case .file:
                page.headers.append(header(entry.key, name, status, isNew: isNew))
            case .symbolicLink:
                throw SystemError(ELOOP, "stat")
            case .directory, .other:
                page.problems.append(
                    ItemPage.Problem(
                        name: name.file.description,
                        error: ConnectorError(
                            .sourceItemUnsupported, .skip,
                            "'\(name.file)' lies among the messages and is not a file. Move it elsewhere.")))
            }
        } catch {
            page.problems.append(
                ItemPage.Problem(name: name.file.description, error: .sourceItem(error, "'\(name.file)'")))
        }
    }

    private func header(
        _ key: ItemKey, _ name: MaildirFileName, _ status: FileStatus, isNew: Bool
    ) -> ItemHeader {
        let message = MessageMetadata(
            flags: isNew ? [] : name.flags, keywords: isNew ? [] : keywords.names(of: name.keywordNumbers),
            internalDate: Instant(seconds: status.modified.seconds))
        var version = VersionHasher()
        version.combine(Int64(message.flags.rawValue))
        for keyword in message.keywords { version.combine(keyword) }
        version.combine(status.size)
        version.combine(status.modified.seconds)
        return ItemHeader(
            key: key, version: version.finish(), name: String(decoding: name.base, as: UTF8.self), size: status.size,
            metadata: .message(message))
    }

    mutating func file(of header: ItemHeader) throws(ConnectorError) -> File {
        do throws(SystemError) {
            if listing.entry(of: header.key) == nil { try relist() }
            if let entry = listing.entry(of: header.key) {
                let file = try find(entry) { (directory, entry) throws(SystemError) in
                    try directory.file(entry.name.file)
                }
                if let file { return file }
            }
            throw SystemError(ENOENT, "open")
        } catch {
            throw .sourceItem(error, header.place)
        }
    }

    /// Looks at a message's file, wherever a change of its flags has moved it since the listing; `nil` if it is gone.
    private mutating func find<Found>(
        _ entry: MaildirListing.Entry,
        _ look: (Directory, MaildirListing.Entry) throws(SystemError) -> Found
    ) throws(SystemError) -> Found? {
        var entry = entry
        while true {
            guard let directory = entry.isNew ? folder.new : folder.cur else { return nil }
            do { return try look(directory, entry) } catch  where error.number == ENOENT {}
            guard try relist(), let moved = listing.entry(of: entry.key) else { return nil }
            entry = moved
        }
    }

    /// Begins a page or a sequence of bodies.
    mutating func renewRelistings() { relistingsLeft = Self.relistings }

    /// `false` when this has been done often enough.
    @discardableResult
    private mutating func relist() throws(SystemError) -> Bool {
        guard relistingsLeft > 0 else { return false }
        relistingsLeft -= 1
        keywords = try MaildirKeywords.load(from: folder.directory)
        listing = try MaildirListing(of: folder) { ItemKey(hashing: $0) }
        return true
    }
}

extension Container {
    /// For messages to people.
    var place: String { "The folder '\(path.map { FileName($0)?.description ?? "?" }.joined(separator: "/"))'" }
}
