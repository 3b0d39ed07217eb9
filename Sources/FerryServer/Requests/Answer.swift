import FerryAPI
import FerryCore
import HTTPTypes
import Hummingbird
import NIOCore

/// What a request is answered, before the headers that every answer has.
struct Answer: Sendable {
    /// What an answer says.
    enum Body: Sendable {
        /// No body, and then no content type either.
        case none
        case bytes([UInt8])
        /// Pieces that are made while they are sent. What it throws cuts the answer off, so that a client cannot take
        /// the part for the whole.
        case stream(Stream)

        /// Gives each piece to the writer, which returns once there is room for the next one, and does not finish it.
        typealias Stream = @Sendable @concurrent (inout any ResponseBodyWriter) async throws -> Void
    }

    var status: HTTPResponse.Status
    var body = Body.none
    var contentType = Representation.minimalContentType
    /// Part of the Graph contract, so it carries `OData-Version`.
    var isGraph = true
    /// The answer to a read; changes are `private`.
    var isRead = true
    /// Preferences of the client that were honoured (reference 7.6).
    var appliedPreferences: [String] = []
    /// Headers that only some answers have.
    var headers: [(HTTPField.Name, String)] = []
    /// The client may still be sending a body that nobody will read, so the connection has to be closed.
    var leavesBodyUnread = false

    static func json(
        _ status: HTTPResponse.Status, _ body: [UInt8], as representation: Representation, isRead: Bool
    ) -> Answer {
        Answer(status: status, body: .bytes(body), contentType: representation.contentType, isRead: isRead)
    }

    /// Of a change, without a body.
    static func empty(_ status: HTTPResponse.Status) -> Answer { Answer(status: status, isRead: false) }

    static func text(_ status: HTTPResponse.Status, _ text: String, isGraph: Bool) -> Answer {
        Answer(status: status, body: .bytes(Array(text.utf8)), contentType: "text/plain", isGraph: isGraph)
    }

    /// The headers of reference 7.1.
    func fields(_ exchange: Exchange) -> HTTPFields {
        var fields = HTTPFields()
        fields.reserveCapacity(8)
        // Each of these is new, so nothing is looked for, as a subscript would.
        func append(_ name: HTTPField.Name, _ value: String) { fields.append(HTTPField(name: name, value: value)) }
        switch body {
        case .none: break
        case .bytes, .stream: append(.contentType, contentType)
        }
        let requestID = exchange.requestID.description
        append(.requestID, requestID)
        append(.clientRequestID, exchange.clientRequestID ?? requestID)
        if isGraph { append(.odataVersion, "4.0") }
        append(.cacheControl, isRead ? "no-cache" : "private")
        if !appliedPreferences.isEmpty {
            append(.preferenceApplied, appliedPreferences.joined(separator: ", "))
        }
        for (name, value) in headers { fields[name] = value }
        return fields
    }

    func response(_ exchange: Exchange) -> Response {
        let fields = fields(exchange)
        switch body {
        case .none:
            // RFC 9110 section 8.6: 204 has no Content-Length.
            var response = Response(status: status, headers: fields)
            if status == .noContent { response.headers[.contentLength] = nil }
            return response
        case .bytes(let bytes):
            return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let stream):
            return Response(
                status: status, headers: fields,
                body: ResponseBody { writer in
                    try await stream(&writer)
                    try await writer.finish(nil)
                })
        }
    }
}
