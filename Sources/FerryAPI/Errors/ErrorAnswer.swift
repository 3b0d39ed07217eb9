import FerryCore

/// One row of the error table: what the client sees (reference 6.1, 6.3).
package struct ErrorAnswer: Sendable, Hashable {
    /// A finer cause; `code` is the documented sub-code.
    package struct Detail: Sendable, Hashable {
        package var code: String
        package var message: String
        package var target: String?
    }

    /// HTTP status.
    package var status: Int
    /// `error.code`, which clients branch on.
    package var code: String
    package var message: String
    /// The member or option that is wrong.
    package var target: String?
    package var details: [Detail] = []
    /// Value of `Allow`, with status 405.
    package var allow: [Method]?
    /// Value of `Retry-After`, with status 429 and 503.
    package var retryAfterSeconds: Int?

    fileprivate init(
        _ status: Int, _ code: String, _ message: String, target: String? = nil, details: [Detail] = []
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = details
    }
}

extension Failure {
    /// The table.
    package var answer: ErrorAnswer {
        switch self {
        case .badRequest(let message, let target): return ErrorAnswer(400, "BadRequest", message, target: target)
        case .unauthenticated(let problem): return ErrorAnswer(401, "InvalidAuthenticationToken", problem.text)
        case .forbidden:
            return ErrorAnswer(
                403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        case .notFound(let message): return ErrorAnswer(404, "NotFound", message)
        case .methodNotAllowed(let allow):
            var answer = ErrorAnswer(
                405, "Request_BadRequest",
                allow.isEmpty
                    ? "No method is supported on this path."
                    : "The method is not supported on this path; allowed: \(Method.list(allow)).")
            answer.allow = allow
            return answer
        case .notAcceptable:
            return ErrorAnswer(
                406, "NotAcceptable", "Only application/json can be sent here; Accept or $format excludes it.")
        case .tooSlow:
            return ErrorAnswer(408, "RequestTimeout", "The request did not arrive completely in time. Send it again.")
        case .bodyTooLarge(let limit):
            return ErrorAnswer(413, "RequestEntityTooLarge", "The body is larger than \(limit) bytes.")
        case .unsupportedMediaType:
            return ErrorAnswer(415, "UnsupportedMediaType", "The body must be application/json in UTF-8.")
        case .unsupportedContentCoding:
            return ErrorAnswer(
                415, "UnsupportedMediaType", "The body must be sent as it is: Content-Encoding is not understood here.")
        case .headTooLarge(let limit):
            return ErrorAnswer(
                431, "RequestHeaderFieldsTooLarge", "The request line and headers are larger than \(limit) bytes.")
        case .refused(let refusal): return refusal.answer
        case .dependencyFailed:
            return ErrorAnswer(
                424, "FailedDependency", "A request of the batch on which this one depends was not successful.")
        case .throttled(let seconds):
            var answer = ErrorAnswer(
                429, "TooManyRequests", "Too many requests. Wait as long as Retry-After says.")
            answer.retryAfterSeconds = seconds
            return answer
        case .unavailable(let message):
            var answer = ErrorAnswer(503, "ServiceUnavailable", message)
            answer.retryAfterSeconds = 1
            return answer
        case .fault:
            return ErrorAnswer(
                500, "InternalServerError", "Something broke on our side. The log has it under this request-id.")
        }
    }
}

extension Refusal {
    fileprivate var answer: ErrorAnswer {
        switch self {
        case .jobNotFound(let key): return ErrorAnswer(404, "NotFound", "Job '\(key.prefix(256))' was not found.")
        case .personNotFound(let key):
            return ErrorAnswer(404, "NotFound", "User '\(key.prefix(256))' was not found in this job.")
        case .invalid(let problems):
            let first = problems.first
            return ErrorAnswer(
                422, "BadArgument", first?.message ?? "The body is not valid.", target: first?.target,
                details: problems.map { .init(code: $0.code.rawValue, message: $0.message, target: $0.target) })
        case .conflict(let reason, let message):
            return ErrorAnswer(
                409, "Conflict", message, details: [.init(code: reason.rawValue, message: message, target: nil)])
        case .unavailable(let message): return Failure.unavailable(message).answer
        }
    }
}

extension Method {
    /// As the `Allow` header writes it.
    package static func list(_ methods: [Method]) -> String { methods.map(\.rawValue).joined(separator: ", ") }
}
