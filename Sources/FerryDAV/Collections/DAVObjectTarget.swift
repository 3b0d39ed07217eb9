import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP
import NIOCore
import Synchronization

/// A person's calendars or address books on a server, opened for writing. An object's name follows from its key, so
/// writing again does no harm.
final class DAVObjectTarget: TargetSession {
    let capabilities = TargetCapabilities(isIdempotent: true, batchItems: 256, batchBytes: 8 << 20)

    /// Objects above that are sent one at a time.
    private static let largeBytes = 1 << 20

    private let session: DAVSession
    private let kind: CollectionKind
    private let home: DAVPath
    /// By name; `nil` until somebody has looked.
    private let known = Mutex<[String: FoundCollection]?>(nil)

    /// `session` speaks to the server's root.
    init(_ session: DAVSession, _ kind: CollectionKind, home: DAVPath) {
        self.session = session
        self.kind = kind
        self.home = home
    }

    // MARK: collections

    /// The collection with its name and color. A name that a server might not take becomes the display name.
    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        let name = ObjectName.collection(container.path)
        var looks = Looks()
        switch (container.details, kind) {
        case (.calendar(let itsName, let itsColor), .calendars),
            (.addressBook(let itsName, let itsColor), .addressBooks):
            looks = Looks(
                displayName: itsName ?? ([name] == container.path ? nil : container.path.last), color: itsColor)
        default:
            throw ConnectorError(
                .targetItemRefused, .failRun,
                "'\(name.printable(limit: 200))' is not of the kind that this server holds here.")
        }
        if known.withLock({ $0 }) == nil { try await look() }
        if known.withLock({ $0?[name] }) == nil {
            try await make(name, looks)
            try await look()
        }
        guard let found = known.withLock({ $0?[name] }) else {
            throw ConnectorError(
                .targetConflict, .failRun,
                "'\(name.printable(limit: 200))' was made, and the server does not list it among the \(kind.plural). Is"
                    + " something else there under that name?")
        }
        let missing = Looks(
            displayName: looks.displayName == found.displayName ? nil : looks.displayName,
            color: looks.color?.lowercased() == found.color?.lowercased() ? nil : looks.color)
        if missing != Looks() {
            // What a server does not keep is nothing to stop for.
            _ = try await session.status(
                HTTPRequest(
                    "PROPPATCH", found.path.encoded(isCollection: true), headers: [Self.xml],
                    body: ByteBuffer(string: missing.body("D:propertyupdate", kind, ""))))
            try await look()
        }
        var made = (known.withLock { $0?[name] } ?? found).container(kind)
        made.path = container.path
        return made
    }

    private func look() async throws(ConnectorError) {
        let found = try await session.collections(in: home, kind)
        known.withLock { known in
            known = Dictionary(found.map { ($0.name, $0) }) { first, _ in first }
        }
    }

    private static let xml = (name: "Content-Type", value: "application/xml; charset=utf-8")

    /// What people see of a collection.
    private struct Looks: Hashable {
        var displayName: String?
        var color: String?

        /// A request's body that sets them; `more` is set besides.
        func body(_ element: String, _ kind: CollectionKind, _ more: String) -> String {
            var properties = more
            if let displayName { properties += "<D:displayname>\(Markup.escaped(displayName))</D:displayname>" }
            if let color { properties += "<X:\(kind.color.name)>\(Markup.escaped(color))</X:\(kind.color.name)>" }
            return #"<?xml version="1.0" encoding="utf-8"?><\#(element) xmlns:D="DAV:" xmlns:C="\#(kind.namespace)""#
                + #" xmlns:X="\#(kind.color.namespace)"><D:set><D:prop>\#(properties)</D:prop></D:set></\#(element)>"#
        }
    }

    /// MKCALENDAR (RFC 4791 section 5.3.1) or extended MKCOL (RFC 5689); without looks where the server minds them.
    private func make(_ name: String, _ looks: Looks) async throws(ConnectorError) {
        let address = home.appending(name).encoded(isCollection: true)
        let type = "<D:resourcetype><D:collection/><C:addressbook/></D:resourcetype>"
        func request(_ looks: Looks) -> HTTPRequest {
            let body =
                kind == .calendars ? looks.body("C:mkcalendar", kind, "") : looks.body("D:mkcol", kind, type)
            let isBare = kind == .calendars && looks == Looks()
            return HTTPRequest(
                kind == .calendars ? "MKCALENDAR" : "MKCOL", address, headers: isBare ? [] : [Self.xml],
                body: isBare ? nil : ByteBuffer(string: body))
        }
        var (head, refusal) = try await session.answer(request(looks))
        if ![201, 405].contains(head.status), session.side.general(head) == nil, looks != Looks() {
            (head, refusal) = try await session.answer(request(Looks()))
        }
        if head.status == 201 || head.status == 405 || refusal.conditions.contains("DAV: resource-must-be-null") {
            return
        }
        if let error = session.side.general(head) { throw error }
        throw ConnectorError(
            head.status == 403 ? .targetForbidden : .targetNameRefused, .failRun,
            "The target does not make the collection '\(name.printable(limit: 200))' (status \(head.status)"
                + "\(refusal.text.isEmpty ? "" : ", \(refusal.text)")). Give the account that Ferry uses the right to, or"
                + " rename it at the source.")
    }

    private func path(of container: Container) -> DAVPath {
        known.withLock { $0?[container.name]?.path } ?? home.appending(container.name)
    }

    // MARK: objects

    func write(
        _ headers: [ItemHeader], bodies: any BodyReader, in container: Container
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let writer = ObjectWriter(session: session, collection: path(of: container), kind: kind)
        let feed = Feed(bodies)
        var receipts = BatchReceipts(count: headers.count)
        let failure: ConnectorError? = await withTaskGroup(of: (Int, WriteReceipt).self) { [session] group in
            var underWay = 0
            do throws(ConnectorError) {
                for (index, header) in headers.enumerated() {
                    let content: ByteBuffer
                    switch try await feed.whole() {
                    case .failure(let error):
                        receipts[index] = .failure(error)
                        continue
                    case .success(let whole): content = whole
                    }
                    let room = content.readableBytes > Self.largeBytes ? 1 : session.width
                    while underWay >= room, let (index, receipt) = await group.next() {
                        underWay -= 1
                        try receipts.take(receipt, at: index)
                    }
                    underWay += 1
                    group.addTask { (index, await writer.write(header, content)) }
                }
                for await (index, receipt) in group { try receipts.take(receipt, at: index) }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return receipts.complete()
    }

    func remove(_ items: [PlacedItem], in container: Container) async throws(ConnectorError) {
        let keys = Set(items.map(\.key))
        let collection = path(of: container)
        let names = try await session.objects(in: collection).objects.map(\.name).filter {
            keys.contains(ObjectName.key(of: $0, kind))
        }
        let writer = ObjectWriter(session: session, collection: collection, kind: kind)
        for (_, result) in await session.forEach(names, { await writer.remove($0) }) { try result.get() }
    }

    func close() async {}
}
