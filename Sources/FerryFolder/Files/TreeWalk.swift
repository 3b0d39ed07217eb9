/// Goes through a tree in the order of `TreePath`, without recursion and without keeping more than the names of the
/// folders it is in. Symbolic links are met, never followed. Blocks: call it through `Disk`.
struct TreeWalk: Sendable {
    /// What the walk meets. Entries that vanish while it is under way are not met.
    enum Encounter: Sendable {
        case entry(TreePath, FileStatus)
        /// What is there could not be looked at; for a folder that means everything in it.
        case unreadable(TreePath, SystemError)
    }

    private struct Level: Sendable {
        /// `nil` when it was closed to spare descriptors; opened again when it is needed.
        var directory: Directory?
        /// Names that are still to come, the next one last.
        var names: [FileName]
    }

    /// Folders that stay open at a time. Deeper trees are rare.
    private static let openLevels = 32

    private let root: Directory
    /// The folder whose names come next; one name less than `levels`.
    private var folder: [FileName] = []
    private var levels: [Level]

    /// Starts at the top, or after an entry of an earlier walk, which may be gone by now.
    init(_ root: Directory, after last: TreePath? = nil) throws(SystemError) {
        self.root = root
        levels = [Level(directory: root, names: try Self.names(in: root, after: last?.names.first))]
        guard let last else { return }
        for (depth, name) in last.names.enumerated() {
            let next = depth + 1 < last.names.count ? last.names[depth + 1] : nil
            do throws(SystemError) {
                guard let directory = try levels.last?.directory?.directory(name) else { return }
                push(directory, try Self.names(in: directory, after: next), name)
            } catch  where error.isAbsence || error.isSymbolicLink {
                // A file, or gone by now: nothing in it is left to be met.
                return
            }
        }
    }

    /// `nil` at the end. Throws when the walk cannot go on at all.
    mutating func next() throws(SystemError) -> Encounter? {
        while let level = levels.indices.last {
            guard let name = levels[level].names.popLast() else {
                levels.removeLast()
                _ = folder.popLast()
                continue
            }
            let path = TreePath(folder + [name])
            if path.isReserved { continue }
            let directory: Directory
            if let open = levels[level].directory {
                directory = open
            } else {
                do throws(SystemError) { directory = try root.directory(folder) } catch {
                    levels[level].names = []
                    if error.isAbsence { continue }
                    return .unreadable(TreePath(folder), error)
                }
                levels[level].directory = directory
            }
            do throws(SystemError) {
                guard let status = try directory.statusIfPresent(of: name) else { continue }
                if status.kind == .directory, path.text != nil, path.bytes.count <= TreePath.longest {
                    let inner = try directory.directory(name)
                    push(inner, try Self.names(in: inner, after: nil), name)
                }
                return .entry(path, status)
            } catch {
                if error.isAbsence { continue }
                return .unreadable(path, error)
            }
        }
        return nil
    }

    private mutating func push(_ directory: Directory, _ names: [FileName], _ name: FileName) {
        folder.append(name)
        levels.append(Level(directory: directory, names: names))
        let depth = levels.count - 1
        if depth > Self.openLevels { levels[depth - 1].directory = nil }
    }

    private static func names(in directory: Directory, after last: FileName?) throws(SystemError) -> [FileName] {
        var names = try directory.names()
        if let last { names.removeAll { $0 <= last } }
        return names.sorted(by: >)
    }
}
