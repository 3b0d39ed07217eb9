package import FerryCore

/// What is fetched of messages, beside UID, which always comes.
package struct MessageAttributes: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let flags = MessageAttributes(rawValue: 1)
    package static let internalDate = MessageAttributes(rawValue: 2)
    /// RFC822.SIZE.
    package static let size = MessageAttributes(rawValue: 4)
    /// MODSEQ (CONDSTORE); left out silently where the server has none.
    package static let modSeq = MessageAttributes(rawValue: 8)
    package static let listing: MessageAttributes = [.flags, .internalDate, .size]
}

/// A message without its content; `nil` for what was not asked for.
package struct MessageRow: Sendable, Hashable {
    package var uid: UID
    package var flags: MessageFlags?
    /// Whole seconds; `nil` also where the server's date is no date.
    package var internalDate: Instant?
    /// Bytes.
    package var size: UInt64?
    package var modSeq: UInt64?
    /// The bytes of the header, when `headers(of:)` asked for them.
    package var header: [UInt8]?

    package init(uid: UID) { self.uid = uid }
}

/// Rows of a fetch, and what QRESYNC said is gone.
package struct MessageRows: Sendable, Hashable {
    /// In the order the server sent them, ascending as a rule; each UID once.
    package var rows: [MessageRow]
    /// Only when asked for (`vanished: true`).
    package var vanished: UIDSet
    package init(rows: [MessageRow] = [], vanished: UIDSet = UIDSet()) {
        self.rows = rows
        self.vanished = vanished
    }
}

/// How STORE changes flags.
package enum FlagChange: Sendable, Hashable {
    case set(MessageFlags)
    case add(MessageFlags)
    case remove(MessageFlags)
}

/// An APPEND of one message, without its content.
package struct AppendedMessage: Sendable, Hashable {
    package var flags: MessageFlags
    /// `nil`: the server takes the time of arrival.
    package var internalDate: Instant?
    /// Exact number of bytes that will follow. Servers refuse 0.
    package var size: UInt64
    package init(flags: MessageFlags = MessageFlags(), internalDate: Instant?, size: UInt64) {
        self.flags = flags
        self.internalDate = internalDate
        self.size = size
    }
}

/// What became of one appended message.
package enum AppendResult: Sendable, Hashable {
    /// `uidValidity` and `uid` only where the server has UIDPLUS and may read the mailbox.
    case appended(uidValidity: UInt32?, uid: UID?)
    /// Nothing of it is in the mailbox. In a MULTIAPPEND all messages share the refusal; `isCulprit` is true where the
    /// server refused at this very message, `false` where it did at another one, `nil` where it did not tell.
    case refused(Refusal, isCulprit: Bool?)
}
