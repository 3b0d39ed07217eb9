import NIOCore

/// Watches the bytes of an HTTP/1.1 connection for request heads that begin and do not end: the one attack that a
/// timeout between requests does not see is a head that trickles in.
///
/// Stands before the decoder; the gate behind it says when a head was complete. Costs no timer unless a head comes in
/// more than one piece.
final class HeadTimer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Can become `head` with the next byte.
    enum State {
        /// Between requests; becomes `head` when a byte comes.
        case between
        /// Within a head; becomes `body` when the decoder has all of it.
        case head
        /// Within a body; becomes `between` at its end.
        case body
    }

    private(set) var state = State.between
    private let timeout: TimeAmount
    private var deadline: Scheduled<Void>?

    init(timeout: TimeAmount) { self.timeout = timeout }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if state == .between { state = .head }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if state == .head, deadline == nil {
            // The event tells the gate, which alone knows how to say something in HTTP.
            deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [self] in
                deadline = nil
                guard state == .head else { return }
                context.fireUserInboundEventTriggered(HeadTimeout())
            }
        }
        context.fireChannelReadComplete()
    }

    func headEnded() {
        state = .body
        deadline?.cancel()
        deadline = nil
    }

    func bodyEnded() { state = .between }

    func channelInactive(context: ChannelHandlerContext) {
        headEnded()
        context.fireChannelInactive()
    }
}

/// A request head was not complete in time.
struct HeadTimeout {}
