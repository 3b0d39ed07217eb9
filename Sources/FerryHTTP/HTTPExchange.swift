import AsyncHTTPClient
package import NIOCore
import NIOHTTP1

/// A request, but for what says who makes it.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Absolute and percent-encoded, as it goes into the request line.
    package var path: String
    /// Names in any case.
    package var headers: [(name: String, value: String)]
    package var body: ByteBuffer?

    package init(
        _ method: String, _ path: String, headers: [(name: String, value: String)] = [], body: ByteBuffer? = nil
    ) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }
}

/// The beginning of an answer.
package struct HTTPReplyHead: Sendable {
    package var status: Int
    private let headers: HTTPHeaders

    init(status: HTTPResponseStatus, headers: HTTPHeaders) {
        self.status = Int(status.code)
        self.headers = headers
    }

    /// The first line of that name, in any case.
    package subscript(_ name: String) -> String? { headers.first(name: name) }

    /// Every line of that name.
    package func all(_ name: String) -> [String] { headers[name] }
}

/// An answer whose content comes in pieces. Used by one task; what is not taken ends with it.
package struct HTTPReply {
    package let head: HTTPReplyHead
    private let host: String
    private var pieces: HTTPClientResponse.Body.AsyncIterator

    init(_ response: HTTPClientResponse, host: String) {
        head = HTTPReplyHead(status: response.status, headers: response.headers)
        self.host = host
        pieces = response.body.makeAsyncIterator()
    }

    /// `nil` at the end.
    package mutating func next() async throws(HTTPFailure) -> ByteBuffer? {
        do { return try await pieces.next(isolation: #isolation) } catch { throw HTTPFailure(error, host: host) }
    }

    /// All of it; throws `malformed` beyond `limit` bytes.
    package mutating func collect(limit: Int) async throws(HTTPFailure) -> ByteBuffer {
        var whole = ByteBuffer()
        while var piece = try await next() {
            guard whole.readableBytes + piece.readableBytes <= limit else {
                throw HTTPFailure(.malformed, "The answer of \(host) is larger than \(limit) bytes.")
            }
            if whole.readableBytes == 0 { whole = piece } else { whole.writeBuffer(&piece) }
        }
        return whole
    }

    /// Takes what is left, so that the connection can be used again; gives up on long and broken ones.
    package mutating func drain() async { _ = try? await collect(limit: 1 << 20) }
}
