import CZlib
import NIOCore

/// A zlib compressor for one body. Holds about 256 KiB while it lives.
final class Deflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private var isFinished = false

    /// Fast rather than small: most of what JSON can lose is lost at the lowest level already.
    private static let level: Int32 = 1

    init(_ coding: ContentCoding) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = ferry_deflate_init(stream, Self.level, coding == .gzip ? 31 : 15)
        precondition(status == Z_OK, "zlib cannot begin: no memory is left, or header and library do not fit together")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Appends what is ready of the compressed form to `output`; some of it may stay inside until `finish`.
    func write(_ input: ByteBuffer, to output: inout ByteBuffer) { run(input, Z_NO_FLUSH, &output) }

    /// Appends the rest. Nothing can be written afterwards.
    func finish(to output: inout ByteBuffer) {
        run(ByteBuffer(), Z_FINISH, &output)
        isFinished = true
    }

    private func run(_ input: ByteBuffer, _ flush: Int32, _ output: inout ByteBuffer) {
        precondition(!isFinished, "a body that was finished cannot grow")
        input.withUnsafeReadableBytes { bytes in
            // zlib only reads through this pointer, although its type does not say so.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
            stream.pointee.avail_in = UInt32(bytes.count)
            var isMore = true
            while isMore {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: 4096) { space in
                    let room = UInt32(clamping: space.count)
                    stream.pointee.next_out = space.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = room
                    let status = deflate(stream, flush)
                    precondition(status != Z_STREAM_ERROR, "the compressor's state is damaged")
                    // Room that is left over says that there is nothing more to come.
                    isMore = stream.pointee.avail_out == 0
                    return Int(room - stream.pointee.avail_out)
                }
            }
        }
        stream.pointee.next_in = nil
        stream.pointee.next_out = nil
    }
}
