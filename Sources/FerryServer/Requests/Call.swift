import FerryAPI
import FerryCore

/// A request after authentication and routing: what an operation still has to read.
struct Call: Sendable {
    var requestID: GUID
    var principal: Principal
    var rawQuery: Substring
    var accept: String?
    var contentType: String?
    var preferences: Preferences
    var links: Links
    /// The whole body of a change; empty for reads.
    var body: [UInt8]
    /// The client's own id of the request, if it sent a usable one.
    var clientRequestID: String?
    /// Address of the client; empty for reads.
    var origin: String

    /// The query options, of which the resource allows these.
    func options(
        _ allowed: @autoclosure () -> Set<QueryOptions.Option> = []
    ) throws(Failure) -> QueryOptions {
        // Most requests have no query, and then the set need not be made.
        try QueryOptions(rawQuery, allowing: rawQuery.isEmpty ? [] : allowed())
    }

    /// How the client wants its JSON. Throws `Failure.notAcceptable` when it wants none.
    func representation(_ options: QueryOptions) throws(Failure) -> Representation {
        Representation(
            links: links, metadata: try Negotiation.metadata(accept: accept, format: options[.format]))
    }

    /// The body of a change. Throws `Failure.unsupportedMediaType` unless it is JSON or empty.
    func json() throws(Failure) -> [UInt8] {
        guard body.isEmpty || Negotiation.isJSON(contentType: contentType) else { throw .unsupportedMediaType }
        return body
    }
}
