import HTTPTypes
import Hummingbird

/// A request without its connection: what came alone over HTTP, or one of those inside a `$batch`.
struct Message: Sendable {
    enum Body: Sendable {
        /// Still on its way; its length is bounded while it is read.
        case arriving(RequestBody)
        /// Already here, within the bounds of the batch that it came in.
        case whole([UInt8])
    }

    /// The method as it was sent.
    var method: String
    /// Path and query, still encoded.
    var target: String
    var headers: HTTPFields
    var body: Body
    /// Came inside a `$batch`, so it cannot be one itself.
    var isInBatch: Bool
    /// Where it came from; inside a `$batch` that of the batch.
    var origin: Origin

    init(method: String, target: String, headers: HTTPFields, body: Body, isInBatch: Bool, origin: Origin) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.isInBatch = isInBatch
        self.origin = origin
    }

    /// - Parameter isMultiplexed: it came over HTTP/2, where a body needs no header to be there; HTTP/1.1 frames one with
    ///   one of two headers (RFC 9112 section 6.3).
    init(_ request: Request, from origin: Origin, isMultiplexed: Bool) {
        let isFramed =
            isMultiplexed || request.headers.contains(.contentLength) || request.headers.contains(.transferEncoding)
        self.init(
            method: request.head.method.rawValue, target: request.head.path ?? "/", headers: request.headers,
            body: isFramed ? .arriving(request.body) : .whole([]), isInBatch: false, origin: origin)
    }
}
