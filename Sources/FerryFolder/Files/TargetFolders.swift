import FerryConnector
import FerryCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// The folders of a target's tree: opened once per batch, created where they are missing, and given back their times
/// after the batch, because whatever is written into a folder changes its time. Blocks: call it through `Disk`.
final class TargetFolders: Sendable {
    private struct State: Sendable {
        /// Folders that this batch has opened.
        var open: [[FileName]: Directory] = [:]
        /// Folders of this batch whose times have to be set after it.
        var touched: Set<[FileName]> = []
        /// The time that each folder is to have: the source's, or else what it had before this pass wrote into it.
        var times: [[FileName]: Timestamp] = [:]
        var hasCreated = false
        var isUnsynchronized = false
    }

    private let root: Directory
    private let state = Mutex(State())

    init(_ root: Directory) { self.root = root }

    /// Where a file goes; its folder is opened, or made.
    func placement(of header: ItemHeader) throws(ConnectorError) -> Placement {
        guard case .file(let metadata) = header.metadata else {
            throw ConnectorError(.targetItemRefused, .skip, "\(header.place) is neither a file nor a folder.")
        }
        let path = try Self.path(of: header)
        guard let name = path.names.last else { preconditionFailure("A path has at least one name.") }
        return try state.withLock { (state) throws(ConnectorError) in
            let directory = try folder(Array(path.parent), of: header, &state)
            let isFree = try translating({ .target($0, header.place) }) { () throws(SystemError) in
                try Self.makeRoom(for: name, in: directory)
            }
            guard isFree else {
                throw ConnectorError(
                    .targetConflict, .retry(after: nil),
                    "\(header.place) is a folder at the target that is not empty yet; the next pass replaces it.")
            }
            state.open[path.names] = nil
            state.times[path.names] = nil
            state.touched.remove(path.names)
            return Placement(
                staging: root, directory: directory, name: name, modified: Timestamp(metadata.modified),
                isExecutable: metadata.isExecutable)
        }
    }

    /// Makes a folder of the source; its time is set at the end of the batch.
    func write(_ header: ItemHeader, modified: Timestamp) throws(ConnectorError) -> WriteReceipt {
        do throws(ConnectorError) {
            let path = try Self.path(of: header)
            try state.withLock { (state) throws(ConnectorError) in
                _ = try folder(path.names, of: header, &state)
                state.times[path.names] = modified
            }
            return .written(bytes: 0)
        } catch {
            if !error.concernsOneItemOnly { throw error }
            return .failure(error)
        }
    }

    func remove(_ path: TreePath) throws(SystemError) {
        try withParent(of: path) { (directory, name) throws(SystemError) in try directory.remove(name) }
    }

    /// Leaves a folder that has something in it: somebody else put it there.
    func removeFolderIfEmpty(_ path: TreePath) throws(SystemError) {
        try withParent(of: path) { (directory, name) throws(SystemError) in
            do throws(SystemError) { return try directory.removeDirectory(name) } catch
                where error.number == ENOTEMPTY || error.number == EEXIST
            {
                return false
            }
        }
        state.withLock { state in
            state.open[path.names] = nil
            state.touched.remove(path.names)
        }
    }

    /// Sets the times of the folders that the batch touched. Durable with the next synchronization, or at once where
    /// the batch made folders or says so.
    func endBatch(isDurable: Bool = false) throws(ConnectorError) {
        try state.withLock { (state) throws(ConnectorError) in
            defer {
                state.open = [:]
                state.touched = []
            }
            try translating({ .target($0, "the file tree") }) { () throws(SystemError) in
                for names in state.touched {
                    guard let time = state.times[names] else { continue }
                    do throws(SystemError) { try directory(names, state).setModified(time) } catch
                        where error.isAbsence
                    {}
                }
                state.isUnsynchronized = state.isUnsynchronized || !state.touched.isEmpty
                guard state.hasCreated || isDurable else { return }
                try root.syncFileSystem()
                state.hasCreated = false
                state.isUnsynchronized = false
            }
        }
    }

