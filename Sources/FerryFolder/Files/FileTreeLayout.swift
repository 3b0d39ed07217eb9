import FerryConnector
import FerryCore

/// Files as a plain tree.
struct FileTreeLayout: FolderLayout {
    let markers = Markers.hidden

    func source(_ root: Directory, place: String, now: @escaping @Sendable () -> Instant) -> any SourceSession {
        FileTreeSource(root: root, place: place, now: now)
    }

    func target(_ root: Directory, place: String) -> any TargetSession { FileTreeTarget(root: root) }

    /// Files and folders.
    func countItems(in root: Directory) throws(SystemError) -> Int64 {
        var walk = try TreeWalk(root)
        var count: Int64 = 0
        while try walk.next() != nil { count += 1 }
        return count
    }
}
