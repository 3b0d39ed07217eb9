import NIOCore
import NIOSSL

/// What a ManageSieve server answers to one command.
struct SieveAnswer: Sendable {
    enum Condition: String, Sendable { case ok = "OK", no = "NO", bye = "BYE" }

    var condition: Condition
    /// The response code's name in capitals (`NONEXISTENT`, `TRYLATER`), without its arguments.
    var code: String?
    var text: String
    /// The lines before the last one.
    var lines: [[SieveWord]]
}

/// One command at a time: the bytes go out, the promise takes the answer. Lives on its event loop.
final class SieveChannel: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let host: String
    private let timeout: TimeAmount
    private var reader = SieveReader()
    private var lines: [[SieveWord]] = []
    /// Bytes that came since the last command.
    private var heard = 0
    private var waiting: EventLoopPromise<SieveAnswer>?
    private var deadline: Scheduled<Void>?
    private(set) var failure: IMAPError?
    private var context: ChannelHandlerContext?
    /// Sent when the server challenges in the midst of AUTHENTICATE.
    private var lastWord: ByteBuffer?

    init(host: String, timeout: TimeAmount) {
        self.host = host
        self.timeout = timeout
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Sends a command, or nothing where the server speaks first. `lastWord` answers a challenge.
    func ask(_ command: ByteBuffer?, lastWord: ByteBuffer? = nil) -> EventLoopFuture<SieveAnswer>? {
        guard let context else { return nil }
        let promise = context.eventLoop.makePromise(of: SieveAnswer.self)
        if let failure {
            promise.fail(failure)
            return promise.futureResult
        }
        waiting = promise
        heard = 0
        self.lastWord = lastWord
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.fail(IMAPError(.timedOut, "\(self?.host ?? "The server") did not answer over ManageSieve in time."))
        }
        if let command { context.writeAndFlush(wrapOutboundOut(command), promise: nil) } else { deliver() }
        return promise.futureResult
    }

    /// What came in the clear after the answer to STARTTLS may come from anybody.
    func secure(with handler: NIOSSLClientHandler) {
        guard let context else { return }
        guard reader.isEmpty, lines.isEmpty else {
            return fail(
                IMAPError(.insecure, "\(host) sent data in the clear after STARTTLS; the connection was closed."))
        }
        do { try context.pipeline.syncOperations.addHandler(handler, position: .first) } catch {
            fail(IMAPError(connection: error, host: host))
        }
    }

    func close() { context?.close(promise: nil) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        heard += bytes.readableBytes
        guard failure == nil else { return }
        guard heard <= SieveReader.mostBytes else {
            return fail(IMAPError(.protocolViolation, "\(host) says more over ManageSieve than anybody asked for."))
        }
        reader.append(bytes)
        deliver()
    }

    private func deliver() {
        do throws(SieveReader.Trouble) {
            while waiting != nil, let line = try reader.next() { take(line) }
        } catch {
            fail(IMAPError(.protocolViolation, "\(host) sent something over ManageSieve that breaks RFC 5804."))
        }
    }

    private func take(_ line: [SieveWord]) {
        guard case .atom(let word)? = line.first, let condition = SieveAnswer.Condition(rawValue: word.uppercased())
        else {
            if line.count == 1, case .string = line[0], let word = lastWord, let context {
                lastWord = nil
                return context.writeAndFlush(wrapOutboundOut(word), promise: nil)
            }
            lines.append(line)
            return
        }
        var rest = line.dropFirst()
        var code: String?
        if rest.first == .open {
            code = rest.dropFirst().first?.text?.uppercased()
            rest = rest.drop { $0 != .close }.dropFirst()
        }
        let text = String((rest.first?.text ?? "").prefix(200).filter { !$0.isNewline })
        let answer = SieveAnswer(condition: condition, code: code, text: text, lines: lines)
        lines = []
        settle(.success(answer))
    }

    private func settle(_ result: Result<SieveAnswer, IMAPError>) {
        deadline?.cancel()
        deadline = nil
        let waiting = waiting
        self.waiting = nil
        switch result {
        case .success(let answer): waiting?.succeed(answer)
        case .failure(let error): waiting?.fail(error)
        }
    }

    private func fail(_ error: IMAPError) {
        failure = failure ?? error
        settle(.failure(failure ?? error))
        context?.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(IMAPError(.connectionLost, "\(host) closed the ManageSieve connection."))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(IMAPError(connection: error, host: host))
    }
}
