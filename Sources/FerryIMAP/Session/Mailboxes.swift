/// A mailbox as LIST shows it (RFC 9051 section 7.3.1).
package struct ListedMailbox: Sendable, Hashable {
    /// RFC 9051 section 7.3.1, RFC 5258, RFC 6154.
    package struct Attributes: OptionSet, Sendable, Hashable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let noSelect = Attributes(rawValue: 1 << 0)
        package static let nonExistent = Attributes(rawValue: 1 << 1)
        package static let noInferiors = Attributes(rawValue: 1 << 2)
        package static let hasChildren = Attributes(rawValue: 1 << 3)
        package static let hasNoChildren = Attributes(rawValue: 1 << 4)
        package static let subscribed = Attributes(rawValue: 1 << 5)
        package static let remote = Attributes(rawValue: 1 << 6)
        package static let marked = Attributes(rawValue: 1 << 7)
        package static let unmarked = Attributes(rawValue: 1 << 8)
        package static let all = Attributes(rawValue: 1 << 9)
        package static let archive = Attributes(rawValue: 1 << 10)
        package static let drafts = Attributes(rawValue: 1 << 11)
        package static let flagged = Attributes(rawValue: 1 << 12)
        package static let junk = Attributes(rawValue: 1 << 13)
        package static let sent = Attributes(rawValue: 1 << 14)
        package static let trash = Attributes(rawValue: 1 << 15)
        package static let important = Attributes(rawValue: 1 << 16)

        /// The ones that say what a mailbox is for (RFC 6154).
        package static let specialUses: Attributes = [
            .all, .archive, .drafts, .flagged, .junk, .sent, .trash, .important,
        ]
    }

    package var name: MailboxName
    /// Between the levels of names; `nil` where there are no levels.
    package var separator: UInt8?
    package var attributes: Attributes
    /// From LIST-STATUS or a STATUS sent after LIST; `nil` when not asked for, not selectable or refused.
    package var status: MailboxStatus?

    package init(name: MailboxName, separator: UInt8?, attributes: Attributes, status: MailboxStatus? = nil) {
        self.name = name
        self.separator = separator
        self.attributes = attributes
        self.status = status
    }

    /// Messages can be in it.
    package var isSelectable: Bool { attributes.isDisjoint(with: [.noSelect, .nonExistent]) }
}

/// What STATUS says (RFC 9051 section 7.3.4); `nil` for what the server did not tell.
package struct MailboxStatus: Sendable, Hashable {
    package var messages: UInt32?
    package var uidNext: UID?
    package var uidValidity: UInt32?
    package var unseen: UInt32?
    /// CONDSTORE (RFC 7162); 0 means that the mailbox keeps none.
    package var highestModSeq: UInt64?
    /// Sum of all message sizes in bytes (RFC 8438).
    package var size: UInt64?
    package var recent: UInt32?
    package var deleted: UInt32?

    package init() {}
}

/// A mailbox that SELECT or EXAMINE opened.
package struct SelectedMailbox: Sendable, Hashable {
    package var name: MailboxName
    package var isReadOnly = false
    package var exists: UInt32 = 0
    /// `nil` only on servers before IMAP4rev1; then UIDs must not be stored.
    package var uidValidity: UInt32?
    package var uidNext: UID?
    /// `nil` when the server has no CONDSTORE or says NOMODSEQ for this mailbox.
    package var highestModSeq: UInt64?
    /// The flags that can be changed permanently.
    package var permanentFlags = MessageFlags()
    /// New keywords may be made (`\*`).
    package var allowsNewKeywords = false
    /// With QRESYNC and a known state: what was expunged since.
    package var vanished = UIDSet()
    /// With QRESYNC and a known state: flags that changed since, and new messages (UID, flags, MODSEQ).
    package var changed: [MessageRow] = []

    package init(name: MailboxName) { self.name = name }
}

/// What a caller knows of a mailbox from before, for QRESYNC (RFC 7162 section 3.2.5).
package struct KnownState: Sendable, Hashable {
    package var uidValidity: UInt32
    package var modSeq: UInt64
    /// The UIDs it knows; `nil` for all.
    package var uids: UIDSet?
    package init(uidValidity: UInt32, modSeq: UInt64, uids: UIDSet? = nil) {
        self.uidValidity = uidValidity
        self.modSeq = modSeq
        self.uids = uids
    }
}
