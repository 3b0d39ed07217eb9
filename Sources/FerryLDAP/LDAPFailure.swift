/// Why a directory gave no answer: what, where, and how to mend it. Holds no secret.
package struct LDAPFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of trouble it is, for those who decide what follows.
    package enum Reason: Sendable, Hashable {
        /// Nobody listens, the connection broke, or no answer came in time.
        case unreachable
        /// TLS did not come about: a certificate of a foreign authority, or for another name.
        case insecure
        /// Name or password are wrong, or may not do this.
        case refused
        /// What was searched is not there.
        case missing
        /// The server ends its answers before everything was said.
        case cutShort
        case other
        /// The task was cancelled.
        case stopped
    }

    package var reason: Reason
    /// Where and what, as a sentence.
    package var message: String
    /// How to mend it, as a sentence.
    package var remedy: String

    package init(_ reason: Reason, _ message: String, _ remedy: String) {
        self.reason = reason
        self.message = message
        self.remedy = remedy
    }

    package var description: String { remedy.isEmpty ? message : "\(message) \(remedy)" }
}

/// One entry that cannot be a person as it is, or a group that cannot be followed.
package struct LDAPFinding: Sendable, Hashable, CustomStringConvertible {
    /// Distinguished name of the entry.
    package var entry: String
    package var attribute: String
    package var message: String
    package var remedy: String

    package var description: String { "\(entry): \(attribute): \(message) \(remedy)" }
}
