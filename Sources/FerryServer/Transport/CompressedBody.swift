import HTTPTypes
import Hummingbird
import NIOCore

/// Bodies in a content coding. One that is whole stays whole; one that is made while it is sent is compressed on its way,
/// with memory that does not grow.
enum CompressedBody {
    /// Bodies up to this size are compressed in one go, so that the answer can say its length. In bytes.
    static let wholeUpTo = 256 << 10

    static func make(_ body: ResponseBody, _ coding: ContentCoding) async throws -> ResponseBody {
        guard let length = body.contentLength, length <= wholeUpTo else {
            return ResponseBody { writer in
                try await body.write(DeflatingWriter(parent: writer, deflater: Deflater(coding)))
            }
        }
        let whole = Whole()
        try await body.write(CollectingWriter(whole: whole))
        let deflater = Deflater(coding)
        var output = ByteBufferAllocator().buffer(capacity: 512 + length / 4)
        deflater.write(whole.bytes, to: &output)
        deflater.finish(to: &output)
        return ResponseBody(byteBuffer: output)
    }

    /// A body's bytes before they are compressed.
    private final class Whole {
        var bytes = ByteBuffer()
    }

    private struct CollectingWriter: ResponseBodyWriter {
        let whole: Whole

        func write(_ buffer: ByteBuffer) async throws {
            if whole.bytes.readableBytes == 0 {
                whole.bytes = buffer
            } else {
                whole.bytes.writeImmutableBuffer(buffer)
            }
        }

        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    private struct DeflatingWriter: ResponseBodyWriter {
        private var parent: any ResponseBodyWriter
        private let deflater: Deflater
        private var output = ByteBuffer()

        /// Small pieces wait for company, because each one that is sent costs a chunk and a system call. In bytes.
        private static let enough = 16 << 10

        init(parent: any ResponseBodyWriter, deflater: Deflater) {
            self.parent = parent
            self.deflater = deflater
        }

        @concurrent mutating func write(_ buffer: ByteBuffer) async throws {
            deflater.write(buffer, to: &output)
            guard output.readableBytes >= Self.enough else { return }
            let ready = output
            output = ByteBuffer()
            try await parent.write(ready)
        }

        @concurrent consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
            var rest = output
            deflater.finish(to: &rest)
            try await parent.write(rest)
            try await parent.finish(trailingHeaders)
        }
    }
}
