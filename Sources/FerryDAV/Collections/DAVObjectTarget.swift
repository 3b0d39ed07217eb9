import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP
import NIOCore
import Synchronization

/// A person's calendars or address books on a server, opened for writing. An object's name follows from its key, so
/// writing again does no harm.
final class DAVObjectTarget: TargetSession {
    /// Whoever takes a whole collection at once is given as much of it as can be.
    var capabilities: TargetCapabilities {
        TargetCapabilities(
            isIdempotent: true, batchItems: manners.takesWhole == true ? 4_096 : 256, batchBytes: 8 << 20)
    }

    /// Objects above that are sent one at a time.
    private static let largeBytes = 1 << 20

    private let session: DAVSession
    private let kind: CollectionKind
    private let home: DAVPath
    private let manners: ServerManners
    /// Collections that this session has made and not written to, with what people are to see of them.
    private let fresh = Mutex<[String: Looks]>([:])
    /// By name; `nil` until somebody has looked.
    private let known = Mutex<[String: FoundCollection]?>(nil)

    /// `session` speaks to the server's root.
    init(_ session: DAVSession, _ kind: CollectionKind, home: DAVPath, _ manners: ServerManners) {
        self.session = session
        self.kind = kind
        self.home = home
        self.manners = manners
    }

    // MARK: collections

    /// The collection with its name, color and traits. A name that a server might not take becomes the display name.
    func ensure(_ container: Container) async throws(ConnectorError) -> Container {
        let name = ObjectName.collection(container.path)
        var looks = Looks()
        switch (container.details, kind) {
        case (.calendar(let itsName, let itsColor, let traits), .calendars),
            (.addressBook(let itsName, let itsColor, let traits), .addressBooks):
            looks = Looks(
                displayName: itsName ?? ([name] == container.path ? nil : container.path.last), color: itsColor,
                traits: traits)
        default:
            throw ConnectorError(
                .targetItemRefused, .failRun,
                "'\(name.printable(limit: 200))' is not of the kind that this server holds here.")
        }
        if known.withLock({ $0 }) == nil { try await look() }
        if known.withLock({ $0?[name] }) == nil {
            try await make(name, looks)
            try await learn(home.appending(name))
            fresh.withLock { $0[name] = looks }
            try await look()
        }
        guard let found = known.withLock({ $0?[name] }) else {
            throw ConnectorError(
                .targetConflict, .failRun,
                "'\(name.printable(limit: 200))' was made, and the server does not list it among the \(kind.plural). Is"
                    + " something else there under that name?")
        }
        let missing = looks.missing(in: found)
        if missing != Looks() {
            try await give(missing, to: found.path)
            try await look()
        }
        var made = (known.withLock { $0?[name] } ?? found).container(kind)
        made.path = container.path
        return made
    }

    /// What a server does not keep is nothing to stop for.
    private func give(_ looks: Looks, to path: DAVPath) async throws(ConnectorError) {
        guard try await !propPatch(looks, path) else { return }
        // One that is refused takes the others along (RFC 4918 section 9.2).
        let parts = looks.parts
        guard parts.count > 1 else { return }
        for part in parts { _ = try await propPatch(part, path) }
    }

