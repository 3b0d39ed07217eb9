package import NIOCore
import Synchronization

/// Writes messages into one mailbox: `begin`, `write` until `size` bytes are through, again; then `finish`. Used by one
/// task at a time; the session sends nothing else between the first `begin` and `seal`, which `finish` begins with.
///
/// With MULTIAPPEND (RFC 3502) all messages are one command, all or nothing; else one APPEND each, pipelined where
/// LITERAL+ allows. Bytes go to the socket as they come; `write` waits when `writeAheadBytes` are not through yet.
package final class MessageAppender: Sendable {
    /// What the task that appends does; it alone looks at it.
    private struct Progress: Sendable {
        var messages = 0
        /// The command that carries each message; `nil` for those that were not sent.
        var commands: [Int?] = []
        /// Results that are known without the server.
        var local: [Int: AppendResult] = [:]
        var sentCommands = 0
        /// Bytes of the current message that are still to come.
        var left: UInt64 = 0
        /// The current message is not sent; its bytes are dropped.
        var isDropping = false
        /// A MULTIAPPEND is open and takes more messages.
        var isOpen = false
        var holdsTheWay = false
        var isOver = false
        var outgoing: [AppendSender.Part] = []
        var outgoingBytes = 0
    }

    private let progress = Mutex(Progress())
    private let gate: AppendGate
    private let sender: NIOLoopBound<AppendSender>
    private let eventLoop: any EventLoop
    private let mailbox: MailboxName
    private let isMulti: Bool
    private let literals: LiteralStyle
    private let writeAheadBytes: Int

    /// So many bytes are gathered before the event loop is bothered.
    private static let flushBytes = 64 << 10

    /// Call on the connection's event loop.
    init(
        mailbox: MailboxName, isMulti: Bool, literals: LiteralStyle, connection: Connection, eventLoop: any EventLoop
    ) {
        self.mailbox = mailbox
        self.isMulti = isMulti
        self.literals = literals
        self.eventLoop = eventLoop
        writeAheadBytes = connection.options.writeAheadBytes
        let gate = AppendGate()
        self.gate = gate
        sender = NIOLoopBound(AppendSender(gate: gate, connection: connection), eventLoop: eventLoop)
    }

    deinit {
        let (holds, isOver) = progress.withLock { ($0.holdsTheWay, $0.isOver) }
        if holds, !isOver { eventLoop.execute { [sender] in sender.value.abandon() } }
    }

    /// Announces the next message. The bytes of the one before must be complete.
    ///
    /// Gives `false` when it is refused already (by the server, or because it is empty, which servers do not take):
    /// then what is written of it is dropped. In a MULTIAPPEND that the server refused all later ones are dropped too.
    /// `finish` tells the reasons.
    @discardableResult
    package func begin(_ message: AppendedMessage) async throws(IMAPError) -> Bool {
        try checkComplete()
        let index = progress.withLock { progress in
            progress.messages += 1
            progress.commands.append(nil)
            progress.left = message.size
            progress.isDropping = true
            return progress.messages - 1
        }
        if message.size == 0 {
            let refusal = Refusal(
                reason: .unacceptable, isBad: false, code: nil, text: "An empty message cannot be appended over IMAP.")
            progress.withLock { $0.local[index] = .refused(refusal, isCulprit: true) }
            return false
        }
        let (isOpen, command) = progress.withLock { ($0.isOpen, $0.sentCommands - 1) }
        if isMulti, command >= 0, !isOpen || gate.hasEnded(command) {
            progress.withLock { $0.commands[index] = command }
            return false
        }
        if !progress.withLock({ $0.holdsTheWay }) {
            progress.withLock { $0.holdsTheWay = true }
            eventLoop.execute { [sender] in sender.value.reserve() }
            try await gate.wait { $0.isOurTurn }
        }
        return try await announce(message, index)
    }

    private func announce(_ message: AppendedMessage, _ index: Int) async throws(IMAPError) -> Bool {
        let waits = literals.waits(bytes: message.size)
        var words = " " + message.flags.commandText
        if let date = message.internalDate { words += " \"\(DateTime.text(date))\"" }
        words += " {\(message.size)\(waits ? "" : "+")}\r\n"
        let command = progress.withLock { progress in
            let isFirst = !isMulti || !progress.isOpen
            if isFirst {
                progress.sentCommands += 1
                var text = CommandText("APPEND", literals: literals)
                text.mailbox(mailbox)
                progress.outgoing.append(.command(progress.sentCommands - 1, text.unsealed))
            }
            progress.outgoing.append(.bytes(ByteBuffer(string: words)))
            progress.outgoingBytes += words.utf8.count
            progress.isOpen = isMulti
            progress.isDropping = false
            progress.commands[index] = progress.sentCommands - 1
            return progress.sentCommands - 1
        }
        guard waits else { return true }
        gate.expectInvitation()
        flush()
        try await gate.wait { $0.isInvited || $0.answers[command] != nil }
        guard !gate.isInvited else { return true }
        // NO instead of `+`: nothing more of this command may be sent.
        progress.withLock { progress in
            progress.isDropping = true
            progress.isOpen = false
        }
        gate.blame(command, message: index)
        return false
    }

    package func write(_ bytes: ByteBuffer) async throws(IMAPError) {
        let isTooMuch = progress.withLock { $0.isOver || UInt64(bytes.readableBytes) > $0.left }
        if isTooMuch {
            giveUp()
            throw IMAPError(
                .sizeMismatch, "A message has more bytes than were announced; the connection was closed.")
        }
        let mustFlush = progress.withLock { progress in
            progress.left -= UInt64(bytes.readableBytes)
            guard !progress.isDropping, bytes.readableBytes > 0 else { return false }
            progress.outgoing.append(.bytes(bytes))
            progress.outgoingBytes += bytes.readableBytes
            if progress.left == 0, !isMulti {
                progress.outgoing.append(.bytes(ByteBuffer(staticString: "\r\n")))
            }
            return progress.outgoingBytes >= Self.flushBytes
        }
        guard mustFlush else { return }
        flush()
        let limit = writeAheadBytes
        if gate.isFull(limit) { try await gate.wait { $0.unsent <= limit / 2 } }
        if let failure = gate.failure { throw failure }
    }

    /// Ends the command without waiting for its answer: the next appender of the session may begin.
    package func seal() throws(IMAPError) {
        try checkComplete()
        let isSealed = progress.withLock { progress in
            guard !progress.isOver else { return true }
            progress.isOver = true
            if progress.isOpen { progress.outgoing.append(.bytes(ByteBuffer(staticString: "\r\n"))) }
            if progress.holdsTheWay { progress.outgoing.append(.end) }
            return false
        }
        if !isSealed { flush() }
    }

    /// Ends the command and waits for the answer: one result per `begin`, in order. Durable at the server as far as
    /// APPEND is. Throws `connectionLost` and the like when it is not known what arrived.
    package func finish() async throws(IMAPError) -> [AppendResult] {
        try seal()
        let (commands, local, count) = progress.withLock { ($0.commands, $0.local, $0.sentCommands) }
        try await gate.wait { $0.answers.count >= count }
        return results(commands, local)
    }

    private func results(_ commands: [Int?], _ local: [Int: AppendResult]) -> [AppendResult] {
        var places = [Int](repeating: 0, count: commands.count)
        var sizes: [Int: Int] = [:]
        for (index, command) in commands.enumerated() {
            guard let command else { continue }
            places[index] = sizes[command, default: 0]
            sizes[command, default: 0] += 1
        }
        var uids: [Int: [UID]] = [:]
        return commands.indices.map { index in
            if let result = local[index] { return result }
            guard let command = commands[index], let answer = gate.answer(command) else {
                return .appended(uidValidity: nil, uid: nil)
            }
            guard answer.status.condition == .ok else {
                let isCulprit = sizes[command] == 1 ? true : answer.culprit.map { $0 == index }
                return .refused(Refusal(answer.status), isCulprit: isCulprit)
            }
            guard case .appendUID(let validity, let set) = answer.status.code, set.count == sizes[command] else {
                return .appended(uidValidity: nil, uid: nil)
            }
            let list = uids[command] ?? Array(set.uids)
            uids[command] = list
            return .appended(uidValidity: validity, uid: list[places[index]])
        }
    }

    /// Gives up. When a command was begun the connection is closed, because a literal that was begun cannot be taken
    /// back; nothing of the command arrives then (of single APPENDs, those that were complete may have).
    package func abandon() async { giveUp() }

    private func giveUp() {
        let mustClose = progress.withLock { progress in
            defer { progress.isOver = true }
            return progress.holdsTheWay && !progress.isOver
        }
        if mustClose { eventLoop.execute { [sender] in sender.value.abandon() } }
    }

    /// The server has answered the last command already, which is no good sign.
    var isRefused: Bool {
        let command = progress.withLock { $0.sentCommands - 1 }
        return command >= 0 && gate.hasEnded(command)
    }

    private func checkComplete() throws(IMAPError) {
        if let failure = gate.failure { throw failure }
        guard progress.withLock({ $0.left > 0 && !$0.isDropping }) else { return }
        giveUp()
        throw IMAPError(
            .sizeMismatch, "A message has fewer bytes than were announced; the connection was closed.")
    }

    /// Hands to the event loop what was gathered.
    private func flush() {
        let parts = progress.withLock { progress in
            defer {
                progress.outgoing = []
                progress.outgoingBytes = 0
            }
            return progress.outgoing
        }
        guard !parts.isEmpty else { return }
        gate.willSend(parts.reduce(0) { $0 + $1.bytes })
        eventLoop.execute { [sender] in sender.value.send(parts) }
    }
}
