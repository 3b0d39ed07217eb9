import FerryConnector
import FerryCore

/// How one service's data lies in a person's folder. One implementation per layout; its verbs block.
protocol FolderLayout: Sendable {
    /// What a cutover leaves in a person's folder.
    var markers: Markers { get }
    func source(_ root: Directory, place: String, now: @escaping @Sendable () -> Instant) -> any SourceSession
    func target(_ root: Directory, place: String) -> any TargetSession
    /// The number of items, cheaply: for a probe.
    func countItems(in root: Directory) throws(SystemError) -> Int64
}

/// Mail as a Maildir++.
struct MaildirLayout: FolderLayout {
    let markers = Markers.mail

    func source(_ root: Directory, place: String, now: @escaping @Sendable () -> Instant) -> any SourceSession {
        MaildirSource(root: root, place: place, now: now)
    }

    func target(_ root: Directory, place: String) -> any TargetSession { MaildirTarget(root: root) }

    func countItems(in root: Directory) throws(SystemError) -> Int64 {
        var count = try MaildirFolder(root).countMessages()
        for name in try MaildirFolder.folders(of: root).names {
            count += try MaildirFolder(try root.directory(name)).countMessages()
        }
        return count
    }
}

/// Calendars or address books as a vdir.
struct VdirLayout: FolderLayout {
    let kind: VdirKind
    let markers = Markers.collections

    func source(_ root: Directory, place: String, now: @escaping @Sendable () -> Instant) -> any SourceSession {
        VdirSource(root: root, kind: kind, place: place, now: now)
    }

    func target(_ root: Directory, place: String) -> any TargetSession { VdirTarget(root: root, kind: kind) }

    func countItems(in root: Directory) throws(SystemError) -> Int64 {
        var count: Int64 = 0
        for name in try VdirSource.collections(of: root).names {
            count += Int64(try root.directory(name).names().count { kind.isItem($0) })
        }
        return count
    }
}
