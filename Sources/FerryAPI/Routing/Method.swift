/// An HTTP request method, as far as any resource of the API knows it.
package enum Method: String, Sendable, Hashable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case patch = "PATCH"
    case delete = "DELETE"
    case put = "PUT"
    case head = "HEAD"
    case options = "OPTIONS"
    /// A method that no resource allows.
    case other = "*"

    /// Methods are case-sensitive (RFC 9110 section 9.1).
    package init(token: String) {
        self = token == "*" ? .other : Method(rawValue: token) ?? .other
    }
}
