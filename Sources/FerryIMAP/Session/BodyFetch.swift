package import NIOCore

/// The contents of messages, pulled in bunches in the order asked for. Used by one task at a time.
///
/// The commands are in flight from the start, so bodies keep coming while the caller works; when `readAheadBytes` wait,
/// the socket is not read until the caller takes them. Other verbs of the same session then wait too: read to the end
/// or `cancel()` before waiting for something else on this session.
package final class BodyFetch: Sendable {
    /// The next bunch of events, about `readAheadBytes` at most; `nil` after the last. Throws when the connection ended.
    package func next() async throws(IMAPError) -> [FetchEvent]? { fatalError("filled in by the next change") }
    /// Gives up what was not read yet. The session stays usable where little is outstanding, else it is closed.
    package func cancel() async { fatalError("filled in by the next change") }
}

/// For each UID asked for, in that order: `began`, any number of `bytes`, `ended`; or one of the others.
package enum FetchEvent: Sendable {
    /// `size` is exactly how many bytes follow.
    case began(UID, size: UInt64)
    case bytes(ByteBuffer)
    case ended(UID)
    /// The server answered without it: expunged meanwhile.
    case absent(UID)
    /// The server cannot give it (NO, or NIL instead of a body); what it said, if anything.
    case unreadable(UID, Refusal?)
}
