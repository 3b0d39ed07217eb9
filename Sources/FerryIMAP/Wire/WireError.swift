/// Why bytes from a server are not IMAP. Says nothing of contents: `place` names the response, never its data.
package enum WireError: Error, Sendable, Hashable {
    /// A line with its collected literals is longer than the limit in bytes.
    case tooLong(limit: Int, place: String)
    /// Parentheses are nested deeper than the limit.
    case tooDeep(limit: Int, place: String)
    /// The grammar of RFC 9051 section 9 is broken beyond what can be read anyway; `expected` is what was missing.
    case malformed(expected: String, place: String)

    /// One sentence for people.
    package var message: String {
        switch self {
        case .tooLong(let limit, let place): "The response \(place) is longer than \(limit) bytes."
        case .tooDeep(let limit, let place): "The response \(place) is nested deeper than \(limit) levels."
        case .malformed(let expected, let place): "The response \(place) cannot be read: \(expected) was expected."
        }
    }
}

/// What a server may make Ferry hold. Bodies of messages are not held and have no limit.
package struct WireLimits: Sendable, Hashable {
    /// Bytes of one response without the bodies that stream. A SEARCH answer over a million messages has 8 MB.
    package var responseBytes = 16 << 20
    /// Levels of parentheses; BODYSTRUCTURE of a deeply forwarded mail has dozens.
    package var depth = 256

    package init() {}
}
