import HTTPTypes
import Hummingbird

/// Leave for pages of other origins to call the API (Fetch Standard, "CORS protocol"): only those that the operator
/// named. Without a name nothing is said, which a browser takes for no.
struct CrossOrigin: Sendable {
    /// Serialized origins: scheme, host and port as browsers write them, without a slash at the end.
    let allowed: Set<String>

    /// Adds what a browser wants to read to the answer. No cookies are involved: a token is sent by the page itself.
    func allow(_ request: Request, in response: inout Response) {
        guard !allowed.isEmpty else { return }
        // The answer to another origin says something else.
        response.headers.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin = request.headers[.origin], allowed.contains(origin) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        guard request.method == .options, request.headers.contains(.accessControlRequestMethod) else {
            response.headers[.accessControlExposeHeaders] = Self.exposed
            return
        }
        response.headers[.accessControlAllowMethods] = response.headers[.allow]
        response.headers[.accessControlAllowHeaders] = Self.accepted
        response.headers[.accessControlMaxAge] = "3600"
    }

    /// Request headers of reference 7.1 that a page may not send unasked.
    private static let accepted =
        "Authorization, Content-Type, Prefer, client-request-id, return-client-request-id, ConsistencyLevel, If-Match, "
        + "SdkVersion"
    /// Answer headers of reference 7.1 that a page may not read unasked.
    private static let exposed =
        "Location, OData-Version, Preference-Applied, request-id, client-request-id, Retry-After, WWW-Authenticate"
}
