import FerryConnector
import FerryCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A person's Maildir++, opened for writing.
final class MaildirTarget: TargetSession {
    let capabilities = TargetCapabilities(isIdempotent: true, batchItems: 1024, batchBytes: 32 << 20)

    private let root: Directory
    /// The folder that was written to last.
    private let current = Mutex<TargetFolder?>(nil)

    init(root: Directory) { self.root = root }

    // MARK: folders

    /// What the folder's directory is called; `nil` for the inbox, which is the root.
    static func directoryName(of container: Container) throws(ConnectorError) -> FileName? {
        if container.path.count == 1, container.path[0].uppercased() == MaildirFolder.inbox { return nil }
        guard let name = MaildirFolderName.encode(container.path) else {
            throw ConnectorError(
                .targetNameRefused, .skip,
                "\(container.place) cannot be created: a level of its name is empty, or the name is longer than"
                    + " \(FileName.longest) bytes in modified UTF-7. Shorten it at the source.")
        }
        return name
    }

    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        guard case .mailFolder(let isSubscribed, _) = container.details else {
            throw ConnectorError(.targetItemRefused, .failRun, "A mailbox takes mail folders only.")
        }
        let name = try Self.directoryName(of: container)
        return try await Disk.run { [root] () throws(ConnectorError) in
            try translating({ .target($0, container.place) }) { () throws(SystemError) in
                let directory =
                    try name.map { (name) throws(SystemError) in try root.directory(creating: name) } ?? root
                for part in [MaildirFolder.tmp, MaildirFolder.new, MaildirFolder.cur] {
                    _ = try directory.directory(creating: part)
                }
                if name != nil, try directory.statusIfPresent(of: MaildirFolder.marker) == nil {
                    try directory.replaceContent(of: MaildirFolder.marker, with: [])
                }
                let before = try MaildirSubscriptions.load(from: root)
                var after = before
                after.set(isSubscribed, for: name)
                if after != before { try root.replaceContent(of: MaildirSubscriptions.fileName, with: after.content) }
            }
            return Container(
                name: name.map(ContainerName.make) ?? MaildirFolder.inbox,
                path: name == nil ? [MaildirFolder.inbox] : container.path,
                details: container.details)
        }
    }

    private func open(_ container: Container) throws(ConnectorError) -> TargetFolder {
        if let open = current.withLock({ $0 }), open.container == container.name { return open }
        let folder = try translating({ .target($0, container.place) }) { () throws(SystemError) in
            if container.name == MaildirFolder.inbox { return try TargetFolder(container: container.name, root) }
            guard let name = ContainerName.directory(container.name) else { throw SystemError(ENOENT, "open") }
            return try TargetFolder(container: container.name, root.directory(name))
        }
        current.withLock { $0 = folder }
        return folder
    }

    // MARK: items

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let folder = try await Disk.run { [self] () throws(ConnectorError) in
            let folder = try open(container)
            try translating({ .target($0, container.place) }) { () throws(SystemError) in
                try folder.learnKeywords(of: headers)
            }
            return folder
        }
        let batch = FileBatch(home: folder.cur) { (header) throws(ConnectorError) in
            try translating({ .target($0, header.place) }) { () throws(SystemError) in
                try folder.placement(of: header)
            }
        }
        do throws(ConnectorError) {
            let receipts = try await batch.write(headers, bodies: bodies)
            folder.note(headers, receipts)
            return receipts
        } catch {
            // Some may have been renamed into place: the next batch lists the folder again.
            current.withLock { $0 = nil }
            throw error
        }
    }

    func update(
        _ headers: [ItemHeader], in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt]? {
        try await Disk.run { [self] () throws(ConnectorError) in
            let folder = try open(container)
            return try translating({ .target($0, container.place) }) { () throws(SystemError) in
                try folder.learnKeywords(of: headers)
                return try folder.update(headers)
            }
        }
    }

    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        let keys = items.map(\.key)
        try await Disk.run { [self] () throws(ConnectorError) in
            let folder = try open(container)
            try translating({ .target($0, container.place) }) { () throws(SystemError) in try folder.remove(keys) }
        }
    }

    /// The next pass lists the folder again.
    func finish(_ container: Container) async throws(ConnectorError) { current.withLock { $0 = nil } }

    func close() async { current.withLock { $0 = nil } }
}

/// A folder with the names of what is in it.
private final class TargetFolder: Sendable {
    private struct Place: Sendable, Hashable {
        var name: FileName
        /// Lies in `new` and not in `cur`.
        var isNew: Bool

        init(name: FileName, isNew: Bool) {
            self.name = name
            self.isNew = isNew
        }

        init(_ entry: MaildirListing.Entry) { self.init(name: entry.name.file, isNew: entry.isNew) }
    }

    private struct State: Sendable {
        var keywords: MaildirKeywords
        /// What lay here when the folder was opened, or was listed again.
        var listing: MaildirListing
        /// What was written since then, eight bytes each: a pass writes millions and asks for hardly any of them again.
        /// Asked for one, the folder is listed again. A wrong match costs no more than that.
        var written: Set<UInt64> = []
    }

