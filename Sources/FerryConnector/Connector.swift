package import FerryCore

/// One configured service of one tenant: a folder of mailboxes, a CalDAV server, a homeserver.
///
/// Connectors know peers and nothing of jobs. All of them pass `ConnectorConformance` of the test kit.
package protocol Connector: Sendable {
    var service: ServiceKind { get }
    /// Which lane work on this endpoint takes; two services on one server share one.
    var lane: LaneID { get }
    /// How many people Ferry may work on at once here.
    var parallelism: Int { get }
    /// Whether a file that was written is read back with the same time and the same right to be executed.
    var keepsFileMetadata: Bool { get }
    /// Whether this target takes calendars or contacts apart and writes them anew, so that a copy may say less than it was
    /// given however often it is given.
    var rewritesObjects: Bool { get }
    /// Opens a person's data for reading. Cheap; throws `sourceNotFound` when the person has none.
    func source(for account: Account) async throws(ConnectorError) -> any SourceSession
    /// Opens a person's data for writing; creates what is missing.
    func target(for account: Account) async throws(ConnectorError) -> any TargetSession
    /// Looks at what a move would need, without changing anything: does the account exist, can it be read or written,
    /// is it empty. Facts for the validation rules, not judgements.
    func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts
    /// The path under which this target has what was moved from a source's container, given what it has: its own
    /// folder for sent mail, a name without a character that it does not take. The same that `ensure` decides.
    func counterpart(of container: Container, among present: [Container]) -> [String]
    /// What this target would say to a container, or an item in it, as far as that shows without asking it; `nil` where
    /// nothing is wrong, or it shows only when it is written. The same that `ensure` and `write` then say.
    func objection(to container: Container) -> ConnectorError?
    func objection(to header: ItemHeader) -> ConnectorError?
}

extension Connector {
    package var keepsFileMetadata: Bool { true }
    package var rewritesObjects: Bool { false }
    package func counterpart(of container: Container, among present: [Container]) -> [String] { container.path }
    package func objection(to container: Container) -> ConnectorError? { nil }
    package func objection(to header: ItemHeader) -> ConnectorError? { nil }
}

/// A person's account at one service.
package struct Account: Sendable, Hashable {
    package var tenant: TenantID
    package var person: Person
    /// The account's name at this service.
    package var login: String

    package init(tenant: TenantID, person: Person, login: String) {
        self.tenant = tenant
        self.person = person
        self.login = login
    }
}

package enum AccountRole: Sendable, Hashable { case source, target }

/// What a probe saw.
package struct AccountFacts: Sendable, Hashable {
    package var exists: Bool
    package var isReadable: Bool
    package var isWritable: Bool
    /// The account holds no item.
    package var isEmpty: Bool
    /// In words, for people: what was looked at and what was wrong; empty when all is well. No secrets.
    package var remark: String
    /// Free room in bytes where the service says it.
    package var roomBytes: Int64?
    /// Items and bytes where the service can tell without reading everything.
    package var items: Int64?
    package var bytes: Int64?
    /// As a target: the largest item in bytes; `nil` where there is no known limit.
    package var largestItemBytes: Int64?
    /// As a source: a move has left its mark, the account is frozen or says where its owner has gone.
    package var isMarked = false
    /// As a source: whether word of a new address can be left; `nil` where that shows only when it is tried.
    package var canRedirect: Bool?
    /// What the peer is and what it lacks, for people; empty where there is nothing to tell.
    package var peer = ""

    package init(
        exists: Bool, isReadable: Bool, isWritable: Bool, isEmpty: Bool, remark: String = "", roomBytes: Int64? = nil,
        items: Int64? = nil, bytes: Int64? = nil
    ) {
        self.exists = exists
        self.isReadable = isReadable
        self.isWritable = isWritable
        self.isEmpty = isEmpty
        self.remark = remark
        self.roomBytes = roomBytes
        self.items = items
        self.bytes = bytes
    }
}

/// What went wrong at a peer, and what the engine does next. Only the function that knows the peer makes one.
package struct ConnectorError: Error, Sendable {
    package enum Disposition: Sendable, Hashable {
        /// Try the same again, not before `after` (`nil`: the engine's own back-off).
        case retry(after: Duration?)
        /// This item can never move: record it, go on.
        case skip
        /// This run cannot go on.
        case failRun
        /// A person must act before it makes sense to try again.
        case hold
        /// We were told to stop; nothing is recorded, no attempt used up.
        case cancelled
    }

    package var code: ErrorCode
    package var disposition: Disposition
    /// What, where and how to mend it. Safe to log and to show: no contents, no secrets.
    package var context: String
    /// For developers; never shown.
    package var underlying: (any Error)?

    package init(_ code: ErrorCode, _ disposition: Disposition, _ context: String, underlying: (any Error)? = nil) {
        self.code = code
        self.disposition = disposition
        self.context = context
        self.underlying = underlying
    }

    package static let cancelled = ConnectorError(.cancelled, .cancelled, "The work was told to stop.")
}
