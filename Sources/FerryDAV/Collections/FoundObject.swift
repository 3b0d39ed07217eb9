import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP

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
}

extension DAVSession {
    /// Lists a collection. For sessions at the server's root.
    func objects(in collection: DAVPath) async throws(ConnectorError) -> ObjectListing {
        var listing = ObjectListing()
        let head = try await propfind(collection, depth: 1, FoundObject.request) { response in
            let path: DAVPath
            do throws(DAVPath.Trouble) { path = try DAVPath(href: response.href) } catch {
                listing.problems.append(
                    Self.objectProblem(
                        response.href, .sourceNameUnusable,
                        "has a name that is not UTF-8 or could lead elsewhere. Rename it"))
                return
            }
            guard path != collection, path.parent == collection, let name = path.names.last else { return }
            if let status = response.status, status >= 400 { return }
            let isFolder =
                response.property("DAV: resourcetype")?.children.contains { $0.name == "DAV: collection" } ?? false
            guard !isFolder else {
                listing.problems.append(
                    Self.objectProblem(
                        name, .sourceItemUnsupported,
                        "is a folder inside a collection; collections are not nested. Move it one level up"))
                return
            }
            listing.objects.append(
                FoundObject(
                    name: name, tag: FoundObject.tag(response),
                    size: response.property("DAV: getcontentlength").flatMap { Int64($0.text.trimmingBlanks) }))
        }
        guard head.status == 207 else { throw side.folder(head, "'\(collection.text.printable(limit: 400))'") }
        listing.objects.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        return listing
    }

    private static func objectProblem(_ name: String, _ code: ErrorCode, _ reason: String) -> ItemPage.Problem {
        let shown = name.printable(limit: 400)
        return ItemPage.Problem(name: shown, error: ConnectorError(code, .skip, "'\(shown)' \(reason)."))
    }
}