    /// After a batch that could not go on: closes its folders; their times are set by the next batch that touches them.
    func forgetBatch() async { state.withLock { $0.open = [:] } }

    func finish() throws(ConnectorError) {
        try state.withLock { (state) throws(ConnectorError) in
            defer { state = State() }
            guard state.isUnsynchronized else { return }
            try translating({ .target($0, "the file tree") }) { () throws(SystemError) in try root.syncFileSystem() }
        }
    }

    private func withParent(
        of path: TreePath, _ body: (Directory, FileName) throws(SystemError) -> Bool
    ) throws(SystemError) {
        guard let name = path.names.last else { return }
        try state.withLock { (state) throws(SystemError) in
            let parent = Array(path.parent)
            do throws(SystemError) {
                let directory = try directory(parent, state)
                try touch(parent, directory, &state)
                _ = try body(directory, name)
            } catch  where error.isAbsence {}
        }
    }

    /// An empty folder gives way to a file of its name; `false` when it is not empty.
    private static func makeRoom(for name: FileName, in directory: Directory) throws(SystemError) -> Bool {
        guard try directory.statusIfPresent(of: name)?.kind == .directory else { return true }
        do throws(SystemError) {
            try directory.removeDirectory(name)
            return true
        } catch  where error.number == ENOTEMPTY || error.number == EEXIST {
            return false
        }
    }

    private func directory(_ names: [FileName], _ state: State) throws(SystemError) -> Directory {
        if let open = state.open[names] { return open }
        return try root.directory(names)
    }

    /// Remembers the folder's time before its first change in this pass.
    private func touch(_ names: [FileName], _ directory: Directory, _ state: inout State) throws(SystemError) {
        guard !names.isEmpty else { return }
        state.touched.insert(names)
        if state.times[names] == nil { state.times[names] = try directory.status().modified }
    }

    /// Opens a folder and makes what is missing on the way to it. Files that are in the way give way: the source has a
    /// folder there now.
    private func folder(
        _ names: [FileName], of header: ItemHeader, _ state: inout State
    ) throws(ConnectorError) -> Directory {
        if let open = state.open[names] {
            state.touched.insert(names)
            return open
        }
        return try translating({ .target($0, header.place) }) { () throws(SystemError) in
            // From the nearest folder that is open already; for neighbours that is the one they share.
            var directory = root
            var depth = names.count
            while depth > 0 {
                if let open = state.open[Array(names[..<depth])] {
                    directory = open
                    break
                }
                depth -= 1
            }
            for depth in depth..<names.count {
                let name = names[depth]
                do throws(SystemError) {
                    directory = try directory.directory(name)
                } catch  where error.isAbsence || error.isSymbolicLink {
                    try touch(Array(names[..<depth]), directory, &state)
                    try directory.makeDirectory(name)
                    state.hasCreated = true
                    directory = try directory.directory(name)
                }
            }
            try touch(names, directory, &state)
            state.open[names] = directory
            return directory
        }
    }

    /// Where an item goes; throws when its name cannot be a path here.
    static func path(of header: ItemHeader) throws(ConnectorError) -> TreePath {
        guard let path = TreePath(header.name.utf8), !path.isReserved else {
            throw ConnectorError(
                .targetNameRefused, .skip,
                "\(header.place) cannot be a path here: it is empty or too long, or has a part that is empty, '.', "
                    + "'..', over \(FileName.longest) bytes or kept for Ferry's own files. Rename it at the source.")
        }
        return path
    }
}

extension Directory {
    /// Makes a folder, in place of a file or link of that name. Not durable by itself.
    fileprivate func makeDirectory(_ name: FileName) throws(SystemError) {
        try remove(name)
        try name.withCString { (path) throws(SystemError) in
            try checked("mkdir") { mkdirat(descriptor, path, 0o700) }
        }
    }
}
