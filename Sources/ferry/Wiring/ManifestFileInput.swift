import FerryEngine
import NIOPosix

/// A manifest in a file, read where it holds nobody up.
struct ManifestFileInput: ManifestInput {
    let file: FileReader

    var size: Int64 { file.size }

    func read(at offset: Int64, count: Int) async throws(ManifestUnreadable) -> [UInt8] {
        let result: Result<[UInt8], SystemFailure>
        do {
            result = try await NIOThreadPool.singleton.runIfActive { [file] in
                Result { () throws(SystemFailure) in try file.bytes(at: offset, count: count) }
            }
        } catch {
            throw ManifestUnreadable("the program is ending")
        }
        do throws(SystemFailure) { return try result.get() } catch { throw ManifestUnreadable("\(error)") }
    }
}
