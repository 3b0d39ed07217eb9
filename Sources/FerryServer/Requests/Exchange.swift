import FerryAPI
import FerryCore
import HTTPTypes

/// The facts of one request that its answer repeats.
struct Exchange: Sendable {
    let requestID: GUID
    /// The client's own id, if it sent one that is short and printable.
    let clientRequestID: String?
    /// Base URL of links.
    let base: String
    /// Host and port by which the client reached us, which it may use in a batch instead of the base URL.
    private let authority: String?

    /// Base URLs that mean ours, too.
    var aliases: [String] { authority.map { ["http://" + $0, "https://" + $0] } ?? [] }

    init(_ head: HTTPRequest, requestID: GUID, settings: ServerSettings) {
        self.requestID = requestID
        clientRequestID = Self.clientRequestID(head.headerFields)
        authority = head.authority
        if let fixed = settings.publicBaseURL {
            base = fixed
        } else if let authority = head.authority, Self.isAuthority(authority) {
            base = (settings.isEncrypted ? "https://" : "http://") + authority
        } else {
            base = "\(settings.isEncrypted ? "https" : "http")://\(settings.host):\(settings.port)"
        }
    }

    /// Of something that never became a request.
    init(requestID: GUID) { self.init(requestID: requestID, clientRequestID: nil, base: "", authority: nil) }

    private init(requestID: GUID, clientRequestID: String?, base: String, authority: String?) {
        self.requestID = requestID
        self.clientRequestID = clientRequestID
        self.base = base
        self.authority = authority
    }

    /// That of a request inside a batch: it has an id of its own, and the client's id of the batch if it brings none.
    func inner(requestID: GUID, _ headers: HTTPFields) -> Exchange {
        Exchange(
            requestID: requestID, clientRequestID: Self.clientRequestID(headers) ?? clientRequestID, base: base,
            authority: authority)
    }

    private static func clientRequestID(_ headers: HTTPFields) -> String? {
        headers[.clientRequestID].flatMap { text in
            let isFit =
                !text.isEmpty && text.utf8.count <= APILimits.clientRequestID
                && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            return isFit ? text : nil
        }
    }

    /// Host and port, nothing that could mean something else in a link.
    private static func isAuthority(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
                    true
                default: false
                }
            }
    }
}

extension HTTPField.Name {
    static let requestID = known("request-id")
    static let clientRequestID = known("client-request-id")
    static let odataVersion = known("OData-Version")
    static let xForwardedFor = known("X-Forwarded-For")
    static let rateLimitLimit = known("RateLimit-Limit")
    static let rateLimitRemaining = known("RateLimit-Remaining")
    static let rateLimitReset = known("RateLimit-Reset")
    static let prefer = known("Prefer")
    static let preferenceApplied = known("Preference-Applied")

    private static func known(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("'\(text)' is not a header name.") }
        return name
    }
}
