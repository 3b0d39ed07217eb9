import FerryConnector
import FerryCore
import FerryHTTP

/// A calendar or address book as a listing of its home has it.
struct FoundCollection: Sendable, Hashable {
    var path: DAVPath
    var displayName: String?
    /// `#RRGGBB`.
    var color: String?
    var traits = CollectionTraits()
    /// Stands for the state of everything within; `nil` where the server has nothing of the kind.
    var state: String?
    /// Bytes of an object that the server takes at most, where it says so.
    var largestBytes: Int64?

    /// The last name of the path.
    var name: String { path.names.last ?? "" }

    /// `nil` for what is no collection of that kind.
    init?(_ response: DAVResponse, at path: DAVPath, _ kind: CollectionKind) {
        guard response.property("DAV: resourcetype")?.children.contains(where: { $0.name == kind.type }) ?? false else {
            return nil
        }
        self.path = path
        displayName = Self.text(response, "DAV: displayname")
        color = response.property("\(kind.color.namespace) \(kind.color.name)").flatMap { Self.color($0.text) }
        traits = Self.traits(response, kind)
        state = Self.state(response)
        largestBytes = response.property("\(kind.namespace) max-resource-size").flatMap {
            Int64($0.text.trimmingBlanks)
        }
    }

    /// The sync token (RFC 6578 section 4), else the older `getctag`, each with a letter that tells them apart.
    static func state(_ response: DAVResponse) -> String? {
        for (letter, name) in [("t", "DAV: sync-token"), ("c", "http://calendarserver.org/ns/ getctag")] {
            if let text = response.property(name)?.text.trimmingBlanks, !text.isEmpty { return letter + text }
        }
        return nil
    }

    /// `nil` where it is not set, or empty.
    private static func text(_ response: DAVResponse, _ property: String) -> String? {
        response.property(property).map(\.text.trimmingBlanks).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func traits(_ response: DAVResponse, _ kind: CollectionKind) -> CollectionTraits {
        var traits = CollectionTraits(description: text(response, "\(kind.namespace) \(kind.description)"))
        guard kind == .calendars else { return traits }
        traits.order = text(response, "\(kind.color.namespace) calendar-order")
        // XML ends every line with LF.
        traits.timeZone = text(response, "\(kind.namespace) calendar-timezone").map {
            $0.split(whereSeparator: \.isNewline).joined(separator: "\r\n") + "\r\n"
        }
        let known = ["VEVENT", "VJOURNAL", "VTODO"]
        let named = response.property("\(kind.namespace) supported-calendar-component-set")?.children
            .compactMap { $0.attributes["name"]?.uppercased() }
        let components = known.filter { named?.contains($0) ?? true }
        traits.components = components == known ? [] : components
        return traits
    }

    /// Many programs write eight digits, the last two of which say how opaque it is.
    private static func color(_ text: String) -> String? {
        let text = text.trimmingBlanks
        guard text.hasPrefix("#"), [7, 9].contains(text.utf8.count),
            text.utf8.dropFirst().allSatisfy({ Character(UnicodeScalar($0)).isHexDigit })
        else { return nil }
        return String(text.prefix(7))
    }

    func container(_ kind: CollectionKind) -> Container {
        Container(
            name: name, path: [name],
            details: kind == .calendars
                ? .calendar(displayName: displayName, color: color, traits: traits)
                : .addressBook(displayName: displayName, color: color, traits: traits))
    }

    static func request(_ kind: CollectionKind) -> String {
        let calendars =
            kind == .calendars
            ? "<X:calendar-order/><C:calendar-timezone/><C:supported-calendar-component-set/>" : ""
        return #"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:" xmlns:C="\#(kind.namespace)""#
            + #" xmlns:X="\#(kind.color.namespace)" xmlns:S="http://calendarserver.org/ns/"><D:prop>"#
            + #"<D:resourcetype/><D:displayname/><D:sync-token/><S:getctag/><X:\#(kind.color.name)/>"#
            + "<C:max-resource-size/><C:\(kind.description)/>\(calendars)</D:prop></D:propfind>"
    }

    static let stateRequest =
        #"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:""#
        + #" xmlns:S="http://calendarserver.org/ns/"><D:prop><D:sync-token/><S:getctag/></D:prop></D:propfind>"#
}

extension DAVSession {
    /// The collections of that kind in a home, in byte order of their names. For sessions at the server's root.
    func collections(in home: DAVPath, _ kind: CollectionKind) async throws(ConnectorError) -> [FoundCollection] {
        var found: [FoundCollection] = []
        let head = try await propfind(home, depth: 1, FoundCollection.request(kind)) { response in
            // What cannot be a path cannot be asked for either.
            guard let path = try? DAVPath(href: response.href), path.parent == home,
                let collection = FoundCollection(response, at: path, kind)
            else { return }
            found.append(collection)
        }
        guard head.status == 207 else { throw side.folder(head, "The place of the person's \(kind.plural)") }
        return found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// What stands for the state of everything within a collection.
    func collectionState(of path: DAVPath) async throws(ConnectorError) -> String? {
        var state: String?
        let head = try await propfind(path, depth: 0, FoundCollection.stateRequest) { response in
            state = FoundCollection.state(response)
        }
        guard head.status == 207 else { throw side.folder(head, "'\(path.text.printable(limit: 400))'") }
        return state
    }
}
