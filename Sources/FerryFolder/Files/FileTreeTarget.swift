import FerryConnector
import FerryCore
import FerryFormats

/// A person's file tree, opened for writing. The same path is the same item, so writing again does no harm.
///
/// Files appear whole or not at all (`FileBatch`); folders keep the times that the source gave them, whatever is
/// written into them afterwards.
final class FileTreeTarget: TargetSession {
    /// Every file of a batch may lie in a folder of its own, which stays open until the batch is over.
    let capabilities = TargetCapabilities(isIdempotent: true, batchItems: 256, batchBytes: 64 << 20)

    private let root: Directory
    private let folders: TargetFolders

    init(root: Directory) {
        self.root = root
        folders = TargetFolders(root)
    }

    /// The one tree there is. Removes what interrupted writes left behind.
    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        guard case .fileTree = container.details else {
            throw ConnectorError(.targetItemRefused, .skip, "Only file trees can be written here.")
        }
        try await Disk.run { [root] () throws(ConnectorError) in
            try translating({ .target($0, "the file tree") }) { () throws(SystemError) in try root.removeLeftovers() }
        }
        return FileTreeSource.container
    }

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let batch = FileBatch(home: root) { [folders] (header) throws(ConnectorError) in
            try folders.placement(of: header)
        }
        let split = FolderSplittingBodies(headers, bodies)
        let fileReceipts: [WriteReceipt]
        do throws(ConnectorError) {
            fileReceipts = try await batch.write(split.files, bodies: split)
        } catch {
            await folders.forgetBatch()
            throw error
        }
        // All events have been taken by now, so it is known of every folder whether its source stands by it.
        let failures = split.failedFolders
        return try await Disk.run { [folders] () throws(ConnectorError) in
            var files = fileReceipts.makeIterator()
            var receipts = [WriteReceipt]()
            receipts.reserveCapacity(headers.count)
            for (index, header) in headers.enumerated() {
                if let error = failures[index] {
                    receipts.append(.failure(error))
                } else if case .fileFolder(let metadata) = header.metadata {
                    receipts.append(try folders.write(header, modified: Timestamp(metadata.modified)))
                } else if let receipt = files.next() {
                    receipts.append(receipt)
                }
            }
            try folders.endBatch()
            return receipts
        }
    }

    /// Goes through the tree once to find the paths of the keys. Folders go when they have become empty.
    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        let keys = Set(items.map(\.key))
        try await Disk.run { [root, folders] () throws(ConnectorError) in
            try translating({ .target($0, "the file tree") }) { () throws(SystemError) in
                var emptied = [TreePath]()
                var walk = try TreeWalk(root)
                while let encounter = try walk.next() {
                    guard case .entry(let path, let status) = encounter, let text = path.text,
                        keys.contains(ItemKey(name: text))
                    else { continue }
                    if status.kind == .directory { emptied.append(path) } else { try folders.remove(path) }
                }
                // The walk met folders before what is in them.
                for path in emptied.reversed() { try folders.removeFolderIfEmpty(path) }
            }
            try folders.endBatch(isDurable: true)
        }
    }

    func finish(_ container: Container) async throws(ConnectorError) {
        try await Disk.run { [folders] () throws(ConnectorError) in try folders.finish() }
    }

    func close() async {}
}
