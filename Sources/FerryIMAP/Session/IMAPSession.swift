package import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// One authenticated connection to an IMAP server.
///
/// All verbs may be called at the same time from many tasks: their commands go out at once, in the order of the calls,
/// without waiting for the answers of those before. So `select` and the verbs on its messages need not wait for each
/// other either, as long as they are called in that order; after a failed `select` those behind it fail too.
/// A failed connection fails every verb in flight and every later one; reconnecting is the caller's decision.
/// Cancelling a task that waits for a verb throws `cancelled`; the command itself may still be carried out.
package final class IMAPSession: Sendable {
    /// What the server offers, after authentication.
    package let capabilities: Capabilities
    /// Mailbox names are UTF-8 (UTF8=ACCEPT was enabled, or the server knows only IMAP4rev2), else modified UTF-7.
    package let usesUTF8: Bool
    /// QRESYNC is enabled: select with a known state tells what vanished.
    package var usesQResync: Bool { told.enabled.contains("QRESYNC") }
    /// What the server said it is (ID, RFC 2971), such as `name` and `version`, keys in lower case; empty when silent. Known
    /// from the first answer on that `IMAPSession` gives to anything.
    package var serverIdentity: [String: String] { told.identity }

    let connection: NIOLoopBound<Connection>
    let eventLoop: any EventLoop
    let options: SessionOptions
    let literals: LiteralStyle
    /// What `unselect` needs to know where there is no UNSELECT.
    let selected = Mutex<MailboxName?>(nil)
    private let told: Login.Told
    private let shared: Connection.Shared
    private let channel: any Channel

    /// Connects, secures the link, authenticates and enables what the options ask for. `group` gives the event loop.
    package static func connect(
        to endpoint: IMAPEndpoint, as credentials: IMAPCredentials, options: SessionOptions = SessionOptions(),
        on group: any EventLoopGroup
    ) async throws(IMAPError) -> IMAPSession {
        let tls = endpoint.security == .none ? nil : try await TLSContexts.context(trusting: endpoint.trust)
        let shared = Connection.Shared()
        let (channel, connection) = try await open(endpoint, tls, options, shared, group)
        let login = Login(
            connection: connection, eventLoop: channel.eventLoop, endpoint: endpoint, credentials: credentials,
            options: options)
        var secure: (@Sendable (Connection) -> Void)?
        if endpoint.security == .startTLS, let tls {
            secure = { connection in
                do {
                    connection.secure(with: try TLSContexts.handler(tls, for: endpoint))
                } catch {
                    connection.fail(IMAPError(connection: error, host: endpoint.host))
                }
            }
        }
        do throws(IMAPError) {
            return IMAPSession(try await login.run(secure: secure), channel, connection, shared, options)
        } catch {
            channel.eventLoop.execute { connection.value.fail(error) }
            throw error
        }
    }

    private static func open(
        _ endpoint: IMAPEndpoint, _ tls: NIOSSLContext?, _ options: SessionOptions, _ shared: Connection.Shared,
        _ group: any EventLoopGroup
    ) async throws(IMAPError) -> (any Channel, NIOLoopBound<Connection>) {
        let made = Mutex<NIOLoopBound<Connection>?>(nil)
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(options.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            // Readers are told, and may hold back, after each read.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 4 << 10, initial: 64 << 10, maximum: 256 << 10)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = Connection(host: endpoint.host, options: options, shared: shared)
                    if let tls, endpoint.security == .implicit {
                        try channel.pipeline.syncOperations.addHandler(TLSContexts.handler(tls, for: endpoint))
                    }
                    try channel.pipeline.syncOperations.addHandler(connection)
                    made.withLock { $0 = NIOLoopBound(connection, eventLoop: channel.eventLoop) }
                }
            }
        do {
            let channel = try await bootstrap.connect(host: endpoint.host, port: endpoint.port).get()
            if let connection = made.withLock({ $0 }) { return (channel, connection) }
            throw ChannelError.operationUnsupported
        } catch {
            if let failure = shared.failure.withLock({ $0 }) { throw failure }
            throw IMAPError(
                .unreachable, "No connection to \(endpoint.host), port \(endpoint.port): \(reason(error)).")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case ChannelError.connectTimeout: return "no answer in time"
        case let error as NIOConnectionError:
            if error.dnsAError != nil, error.dnsAAAAError != nil { return "the name is not known" }
            guard let first = error.connectionErrors.first else { return "no address answered" }
            return reason(first.error)
        case let error as IOError: return "system error \(error.errnoCode)"
        default: return "no address answered"
        }
    }

    private init(
        _ login: Login.Result, _ channel: any Channel, _ connection: NIOLoopBound<Connection>,
        _ shared: Connection.Shared, _ options: SessionOptions
    ) {
        capabilities = login.capabilities
        told = login.told
        usesUTF8 =
            login.told.enabled.contains("UTF8=ACCEPT")
            || !login.capabilities.has("IMAP4REV1") && login.capabilities.isRev2
        literals = LiteralStyle(login.capabilities)
        self.connection = connection
        self.channel = channel
        self.shared = shared
        self.options = options
        eventLoop = channel.eventLoop
    }

    deinit { channel.close(promise: nil) }

    /// The connection has ended, and why; `nil` while it is usable.
    package var failure: IMAPError? { shared.failure.withLock { $0 } }

    package func noop() async throws(IMAPError) { try await check("NOOP", CommandText("NOOP")) }

    /// LOGOUT where nothing is in flight, bounded in time; then closed. Idempotent, never throws.
    package func close() async {
        end {}
        try? await channel.closeFuture.get()
    }

    /// As `close`, without waiting; calls when the connection has ended.
    func end(_ ended: @escaping @Sendable () -> Void) {
        eventLoop.execute { [connection] in connection.value.close() }
        channel.closeFuture.whenComplete { _ in ended() }
    }

    // MARK: how verbs send commands

    /// One command; its answer may be NO.
    func run<Value: Sendable>(
        _ name: String, _ text: CommandText, into value: Value, isSelection: Bool = false,
        take: @escaping @Sendable (inout Value, Response, _ tag: String) -> Bool = { _, _, _ in false }
    ) async throws(IMAPError) -> Answer<Value> {
        try await runAll([Request(name: name, text: text, value: value, isSelection: isSelection, take: take)])[0].get()
    }

    /// One command whose answer must be OK; gives what it collected.
    func ask<Value: Sendable>(
        _ name: String, _ text: CommandText, into value: Value,
        take: @escaping @Sendable (inout Value, Response, _ tag: String) -> Bool
    ) async throws(IMAPError) -> Value {
        let answer = try await run(name, text, into: value, take: take)
        try requireOK(answer.status, name)
        return answer.value
    }

    @discardableResult
    func check(_ name: String, _ text: CommandText) async throws(IMAPError) -> StatusText {
        let status = try await run(name, text, into: ()).status
        try requireOK(status, name)
        return status
    }

    func requireOK(_ status: StatusText, _ name: String) throws(IMAPError) {
        if status.condition != .ok { throw .refusal(of: name, status) }
    }

    /// A command to be sent with others.
    struct Request<Value: Sendable>: Sendable {
        var name: String
        var text: CommandText
        var value: Value
        var isSelection = false
        var take: @Sendable (inout Value, Response, _ tag: String) -> Bool = { _, _, _ in false }
    }

    /// Many commands, sent at once; answers in order.
    func runAll<Value: Sendable>(
        _ requests: [Request<Value>]
    ) async throws(IMAPError) -> [Result<Answer<Value>, IMAPError>] {
        let outcomes = Outcomes<Answer<Value>>(count: requests.count)
        eventLoop.execute { [connection] in
            connection.value.submit(
                requests.enumerated().map { index, request in
                    Collecting(
                        request.name, request.text.sealed, into: request.value, isSelection: request.isSelection,
                        take: request.take, done: { outcomes.set($0, at: index) })
                })
        }
        let answers = try await outcomes.all()
        // When the connection ended, that is what the caller must know, not which of many commands it hit.
        if let failure, answers.contains(where: { if case .failure = $0 { true } else { false } }) { throw failure }
        return answers
    }

    /// Many commands without data, at most five hundred at a time in flight.
    func checkAll<Item>(
        _ items: [Item], _ name: String, _ text: (Item) -> CommandText
    ) async throws(IMAPError) -> [Result<StatusText, IMAPError>] {
        var results: [Result<StatusText, IMAPError>] = []
        results.reserveCapacity(items.count)
        for start in stride(from: 0, to: items.count, by: 500) {
            let part = items[start..<min(start + 500, items.count)]
            for answer in try await runAll(part.map { Request(name: name, text: text($0), value: ()) }) {
                results.append(
                    answer.flatMap {
                        $0.status.condition == .ok ? .success($0.status) : .failure(.refusal(of: name, $0.status))
                    })
            }
        }
        return results
    }
}
