package import FerryCore

/// The error body of reference 7.2.
///
/// ```json
/// {"error":{"code":"NotFound","message":"…","innerError":{"date":"2031-02-10T08:15:31","request-id":"…",
/// "client-request-id":"…"}}}
/// ```
package enum ErrorBody {
    /// The sub-code of the first detail is repeated as `innerError.code`, for clients that only look there (Q12).
    package static func bytes(
        _ answer: ErrorAnswer, requestID: GUID, clientRequestID: String?, date: Instant
    ) -> [UInt8] {
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.key("error")
            json.object { json in
                json.member("code", answer.code)
                json.member("message", answer.message)
                if let target = answer.target { json.member("target", target) }
                if !answer.details.isEmpty {
                    json.key("details")
                    json.array { json in
                        for detail in answer.details {
                            json.object { json in
                                json.member("code", detail.code)
                                json.member("message", detail.message)
                                if let target = detail.target { json.member("target", target) }
                            }
                        }
                    }
                }
                json.key("innerError")
                json.object { json in
                    if let finer = answer.details.first { json.member("code", finer.code) }
                    json.key("date")
                    json.instantWithoutZone(date)
                    json.key("request-id")
                    json.guid(requestID)
                    json.key("client-request-id")
                    if let clientRequestID { json.string(clientRequestID) } else { json.guid(requestID) }
                }
            }
        }
        return json.bytes
    }
}
