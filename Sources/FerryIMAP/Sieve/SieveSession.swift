import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// An authenticated connection to a ManageSieve server (RFC 5804), for the few verbs that a redirection needs. Used by
/// one task at a time.
final class SieveSession: Sendable {
    private let channel: any Channel
    private let handler: NIOLoopBound<SieveChannel>
    private let host: String

    static func connect(
        to endpoint: IMAPEndpoint, as credentials: IMAPCredentials, options: SessionOptions,
        on group: any EventLoopGroup
    ) async throws(IMAPError) -> SieveSession {
        let tls = endpoint.security == .none ? nil : try await TLSContexts.context(trusting: endpoint.trust)
        let session = try await open(endpoint, tls, options, group)
        do throws(IMAPError) {
            var mechanisms = try await session.greeting()
            if endpoint.security == .startTLS, let tls {
                try await session.startTLS(tls, endpoint)
                mechanisms = try await session.greeting()
            }
            try await session.authenticate(credentials, mechanisms, endpoint)
            return session
        } catch {
            await session.close()
            throw error
        }
    }

    private static func open(
        _ endpoint: IMAPEndpoint, _ tls: NIOSSLContext?, _ options: SessionOptions, _ group: any EventLoopGroup
    ) async throws(IMAPError) -> SieveSession {
        let made = Mutex<NIOLoopBound<SieveChannel>?>(nil)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(TimeAmount(options.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = SieveChannel(host: endpoint.host, timeout: TimeAmount(options.responseTimeout))
                    if let tls, endpoint.security == .implicit {
                        try channel.pipeline.syncOperations.addHandler(TLSContexts.handler(tls, for: endpoint))
                    }
                    try channel.pipeline.syncOperations.addHandler(handler)
                    made.withLock { $0 = NIOLoopBound(handler, eventLoop: channel.eventLoop) }
                }
            }
        do {
            let channel = try await bootstrap.connect(host: endpoint.host, port: endpoint.port).get()
            if let handler = made.withLock({ $0 }) {
                return SieveSession(channel: channel, handler: handler, host: endpoint.host)
            }
            throw ChannelError.operationUnsupported
        } catch {
            throw IMAPError(
                .unreachable,
                "No connection to \(endpoint.host), port \(endpoint.port) (ManageSieve). Is the service on, and is"
                    + " 'sieve' configured for it?")
        }
    }

    private init(channel: any Channel, handler: NIOLoopBound<SieveChannel>, host: String) {
        (self.channel, self.handler, self.host) = (channel, handler, host)
    }

    deinit { channel.close(promise: nil) }

    func close() async {
        channel.close(promise: nil)
        try? await channel.closeFuture.get()
    }

    // MARK: logging in

    /// What the server says unasked, after connecting and after TLS; gives the SASL mechanisms.
    private func greeting() async throws(IMAPError) -> Set<String> {
        let answer = try await ask(nil)
        guard answer.condition == .ok else {
            throw IMAPError(.tryLater, "\(host) turned the ManageSieve connection away: \(answer.text)")
        }
        let line = answer.lines.first { $0.first?.text?.uppercased() == "SASL" }
        let names = line?.dropFirst().first?.text ?? ""
        return Set(names.uppercased().split(separator: " ").map(String.init))
    }

    private func startTLS(_ tls: NIOSSLContext, _ endpoint: IMAPEndpoint) async throws(IMAPError) {
        let answer = try await ask(ByteBuffer(string: "STARTTLS\r\n")) { handler in
            do {
                handler.secure(with: try TLSContexts.handler(tls, for: endpoint))
            } catch {
                handler.close()
            }
        }
        guard answer.condition == .ok else {
            throw IMAPError(.insecure, "\(host) refused STARTTLS for ManageSieve: \(answer.text)")
        }
    }

