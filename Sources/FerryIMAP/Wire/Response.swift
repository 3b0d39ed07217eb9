/// One response of a server (RFC 9051 section 7), read.
package enum Response: Sendable, Hashable {
    /// The end of a command.
    case tagged(tag: String, StatusText)
    /// `+`: the server waits for the rest of a command.
    case continuation
    /// Untagged OK, NO, BAD, PREAUTH, BYE.
    case status(StatusText)
    case capability([String])
    case enabled([String])
    case flags(MessageFlags)
    case list(ListedMailbox)
    case lsub(ListedMailbox)
    case mailboxStatus(MailboxName, MailboxStatus)
    /// SEARCH; ESEARCH carries the tag it belongs to, where the server tells.
    case search(UIDSet)
    case extendedSearch(tag: String?, UIDSet)
    case exists(UInt32)
    case recent(UInt32)
    case expunge(UInt32)
    case vanished(earlier: Bool, UIDSet)
    case fetch(FetchedMessage)
    case namespace(Namespaces)
    case quota(Quota)
    case quotaRoot(MailboxName, roots: [String])
    case acl(MailboxName, [AccessRights])
    case myRights(MailboxName, String)
    /// `mailbox` is empty for the server's own. Entries without a value are left out.
    case metadata(MailboxName, [String: [UInt8]])
    case identity([String: String])
    /// Something that Ferry has no use for; its name in capitals.
    case unknown(String)
}

/// What an identifier (a user, a group, `anyone`) may do with a mailbox (RFC 4314).
package struct AccessRights: Sendable, Hashable {
    package var identifier: String
    /// One letter per right (RFC 4314 section 2.1).
    package var rights: String
    package init(identifier: String, rights: String) {
        self.identifier = identifier
        self.rights = rights
    }
}

/// `resp-cond-*` with its code and words (RFC 9051 section 7.1).
package struct StatusText: Sendable, Hashable {
    /// What the server says about the command or itself.
    package enum Condition: Sendable, Hashable { case ok, no, bad, preauth, bye }

    package var condition: Condition
    package var code: ResponseCode?
    /// For people; printable, at most 200 characters.
    package var text: String

    package init(_ condition: Condition, code: ResponseCode? = nil, text: String = "") {
        self.condition = condition
        self.code = code
        self.text = text
    }
}

/// `resp-text-code`.
package enum ResponseCode: Sendable, Hashable {
    case capability([String])
    case permanentFlags(MessageFlags)
    case uidValidity(UInt32)
    case uidNext(UID)
    case highestModSeq(UInt64)
    /// The UIDs that APPEND gave, ascending (RFC 4315).
    case appendUID(uidValidity: UInt32, UIDSet)
    case copyUID(uidValidity: UInt32, source: UIDSet, target: UIDSet)
    /// Not changed by STORE UNCHANGEDSINCE (RFC 7162).
    case modified(UIDSet)
    /// Any other: its name in capitals (`OVERQUOTA`, `READ-ONLY`, `NOMODSEQ`), without arguments.
    case named(String)

    /// The name in capitals.
    package var name: String {
        switch self {
        case .capability: "CAPABILITY"
        case .permanentFlags: "PERMANENTFLAGS"
        case .uidValidity: "UIDVALIDITY"
        case .uidNext: "UIDNEXT"
        case .highestModSeq: "HIGHESTMODSEQ"
        case .appendUID: "APPENDUID"
        case .copyUID: "COPYUID"
        case .modified: "MODIFIED"
        case .named(let name): name
        }
    }
}
