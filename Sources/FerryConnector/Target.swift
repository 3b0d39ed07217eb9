package import FerryCore

/// A person's data, opened for writing. Used by one task at a time.
package protocol TargetSession: Sendable {
    var capabilities: TargetCapabilities { get }

    /// Finds or creates the container that corresponds to a source's, with its details. Deterministic: the same source
    /// container always gives the same target container.
    func ensure(_ container: Container) async throws(ConnectorError) -> Container

    /// Writes items, durable when it returns. `bodies` yields them in the order of `headers`.
    ///
    /// Gives a receipt per header, in order. An item whose body failed, or that the target refuses, gets `.failure` and
    /// leaves nothing behind; the others are written. Throws only when the batch as a whole cannot go on; then any of
    /// its items may or may not be there. An item that is there already (same key) is replaced, where the target is
    /// idempotent.
    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt]

    /// Changes metadata (flags, keywords, dates, times) of items whose content is unchanged. Receipts as for `write`;
    /// `targetNotFound` items get `.failure` with `target.conflict` and are then written again by the copier.
    /// `nil` where the target has no such verb: the copier writes the item anew.
    func update(_ headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> [WriteReceipt]?

    /// Removes items that the source no longer has, if Ferry wrote them; unknown ones are ignored. Durable on return.
    /// Marks them for deletion where the capabilities say so.
    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError)

    /// What the container looks like right before a batch of these items, and what will tell them there even if the
    /// source forgets them; only asked of targets that are not idempotent.
    func mark(of container: Container, before headers: [ItemHeader]) async throws(ConnectorError) -> [UInt8]

    /// Those of the items whose places mean nothing any more, because the container was made anew at the target (IMAP:
    /// another UIDVALIDITY). Cheap; only asked of targets that are not idempotent.
    func misplaced(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) -> [PlacedItem]

    /// Where the copies that are looked for are, each once; those that are not there are left out. Removes what arrived
    /// in part. Only asked of targets that are not idempotent. `original` gives the contents at the source, for
    /// comparison with what others may have put there meanwhile.
    func find(
        _ search: CopySearch, in container: Container, original: @escaping OriginalBodies
    ) async throws(ConnectorError) -> [PlacedItem]

    /// Called once a pass over the container is complete: order of rooms, times of folders, subscriptions.
    func finish(_ container: Container) async throws(ConnectorError)

    /// Another session, for other containers of the same account at the same time; `nil` where none is to be had now.
    func sibling() async -> (any TargetSession)?

    func close() async
}

extension TargetSession {
    package func sibling() async -> (any TargetSession)? { nil }
    package func update(_ headers: [ItemHeader], in container: Container) async throws(ConnectorError)
        -> [WriteReceipt]?
    {
        nil
    }
    package func mark(of container: Container, before headers: [ItemHeader]) async throws(ConnectorError) -> [UInt8] {
        []
    }
    package func misplaced(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) -> [PlacedItem]
    { [] }
    package func find(
        _ search: CopySearch, in container: Container, original: @escaping OriginalBodies
    ) async throws(ConnectorError) -> [PlacedItem] { [] }
    package func finish(_ container: Container) async throws(ConnectorError) {}
}

/// Facts about a target, with units.
package struct TargetCapabilities: Sendable, Hashable {
    /// Writing the same key again changes nothing; so no intent is needed before a batch.
    package var isIdempotent: Bool
    /// Largest item in bytes; `nil` where there is no known limit.
    package var largestItemBytes: Int64?
    /// What is removed stays where people can see it, marked for deletion, until somebody there clears it away.
    package var marksWhatIsRemoved = false
    /// Items per batch that suit the target, between 1 and 4096.
    package var batchItems: Int
    /// Bytes per batch that suit the target.
    package var batchBytes: Int64

    package init(
        isIdempotent: Bool, largestItemBytes: Int64? = nil, batchItems: Int = 512, batchBytes: Int64 = 16 << 20
    ) {
        self.isIdempotent = isIdempotent
        self.largestItemBytes = largestItemBytes
        self.batchItems = batchItems
        self.batchBytes = batchBytes
    }
}

/// Opens the contents of items as the target would be given them, in order.
package typealias OriginalBodies = @Sendable ([ItemHeader]) async throws(ConnectorError) -> any BodyReader

/// Copies that a target may have, nobody knows where: of a batch whose writer died, or of items whose container was made
/// anew.
package struct CopySearch: Sendable {
    /// What an interrupted batch left behind.
    package struct Batch: Sendable {
        /// In the order of the headers that `mark` was asked with. Those that the source does not have any more are
        /// looked for by what the mark says of them.
        package var keys: [ItemKey]
        package var mark: [UInt8]

        package init(keys: [ItemKey], mark: [UInt8]) {
            self.keys = keys
            self.mark = mark
        }
    }

    /// As the source has them now.
    package var headers: [ItemHeader]
    /// `nil`: the copies may have been there for long, anywhere in the container.
    package var batch: Batch?
    /// Where copies of other items are known to be.
    package var taken: [ItemPlace]

    package init(_ headers: [ItemHeader], batch: Batch? = nil, besides taken: [ItemPlace]) {
        self.headers = headers
        self.batch = batch
        self.taken = taken
    }
}

/// An item that Ferry has written, and where, if the target said so.
package struct PlacedItem: Sendable, Hashable {
    package var key: ItemKey
    package var place: ItemPlace?

    package init(key: ItemKey, place: ItemPlace? = nil) {
        self.key = key
        self.place = place
    }
}

/// What became of one item of a batch.
package enum WriteReceipt: Sendable {
    /// Written; `bytes` of content. `place` where the target needs it to find the item again.
    case written(bytes: Int64, place: ItemPlace? = nil)
    /// Written as `written`, but not quite as it was given, because the target takes it no other way; the error says
    /// what is lost. Its disposition means nothing.
    case altered(bytes: Int64, place: ItemPlace?, ConnectorError)
    case failure(ConnectorError)

    /// Where the item is, if it was written and the target said where.
    package var place: ItemPlace? {
        switch self {
        case .written(_, let place), .altered(_, let place, _): place
        case .failure: nil
        }
    }
}
