#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

extension File {
    /// Zeros in a row, in bytes, that are worth a hole. Some blocks of every file system in use.
    private static let holeBytes = 64 << 10

    /// Writes at the file's position, but passes over whole blocks of zeros: a sparse file stays sparse.
    ///
    /// `true` when the last block was passed over: the file then ends before it until `truncate` gives it its length.
    func write(leavingHoles bytes: UnsafeRawBufferPointer) throws(SystemError) -> Bool {
        var written = 0
        var position = 0
        while bytes.count - position >= Self.holeBytes {
            let block = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Self.holeBytes])
            if Self.isZero(block) {
                try write(UnsafeRawBufferPointer(rebasing: bytes[written..<position]))
                try checked("lseek") { lseek(descriptor, off_t(Self.holeBytes), SEEK_CUR) }
                written = position + Self.holeBytes
            }
            position += Self.holeBytes
        }
        try write(UnsafeRawBufferPointer(rebasing: bytes[written...]))
        return written == bytes.count && written > 0
    }

    /// Cuts the file off, or lengthens it with zeros.
    func truncate(to length: Int64) throws(SystemError) {
        try checked("ftruncate") { ftruncate(descriptor, off_t(length)) }
    }

    /// Every byte equals the one after it, and the first is zero.
    private static func isZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress, bytes.first == 0 else { return false }
        return memcmp(base, base + 1, bytes.count - 1) == 0
    }
}
