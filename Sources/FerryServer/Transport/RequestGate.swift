import FerryAPI
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// The manners of one HTTP/1.1 connection: what cannot be read as a request is answered in the API's own words, a head
/// or a body that does not arrive in time ends the connection, and so does an answer when the server is on its way out.
///
/// Stands between the codec and the request loop, with a `HeadTimer` before the decoder.
final class RequestGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let settings: ServerSettings
    private let drain: Drain
    private let refusals: Refusals
    private var headTimer: HeadTimer?
    /// Requests whose answer has not ended.
    private var unanswered = 0
    private var isReadingBody = false
    /// Why nothing more will be read.
    private var refusal: Failure?
    private var isLastAnswer = false
    private var closing: Scheduled<Void>?

    /// Time for a client to read what it was told before the connection goes away under what it is still sending:
    /// closing at once would make the kernel throw the answer away.
    private static let linger = TimeAmount.seconds(2)

    init(settings: ServerSettings, drain: Drain, refusals: Refusals) {
        self.settings = settings
        self.drain = drain
        self.refusals = refusals
    }

    func handlerAdded(context: ChannelHandlerContext) {
        headTimer = try? context.pipeline.syncOperations.handler(type: HeadTimer.self)
    }

    func handlerRemoved(context: ChannelHandlerContext) { cancelClosing() }

    func channelInactive(context: ChannelHandlerContext) {
        cancelClosing()
        context.fireChannelInactive()
    }

    // MARK: requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            unanswered += 1
            isReadingBody = true
            headTimer?.headEnded()
        case .body: break
        case .end:
            isReadingBody = false
            headTimer?.bodyEnded()
            if closing != nil, !isLastAnswer { cancelClosing() }
            if isLastAnswer, unanswered == 0 { context.close(promise: nil) }
        }
        context.fireChannelRead(data)
    }

    /// The request loop answers a parser's error with an empty 400, in its turn; the answer gets its words on the way
    /// out. An error of the loop's own codec counts as one of the parser.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case HTTPParserError.headerOverflow:
            refusal = .headTooLarge(limit: settings.maximumHeadBytes)
        case let error as HTTPParserError:
            refusal = .badRequest("The request is not HTTP/1.1: \(error).", target: nil)
        case is HTTP1TypeConversionError:
            refusal = .badRequest("The request is not HTTP/1.1: its method or target is no token.", target: nil)
            context.fireErrorCaught(HTTPParserError.unknown)
            return
        default: break
        }
        context.fireErrorCaught(error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is HeadTimeout else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        isLastAnswer = true
        // An earlier request has its answer first; that answer ends the connection.
        guard unanswered == 0 else { return }
        let (head, body) = refusals.answer(to: .tooSlow)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }

    // MARK: answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if let refusal, !head.headerFields.contains(.requestID) {
                let (head, body) = refusals.answer(to: refusal)
                context.write(wrapOutboundOut(.head(head)), promise: promise)
                context.write(wrapOutboundOut(.body(body)), promise: nil)
                return
            }
            if isLastAnswer || refusal != nil || drain.hasBegun || head.status == .requestTimeout
                || head.status == .contentTooLarge
            {
                isLastAnswer = true
                head.headerFields[.connection] = "close"
                context.write(wrapOutboundOut(.head(head)), promise: promise)
            } else {
                context.write(data, promise: promise)
            }
        case .body: context.write(data, promise: promise)
        case .end:
            unanswered = max(0, unanswered - 1)
            guard isLastAnswer || refusal != nil || isReadingBody else {
                context.write(data, promise: promise)
                return
            }
            context.writeAndFlush(data, promise: promise)
            if isReadingBody || refusal != nil {
                let isLast = isLastAnswer || refusal != nil
                close(context, after: isLast ? Self.linger : TimeAmount(settings.requestTimeout))
            } else {
                context.close(promise: nil)
            }
        }
    }

    /// Ends the connection, unless the body that nobody waits for arrives before.
    private func close(_ context: ChannelHandlerContext, after time: TimeAmount) {
        guard closing == nil else { return }
        closing = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func cancelClosing() {
        closing?.cancel()
        closing = nil
    }
}
