import Glibc

/// A small file with a secret that only its owner can read. All calls block on the file system.
package struct SecretFile: Sendable {
    private let path: String
    /// What messages call it, such as "The issuer's key file".
    private let name: String
    /// What a message says of the kind of file that is wanted.
    private let wanted: String

    package init(_ path: String, name: String, wanted: String) {
        self.path = path
        self.name = name
        self.wanted = wanted
    }

    /// What the file holds. Without a file one is made with what `make` gives; of several processes that do so at once
    /// one wins, and all get its content.
    package func open(orMake make: () -> String) throws(KeyFileError) -> [UInt8] {
        if let content = try read() { return content }
        try create(make())
        guard let content = try read() else { throw problem("vanished right after it was made", "Start again.") }
        return content
    }

    /// `nil` when there is no such file.
    package func read() throws(KeyFileError) -> [UInt8]? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failed("cannot be opened")
        }
        defer { _ = close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failed("cannot be examined") }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= 16 * 1024 else {
            throw problem("is not a small regular file", "Name \(wanted), or one that does not exist yet.")
        }
        let mode = status.st_mode & 0o777
        guard mode & 0o077 == 0 else {
            throw problem("can be read by others (mode \(String(mode, radix: 8)))", "Run: chmod 600 '\(path)'")
        }
        var content = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < content.count {
            let count = content[filled...].withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failed("cannot be read") }
            filled += count
        }
        return content
    }

    /// An error about this file.
    package func problem(_ what: String, _ remedy: String) -> KeyFileError {
        KeyFileError(description: "\(name) '\(path)' \(what). \(remedy)")
    }

    /// Writes beside the place, then links it there: the file is whole whenever it can be seen, and an existing one is
    /// never replaced.
    private func create(_ text: String) throws(KeyFileError) {
        let draft = "\(path).\(getpid()).new"
        let file = Glibc.open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failed("cannot be made") }
        defer { _ = unlink(draft) }
        let content = Array(text.utf8)
        var written = 0
        while written < content.count {
            let count = content[written...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                _ = close(file)
                throw failed("cannot be written")
            }
            written += count
        }
        guard fsync(file) == 0, close(file) == 0 else { throw failed("cannot be written") }
        guard link(draft, path) == 0 || errno == EEXIST else { throw failed("cannot be made") }
        syncDirectory()
    }

    /// Makes the new name durable. Best effort: some file systems refuse to sync a directory.
    private func syncDirectory() {
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let directory = Glibc.open(
            parent.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return }
        _ = fsync(directory)
        _ = close(directory)
    }

    private func failed(_ what: String) -> KeyFileError {
        problem(
            "\(what) (\(String(cString: strerror(errno))))", "Check the path and its directory's permissions.")
    }
}
