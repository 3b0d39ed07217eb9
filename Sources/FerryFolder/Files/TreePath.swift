/// The place of a file or folder below the top of a tree: one or more names, each of them safe.
///
/// Ordered as a walk meets them that takes names in byte order and a folder before what is in it.
struct TreePath: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Bytes of a path with its slashes. What is longer no program can open by its name (PATH_MAX of Linux).
    static let longest = 4_096

    let names: [FileName]

    init(_ names: [FileName]) { self.names = names }

    /// Reads names with `/` between them. `nil` for what could leave the tree or means nothing in it: empty names (so
    /// absolute paths, too), `.`, `..`, NUL, names over 255 bytes, paths over `limit` bytes.
    init?(_ bytes: some Collection<UInt8>, limit: Int = longest) {
        guard !bytes.isEmpty, bytes.count <= limit else { return nil }
        var names = [FileName]()
        for part in bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let name = FileName(part) else { return nil }
            names.append(name)
        }
        self.names = names
    }

    /// The names with `/` between them, bytes as the file system has them.
    var bytes: [UInt8] { Array(names.map { Array($0.bytes) }.joined(separator: [UInt8(ascii: "/")])) }

    /// `nil` when one of the names is not UTF-8.
    var text: String? { String(validating: bytes, as: UTF8.self) }

    /// Printable.
    var description: String { names.map(\.description).joined(separator: "/") }

    /// The folder it is in; no names for the top.
    var parent: ArraySlice<FileName> { names.dropLast() }

    func appending(_ name: FileName) -> TreePath { TreePath(names + [name]) }

    /// Names that are Ferry's own: unfinished files anywhere, markers at the top. They are never items.
    var isReserved: Bool {
        names.contains(where: StagingName.isStaging) || names.first?.hasPrefix(".ferry-") == true
    }

    static func < (left: TreePath, right: TreePath) -> Bool { left.names.lexicographicallyPrecedes(right.names) }
}
