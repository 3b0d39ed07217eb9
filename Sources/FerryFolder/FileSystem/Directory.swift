#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An open directory, and the only way to anything below it.
///
/// Every verb takes a `FileName`, so one step down at most, and never follows a symbolic link (`ELOOP`, or a status that
/// says so). Whoever holds a person's root can therefore reach nothing outside it, whatever names say and whatever
/// somebody swaps in meanwhile. Closed when the last reference goes. All methods block: call them through `Disk`.
///
/// What is created is for the owner only: files 600, directories 700.
final class Directory: Sendable {
    let descriptor: CInt

    private init(owning descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Opens a directory that the administrator named; only here links are followed.
    convenience init(configured path: String) throws(SystemError) {
        self.init(owning: try checked("open") { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    // MARK: opening

    func directory(_ name: FileName) throws(SystemError) -> Directory {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        do {
            return Directory(
                owning: try name.withCString { (path) throws(SystemError) in
                    try checked("open") { openat(descriptor, path, flags) }
                })
        } catch  // Linux says ENOTDIR for a link that meets both flags; the difference matters to the report.
            where error.number == ENOTDIR && (try? status(of: name))?.kind == .symbolicLink
        {
            throw SystemError(ELOOP, "open")
        }
    }

    /// Opens a directory several steps down, each of them checked.
    func directory(_ names: some Sequence<FileName>) throws(SystemError) -> Directory {
        var directory = self
        for name in names { directory = try directory.directory(name) }
        return directory
    }

    /// Opens a directory, creating it where it is missing. Durable: a new one's entry is synchronized.
    func directory(creating name: FileName) throws(SystemError) -> Directory {
        do { return try directory(name) } catch  where error.number == ENOENT {}
        do {
            try name.withCString { (path) throws(SystemError) in
                try checked("mkdir") { mkdirat(descriptor, path, 0o700) }
            }
        } catch  where error.number == EEXIST {}
        try sync()
        return try directory(name)
    }

    /// Opens a file for reading. A pipe or a device is refused without waiting for it.
    func file(_ name: FileName) throws(SystemError) -> File {
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        return File(
            owning: try name.withCString { (path) throws(SystemError) in
                try checked("open") { openat(descriptor, path, flags) }
            })
    }

    /// Creates a file that does not exist yet (`EEXIST` if it does) and opens it for writing.
    func file(creating name: FileName, isExecutable: Bool = false) throws(SystemError) -> File {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        return File(
            owning: try name.withCString { (path) throws(SystemError) in
                try checked("create") { openat(descriptor, path, flags, isExecutable ? 0o700 : 0o600) }
            })
    }

    /// Opens a file for appending, creating it where it is missing.
    func file(appendingTo name: FileName) throws(SystemError) -> File {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC
        return File(
            owning: try name.withCString { (path) throws(SystemError) in
                try checked("append") { openat(descriptor, path, flags, 0o600) }
            })
    }

    // MARK: looking

    func status() throws(SystemError) -> FileStatus {
        var raw = stat()
        try checked("fstat") { fstat(descriptor, &raw) }
        return FileStatus(raw)
    }

    /// Of the entry itself, be it a link.
    func status(of name: FileName) throws(SystemError) -> FileStatus {
        var raw = stat()
        try name.withCString { (path) throws(SystemError) in
            try checked("stat") { fstatat(descriptor, path, &raw, AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(raw)
    }

    /// `nil` when there is no such entry.
    func statusIfPresent(of name: FileName) throws(SystemError) -> FileStatus? {
        do { return try status(of: name) } catch  where error.isAbsence { return nil }
    }

    /// All names but `.` and `..`, in the file system's order.
    func names() throws(SystemError) -> [FileName] {
        var names = [FileName]()
        try forEachName { names.append($0) }
        return names
    }

    /// The same without holding more than one name at a time.
    func forEachName(_ body: (FileName) -> Void) throws(SystemError) {
        // A descriptor of its own, because reading moves the position that all copies of a descriptor share.
        let own = try checked("open") { openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = fdopendir(own) else {
            let error = SystemError.last("opendir")
            close(own)
            throw error
        }
        defer { closedir(stream) }
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: FileName.longest + 1) { FileName(entry: $0) }
            }
            if let name { body(name) }
        }
        if errno != 0 { throw .last("readdir") }
    }

    /// Whether this process may do so: `R_OK`, `W_OK`, `X_OK`, or several.
    func allows(_ mode: CInt) -> Bool { faccessat(descriptor, ".", mode, AT_EACCESS) == 0 }

    /// Bytes that this process may still write to the file system.
    func roomBytes() throws(SystemError) -> Int64 {
        var raw = statvfs()
        try checked("fstatvfs") { fstatvfs(descriptor, &raw) }
        return Int64(clamping: UInt64(raw.f_bavail).multipliedReportingOverflow(by: UInt64(raw.f_frsize)).partialValue)
    }

    // MARK: changing

    /// Moves an entry, replacing a file of the new name at once or not at all.
    func rename(_ name: FileName, to newName: FileName, in target: Directory) throws(SystemError) {
        try name.withCString { (old) throws(SystemError) in
            try newName.withCString { (new) throws(SystemError) in
                try checked("rename") { renameat(descriptor, old, target.descriptor, new) }
            }
        }
    }

    /// Removes a file or link; `false` when it was not there.
    @discardableResult
    func remove(_ name: FileName) throws(SystemError) -> Bool { try unlink(name, flags: 0) }

    /// Removes an empty directory; `false` when it was not there.
    @discardableResult
    func removeDirectory(_ name: FileName) throws(SystemError) -> Bool { try unlink(name, flags: AT_REMOVEDIR) }

    private func unlink(_ name: FileName, flags: CInt) throws(SystemError) -> Bool {
        do {
            try name.withCString { (path) throws(SystemError) in
                try checked("unlink") { unlinkat(descriptor, path, flags) }
            }
            return true
        } catch  where error.number == ENOENT { return false }
    }

    /// Sets an entry's time of last change.
    func setModified(_ time: Timestamp, of name: FileName) throws(SystemError) {
        let times = [timespec.unchanged, timespec(time)]
        try name.withCString { (path) throws(SystemError) in
            try checked("utimens") { utimensat(descriptor, path, times, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// Sets the directory's own time of last change, or that it has changed just now.
    func setModified(_ time: Timestamp?) throws(SystemError) {
        let times = [timespec.unchanged, time.map { timespec($0) } ?? timespec.present]
        try checked("futimens") { futimens(descriptor, times) }
    }

    func setMode(_ mode: mode_t) throws(SystemError) { try checked("fchmod") { fchmod(descriptor, mode) } }

    // MARK: durability

    /// Names that were created, moved or removed here are on stable storage.
    func sync() throws(SystemError) { try checked("fsync") { fsync(descriptor) } }

    /// Everything written to the file system so far, by anybody, is on stable storage. Reports what could not be
    /// written back since the descriptor was opened (Linux 5.8).
    func syncFileSystem() throws(SystemError) { try checked("syncfs") { SystemCalls.syncfs(descriptor) } }
}
