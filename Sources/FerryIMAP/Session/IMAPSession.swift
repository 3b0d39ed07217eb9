package import NIOCore

/// One authenticated connection to an IMAP server.
///
/// All verbs may be called at the same time from many tasks: their commands go out at once, in the order of the calls,
/// without waiting for the answers of those before (RFC 9051 section 5.5 is kept: what would be ambiguous waits).
/// A failed connection fails every verb in flight and every later one; reconnecting is the caller's decision.
/// Cancelling a task that waits for a verb throws `cancelled`; the command itself may still be carried out.
package final class IMAPSession: Sendable {
    /// Connects, secures the link, authenticates and enables what the options ask for. `group` gives the event loop.
    package static func connect(
        to endpoint: IMAPEndpoint, as credentials: IMAPCredentials, options: SessionOptions = SessionOptions(),
        on group: any EventLoopGroup
    ) async throws(IMAPError) -> IMAPSession { fatalError("filled in by the next change") }

    /// What the server offers, after authentication.
    package var capabilities: Capabilities { fatalError("filled in by the next change") }
    /// Mailbox names are UTF-8 (UTF8=ACCEPT was enabled), else modified UTF-7.
    package var usesUTF8: Bool { fatalError("filled in by the next change") }
    /// QRESYNC is enabled: select with a known state tells what vanished.
    package var usesQResync: Bool { fatalError("filled in by the next change") }
    /// What the server said it is (ID, RFC 2971), such as `name` and `version`, keys in lower case; empty when silent.
    package var serverIdentity: [String: String] { fatalError("filled in by the next change") }
    /// The connection has ended, and why; `nil` while it is usable.
    package var failure: IMAPError? { fatalError("filled in by the next change") }

    // MARK: mailboxes

    package func namespaces() async throws(IMAPError) -> Namespaces { fatalError("filled in by the next change") }
    /// All mailboxes below `prefix`, with subscription, special uses and, when `status` is not empty, their status: one
    /// command with LIST-EXTENDED and LIST-STATUS, else LIST, LSUB and pipelined STATUS commands.
    package func list(prefix: MailboxName?, status: StatusItems) async throws(IMAPError) -> [ListedMailbox] {
        fatalError("filled in by the next change")
    }
    /// Status of many mailboxes, pipelined; results in order, `failure` where the server refused.
    package func status(of names: [MailboxName], _ items: StatusItems) async throws(IMAPError) -> [Result<
        MailboxStatus, IMAPError
    >] { fatalError("filled in by the next change") }
    /// Opens a mailbox; waits until everything in flight for the one before is answered.
    package func select(_ name: MailboxName, readOnly: Bool, known: KnownState?) async throws(IMAPError)
        -> SelectedMailbox
    { fatalError("filled in by the next change") }
    /// Closes the mailbox without expunging: UNSELECT (RFC 3691), else EXAMINE and CLOSE.
    package func unselect() async throws(IMAPError) { fatalError("filled in by the next change") }
    /// Creates mailboxes, pipelined, with special uses where CREATE-SPECIAL-USE is offered. One that exists already is a
    /// success.
    package func create(_ mailboxes: [(name: MailboxName, specialUse: ListedMailbox.Attributes)])
        async throws(IMAPError)
        -> [Result<Void, IMAPError>]
    { fatalError("filled in by the next change") }
    package func delete(_ name: MailboxName) async throws(IMAPError) { fatalError("filled in by the next change") }
    package func rename(_ name: MailboxName, to newName: MailboxName) async throws(IMAPError) {
        fatalError("filled in by the next change")
    }
    package func subscribe(_ names: [MailboxName]) async throws(IMAPError) -> [Result<Void, IMAPError>] {
        fatalError("filled in by the next change")
    }
    package func unsubscribe(_ names: [MailboxName]) async throws(IMAPError) -> [Result<Void, IMAPError>] {
        fatalError("filled in by the next change")
    }

    // MARK: messages of the selected mailbox

    /// UIDs that fulfil raw search criteria (`ALL`, `DELETED`, `UID 1:100 UNSEEN`; ASCII), by ESEARCH where offered.
    package func search(_ criteria: String) async throws(IMAPError) -> UIDSet {
        fatalError("filled in by the next change")
    }
    /// Rows of the messages. `changedSince` (CONDSTORE) keeps to those changed after that modification sequence;
    /// `vanished` (QRESYNC) also asks what was expunged since. Ask for a page at a time (thousands), as all are held.
    package func messages(_ uids: UIDSet, _ attributes: MessageAttributes, changedSince: UInt64?, vanished: Bool)
        async throws(IMAPError) -> MessageRows
    { fatalError("filled in by the next change") }
    /// Rows with the bytes of the headers (BODY.PEEK[HEADER], or only `fields`), for matching after a crash.
    package func headers(of uids: UIDSet, fields: [String]?) async throws(IMAPError) -> [MessageRow] {
        fatalError("filled in by the next change")
    }
    /// Full contents (BODY.PEEK[]: \Seen is never set). Ascending runs in `uids` share a command, so ascending order is
    /// fastest.
    package func bodies(of uids: [UID]) async throws(IMAPError) -> BodyFetch {
        fatalError("filled in by the next change")
    }
    /// Changes flags, pipelined; results in order. `unchangedSince` needs CONDSTORE.
    package func store(_ changes: [(uids: UIDSet, change: FlagChange)], unchangedSince: UInt64?) async throws(IMAPError)
        -> [Result<Void, IMAPError>]
    { fatalError("filled in by the next change") }
    /// Marks \Deleted and expunges just these (UID EXPUNGE of UIDPLUS; `unsupported` without it).
    package func expunge(_ uids: UIDSet) async throws(IMAPError) { fatalError("filled in by the next change") }

    // MARK: writing

    /// Starts to append to a mailbox, which need not be selected. `single`: one APPEND per message even where the server
    /// has MULTIAPPEND, so that each message has a result of its own.
    package func append(to name: MailboxName, single: Bool) async throws(IMAPError) -> MessageAppender {
        fatalError("filled in by the next change")
    }

    // MARK: rights, quota, annotations

    /// The tightest quota roots over the mailbox; empty without QUOTA.
    package func quota(of name: MailboxName) async throws(IMAPError) -> [Quota] {
        fatalError("filled in by the next change")
    }
    package func rights(of name: MailboxName) async throws(IMAPError) -> [(identifier: String, rights: String)] {
        fatalError("filled in by the next change")
    }
    package func myRights(in name: MailboxName) async throws(IMAPError) -> String {
        fatalError("filled in by the next change")
    }
    package func setRights(_ rights: String, of identifier: String, in name: MailboxName) async throws(IMAPError) {
        fatalError("filled in by the next change")
    }
    package func deleteRights(of identifier: String, in name: MailboxName) async throws(IMAPError) {
        fatalError("filled in by the next change")
    }
    /// Values of metadata entries (RFC 5464); entries without a value are left out. `name` `nil`: of the server.
    package func metadata(of name: MailboxName?, entries: [String]) async throws(IMAPError) -> [String: [UInt8]] {
        fatalError("filled in by the next change")
    }
    package func setMetadata(of name: MailboxName?, entry: String, to value: [UInt8]?) async throws(IMAPError) {
        fatalError("filled in by the next change")
    }

    // MARK: connection

    package func noop() async throws(IMAPError) { fatalError("filled in by the next change") }
    /// LOGOUT, bounded in time; then closed. Idempotent, never throws.
    package func close() async { fatalError("filled in by the next change") }
}