    private func authenticate(
        _ credentials: IMAPCredentials, _ mechanisms: Set<String>, _ endpoint: IMAPEndpoint
    ) async throws(IMAPError) {
        let sasl: SASL
        switch credentials {
        case .password(let user, let password): sasl = .plain(as: user, acting: "", password)
        case .master(let user, let master, let separator, let password):
            sasl = .plain(as: user + separator + master, acting: "", password)
        case .proxy(let user, let administrator, let password):
            sasl = .plain(as: administrator, acting: user, password)
        case .token(let user, let source):
            let token = try await source.token(for: user, rejected: nil)
            guard let bearer = SASL.bearer(token, of: user, at: endpoint, among: mechanisms) else {
                throw IMAPError(.unsupported, "\(host) takes no tokens over ManageSieve; use a password.")
            }
            sasl = bearer
        }
        guard mechanisms.contains(sasl.mechanism) else {
            throw IMAPError(
                .unsupported, "\(host) does not offer \(sasl.mechanism) over ManageSieve on this connection; use TLS.")
        }
        var command = ByteBuffer(string: "AUTHENTICATE \"\(sasl.mechanism)\" ")
        command.writeSieve(literal: Array(Base64.encode(sasl.response).utf8))
        command.writeString("\r\n")
        let lastWord = sasl.lastWord.map { ByteBuffer(string: "\"\(Base64.encode($0))\"\r\n") }
        let answer = try await ask(command, lastWord: lastWord)
        guard answer.condition == .ok else {
            let isTemporary = answer.code == "TRYLATER"
            throw IMAPError(
                isTemporary ? .tryLater : .authenticationFailed,
                "\(host) refused the ManageSieve login of \(credentials.user): \(answer.text)")
        }
    }

    // MARK: scripts

    struct Script: Sendable, Hashable {
        var name: String
        var isActive: Bool
    }

    func scripts() async throws(IMAPError) -> [Script] {
        try await perform("LISTSCRIPTS").lines.compactMap { line in
            guard case .string(let name)? = line.first else { return nil }
            return Script(
                name: String(decoding: name, as: UTF8.self),
                isActive: line.dropFirst().first?.text?.uppercased() == "ACTIVE")
        }
    }

    /// `nil` where there is no such script.
    func content(of name: String) async throws(IMAPError) -> String? {
        let answer = try await perform("GETSCRIPT", name, besides: "NONEXISTENT")
        guard answer.condition == .ok, case .string(let bytes)? = answer.lines.first?.first else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    func put(_ content: String, as name: String) async throws(IMAPError) {
        _ = try await perform("PUTSCRIPT", name, Array(content.utf8))
    }

    /// Makes a script the active one; `nil`: none is. Gives `false` where there is no such script.
    func activate(_ name: String?) async throws(IMAPError) -> Bool {
        try await perform("SETACTIVE", name ?? "", besides: "NONEXISTENT").condition == .ok
    }

    /// Nothing happens where there is no such script.
    func delete(_ name: String) async throws(IMAPError) {
        _ = try await perform("DELETESCRIPT", name, besides: "NONEXISTENT")
    }

    // MARK: commands

    /// A NO with the code `besides` is the caller's to look at.
    private func perform(
        _ verb: String, _ name: String? = nil, _ content: [UInt8]? = nil, besides code: String? = nil
    ) async throws(IMAPError) -> SieveAnswer {
        var command = ByteBuffer(string: verb)
        for argument in [name.map { Array($0.utf8) }, content] {
            guard let argument else { continue }
            command.writeString(" ")
            command.writeSieve(literal: argument)
        }
        command.writeString("\r\n")
        let answer = try await ask(command)
        if answer.condition == .ok || code != nil && answer.code == code { return answer }
        // Cyrus says it in words.
        if code == "NONEXISTENT", answer.condition == .no, answer.text.lowercased().contains("exist") { return answer }
        let isTemporary = answer.code == "TRYLATER" || answer.condition == .bye
        throw IMAPError(
            isTemporary ? .tryLater : .refused,
            "\(host) answered \(verb) with \(answer.condition.rawValue): \(answer.text)")
    }

    private func ask(
        _ command: ByteBuffer?, lastWord: ByteBuffer? = nil,
        then: (@Sendable (SieveChannel) -> Void)? = nil
    ) async throws(IMAPError) -> SieveAnswer {
        let promise = channel.eventLoop.makePromise(of: SieveAnswer.self)
        channel.eventLoop.execute { [handler] in
            guard let asked = handler.value.ask(command, lastWord: lastWord) else {
                let closed = IMAPError(.connectionLost, "The ManageSieve connection is closed.")
                return promise.fail(handler.value.failure ?? closed)
            }
            asked.assumeIsolated().whenComplete { result in
                // Still inside the read that brought the answer, so nothing sent in the clear gets past this.
                if case .success(let answer) = result, answer.condition == .ok { then?(handler.value) }
                promise.completeWith(result)
            }
        }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        } catch {
            if Task.isCancelled { throw .cancelled }
            throw IMAPError(connection: error, host: host)
        }
    }
}

extension ByteBuffer {
    /// RFC 5804 section 4: clients send literals without waiting.
    fileprivate mutating func writeSieve(literal bytes: [UInt8]) {
        writeString("{\(bytes.count)+}\r\n")
        writeBytes(bytes)
    }
}
