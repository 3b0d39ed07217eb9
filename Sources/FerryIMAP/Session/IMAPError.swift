/// What went wrong with a session or a command. Texts are safe to log: no contents, no secrets.
package struct IMAPError: Error, Sendable, Hashable {
    /// What happened, as far as it decides what to do next.
    package enum Kind: Sendable, Hashable {
        /// No connection: name not found, refused, unreachable, timed out.
        case unreachable
        /// TLS failed: certificate not trusted, wrong name, no common version, STARTTLS not offered.
        case insecure
        /// The credentials were refused. A person must act.
        case authenticationFailed
        /// The server asks to come back: `[UNAVAILABLE]`, `[LIMIT]`, `[INUSE]`, `[THROTTLED]`, or BYE instead of a
        /// greeting. When it said so to one command the session goes on (its `failure` stays `nil`).
        case tryLater
        /// The connection ended (closed, reset, BYE) with work in flight. What that work did is not known.
        case connectionLost
        /// The server was silent for too long; the connection is closed. What the work in flight did is not known.
        case timedOut
        /// The server answered NO (or BAD) to one command; the session goes on. `refusal` says why.
        case refused
        /// What the server sent cannot be understood; the connection is closed.
        case protocolViolation
        /// The server lacks what the verb needs.
        case unsupported
        /// A message given to `MessageAppender` had more or fewer bytes than announced; the connection is closed, and
        /// nothing of that APPEND is in the mailbox.
        case sizeMismatch
        /// The caller's task was cancelled, or the session was closed by its owner.
        case cancelled
    }

    package var kind: Kind
    /// What, where, and how to mend it.
    package var message: String
    /// The server's reason, for `refused`, `tryLater` and `authenticationFailed`.
    package var refusal: Refusal?

    package init(_ kind: Kind, _ message: String, refusal: Refusal? = nil) {
        self.kind = kind
        self.message = message
        self.refusal = refusal
    }
}

/// A NO, BAD or BYE of the server.
package struct Refusal: Sendable, Hashable {
    /// Why, from the response code (RFC 9051 section 7.1, RFC 5530, RFC 9208, RFC 7889), or from the words of servers
    /// that send none.
    package enum Reason: Sendable, Hashable {
        case overQuota, tooBig, mailboxMissing, alreadyExists, noPermission, limit, unavailable, inUse, throttled
        case authenticationFailed, authorizationFailed, expired, privacyRequired, contactAdministrator
        /// The message or name breaks a rule of the server (bad date, NUL, bad header, bad character).
        case unacceptable
        case expungeIssued, corruption, clientBug, serverBug, cannot, other
    }

    package var reason: Reason
    /// The server did not even understand (BAD).
    package var isBad: Bool
    /// The response code's name in capitals, such as `OVERQUOTA`; `nil` when there was none.
    package var code: String?
    /// The server's words, at most 200 characters, made printable. May name mailboxes; never contents.
    package var text: String

    package init(reason: Reason, isBad: Bool, code: String?, text: String) {
        self.reason = reason
        self.isBad = isBad
        self.code = code
        self.text = text
    }
}
