#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// One folder of a Maildir++: a directory with `cur`, `new` and `tmp` in it.
struct MaildirFolder: Sendable {
    static let cur = FileName(constant: "cur")
    static let new = FileName(constant: "new")
    static let tmp = FileName(constant: "tmp")
    /// Says that a directory below the root is a folder and not a Maildir of its own.
    static let marker = FileName(constant: "maildirfolder")
    static let inbox = "INBOX"

    let directory: Directory
    /// `nil` where it is missing, which is as good as empty.
    let cur: Directory?
    let new: Directory?

    /// For reading.
    init(_ directory: Directory) throws(SystemError) {
        self.directory = directory
        cur = try Self.optional(Self.cur, in: directory)
        new = try Self.optional(Self.new, in: directory)
    }

    private static func optional(_ name: FileName, in directory: Directory) throws(SystemError) -> Directory? {
        do { return try directory.directory(name) } catch  where error.number == ENOENT { return nil }
    }

    /// Whether a directory is a folder; others that begin with a dot (`.ssh`, `.cache`) are not mail.
    static func isFolder(_ name: FileName, in root: Directory) throws(SystemError) -> Bool {
        let directory: Directory
        // What may not be entered counts as a folder, so that listing it fails loudly.
        do { directory = try root.directory(name) } catch  where error.number == EACCES { return true }
        do {
            if try directory.statusIfPresent(of: cur) != nil { return true }
            return try directory.statusIfPresent(of: marker) != nil
        } catch  where error.number == EACCES { return true }
    }

    /// Directory names of all folders below the root, parents before children, and what looks like one but is a link.
    static func folders(of root: Directory) throws(SystemError) -> (names: [FileName], links: [FileName]) {
        var names = [FileName]()
        var links = [FileName]()
        for name in try root.names().sorted() where name.hasPrefix(".") {
            switch try root.statusIfPresent(of: name)?.kind {
            case .directory: if try isFolder(name, in: root) { names.append(name) }
            case .symbolicLink: links.append(name)
            case .file, .other, nil: break
            }
        }
        return (names, links)
    }

    /// What changes with every message that comes, goes or changes its flags: the times of `cur` and `new`.
    func fingerprint() throws(SystemError) -> Fingerprint {
        var fingerprint = Fingerprint()
        fingerprint.combine(directory: try cur?.status())
        fingerprint.combine(directory: try new?.status())
        fingerprint.combine(try directory.statusIfPresent(of: MaildirKeywords.fileName))
        return fingerprint
    }

    /// The number of messages, without looking at any.
    func countMessages() throws(SystemError) -> Int64 {
        var count: Int64 = 0
        for directory in [cur, new] {
            guard let directory else { continue }
            count += Int64(try directory.names().count { !$0.hasPrefix(".") })
        }
        return count
    }
}
