import Glibc

/// A file that is read from any place. It stays the same file when its name is given to another one. All calls block.
final class FileReader: Sendable {
    /// Octets when it was opened.
    let size: Int64
    private let path: String
    private let descriptor: Int32

    /// `nil` when there is no such file.
    init?(_ path: String) throws(SystemFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw SystemFailure(about: path)
        }
        var status = stat()
        let isKnown = fstat(descriptor, &status) == 0
        guard isKnown, status.st_mode & S_IFMT == S_IFREG else {
            let failure = SystemFailure(isKnown ? EISDIR : errno, about: path)
            _ = close(descriptor)
            throw failure
        }
        size = Int64(status.st_size)
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Up to `count` octets from `offset` on; fewer only at the end.
    func bytes(at offset: Int64, count: Int) throws(SystemFailure) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes[filled...].withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress, $0.count, off_t(offset) + filled)
            }
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw SystemFailure(about: path) }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    /// The line that begins there, without its end; `nil` at the end of the file.
    func line(at offset: Int64) throws(SystemFailure) -> [UInt8]? {
        var line: [UInt8] = []
        while true {
            let more = try bytes(at: offset + Int64(line.count), count: 4 << 10)
            if let end = more.firstIndex(of: 0x0A) { return line + more[..<end] }
            if more.isEmpty { return line.isEmpty ? nil : line }
            line += more
        }
    }
}
