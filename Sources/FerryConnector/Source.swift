package import FerryCore
package import NIOCore

/// A person's data, opened for reading. Used by one task at a time.
package protocol SourceSession: Sendable {
    /// All containers, parents before children.
    func containers() async throws(ConnectorError) -> [Container]

    /// A cursor that stands for "now" in this container, to be taken *before* listing and stored when the pass over the
    /// listing is complete. Compared by `isUnchanged`.
    func state(of container: Container) async throws(ConnectorError) -> Cursor

    /// Whether nothing in the container has changed since the cursor was taken: no item new, changed or gone. Must be
    /// cheap (no listing); `false` when it cannot tell.
    func isUnchanged(_ container: Container, since cursor: Cursor) async throws(ConnectorError) -> Bool

    /// All items, a page at a time (about a thousand), each item in exactly one page. Items that cannot be listed are
    /// reported in the page as `problems`. After a cursor of `changes`: the rest of those.
    func items(in container: Container, after cursor: Cursor?) async throws(ConnectorError) -> ItemPage

    /// What is new, changed or gone since the cursor was taken, in the answer's first page and those that follow; and the
    /// items of the given keys, changed or not, as far as they are still there. `nil` where the source cannot tell without
    /// a listing of everything, or no longer: then the container is listed.
    ///
    /// Items that have not changed may be among the answer; none that has changed is missing from it. What happens while
    /// the pages are read may be missing: it has happened since the next cursor was taken.
    func changes(
        in container: Container, since cursor: Cursor, and keys: [ItemKey]
    ) async throws(ConnectorError) -> ContainerChanges?

    /// How much is in a container, where the source can tell without listing it; `nil` where it cannot.
    func extent(of container: Container) async throws(ConnectorError) -> ContainerExtent?

    /// The bodies of the items, in the order given, read ahead with many requests in flight.
    func bodies(of headers: [ItemHeader], in container: Container) async throws(ConnectorError) -> any BodyReader

    /// Which mailbox this is: a text that another mailbox in its place does not have. People may see it.
    ///
    /// `recorded` is what it said before: it comes back as long as it is the same mailbox, whatever happens in it, and
    /// nothing is changed. With `nil` the source may leave a mark where nothing else tells. The answer is `nil` where the
    /// source cannot tell, and where the mark is gone.
    func mailboxIdentity(recorded: String?) async throws(ConnectorError) -> String?

    /// Where an item of a listing is, in the words that the same service, as a target, has for it in its receipts; `nil`
    /// where it has none.
    func place(of header: ItemHeader) -> ItemPlace?

    /// Freezing, thawing and redirecting, where the source can do it.
    var custody: (any SourceCustody)? { get }

    /// Several sessions of the person make a pass faster, and `sibling` gives them. Such a source answers `isUnchanged` of all
    /// containers before it is asked for the first listing, and `changes` for any state that it or a sibling has given.
    var canShareWork: Bool { get }

    /// Another session, for other containers of the same account at the same time; `nil` where none is to be had now. It is
    /// not asked for `containers`.
    func sibling() async -> (any SourceSession)?

    /// Gives connections and files back. Idempotent.
    func close() async
}

extension SourceSession {
    package var canShareWork: Bool { false }
    package func sibling() async -> (any SourceSession)? { nil }
    package var custody: (any SourceCustody)? { nil }
    package func mailboxIdentity(recorded: String?) async throws(ConnectorError) -> String? { nil }
    package func place(of header: ItemHeader) -> ItemPlace? { nil }
    package func changes(
        in container: Container, since cursor: Cursor, and keys: [ItemKey]
    ) async throws(ConnectorError) -> ContainerChanges? { nil }
    package func extent(of container: Container) async throws(ConnectorError) -> ContainerExtent? { nil }
}

/// What has happened in a container.
package struct ContainerChanges: Sendable {
    /// New and changed items, and those that were asked for by key. `items(in:after:)` gives the pages after this one.
    package var first: ItemPage
    /// Items that are gone. A range may also name keys that never were an item's.
    package var gone: [ClosedRange<ItemKey>]
    /// How many items the container holds with all this, where the source can tell: whoever has followed every change has
    /// as many.
    package var items: Int64?
    /// Bytes of their contents, where the source can tell.
    package var bytes: Int64?

    package init(first: ItemPage, gone: [ClosedRange<ItemKey>], items: Int64? = nil, bytes: Int64? = nil) {
        self.first = first
        self.gone = gone
        self.items = items
        self.bytes = bytes
    }
}

/// How much a container holds.
package struct ContainerExtent: Sendable, Hashable {
    package var items: Int64
    /// Of contents.
    package var bytes: Int64

    package init(items: Int64, bytes: Int64) {
        self.items = items
        self.bytes = bytes
    }
}

/// A page of item headers, with what could not be listed.
package struct ItemPage: Sendable {
    package struct Problem: Sendable {
        /// The source's name of the item, made printable.
        package var name: String
        package var error: ConnectorError
        package init(name: String, error: ConnectorError) {
            self.name = name
            self.error = error
        }
    }

    package var headers: [ItemHeader]
    package var problems: [Problem]
    package var next: Cursor?

    package init(headers: [ItemHeader], problems: [Problem] = [], next: Cursor?) {
        self.headers = headers
        self.problems = problems
        self.next = next
    }
}

/// The contents of a sequence of items, pulled in bunches. Used by one task at a time; not restartable.
///
/// For each item in order: any number of `.bytes`, then exactly one `.end` or `.failed`. After `.failed` what came before
/// of that item is worthless. A bunch holds about a mebibyte at most, so memory does not grow with the size of an item.
package protocol BodyReader: AnyObject, Sendable {
    /// The next bunch of events; `nil` after the last item's end. Throws when the whole batch cannot go on.
    func next() async throws(ConnectorError) -> [BodyEvent]?
}

/// A part of a sequence of contents.
package enum BodyEvent: Sendable {
    case bytes(ByteBuffer)
    /// The current item is complete.
    case end
    /// The current item cannot be read (gone, no rights, malformed).
    case failed(ConnectorError)
}

/// What a source can do to itself around a cutover (orchestration 9.2). Every verb is idempotent and durable. A verb that
/// is among the abilities and turns out not to be possible for this person throws with the disposition `skip`, having
/// changed nothing: the move goes on without it.
package protocol SourceCustody: Sendable {
    /// What this source can do; the other verbs are not called.
    var abilities: CustodyAbilities { get }
    /// Makes the source refuse changes by its owner.
    func freeze() async throws(ConnectorError)
    /// Undoes `freeze`.
    func thaw() async throws(ConnectorError)
    /// Leaves word at the source where the person has gone.
    func redirect(to address: String) async throws(ConnectorError)
    /// Undoes `redirect`.
    func removeRedirect() async throws(ConnectorError)
}

/// Which of the verbs of `SourceCustody` a source has.
package struct CustodyAbilities: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// `freeze` and `thaw`.
    package static let freeze = CustodyAbilities(rawValue: 1)
    /// `redirect` and `removeRedirect`.
    package static let redirect = CustodyAbilities(rawValue: 2)
}

extension SourceCustody {
    package var abilities: CustodyAbilities { [.freeze, .redirect] }
}
