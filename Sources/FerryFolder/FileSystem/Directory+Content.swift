#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// Small files as a whole: keywords, subscriptions, names, markers.
extension Directory {
    /// The content of a file; `nil` when there is none. Throws `EFBIG` for one of more than `limit` bytes.
    func content(of name: FileName, limit: Int = 1 << 20) throws(SystemError) -> [UInt8]? {
        let file: File
        do { file = try self.file(name) } catch  where error.isAbsence { return nil }
        let status = try file.status()
        guard status.kind == .file else { throw SystemError(EINVAL, "read") }
        guard status.size <= limit else { throw SystemError(EFBIG, "read") }
        var bytes = [UInt8](repeating: 0, count: Int(status.size))
        let count = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(SystemError) in
            try file.read(into: UnsafeMutableRawBufferPointer(buffer))
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Replaces a file's content at once or not at all; durable when it returns.
    func replaceContent(of name: FileName, with bytes: [UInt8]) throws(SystemError) {
        let temporary = StagingName.next()
        do {
            let file = try file(creating: temporary)
            try file.write(bytes)
            try file.syncContent()
            try rename(temporary, to: name, in: self)
        } catch {
            _ = try? remove(temporary)
            throw error
        }
        try sync()
    }
}
