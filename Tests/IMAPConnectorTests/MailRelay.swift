import NIOCore
import NIOPosix
import Synchronization

/// Stands between Ferry and a server on loopback: counts what crosses, and may say something else than the server says.
final class MailRelay: Sendable {
    struct Traffic: Sendable, Hashable {
        /// How often the client spoke after the server had: what a slow link makes wait for.
        var turns = 0
        /// Bytes that came from the server.
        var received = 0
        /// What the client sent, without the ends of lines.
        var lines: [String] = []
        fileprivate var isClientsTurn = true
    }

    fileprivate final class Counter: Sendable {
        let traffic = Mutex(Traffic())

        func note(fromClient bytes: ByteBuffer) {
            traffic.withLock { traffic in
                if traffic.isClientsTurn { traffic.turns += 1 }
                traffic.isClientsTurn = false
                traffic.lines += String(buffer: bytes).split(separator: "\r\n").map(String.init)
            }
        }

        func note(fromServer bytes: ByteBuffer) {
            traffic.withLock { traffic in
                traffic.isClientsTurn = true
                traffic.received += bytes.readableBytes
            }
        }
    }

    private let channel: any Channel
    private let counter: Counter

    var port: Int { channel.localAddress?.port ?? 0 }
    var traffic: Traffic { counter.traffic.withLock { $0 } }

    func reset() { counter.traffic.withLock { $0 = Traffic() } }

    /// - Parameter rewrite: makes of each line of the server, with its end, what the client is told.
    static func open(
        to port: Int, _ rewrite: (@Sendable (String) -> String)? = nil
    ) async throws -> MailRelay {
        let counter = Counter()
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { client in
                // Nothing is read from the server before there is somebody to tell.
                ClientBootstrap(group: client.eventLoop).channelOption(.autoRead, value: false)
                    .connect(host: "127.0.0.1", port: port).flatMap { server in
                        client.eventLoop.makeCompletedFuture {
                            try server.pipeline.syncOperations.addHandler(
                                ServersEar(to: client, counter, rewrite))
                            try client.pipeline.syncOperations.addHandler(ClientsEar(to: server, counter))
                        }
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return MailRelay(channel, counter)
    }

    private init(_ channel: any Channel, _ counter: Counter) { (self.channel, self.counter) = (channel, counter) }

    deinit { channel.close(promise: nil) }
}

private final class ClientsEar: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let server: any Channel
    private let counter: MailRelay.Counter

    init(to server: any Channel, _ counter: MailRelay.Counter) { (self.server, self.counter) = (server, counter) }

    func channelActive(context: ChannelHandlerContext) {
        server.setOption(.autoRead, value: true).whenComplete { [server] _ in server.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        counter.note(fromClient: bytes)
        server.writeAndFlush(bytes, promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { server.close(promise: nil) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

private final class ServersEar: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let client: any Channel
    private let counter: MailRelay.Counter
    private let rewrite: (@Sendable (String) -> String)?
    /// A line that is not complete.
    private var rest = ByteBuffer()

    init(to client: any Channel, _ counter: MailRelay.Counter, _ rewrite: (@Sendable (String) -> String)?) {
        (self.client, self.counter, self.rewrite) = (client, counter, rewrite)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        counter.note(fromServer: bytes)
        guard let rewrite else { return client.writeAndFlush(bytes, promise: nil) }
        rest.writeBuffer(&bytes)
        var told = ByteBuffer()
        while let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            guard var line = rest.readSlice(length: end - rest.readerIndex + 1) else { break }
            // Contents may be anything; what is changed is text.
            if let text = String(validating: line.readableBytesView, as: UTF8.self) {
                told.writeString(rewrite(text))
            } else {
                told.writeBuffer(&line)
            }
        }
        if told.readableBytes > 0 { client.writeAndFlush(told, promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        client.writeAndFlush(rest).whenComplete { [client] _ in client.close(promise: nil) }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
