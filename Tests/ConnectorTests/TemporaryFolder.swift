import Foundation

/// A directory of one test's own, removed with everything in it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        var template = Array((NSTemporaryDirectory() + "/ferry-connector-XXXXXX").utf8CString)
        guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
        path = String(cString: made)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Names in a directory, sorted.
    func names(_ directory: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/" + directory).sorted()
    }

    func makeDirectory(_ directory: String) throws {
        try FileManager.default.createDirectory(atPath: path + "/" + directory, withIntermediateDirectories: true)
    }

    func write(_ bytes: [UInt8], _ file: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + file))
    }

    /// Changes a file's content without touching its directory.
    func writeInPlace(_ bytes: [UInt8], _ file: String) throws {
        let descriptor = open(path + "/" + file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(bytes))
    }

    func write(_ text: String, _ file: String) throws { try write(Array(text.utf8), file) }

    func read(_ file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path + "/" + file)))
    }

    func text(_ file: String) throws -> String { String(decoding: try read(file), as: UTF8.self) }

    func exists(_ file: String) -> Bool {
        var status = stat()
        return lstat(path + "/" + file, &status) == 0
    }

    func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: path + "/" + file) }

    func setModified(_ seconds: Int, _ file: String) {
        var times = [timeval(tv_sec: seconds, tv_usec: 0), timeval(tv_sec: seconds, tv_usec: 0)]
        utimes(path + "/" + file, &times)
    }

    func modified(_ file: String) -> Int {
        var status = stat()
        lstat(path + "/" + file, &status)
        return status.st_mtim.tv_sec
    }

    func mode(_ file: String) -> mode_t {
        var status = stat()
        lstat(path + "/" + file, &status)
        return status.st_mode & 0o7777
    }

    /// Dates everything below a directory, itself included, to a time long gone.
    func age(_ directory: String) throws {
        for name in try FileManager.default.subpathsOfDirectory(atPath: path + "/" + directory) + [""] {
            setModified(1_500_000_000, directory + "/" + name)
        }
    }
}
