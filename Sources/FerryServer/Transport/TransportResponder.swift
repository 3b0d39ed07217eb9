import HTTPTypes
import Hummingbird

/// What an answer gets because of the connection it goes over: a content coding that the client accepts, and the wish
/// to be asked over TLS only.
struct TransportResponder<Base: HTTPResponder>: HTTPResponder {
    let base: Base
    let settings: ServerSettings

    /// Of RFC 6797 section 6.1.1: a year.
    private static var transportSecurity: String { "max-age=31536000" }

    @concurrent func respond(to request: Request, context: Base.Context) async throws -> Response {
        var response = try await base.respond(to: request, context: context)
        if settings.isEncrypted { response.headers[.strictTransportSecurity] = Self.transportSecurity }
        try await encode(&response, for: request)
        return response
    }

    /// Whether `Accept-Encoding` gives weights. Looks without copying, because every request comes by here.
    private static func weighs(_ fields: HTTPFields) -> Bool {
        fields.contains { $0.name == .acceptEncoding && $0.value.utf8.contains(UInt8(ascii: ";")) }
    }

    private func encode(_ response: inout Response, for request: Request) async throws {
        // The answer to HEAD has the length of the body that it does not have.
        let length =
            request.method == .head
            ? response.headers[.contentLength].flatMap { Int($0) } : response.body.contentLength
        let isSmall = length.map { $0 < settings.compressionThresholdBytes } ?? false
        // Most requests end here. A small answer is the same for everybody but those who refuse plain bytes, which takes
        // a weight to say.
        guard length != 0, !isSmall || Self.weighs(request.headers),
            !response.headers.contains(.contentEncoding),
            ContentCoding.isWorthwhile(for: response.headers[.contentType])
        else { return }
        let preference = ContentCoding.preference(request.headers[.acceptEncoding])
        guard !isSmall || preference.refusesIdentity else { return }
        // RFC 9110 section 12.5.5: whoever keeps this answer must know what it depends on.
        response.headers.append(HTTPField(name: .vary, value: "Accept-Encoding"))
        guard let coding = preference.coding else { return }
        response.headers[.contentEncoding] = coding.rawValue
        if request.method == .head {
            // The length would be known only after the work that HEAD is there to save.
            response.headers[.contentLength] = nil
        } else {
            response.body = try await CompressedBody.make(response.body, coding)
        }
    }
}