    /// Whether everything was taken.
    private func propPatch(_ looks: Looks, _ path: DAVPath) async throws(ConnectorError) -> Bool {
        var isTaken = true
        let head = try await session.multistatus(
            HTTPRequest(
                "PROPPATCH", path.encoded(isCollection: true), headers: [Self.xml],
                body: ByteBuffer(string: looks.body("D:propertyupdate", kind, ""))),
            about: "'\(path.text.printable(limit: 400))'", MultistatusParser()
        ) { response in
            if response.properties.contains(where: { !(200..<300).contains($0.status) }) { isTaken = false }
        }
        return head.status == 207 ? isTaken : head.isDone
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
        var traits = CollectionTraits()

        func missing(in found: FoundCollection) -> Looks {
            Looks(
                displayName: displayName == found.displayName ? nil : displayName,
                color: color?.lowercased() == found.color?.lowercased() ? nil : color,
                traits: traits.missing(in: found.traits))
        }

        /// Each property by itself.
        var parts: [Looks] {
            [
                Looks(displayName: displayName), Looks(color: color),
                Looks(traits: CollectionTraits(description: traits.description)),
                Looks(traits: CollectionTraits(order: traits.order)),
                Looks(traits: CollectionTraits(timeZone: traits.timeZone)),
                Looks(traits: CollectionTraits(components: traits.components)),
            ].filter { $0 != Looks() }
        }

        /// A request's body that sets them; `more` is set besides.
        func body(_ element: String, _ kind: CollectionKind, _ more: String) -> String {
            var properties = more
            func set(_ name: String, _ value: String?) {
                if let value { properties += "<\(name)>\(Markup.escaped(value))</\(name)>" }
            }
            set("D:displayname", displayName)
            set("X:\(kind.color.name)", color)
            set("C:\(kind.description)", traits.description)
            if kind == .calendars {
                set("X:calendar-order", traits.order)
                set("C:calendar-timezone", traits.timeZone)
                if !traits.components.isEmpty {
                    let components = traits.components.map { #"<C:comp name="\#($0)"/>"# }.joined()
                    properties +=
                        "<C:supported-calendar-component-set>\(components)</C:supported-calendar-component-set>"
                }
            }
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
        let collection = path(of: container)
        let feed = Feed(bodies)
        guard let looks = fresh.withLock({ $0.removeValue(forKey: container.name) }), manners.takesWhole == true,
            headers.count >= Self.fewest
        else {
            return try await write(headers, BatchReceipts(count: headers.count), to: collection) {
                () throws(ConnectorError) in try await feed.whole()
            }
        }
        var contents: [Result<ByteBuffer, ConnectorError>] = []
        for _ in headers { contents.append(try await feed.whole()) }
        let receipts = try await writeWhole(headers, contents, to: collection, looks)
        var next = 0
        return try await write(headers, receipts, to: collection) { () throws(ConnectorError) in
            defer { next += 1 }
            return contents[next]
        }
    }

    /// Writes what has no receipt yet, each object by itself and several at once. `content` gives the objects' contents,
    /// one after the other.
    private func write(
        _ headers: [ItemHeader], _ receipts: BatchReceipts, to collection: DAVPath,
        _ content: () async throws(ConnectorError) -> Result<ByteBuffer, ConnectorError>
    ) async throws(ConnectorError) -> [WriteReceipt] {
        let writer = ObjectWriter(session: session, collection: collection, kind: kind)
        var receipts = receipts
        let failure: ConnectorError? = await withTaskGroup(of: (Int, WriteReceipt).self) { [session] group in
            var underWay = 0
            do throws(ConnectorError) {
                for (index, header) in headers.enumerated() {
                    let given = try await content()
                    guard receipts[index] == nil else { continue }
                    let content: ByteBuffer
                    switch given {
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

    // MARK: a whole collection at once

    /// Objects for which it is worth it.
    private static let fewest = 16

    /// Finds out whether the server takes a collection as a whole, by giving it the new and empty one as such. It must have
    /// an entity tag for collections, because else what somebody has put there meanwhile would be lost.
    private func learn(_ collection: DAVPath) async throws(ConnectorError) {
        guard manners.takesWhole == nil else { return }
        let listing = try await session.objects(in: collection)
        guard let tag = listing.tag, tag.hasPrefix("\""), listing.objects.isEmpty, listing.problems.isEmpty else {
            return manners.note(takesWhole: false)
        }
        let head = try await put(ObjectBundle(kind), at: collection, replacing: tag)
        manners.note(takesWhole: head.isDone)
    }

    /// Writes as many objects as can be in one request that replaces the collection, if it is still the empty one that we
    /// have made. Receipts for those that are there then; the others are to be written by themselves.
    private func writeWhole(
        _ headers: [ItemHeader], _ contents: [Result<ByteBuffer, ConnectorError>], to collection: DAVPath,
        _ looks: Looks
    ) async throws(ConnectorError) -> BatchReceipts {
        var receipts = BatchReceipts(count: headers.count)
        var bundle = ObjectBundle(kind)
        for (index, header) in headers.enumerated() {
            guard case .success(let content) = contents[index] else { continue }
            _ = bundle.add(
                TextEscaping.repair(Array(content.readableBytesView)), named: ObjectName.item(header, kind), at: index)
        }
        guard bundle.places.count >= Self.fewest else { return receipts }
        let listing = try await session.objects(in: collection)
        guard let tag = listing.tag, tag.hasPrefix("\""), listing.objects.isEmpty, listing.problems.isEmpty,
            try await put(bundle, at: collection, replacing: tag).isDone
        else { return receipts }
        // Its name and color went with the old one.
        if looks != Looks() { try await give(looks, to: collection) }
        for object in try await session.objects(in: collection).objects {
            guard let index = bundle.places[object.name], case .success(let content) = contents[index] else { continue }
            receipts[index] = .written(bytes: Int64(content.readableBytes))
        }
        return receipts
    }

    private func put(
        _ bundle: ObjectBundle, at collection: DAVPath, replacing tag: String
    ) async throws(ConnectorError) -> HTTPReplyHead {
        let head = try await session.status(
            HTTPRequest(
                "PUT", collection.encoded(isCollection: true),
                headers: [("Content-Type", kind.contentType), ("If-Match", tag)] + kind.quiet, body: bundle.document))
        if let error = session.side.general(head), head.status != 500 { throw error }
        return head
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
