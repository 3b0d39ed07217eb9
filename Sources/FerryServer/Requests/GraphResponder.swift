import FerryEngine
import Hummingbird

/// The HTTP face of the pipeline: gives each request its id, hands it over, and writes the answer with the headers that
/// all answers have.
struct GraphResponder: HTTPResponder {
    let settings: ServerSettings
    let pipeline: Pipeline
    let effects: Effects

    func respond(to request: Request, context: ServerContext) async throws -> Response {
        let exchange = Exchange(request.head, requestID: effects.makeGUID(), settings: settings)
        let origin = Origin(
            channel: context.channel,
            forwarded: settings.trustedProxies.isEmpty ? [] : request.headers[values: .xForwardedFor],
            trusting: settings.trustedProxies)
        let message = Message(request, from: origin, isMultiplexed: context.isMultiplexed)
        let answer = await pipeline.answer(message, exchange)
        if answer.leavesBodyUnread { context.closeSoon() }
        var response = answer.response(exchange)
        CrossOrigin(allowed: settings.allowedOrigins).allow(request, in: &response)
        // HEAD has the headers of an answer and never a body (RFC 9110 section 9.3.2).
        return request.head.method == .head ? response.createHeadResponse() : response
    }
}
