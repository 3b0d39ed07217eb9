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

    init(_ head: HTTPRequest, requestID: GUID, settings: ServerSettings) {
        self.requestID = requestID
        clientRequestID = head.headerFields[.clientRequestID].flatMap { text in
            let isFit =
                !text.isEmpty && text.utf8.count <= APILimits.clientRequestID
                && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            return isFit ? text : nil
        }
        if let fixed = settings.publicBaseURL {
            base = fixed
        } else if let authority = head.authority, Self.isAuthority(authority) {
            base = "http://" + authority
        } else {
            base = "http://\(settings.host):\(settings.port)"
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
    static let prefer = known("Prefer")
    static let preferenceApplied = known("Preference-Applied")

    private static func known(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("'\(text)' is not a header name.") }
        return name
    }
}
