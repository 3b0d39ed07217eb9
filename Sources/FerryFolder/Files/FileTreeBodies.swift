import FerryConnector
import FerryCore
import Synchronization

/// Contents of files of a tree. A file that changes between its listing and the end of its reading fails, to be listed
/// and read again by the next pass: what was read of it may be half old, half new.
final class FileTreeBodies: BodyReader {
    private let headers: [ItemHeader]
    private let root: Directory
    private let content: FileBodyReader
    /// Items whose end has been seen.
    private let ended = Mutex(0)

    init(_ headers: [ItemHeader], root: Directory) {
        self.headers = headers
        self.root = root
        let folders = FolderCache(root)
        content = FileBodyReader(headers) { (header) throws(ConnectorError) in
            guard case .file = header.metadata else { return nil }
            let path = try Self.path(of: header)
            let (file, status) = try translating({ .sourceItem($0, header.place) }) { () throws(SystemError) in
                let file = try folders.directory(path.parent).file(path.name)
                return (file, try file.status())
            }
            guard FileItem.version(of: status) == header.version else { throw Self.changed(header) }
            return file
        }
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        guard let events = try await content.next() else { return nil }
        return try await Disk.run { [self] () throws(ConnectorError) in checked(events) }
    }

    /// Looks once more at each file that has been read to its end.
    private func checked(_ events: [BodyEvent]) -> [BodyEvent] {
        let folders = FolderCache(root)
        return ended.withLock { ended in
            events.map { event in
                switch event {
                case .bytes: return event
                case .failed:
                    ended += 1
                    return event
                case .end:
                    let header = headers[ended]
                    ended += 1
                    guard case .file = header.metadata else { return event }
                    do throws(ConnectorError) {
                        let path = try Self.path(of: header)
                        let status = try translating({ .sourceItem($0, header.place) }) { () throws(SystemError) in
                            try folders.directory(path.parent).status(of: path.name)
                        }
                        guard FileItem.version(of: status) == header.version else { throw Self.changed(header) }
                        return event
                    } catch {
                        return .failed(error)
                    }
                }
            }
        }
    }

    private static func path(
        of header: ItemHeader
    ) throws(ConnectorError) -> (parent: ArraySlice<FileName>, name: FileName) {
        guard let path = TreePath(header.name.utf8), let name = path.names.last else {
            throw ConnectorError(.sourceNameUnusable, .skip, "\(header.place) is not a path in the tree.")
        }
        return (path.parent, name)
    }

    private static func changed(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(
            .sourceItemUnreadable, .retry(after: nil), "\(header.place) is being changed; the next pass takes it.")
    }
}

/// The folder that was opened last: neighbours in a listing are neighbours on disk. Used by one thread at a time.
final class FolderCache: Sendable {
    private let root: Directory
    private let last = Mutex<(names: ArraySlice<FileName>, directory: Directory)?>(nil)

    init(_ root: Directory) { self.root = root }

    func directory(_ names: ArraySlice<FileName>) throws(SystemError) -> Directory {
        if let last = last.withLock({ $0 }), last.names == names { return last.directory }
        let directory = try root.directory(names)
        last.withLock { $0 = (names, directory) }
        return directory
    }
}
