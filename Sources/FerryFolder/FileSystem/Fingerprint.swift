import FerryConnector
import FerryCore
import FerryFormats

/// What a container looked like at one moment, as a `Cursor`: version 1, whether it may be trusted, 8 bytes of digest.
///
/// A time of last change proves nothing while it is fresh: a second change within the same tick of the file system's
/// clock leaves the same time behind (git calls it the racy index). So a fingerprint whose newest time is not at least
/// two seconds older than the moment it was taken is never found equal; the next pass lists once more and takes a new one.
/// Two seconds is the coarsest tick in use (FAT; everything else is finer).
struct Fingerprint {
    private static let form: UInt8 = 1
    private static let settling = Duration.seconds(2)

    private var hasher = VersionHasher()
    private var newest = Timestamp(seconds: .min)

    mutating func combine(_ status: FileStatus?) {
        guard let status else { return hasher.combine(-1) }
        hasher.combine(status.size)
        combine(status.modified)
    }

    /// A directory: what counts is which one it is, and its time.
    mutating func combine(directory status: FileStatus?) {
        guard let status else { return hasher.combine(-1) }
        hasher.combine(Int64(bitPattern: status.inode))
        combine(status.modified)
    }

    mutating func combine(_ name: FileName) { hasher.combine(name.bytes) }

    private mutating func combine(_ time: Timestamp) {
        hasher.combine(time.seconds)
        hasher.combine(time.nanoseconds)
        newest = max(newest, time)
    }

    func cursor(takenAt now: Instant) -> Cursor {
        let isSettled = newest < Timestamp(now - Self.settling)
        let bits = hasher.finish().bits
        return Cursor(
            [Self.form, isSettled ? 1 : 0] + (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - $0 * 8)) })
    }

    /// Whether this is what `cursor` was taken of, beyond doubt.
    func matches(_ cursor: Cursor) -> Bool {
        cursor == self.cursor(takenAt: .distantFuture) && cursor.bytes[1] == 1
    }
}
