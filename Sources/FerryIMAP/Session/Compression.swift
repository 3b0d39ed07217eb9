import CZlib
import NIOCore

/// The two streams of COMPRESS=DEFLATE (RFC 4978): raw deflate (RFC 1951), flushed after each write.
final class Compression {
    let inflater: Inflater
    let deflater: Deflater

    init() throws(IMAPError) {
        inflater = try Inflater()
        deflater = try Deflater()
    }

    static func failure(_ what: String, _ code: Int32) -> IMAPError {
        IMAPError(.protocolViolation, "The compressed connection broke: \(what) (zlib \(code)).")
    }
}

/// Turns what came into plain bytes, a piece at a time.
final class Inflater {
    // SAFETY: zlib keeps a pointer to its stream, so the stream has one address for life.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private var input = ByteBuffer()
    /// The server ended its stream, as it does before it closes; what follows is nothing.
    private var isOver = false
    private static let pieceBytes = 64 << 10

    init() throws(IMAPError) {
        stream.initialize(to: z_stream())
        let code = ferry_inflate_init_raw(stream)
        guard code == Z_OK else { throw Compression.failure("inflate could not start", code) }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func feed(_ bytes: ByteBuffer) {
        if isOver { return }
        if input.readableBytes == 0 { input = bytes } else { input.writeImmutableBuffer(bytes) }
    }

    /// At most 64 KiB; `nil` when more input is needed.
    func next() throws(IMAPError) -> ByteBuffer? {
        guard !isOver else { return nil }
        var output = ByteBuffer()
        var code = Z_OK
        let stream = stream
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { space in
            input.readWithUnsafeReadableBytes { source in
                // SAFETY: zlib reads at most avail_in and writes at most avail_out bytes; it does not change its input.
                stream.pointee.next_in = UnsafeMutablePointer(
                    mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
                stream.pointee.avail_in = UInt32(source.count)
                stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(Self.pieceBytes)
                code = inflate(stream, Z_SYNC_FLUSH)
                return source.count - Int(stream.pointee.avail_in)
            }
            return Self.pieceBytes - Int(stream.pointee.avail_out)
        }
        if code == Z_STREAM_END {
            isOver = true
            input = ByteBuffer()
        } else if code != Z_OK, code != Z_BUF_ERROR {
            throw Compression.failure("what came is not deflate", code)
        }
        return output.readableBytes > 0 ? output : nil
    }
}

/// Compresses what goes out; level 1, because links that are worth it are slower than that.
final class Deflater {
    // SAFETY: as for Inflater.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() throws(IMAPError) {
        stream.initialize(to: z_stream())
        let code = ferry_deflate_init_raw(stream, 1)
        guard code == Z_OK else { throw Compression.failure("deflate could not start", code) }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// All of it, flushed, so that the server can read it.
    func deflate(_ bytes: ByteBuffer) throws(IMAPError) -> ByteBuffer {
        var output = ByteBuffer()
        var input = bytes
        var code = Z_OK
        var isFull = true
        let stream = stream
        while isFull {
            let room = max(1_024, input.readableBytes + input.readableBytes / 8)
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { space in
                let room = min(space.count, Int(UInt32.max))
                input.readWithUnsafeReadableBytes { source in
                    // SAFETY: as for Inflater.
                    stream.pointee.next_in = UnsafeMutablePointer(
                        mutating: source.baseAddress?.assumingMemoryBound(to: UInt8.self))
                    stream.pointee.avail_in = UInt32(source.count)
                    stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(room)
                    code = CZlib.deflate(stream, Z_SYNC_FLUSH)
                    return source.count - Int(stream.pointee.avail_in)
                }
                isFull = stream.pointee.avail_out == 0
                return room - Int(stream.pointee.avail_out)
            }
            guard code == Z_OK || code == Z_BUF_ERROR else { throw Compression.failure("deflate stopped", code) }
        }
        return output
    }
}
