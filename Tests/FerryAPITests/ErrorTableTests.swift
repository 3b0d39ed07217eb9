import FerryAPI
import FerryCore
import Testing

/// Every row of reference 6.1 and 6.3, and the body of 7.2.
struct ErrorTableTests {
    static let rows: [(Failure, Int, String, String?)] =
        [
            (.badRequest("m", target: "$top"), 400, "BadRequest", nil),
            (.forbidden, 403, "Authorization_RequestDenied", nil),
            (.notFound("m"), 404, "NotFound", nil),
            (.refused(.jobNotFound("wave-1")), 404, "NotFound", nil),
            (.refused(.personNotFound("u")), 404, "NotFound", nil),
            (.methodNotAllowed(allow: [.get]), 405, "Request_BadRequest", nil),
            (.notAcceptable, 406, "NotAcceptable", nil),
            (.tooSlow, 408, "RequestTimeout", nil),
            (.bodyTooLarge(limit: 5), 413, "RequestEntityTooLarge", nil),
            (.unsupportedMediaType, 415, "UnsupportedMediaType", nil),
            (.unsupportedContentCoding, 415, "UnsupportedMediaType", nil),
            (.headTooLarge(limit: 5), 431, "RequestHeaderFieldsTooLarge", nil),
            (.throttled(retryAfterSeconds: 7), 429, "TooManyRequests", nil),
            (.fault, 500, "InternalServerError", nil),
            (.unavailable("m"), 503, "ServiceUnavailable", nil),
            (.refused(.unavailable("m")), 503, "ServiceUnavailable", nil),
        ]
        + ConflictReason.allCases.map { (.refused(.conflict($0, message: "m")), 409, "Conflict", $0.rawValue) }
        + FieldProblem.Code.allCases.map {
            (.refused(.invalid([FieldProblem(code: $0, target: "t", message: "m")])), 422, "BadArgument", $0.rawValue)
        }
        + TokenProblem.allCases.map { (.unauthenticated($0), 401, "InvalidAuthenticationToken", nil) }

    @Test("Every failure has its row", arguments: rows.indices)
    func everyFailureHasItsRow(_ index: Int) throws {
        let (failure, status, code, subcode) = Self.rows[index]
        let answer = failure.answer
        #expect(answer.status == status)
        #expect(answer.code == code)
        #expect(answer.details.first?.code == subcode)
        #expect(!answer.message.isEmpty)
        let body = ErrorBody.bytes(
            answer, requestID: Examples.requestID, clientRequestID: nil,
            date: Examples.instant("2031-02-10T08:15:31.5Z"))
        let error = try #require(try JSONParser.parse(body)["error"])
        #expect(error["code"]?.string == code)
        #expect(error["innerError"]?["code"]?.string == subcode)
        #expect(error["innerError"]?["request-id"]?.string == Examples.requestID.description)
    }

    @Test("The sub-codes are the documented ones")
    func subcodes() {
        #expect(
            Set(FieldProblem.Code.allCases.map(\.rawValue)) == [
                "duplicateDisplayNameJob", "minThresholdFailed", "required", "invalidValue", "readOnlyProperty",
                "tooManyResources", "duplicateResource", "clientRequestIdReused",
            ])
        #expect(
            Set(ConflictReason.allCases.map(\.rawValue)) == [
                "resourceTypeMismatch", "invalidJobStatus", "validationExpired", "cancelNotPossible",
                // Of our own namespace.
                "mappingExists", "personIsMoving",
            ])
    }

    @Test("Retry-After goes with 429 and 503, Allow with 405")
    func extras() {
        #expect(Failure.throttled(retryAfterSeconds: 7).answer.retryAfterSeconds == 7)
        #expect(Failure.unavailable("m").answer.retryAfterSeconds == 1)
        #expect(Failure.methodNotAllowed(allow: []).answer.allow == [])
        #expect(Failure.fault.answer.allow == nil)
    }

    @Test("The body has the documented shape, with all problems at once")
    func bodyShape() {
        let failure = Failure.refused(
            .invalid([
                FieldProblem(code: .duplicateDisplayNameJob, target: "displayName", message: "Taken \"here\"."),
                FieldProblem(code: .required, target: "resources", message: "Missing."),
            ]))
        let body = ErrorBody.bytes(
            failure.answer, requestID: Examples.requestID, clientRequestID: "mine",
            date: Examples.instant("2031-02-10T08:15:31.75Z"))
        #expect(
            text(body)
                == #"{"error":{"code":"BadArgument","message":"Taken \"here\".","target":"displayName","details":[{"code":"duplicateDisplayNameJob","message":"Taken \"here\".","target":"displayName"},{"code":"required","message":"Missing.","target":"resources"}],"innerError":{"code":"duplicateDisplayNameJob","date":"2031-02-10T08:15:31","request-id":"40000000-0000-0000-0000-000000000001","client-request-id":"mine"}}}"#
        )
    }
}
