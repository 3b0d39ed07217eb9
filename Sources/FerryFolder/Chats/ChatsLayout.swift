import FerryConnector
import FerryCore

/// Chats as a directory per room.
struct ChatsLayout: FolderLayout {
    let markers = Markers.collections

    func source(_ root: Directory, place: String, now: @escaping @Sendable () -> Instant) -> any SourceSession {
        ChatSource(root: root, place: place, now: now)
    }

    func target(_ root: Directory, place: String) -> any TargetSession { ChatTarget(root: root) }

    /// Lines of timelines and media files of all rooms.
    func countItems(in root: Directory) throws(SystemError) -> Int64 {
        var count: Int64 = 0
        for name in try root.names() where try root.statusIfPresent(of: name)?.kind == .directory {
            let room = try root.directory(name)
            if let file = try room.timeline() {
                var lines = LineScanner(file, from: 0, longestLine: 0)
                while let line = try lines.next() { count += line.length > 0 ? 1 : 0 }
            }
            if let media = try room.mediaIfPresent() { count += Int64(try media.names().count) }
        }
        return count
    }
}
