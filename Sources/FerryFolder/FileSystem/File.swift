#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// An open regular file; closed when the last reference goes. All methods block: call them through `Disk`.
final class File: Sendable {
    let descriptor: CInt

    /// Takes the descriptor over.
    init(owning descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    func status() throws(SystemError) -> FileStatus {
        var raw = stat()
        try checked("fstat") { fstat(descriptor, &raw) }
        return FileStatus(raw)
    }

    /// Reads until the buffer is full or the file ends; the number of bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = try checked("read") { systemRead(descriptor, rest.baseAddress, rest.count) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Writes all of the bytes at the file's position.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            done += try checked("write") { systemWrite(descriptor, rest.baseAddress, rest.count) }
        }
    }

    func write(_ bytes: [UInt8]) throws(SystemError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(SystemError) in try write(UnsafeRawBufferPointer(buffer)) }
    }

    /// Sets the time of last change; leaves the time of last access.
    func setModified(_ time: Timestamp) throws(SystemError) {
        let times = [timespec.unchanged, timespec(time)]
        try checked("futimens") { futimens(descriptor, times) }
    }

    /// The content, and what is needed to find it, is on stable storage.
    func syncContent() throws(SystemError) { try checked("fdatasync") { fdatasync(descriptor) } }
}
