import FerryCore
import FoundationEssentials

/// Puts generated files on the disk. Blocking: call it where nobody waits for the thread.
struct DemoWriter {
    let root: String

    func write(_ file: DemoFile) throws {
        let path = "\(root)/\(file.path)"
        switch file.content {
        case .folder:
            try LocalFile.makeFolder(path)
        case .bytes(let bytes):
            if let slash = path.lastIndex(of: "/") { try LocalFile.makeFolder(String(path[..<slash])) }
            try LocalFile.write(bytes, to: path, mode: file.isExecutable ? 0o755 : 0o644)
        }
        if let modified = file.modified {
            let date = Date(timeIntervalSince1970: Double(modified.microseconds) / 1_000_000)
            try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
        }
    }
}
