package import FerryCore

/// Everything that can keep a request from its answer. What it looks like on the wire is decided by one table,
/// `Failure.answer`; nothing else builds an error body.
package enum Failure: Error, Sendable, Hashable {
    /// Path, query or body cannot be understood. `target` names the member or option where there is one.
    case badRequest(String, target: String?)
    /// No token, or one that proves nothing.
    case unauthenticated(TokenProblem)
    /// The token is good but gives no right to this.
    case forbidden
    /// No such thing in the caller's tenant.
    case notFound(String)
    case methodNotAllowed(allow: [Method])
    /// The client accepts nothing that we can send.
    case notAcceptable
    /// The request took longer to arrive than the server waits.
    case tooSlow
    case bodyTooLarge(limit: Int)
    /// Request line and header lines together.
    case headTooLarge(limit: Int)
    /// The body is not JSON.
    case unsupportedMediaType
    /// The body is compressed.
    case unsupportedContentCoding
    /// Well-formed, but the engine would not.
    case refused(Refusal)
    /// A request in a batch on which this one depends has failed.
    case dependencyFailed
    case throttled(retryAfterSeconds: Int)
    /// The server cannot work right now; trying again is safe.
    case unavailable(String)
    /// A bug of ours or a damaged store. Details are in the log only.
    case fault
}

/// Why a bearer token was not accepted.
package enum TokenProblem: String, Sendable, Hashable, CaseIterable {
    case missing, malformed, algorithm, ownKey, unknownKey, signature, expired, notYetValid, audience, issuer, tenant

    /// For the person who reads the 401; says nothing about what would have been right.
    package var text: String {
        switch self {
        case .missing: "Access token is empty. Send it as 'Authorization: Bearer <token>'."
        case .malformed: "The access token is not a well-formed JSON Web Token."
        case .algorithm: "The access token is signed with an algorithm that is not accepted here."
        case .ownKey: "The access token brings a key of its own in its header, which is not accepted here."
        case .unknownKey: "The access token was signed with a key that is not known here."
        case .signature: "The access token's signature is invalid."
        case .expired: "Lifetime validation failed, the token is expired."
        case .notYetValid: "Lifetime validation failed, the token is not valid yet."
        case .audience: "Access token validation failure: invalid audience."
        case .issuer: "Access token validation failure: invalid issuer."
        case .tenant: "Access token validation failure: the token's tenant is not known here."
        }
    }
}
