import FerryConnector
import FerryCore
import FerryFormats

/// How a file or folder of a tree is an item.
enum FileItem {
    /// Files: size, time to the nanosecond, right to execute. Folders: time.
    static func version(of status: FileStatus) -> ItemVersion {
        var hasher = VersionHasher()
        hasher.combine(status.kind == .directory ? 1 : 0 as Int64)
        hasher.combine(status.kind == .directory ? 0 : status.size)
        hasher.combine(status.modified.seconds)
        hasher.combine(status.modified.nanoseconds)
        hasher.combine(isExecutable(status) ? 1 : 0 as Int64)
        return hasher.finish()
    }

    /// The header, or why there is none: only files and folders with names in UTF-8 can move.
    static func header(_ path: TreePath, _ status: FileStatus) throws(ConnectorError) -> ItemHeader {
        guard let name = path.text else {
            throw ConnectorError(
                .sourceNameUnusable, .skip,
                "The name '\(path)' is not UTF-8, so other systems cannot know it. Rename it; if it is a folder, "
                    + "nothing in it has moved either.")
        }
        guard name.utf8.count <= TreePath.longest else {
            throw ConnectorError(
                .sourceNameUnusable, .skip,
                "The path '\(name.prefix(120))…' has more than \(TreePath.longest) bytes. Shorten it; if it is a "
                    + "folder, nothing in it has moved either.")
        }
        let metadata = FileMetadata(modified: status.modified.instant, isExecutable: isExecutable(status))
        switch status.kind {
        case .file:
            return ItemHeader(
                key: ItemKey(name: name), version: version(of: status), name: name, size: status.size,
                metadata: .file(metadata))
        case .directory:
            return ItemHeader(
                key: ItemKey(name: name), version: version(of: status), name: name, size: 0,
                metadata: .fileFolder(FileMetadata(modified: status.modified.instant)))
        case .symbolicLink:
            throw ConnectorError(
                .sourceItemUnsupported, .skip,
                "'\(path)' is a symbolic link. Links are not followed; put the file itself there.")
        case .other:
            throw ConnectorError(
                .sourceItemUnsupported, .skip, "'\(path)' is a device, pipe or socket, which has no content to move.")
        }
    }

    static func isExecutable(_ status: FileStatus) -> Bool {
        status.kind == .file && status.mode & 0o100 != 0
    }
}

extension Fingerprint {
    /// A file or folder of a tree, with all that makes its version. A folder's right to be entered is none of it.
    mutating func combine(item status: FileStatus) {
        switch status.kind {
        case .file:
            combine(status)
            if FileItem.isExecutable(status) { combine(FileName(constant: "executable")) }
        case .directory, .symbolicLink, .other:
            combine(directory: status)
        }
    }
}
