import Glibc

/// Whole small files, read and written where blocking holds nobody up: at a verb's start and end.
enum LocalFile {
    /// `-` reads standard input.
    static func contents(of path: String) throws(SystemFailure) -> [UInt8] {
        guard path != "-" else { return try contents(of: STDIN_FILENO) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure(about: path) }
        defer { close(descriptor) }
        return try contents(of: descriptor)
    }

    private static func contents(of descriptor: Int32) throws(SystemFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemFailure()
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Creates or replaces a file.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws(SystemFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemFailure(about: path) }
        defer { close(descriptor) }
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemFailure(about: path)
            }
            offset += count
        }
    }

    /// Creates a folder and those above it; one that is there already is fine.
    static func makeFolder(_ path: String) throws(SystemFailure) {
        guard !path.isEmpty, path != "/" else { return }
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/") else { throw SystemFailure(about: path) }
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw SystemFailure(about: path) }
    }

    /// Names in a folder, without `.` and `..`, sorted by their bytes; `nil` when there is no such folder.
    static func names(in path: String) throws(SystemFailure) -> [String]? {
        guard let folder = opendir(path) else {
            if errno == ENOENT { return nil }
            throw SystemFailure(about: path)
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The path from the root on.
    static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        return String(cString: folder) + "/" + path
    }
}

/// What the operating system said, in its own words.
struct SystemFailure: Error, CustomStringConvertible {
    let number: Int32
    /// The path that it is about, if the message shall name it.
    let path: String?

    init(_ number: Int32 = errno, about path: String? = nil) {
        self.number = number
        self.path = path
    }

    var description: String {
        let text = strerror(number).map { String(cString: $0) } ?? "error \(number)"
        return path.map { "\($0): \(text)" } ?? text
    }
}
