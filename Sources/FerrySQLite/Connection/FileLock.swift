import FerryStore
import Glibc
import Synchronization

/// The right of one process to write a store: an advisory lock (flock) on a small file beside the database.
///
/// The kernel gives it back when the process ends, however that happens. The file stays and says who had it last.
final class FileLock: Sendable {
    /// `nil` once it was given back.
    private let descriptor: Mutex<CInt?>

    /// Takes the lock or throws at once. Blocks for the time of a file access: not for the cooperative pool.
    init(path: String) throws(StoreError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .unavailable(
                "cannot open the lock file \(path): \(Self.text(errno)); the directory must exist and be writable")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let holder = Self.holder(descriptor)
            _ = Glibc.close(descriptor)
            guard reason == EWOULDBLOCK else {
                throw .unavailable("cannot lock \(path): \(Self.text(reason)); it must be on a local file system")
            }
            throw .unavailable(
                "\(holder) has the store open and holds \(path); stop it, or name another file as the store")
        }
        self.descriptor = Mutex(descriptor)
        let note = "\(getpid())\n"
        _ = ftruncate(descriptor, 0)
        _ = note.withCString { pwrite(descriptor, $0, note.utf8.count, 0) }
    }

    deinit { release() }

    /// Gives the lock back; the second time nothing happens.
    func release() {
        descriptor.withLock { descriptor in
            if let open = descriptor { _ = Glibc.close(open) }
            descriptor = nil
        }
    }

    private static func holder(_ descriptor: CInt) -> String {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0, let pid = Int(String(decoding: bytes.prefix(count).prefix { $0 > 0x20 }, as: UTF8.self)) else {
            return "another process"
        }
        return "process \(pid)"
    }

    private static func text(_ code: CInt) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
