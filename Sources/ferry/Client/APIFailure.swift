/// Why a request did not give what was asked for.
enum APIFailure: Error, Sendable {
    /// The server answered with an error body (Graph reference 7.2).
    case refused(Refusal)
    /// No answer: nobody listens, the connection broke, or the time was over.
    case unreachable(server: String, reason: String)
    /// An answer that is none of Ferry's.
    case unintelligible(server: String, status: Int, reason: String)

    /// What the server said no with.
    struct Refusal: Hashable, Sendable {
        var status: Int
        var code: String
        var message: String
        /// The member of the body that is meant.
        var target: String?
        var details: [Detail]
        /// Finds the request in the server's log.
        var requestID: String?
        /// Seconds after which another try makes sense.
        var retryAfterSeconds: Int?
    }

    struct Detail: Hashable, Sendable, Decodable {
        var code: String
        var message: String
        var target: String?
    }
}

/// The wire's error body.
struct ErrorBody: Decodable {
    struct Content: Decodable {
        var code: String
        var message: String
        var target: String?
        var details: [APIFailure.Detail]?
        var innerError: InnerError?
    }

    struct InnerError: Decodable {
        var requestID: String?
        enum CodingKeys: String, CodingKey { case requestID = "request-id" }
    }

    var error: Content
}
