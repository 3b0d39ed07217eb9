import Crypto
import FoundationEssentials
import Glibc

/// Why the key of the embedded issuer cannot be used. The text says how to mend it; it never holds key material.
package struct KeyFileError: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    static func missing(_ path: String) -> KeyFileError {
        KeyFileError(
            description: "The issuer's key file '\(path)' is gone. Restore it, or start the server again to get a new "
                + "key (tokens signed with the old one become invalid).")
    }
}

/// A P-256 private key in a PEM file that only its owner can read. All calls block on the file system.
enum KeyFile {
    /// The key in the file. Without a file a key is made; of several processes that do so at once one wins, and all
    /// get its key.
    static func open(_ path: String) throws(KeyFileError) -> P256.Signing.PrivateKey {
        if let key = try read(path) { return key }
        try create(path, pem: P256.Signing.PrivateKey().pemRepresentation)
        guard let key = try read(path) else { throw problem(path, "vanished right after it was made", "Start again.") }
        return key
    }

    /// `nil` when there is no such file.
    static func read(_ path: String) throws(KeyFileError) -> P256.Signing.PrivateKey? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failed(path, "cannot be opened")
        }
        defer { _ = close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failed(path, "cannot be examined") }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= 16 * 1024 else {
            throw problem(
                path, "is not a small regular file", "Name a PEM file with a P-256 key, or one that does not exist yet."
            )
        }
        let mode = status.st_mode & 0o777
        guard mode & 0o077 == 0 else {
            throw problem(
                path, "can be read by others (mode \(String(mode, radix: 8)))", "Run: chmod 600 '\(path)'")
        }
        var content = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < content.count {
            let count = content[filled...].withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed(path, "cannot be read") }
            filled += count
        }
        do {
            return try P256.Signing.PrivateKey(pemRepresentation: String(decoding: content, as: UTF8.self))
        } catch {
            throw problem(
                path, "does not hold a P-256 private key in PEM form",
                "Restore it, or move it away to get a new key (tokens signed with the old one become invalid).")
        }
    }

    /// Writes beside the place, then links it there: the file is whole whenever it can be seen, and an existing one is
    /// never replaced.
    private static func create(_ path: String, pem: String) throws(KeyFileError) {
        let draft = "\(path).\(getpid()).new"
        let file = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed(draft, "cannot be made") }
        defer { _ = unlink(draft) }
        let content = Array((pem + "\n").utf8)
        var written = 0
        while written < content.count {
            let count = content[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                _ = close(file)
                throw failed(draft, "cannot be written")
            }
            written += count
        }
        guard fsync(file) == 0, close(file) == 0 else { throw failed(draft, "cannot be written") }
        guard link(draft, path) == 0 || errno == EEXIST else { throw failed(path, "cannot be made") }
        syncDirectory(of: path)
    }

    /// Makes the new name durable. Best effort: some file systems refuse to sync a directory.
    private static func syncDirectory(of path: String) {
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let directory = Glibc.open(
            parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        _ = fsync(directory)
        _ = close(directory)
    }

    private static func failed(_ path: String, _ what: String) -> KeyFileError {
        problem(
            path, "\(what) (\(String(cString: strerror(errno))))", "Check the path and its directory's permissions.")
    }

    private static func problem(_ path: String, _ what: String, _ remedy: String) -> KeyFileError {
        KeyFileError(description: "The issuer's key file '\(path)' \(what). \(remedy)")
    }
}