    let container: String
    let cur: Directory
    private let new: Directory
    private let tmp: Directory
    private let directory: Directory
    private let state: Mutex<State>

    init(container: String, _ directory: Directory) throws(SystemError) {
        self.container = container
        self.directory = directory
        cur = try directory.directory(MaildirFolder.cur)
        new = try directory.directory(MaildirFolder.new)
        tmp = try directory.directory(MaildirFolder.tmp)
        try tmp.removeLeftovers()
        try directory.removeLeftovers()
        state = Mutex(
            State(
                keywords: try MaildirKeywords.load(from: directory),
                listing: try Self.listing(of: directory)))
    }

    private static func listing(of directory: Directory) throws(SystemError) -> MaildirListing {
        try MaildirListing(of: MaildirFolder(directory), key: MaildirBaseName.key)
    }

    /// Gives new keywords a letter, and makes that durable before a message uses the letter.
    func learnKeywords(of headers: [ItemHeader]) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            var keywords = state.keywords
            for header in headers {
                if case .message(let message) = header.metadata { _ = keywords.numbers(of: message.keywords) }
            }
            guard keywords != state.keywords else { return }
            try directory.replaceContent(of: MaildirKeywords.fileName, with: keywords.content)
            state.keywords = keywords
        }
    }

    func placement(of header: ItemHeader) throws(SystemError) -> Placement {
        try state.withLock { (state) throws(SystemError) in
            let name = name(of: header, state)
            var placement = Placement(staging: tmp, directory: cur, name: name)
            if case .message(let message) = header.metadata { placement.modified = Timestamp(message.internalDate) }
            if let place = try present(header.key, &state), place != Place(name: name, isNew: false) {
                placement.replaces = (place.isNew ? new : cur, place.name)
            }
            return placement
        }
    }

    /// The name under which a header's message belongs into `cur`.
    private func name(of header: ItemHeader, _ state: State) -> FileName {
        var flags: MessageMetadata.Flags = []
        var numbers = [Int]()
        if case .message(let message) = header.metadata {
            flags = message.flags
            var keywords = state.keywords
            numbers = message.keywords.isEmpty ? [] : keywords.numbers(of: message.keywords)
        }
        return MaildirFileName(base: MaildirBaseName.make(for: header)[...], flags: flags, keywordNumbers: numbers).file
    }

    /// Where an item lies now. Another program may have changed its flags since the folder was listed.
    private func present(_ key: ItemKey, _ state: inout State) throws(SystemError) -> Place? {
        if !state.written.contains(Self.mark(of: key)) {
            guard let place = state.listing.entry(of: key).map(Place.init) else { return nil }
            if try (place.isNew ? new : cur).statusIfPresent(of: place.name) != nil { return place }
        }
        state.listing = try Self.listing(of: directory)
        state.written = []
        return state.listing.entry(of: key).map(Place.init)
    }

    /// Takes note of what a batch has written.
    func note(_ headers: [ItemHeader], _ receipts: [WriteReceipt]) {
        state.withLock { state in
            for (header, receipt) in zip(headers, receipts) {
                if case .written = receipt { state.written.insert(Self.mark(of: header.key)) }
            }
        }
    }

    private static func mark(of key: ItemKey) -> UInt64 { key.high ^ key.low }

    /// Renames messages and sets their times; the bodies stay as they are.
    func update(_ headers: [ItemHeader]) throws(SystemError) -> [WriteReceipt] {
        let receipts = try state.withLock { (state) throws(SystemError) in
            var receipts = [WriteReceipt]()
            for header in headers {
                guard let place = try present(header.key, &state) else {
                    receipts.append(
                        .failure(
                            ConnectorError(
                                .targetConflict, .retry(after: nil), "\(header.place) is not at the target any more.")))
                    continue
                }
                let wanted = Place(name: name(of: header, state), isNew: false)
                if place != wanted {
                    try (place.isNew ? new : cur).rename(place.name, to: wanted.name, in: cur)
                    state.written.insert(Self.mark(of: header.key))
                }
                if case .message(let message) = header.metadata {
                    try cur.setModified(Timestamp(message.internalDate), of: wanted.name)
                }
                receipts.append(.written(bytes: 0))
            }
            return receipts
        }
        // A new date alone leaves the folder's own time as it was, and whoever watches that would miss it.
        try cur.setModified(nil)
        // Covers both directories and the times of the files.
        try cur.syncFileSystem()
        return receipts
    }

    func remove(_ keys: [ItemKey]) throws(SystemError) {
        try state.withLock { (state) throws(SystemError) in
            for key in keys {
                guard let place = try present(key, &state) else { continue }
                try (place.isNew ? new : cur).remove(place.name)
            }
        }
        try cur.sync()
        try new.sync()
    }
}
