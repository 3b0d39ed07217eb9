import FerryTestKit
import NIOCore
import NIOPosix
import Synchronization

/// Stands between Ferry and a server on loopback, and dies with the process: at a request, which then never gets through, or
/// at an answer, which then nobody hears. Every request and every answer is a boundary.
final class DAVRelay: Sendable {
    private let channel: any Channel

    var port: Int { channel.localAddress?.port ?? 0 }

    static func open(to port: Int, _ points: CrashPoints) async throws -> DAVRelay {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { client in
                // Nothing is read before there is somebody to tell.
                ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: port).flatMap { server in
                        client.eventLoop.makeCompletedFuture {
                            let talk = Talk(points)
                            try server.pipeline.syncOperations.addHandler(Ear(to: client, talk, isClient: false))
                            try client.pipeline.syncOperations.addHandler(Ear(to: server, talk, isClient: true))
                        }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return DAVRelay(channel)
    }

    private init(_ channel: any Channel) { self.channel = channel }

    deinit { channel.close(promise: nil) }
}

/// Who speaks on a connection. Requests are not pipelined, so a change of speakers is the beginning of a message.
private final class Talk: Sendable {
    private let isClientSpeaking = Mutex(false)
    private let points: CrashPoints

    init(_ points: CrashPoints) { self.points = points }

    /// Whether these bytes get through.
    func passes(fromClient: Bool) -> Bool {
        let isNew = isClientSpeaking.withLock { speaking in
            defer { speaking = fromClient }
            return speaking != fromClient
        }
        return isNew ? points.pass() : !points.isDead
    }
}

private final class Ear: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let other: any Channel
    private let talk: Talk
    private let isClient: Bool

    init(to other: any Channel, _ talk: Talk, isClient: Bool) {
        (self.other, self.talk, self.isClient) = (other, talk, isClient)
    }

    func channelActive(context: ChannelHandlerContext) {
        if isClient { other.setOption(.autoRead, value: true).whenComplete { [other] _ in other.read() } }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard talk.passes(fromClient: isClient) else {
            other.close(promise: nil)
            return context.close(promise: nil)
        }
        other.writeAndFlush(unwrapInboundIn(data), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
