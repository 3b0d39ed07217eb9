import FerryCore

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A file's time, to the nanosecond as the file system keeps it.
struct Timestamp: Hashable, Sendable, Comparable {
    /// Since 1970-01-01T00:00:00Z; negative before.
    var seconds: Int64
    /// 0 ..< 1,000,000,000.
    var nanoseconds: Int64

    init(seconds: Int64, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    init(_ instant: Instant) {
        seconds = instant.seconds
        nanoseconds = instant.microseconds.subtractingReportingOverflow(seconds &* 1_000_000).partialValue &* 1000
    }

    /// Cut to microseconds.
    var instant: Instant {
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        if overflow { return seconds < 0 ? .distantPast : .distantFuture }
        return Instant(microseconds: scaled &+ nanoseconds / 1000)
    }

    static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

/// What `stat` says about a file, as far as Ferry cares.
struct FileStatus: Hashable, Sendable {
    enum Kind: Sendable, Hashable { case file, directory, symbolicLink, other }

    var kind: Kind
    /// Bytes.
    var size: Int64
    var modified: Timestamp
    /// Permission bits, `0o7777` at most.
    var mode: mode_t
    var inode: UInt64

    init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            default: .other
            }
        size = Int64(raw.st_size)
        modified = Timestamp(seconds: Int64(raw.st_mtim.tv_sec), nanoseconds: Int64(raw.st_mtim.tv_nsec))
        mode = raw.st_mode & 0o7777
        inode = UInt64(raw.st_ino)
    }
}
