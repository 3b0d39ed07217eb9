import FerryAPI
import FerryCore
import HTTPTypes
import Hummingbird
import NIOCore

/// What a request is answered, before the headers that every answer has.
struct Answer: Sendable {
    var status: HTTPResponse.Status
    /// Empty for answers without a body, which then have no content type either.
    var body: [UInt8] = []
    var contentType = Representation.minimalContentType
    /// Part of the Graph contract, so it carries `OData-Version`.
    var isGraph = true
    /// The answer to a read; changes are `private`.
    var isRead = true
    /// Preferences of the client that were honoured (reference 7.6).
    var appliedPreferences: [String] = []
    /// Headers that only some answers have.
    var headers: [(HTTPField.Name, String)] = []

    static func json(
        _ status: HTTPResponse.Status, _ body: [UInt8], as representation: Representation, isRead: Bool
    ) -> Answer {
        Answer(status: status, body: body, contentType: representation.contentType, isRead: isRead)
    }

    /// Of a change, without a body.
    static func empty(_ status: HTTPResponse.Status) -> Answer { Answer(status: status, isRead: false) }

    static func text(_ status: HTTPResponse.Status, _ text: String, isGraph: Bool) -> Answer {
        Answer(status: status, body: Array(text.utf8), contentType: "text/plain", isGraph: isGraph)
    }

    /// The headers of reference 7.1.
    func response(_ exchange: Exchange) -> Response {
        var fields = HTTPFields()
        fields.reserveCapacity(8)
        if !body.isEmpty { fields[.contentType] = contentType }
        let requestID = exchange.requestID.description
        fields[.requestID] = requestID
        fields[.clientRequestID] = exchange.clientRequestID ?? requestID
        if isGraph { fields[.odataVersion] = "4.0" }
        fields[.cacheControl] = isRead ? "no-cache" : "private"
        if !appliedPreferences.isEmpty {
            fields[.preferenceApplied] = appliedPreferences.joined(separator: ", ")
        }
        for (name, value) in headers { fields[name] = value }
        guard !body.isEmpty else {
            // RFC 9110 section 8.6: 204 has no Content-Length.
            var response = Response(status: status, headers: fields)
            if status == .noContent { response.headers[.contentLength] = nil }
            return response
        }
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
