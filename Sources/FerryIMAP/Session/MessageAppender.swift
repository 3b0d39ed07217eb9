package import NIOCore

/// Writes messages into one mailbox: `begin`, `write` until `size` bytes are through, again; then `finish`. Used by one
/// task at a time.
///
/// With MULTIAPPEND (RFC 3502) all messages are one command, all or nothing; else one APPEND each, pipelined where
/// LITERAL+ allows. Bytes go to the socket as they come; `write` waits when `writeAheadBytes` are not through yet.
package final class MessageAppender: Sendable {
    /// Announces the next message. The bytes of the one before must be complete.
    ///
    /// Gives `false` when the server has refused the command already: then no more is sent (and `write` ignores what
    /// comes); call `finish` for the reasons.
    @discardableResult
    package func begin(_ message: AppendedMessage) async throws(IMAPError) -> Bool {
        fatalError("filled in by the next change")
    }
    package func write(_ bytes: ByteBuffer) async throws(IMAPError) { fatalError("filled in by the next change") }
    /// Ends the command and waits for the answer: one result per `begin`, in order. Durable at the server as far as
    /// APPEND is.
    package func finish() async throws(IMAPError) -> [AppendResult] { fatalError("filled in by the next change") }
    /// Gives up in the middle of a message. Nothing of the command arrives (of single APPENDs, those before may), but
    /// the connection is closed, because a literal that was begun cannot be taken back.
    package func abandon() async { fatalError("filled in by the next change") }
}
