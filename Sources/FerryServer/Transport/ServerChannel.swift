import FerryCore
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// What a connection becomes: HTTP/1.1, or with a certificate TLS and then HTTP/2 or HTTP/1.1, as the client prefers
/// (ALPN, RFC 7301).
///
/// The limits of HTTP/2 are those of NIO: 100 streams at once, 16 KiB of headers, and an end for connections that reset
/// more than 200 streams in 30 seconds (CVE-2023-44487) or send as many control frames.
struct ServerChannel: ServerChildChannel {
    enum Connection: Sendable {
        case http1(HTTP1Channel.Value)
        case http2(HTTP2Channel.Value)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        /// Fails when the client goes away before it is clear what it speaks.
        let connection: EventLoopFuture<Connection>
    }

    private let http1: HTTP1Channel
    private let http2: HTTP2Channel
    private let certificate: ServerCertificate?
    private let settings: ServerSettings

    init(
        settings: ServerSettings, certificate: ServerCertificate?, drain: Drain, refusals: Refusals,
        responder: @escaping HTTPChannelHandler.Responder
    ) {
        self.settings = settings
        self.certificate = certificate
        let stall = TimeAmount(settings.idleTimeout)
        var plain = HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                StallTimer(timeout: stall), RequestGate(settings: settings, drain: drain, refusals: refusals),
            ],
            idleTimeout: stall)
        plain.httpDecoder = .init(
            maxHeaderFieldSize: settings.maximumHeadBytes, maxHeaderListSize: settings.maximumHeadBytes,
            maxHeaderFieldCount: 128)
        http1 = HTTP1Channel(responder: responder, configuration: plain)
        http2 = HTTP2Channel(
            responder: responder,
            configuration: HTTP2ChannelConfiguration(
                idleTimeout: settings.idleTimeout, gracefulCloseTimeout: settings.drainTimeout,
                streamConfiguration: .init(
                    additionalChannelHandlers: [StallTimer(timeout: stall)], idleTimeout: stall)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        guard let certificate else {
            return makeHTTP1(channel, logger).map {
                Value(channel: channel, connection: channel.eventLoop.makeSucceededFuture(.http1($0)))
            }
        }
        return channel.eventLoop.makeCompletedFuture {
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Connection> { result in
                if case .negotiated("h2") = result {
                    http2.setup(channel: channel, logger: logger).map { .http2($0) }
                } else {
                    // RFC 7301 leaves what a client without the extension speaks to the port: HTTP/1.1.
                    makeHTTP1(channel, logger).map { .http1($0) }
                }
            }
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(NIOSSLServerHandler(context: certificate.context))
            try pipeline.addHandler(negotiation)
            let connection = negotiation.protocolNegotiationResult
            let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(settings.headTimeout)) {
                channel.close(promise: nil)
            }
            connection.whenComplete { _ in deadline.cancel() }
            return Value(channel: channel, connection: connection)
        }
    }

    private func makeHTTP1(_ channel: any Channel, _ logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(HeadTimer(timeout: TimeAmount(settings.headTimeout)))
        }.flatMap { http1.setup(channel: channel, logger: logger) }
    }

    func handle(value: Value, logger: Logger) async {
        do {
            switch try await value.connection.get() {
            case .http1(let connection): await http1.handle(value: connection, logger: logger)
            case .http2(let connection): await http2.handle(value: connection, logger: logger)
            }
        } catch {
            logger.debug("Connection ended before a request", metadata: ["error": "\(error)"])
        }
    }
}
