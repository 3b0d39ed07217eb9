import FerryConnector
import FerryCore
import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Musl
#endif

/// A temporary file without a name, for a message too large for memory whose final size has to be known before its first
/// byte is sent. Gone with the process.
final class Spool: Sendable {
    private let descriptor: CInt

    private init(descriptor: CInt) { self.descriptor = descriptor }

    static func open() async throws(ConnectorError) -> Spool {
        let descriptor = await onThread { () -> CInt in
            var template = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/ferry-XXXXXX".utf8CString)
            let descriptor = mkstemp(&template)
            if descriptor >= 0 { unlink(template) }
            return descriptor
        }
        guard let descriptor, descriptor >= 0 else { throw trouble }
        return Spool(descriptor: descriptor)
    }

    func append(_ buffer: ByteBuffer) async throws(ConnectorError) {
        let descriptor = descriptor
        let isWritten = await Self.onThread { () -> Bool in
            buffer.withUnsafeReadableBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { return false }
                    rest = rest.dropFirst(count)
                }
                return true
            }
        }
        guard isWritten == true else { throw Self.trouble }
    }

    /// Up to a quarter of a mebibyte from `offset`; empty at the end.
    func read(from offset: Int64) async throws(ConnectorError) -> ByteBuffer {
        let descriptor = descriptor
        let buffer = await Self.onThread { () -> ByteBuffer? in
            var buffer = ByteBufferAllocator().buffer(capacity: 256 << 10)
            var hasFailed = false
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 256 << 10) { bytes in
                var count = pread(descriptor, bytes.baseAddress, 256 << 10, off_t(offset))
                while count < 0, errno == EINTR {
                    count = pread(descriptor, bytes.baseAddress, 256 << 10, off_t(offset))
                }
                hasFailed = count < 0
                return max(0, count)
            }
            return hasFailed ? nil : buffer
        }
        guard case .some(.some(let read)) = buffer else { throw Self.trouble }
        return read
    }

    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value? {
        try? await NIOThreadPool.singleton.runIfActive(body)
    }

    private static let trouble = ConnectorError(
        .internalFault, .retry(after: nil),
        "A temporary file could not be written. Make room in the directory for temporary files.")

    deinit { close(descriptor) }
}
