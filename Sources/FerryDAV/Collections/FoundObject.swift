import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP
import NIOCore

/// An object of a collection as a listing has it: about 100 bytes.
struct FoundObject: Sendable, Hashable {
    var name: String
    /// Without quotes and without `W/`; where the server has none, the time it was changed.
    var tag: String
    /// Bytes; `nil` where the server does not say.
    var size: Int64?

    var version: ItemVersion {
        var hasher = VersionHasher()
        hasher.combine(tag)
        return hasher.finish()
    }

    func header(_ kind: CollectionKind) -> ItemHeader {
        ItemHeader(
            key: ItemKey(name: name), version: version, name: name, size: size ?? 1_024, sizeIsHint: size == nil,
            metadata: kind.metadata)
    }

    static let request =
        #"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/>"#
        + "<D:getetag/><D:getcontentlength/><D:getlastmodified/></D:prop></D:propfind>"

    /// The body of a PROPFIND for entity tags alone.
    static let tagRequest =
        #"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:getetag/>"#
        + "</D:prop></D:propfind>"

    /// The body of a REPORT for what has changed since a token (RFC 6578 section 6.1).
    static func syncRequest(_ token: String) -> String {
        #"<?xml version="1.0" encoding="utf-8"?><D:sync-collection xmlns:D="DAV:"><D:sync-token>"#
            + Markup.escaped(token) + "</D:sync-token><D:sync-level>1</D:sync-level><D:prop><D:resourcetype/>"
            + "<D:getetag/><D:getcontentlength/><D:getlastmodified/></D:prop></D:sync-collection>"
    }

    static func tag(_ response: DAVResponse) -> String {
        response.property("DAV: getetag").flatMap { FileEntry.tag($0.text) }
            ?? response.property("DAV: getlastmodified")?.text.trimmingBlanks ?? ""
    }
}

/// Everything that a collection holds.
struct ObjectListing: Sendable {
    /// In byte order of their names.
    var objects: [FoundObject] = []
    /// What is there and cannot be an object.
    var problems: [ItemPage.Problem] = []
    /// The entity tag of the collection itself, as the server spells it; hardly a server has one.
    var tag: String?
}

/// What has happened in a collection.
struct ObjectChanges: Sendable {
    /// New and changed objects.
    var listing: ObjectListing
    /// Names of objects that are not there any more.
    var gone: Set<String>
}

/// What a `response` about a collection says of one of its members.
private enum Member {
    case object(FoundObject)
    /// It is not there any more.
    case gone(String)
    case problem(ItemPage.Problem)
    /// The server has more to say than it says in one answer (RFC 6578 section 3.6).
    case more
    /// The collection itself, with its entity tag if it has one.
    case itself(String?)
    /// What is not in it.
    case none

    init(_ response: DAVResponse, of collection: DAVPath) {
        let path: DAVPath
        do throws(DAVPath.Trouble) { path = try DAVPath(href: response.href) } catch {
            self = .problem(
                Self.problem(
                    response.href, .sourceNameUnusable,
                    "has a name that is not UTF-8 or could lead elsewhere. Rename it"))
            return
        }
        if path == collection {
            self =
                response.status == 507
                ? .more : .itself(response.property("DAV: getetag")?.text.trimmingBlanks)
            return
        }
        guard path.parent == collection, let name = path.names.last else {
            self = .none
            return
        }
        if let status = response.status, status >= 400 {
            self = status == 404 || status == 410 ? .gone(name) : .none
            return
        }
        let isFolder =
            response.property("DAV: resourcetype")?.children.contains { $0.name == "DAV: collection" } ?? false
        guard !isFolder else {
            self = .problem(
                Self.problem(
                    name, .sourceItemUnsupported,
                    "is a folder inside a collection; collections are not nested. Move it one level up"))
            return
        }
        self = .object(
            FoundObject(
                name: name, tag: FoundObject.tag(response),
                size: response.property("DAV: getcontentlength").flatMap { Int64($0.text.trimmingBlanks) }))
    }

    private static func problem(_ name: String, _ code: ErrorCode, _ reason: String) -> ItemPage.Problem {
        let shown = name.printable(limit: 400)
        return ItemPage.Problem(name: shown, error: ConnectorError(code, .skip, "'\(shown)' \(reason)."))
    }
}

extension DAVSession {
    /// Lists a collection. For sessions at the server's root.
    func objects(in collection: DAVPath) async throws(ConnectorError) -> ObjectListing {
        var listing = ObjectListing()
        let head = try await propfind(collection, depth: 1, FoundObject.request) { response in
            switch Member(response, of: collection) {
            case .object(let object): listing.objects.append(object)
            case .problem(let problem): listing.problems.append(problem)
            case .itself(let tag): listing.tag = tag
            case .gone, .more, .none: break
            }
        }
        guard head.status == 207 else { throw side.folder(head, "'\(collection.text.printable(limit: 400))'") }
        listing.objects.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return listing
    }

    /// What has happened in a collection since the server gave the token (RFC 6578 section 3.2), however many answers that
    /// takes. `nil` where the server does not know the token any more, or has no such report: then only a listing helps.
    func changes(
        in collection: DAVPath, since token: String
    ) async throws(ConnectorError) -> ObjectChanges? {
        var objects: [String: FoundObject] = [:]
        var gone: Set<String> = []
        var problems: [ItemPage.Problem] = []
        var token = token
        for _ in 0..<Self.mostReports {
            var isCut = false
            let parser = MultistatusParser()
            let head = try await multistatus(
                HTTPRequest(
                    "REPORT", collection.encoded(isCollection: true),
                    // RFC 6578 section 3.2 wants depth 0; the level says how far it goes.
                    headers: [("Depth", "0"), ("Content-Type", "application/xml; charset=utf-8")],
                    body: ByteBuffer(string: FoundObject.syncRequest(token))),
                about: "'\(collection.text.printable(limit: 400))'", parser
            ) { response in
                switch Member(response, of: collection) {
                case .object(let object):
                    gone.remove(object.name)
                    objects[object.name] = object
                case .gone(let name):
                    objects[name] = nil
                    gone.insert(name)
                case .problem(let problem): problems.append(problem)
                case .more: isCut = true
                case .itself, .none: break
                }
            }
            guard head.status == 207 else {
                // An invalid token is 403 with `valid-sync-token`; other refusals are for the listing to find.
                if [400, 403, 404, 405, 409, 412, 415, 422, 501, 507].contains(head.status) { return nil }
                throw side.folder(head, "'\(collection.text.printable(limit: 400))'")
            }
            guard isCut else {
                let listing = ObjectListing(
                    objects: objects.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) },
                    problems: problems)
                return ObjectChanges(listing: listing, gone: gone)
            }
            guard let next = parser.syncToken, next != token else { return nil }
            token = next
        }
        return nil
    }

    /// Answers that one question of changes may take.
    private static let mostReports = 10_000
}
