import Glibc

/// A file that is written from its beginning to its end.
final class FileWriter {
    private let path: String
    private let descriptor: Int32

    /// Creates or replaces the file.
    init(_ path: String, mode: mode_t = 0o600) throws(SystemFailure) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemFailure(about: path) }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) throws(SystemFailure) { try Self.write(bytes, to: descriptor, path) }

    /// Appends a part of another file.
    func copy(_ source: String, from offset: Int64, count: Int64) throws(SystemFailure) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemFailure(about: source) }
        defer { close(input) }
        var (place, left) = (offset, count)
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while left > 0 {
            let got = pread(input, &chunk, Int(min(Int64(chunk.count), left)), off_t(place))
            if got < 0, errno == EINTR { continue }
            if got < 0 { throw SystemFailure(about: source) }
            // Shorter than its head says: the disk lost something.
            guard got > 0 else { throw SystemFailure(EIO, about: source) }
            try write(Array(chunk[..<got]))
            place += Int64(got)
            left -= Int64(got)
        }
    }

    /// Everything is on the disk, under the other name, which is replaced if it is there.
    func finish(as name: String) throws(SystemFailure) {
        guard fsync(descriptor) == 0 else { throw SystemFailure(about: path) }
        guard rename(path, name) == 0 else { throw SystemFailure(about: name) }
    }

    /// Writes all of it to an open file; `path` is for the error.
    static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(SystemFailure) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemFailure(about: path) }
            written += count
        }
    }
}
