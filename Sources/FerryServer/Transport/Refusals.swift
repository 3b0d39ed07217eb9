import FerryAPI
import FerryEngine
import HTTPTypes
import Logging
import NIOCore

/// The answers to what never became a request: the Graph error shape and the headers of every other answer.
struct Refusals: Sendable {
    let effects: Effects
    let logger: Logger

    func answer(to failure: Failure) -> (HTTPResponse, ByteBuffer) {
        let exchange = Exchange(requestID: effects.makeGUID())
        let row = failure.answer
        let bytes = ErrorBody.bytes(
            row, requestID: exchange.requestID, clientRequestID: nil, date: effects.now())
        let answer = Answer(status: .init(code: row.status), body: .bytes(bytes), isRead: false)
        var head = HTTPResponse(status: answer.status, headerFields: answer.fields(exchange))
        head.headerFields[.contentLength] = String(bytes.count)
        head.headerFields[.connection] = "close"
        logger.info(
            "Request refused before it was whole",
            metadata: ["request-id": "\(exchange.requestID)", "status": "\(row.status)"])
        return (head, ByteBuffer(bytes: bytes))
    }
}
