import FerryConnector
import FerryIMAP
import NIOCore
import NIOPosix

/// Runs both at once. The first is called first: it runs on this thread up to its first suspension, where its command is
/// on its way.
func inThisOrder<First: Sendable, Second>(
    _ first: @escaping @Sendable () async throws -> First, then second: () async throws -> Second
) async throws -> (First, Second) {
    try await withThrowingTaskGroup(of: First.self) { group in
        group.addImmediateTask { try await first() }
        let last = try await second()
        for try await value in group { return (value, last) }
        throw CancellationError()
    }
}

/// A server on loopback that says what a test wants it to say, to one client.
enum ScriptedServer {
    struct Unexpected: Error { var wanted: String, got: String }

    /// Plays the script against whoever connects while `client` runs with the port. Whatever throws first ends both.
    @discardableResult
    static func play<Value: Sendable>(
        _ script: @escaping @Sendable (Talk) async throws -> Void, with client: @Sendable (Int) async throws -> Value
    ) async throws -> Value {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await listener.executeThenClose { clients in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await connection in clients {
                        do {
                            try await connection.executeThenClose { input, output in
                                try await script(Talk(input: input.makeAsyncIterator(), output: output))
                            }
                        } catch ChannelError.ioOnClosedChannel {
                            // The client was the first to close.
                        }
                        return
                    }
                }
                let value = try await client(listener.channel.localAddress?.port ?? 0)
                try await group.waitForAll()
                return value
            }
        }
    }

    /// The server's end of the connection.
    // SAFETY: the script's task alone uses it, one call after the other.
    final class Talk: @unchecked Sendable {
        private var input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        private let output: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private var read = ByteBuffer()

        init(
            input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            output: NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) {
            self.input = input
            self.output = output
        }

        func say(_ text: String) async throws { try await output.write(ByteBuffer(string: text)) }
        func say(_ bytes: ByteBuffer) async throws { try await output.write(bytes) }

        /// The next line without its end.
        func line() async throws -> String {
            while true {
                if let end = read.readableBytesView.firstIndex(of: 0x0A) {
                    let line = read.readString(length: end - read.readerIndex + 1) ?? ""
                    return String(line.utf8.dropLast(2)) ?? ""
                }
                try await more()
            }
        }

        func bytes(_ count: Int) async throws -> String {
            while read.readableBytes < count { try await more() }
            return read.readString(length: count) ?? ""
        }

        /// Nothing has come that was not read yet.
        var isQuiet: Bool { read.readableBytes == 0 }

        private func more() async throws {
            guard var next = try await input.next(isolation: #isolation) else {
                throw Unexpected(wanted: "more", got: "the end")
            }
            read.writeBuffer(&next)
        }

        /// Reads a line, checks what follows the tag, and gives the tag.
        @discardableResult
        func expect(_ command: String) async throws -> String {
            let line = try await line()
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[1] == command else { throw Unexpected(wanted: command, got: line) }
            return String(parts[0])
        }

        /// Greets, and lets in whoever comes.
        func logIn(_ capabilities: String = "") async throws {
            try await say("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\r\n")
            let line = try await line()
            let tag = line.prefix { $0 != " " }
            guard line == "\(tag) AUTHENTICATE PLAIN AHVzZXIAcGFzcw==" else {
                throw Unexpected(wanted: "a login", got: line)
            }
            try await say("\(tag) OK [CAPABILITY IMAP4rev1 \(capabilities)] in\r\n")
        }

        /// Answers LOGOUT. Clients do not wait long for that; on a busy machine they may be gone.
        func logOut() async throws {
            let tag = try await expect("LOGOUT")
            try? await say("* BYE\r\n\(tag) OK\r\n")
        }

        /// Waits until the client has closed.
        func untilClosed() async throws {
            while try await input.next(isolation: #isolation) != nil {}
        }
    }

    static func connect(
        _ port: Int, options: SessionOptions = SessionOptions(),
        as credentials: IMAPCredentials = .password(user: "user", password: Secret("pass"))
    ) async throws(IMAPError) -> IMAPSession {
        try await IMAPSession.connect(
            to: IMAPEndpoint(host: "127.0.0.1", port: port, security: .none), as: credentials, options: options,
            on: MultiThreadedEventLoopGroup.singleton)
    }
}
