import FerryConnector
import FerryCore
import FerryHTTP

/// Finds the collection in which a person's calendars or address books are (RFC 6764, RFC 5397, RFC 4791 section 6.2.1,
/// RFC 6352 section 7.1.1).
struct Discovery {
    enum Sight: Hashable {
        /// The homes, the one for new collections first.
        case homes([DAVPath])
        case absent
        case forbidden
    }

    private let session: DAVSession
    private let kind: CollectionKind

    /// `session` speaks to the server's root.
    init(_ session: DAVSession, _ kind: CollectionKind) {
        self.session = session
        self.kind = kind
    }

    private var request: String {
        #"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:" xmlns:C="\#(kind.namespace)"><D:prop>"#
            + #"<D:resourcetype/><D:current-user-principal/><C:\#(kind.homeSet)/></D:prop></D:propfind>"#
    }

    /// From an address that is the person's own: their home, or their principal, which says where the home is.
    func homes(of own: DAVPath) async throws(ConnectorError) -> Sight {
        let (head, seen) = try await look(at: own)
        guard let seen else { return try sight(head) }
        if seen.isPrincipal, !seen.homes.isEmpty { return .homes(seen.homes) }
        return seen.isCollection ? .homes([own]) : .absent
    }

    /// From an address that is the same for everybody: the server says who we are, and where that one's home is.
    func homes(from start: DAVPath) async throws(ConnectorError) -> Sight {
        let top = start.names.isEmpty ? try await context() : start
        let (head, seen) = try await look(at: top)
        guard let seen else { return try sight(head) }
        if let principal = seen.principal {
            let (head, person) = try await look(at: principal)
            guard let person else { return try sight(head) }
            return person.homes.isEmpty ? .absent : .homes(person.homes)
        }
        return seen.homes.isEmpty ? .absent : .homes(seen.homes)
    }

    /// Where the service begins (RFC 6764 section 5); the root where the server does not say.
    private func context() async throws(ConnectorError) -> DAVPath {
        let head = try await session.status(
            HTTPRequest("PROPFIND", kind.wellKnown.encoded(isCollection: false), headers: [("Depth", "0")]))
        guard [301, 302, 303, 307, 308].contains(head.status), let location = head["Location"] else {
            return DAVPath()
        }
        guard isHere(location) else {
            throw ConnectorError(
                session.side == .source ? .sourceUnreachable : .targetUnreachable, .failRun,
                "The server says that its \(kind.plural) are at \(Self.host(location).printable(limit: 200)). Write that"
                    + " address into the configuration.")
        }
        return (try? DAVPath(href: location)) ?? DAVPath()
    }

    /// Whether an address is on the server that we talk to.
    private func isHere(_ location: String) -> Bool {
        !location.contains("://") || Self.host(location) == Self.host(session.http.origin)
    }

    /// Without scheme and port: servers behind others often do not know their own.
    private static func host(_ address: String) -> String {
        guard let scheme = address.firstIndex(of: ":"), address[scheme...].hasPrefix("://") else { return "" }
        let authority = address[scheme...].dropFirst(3).prefix { $0 != "/" }
        if let end = authority.firstIndex(of: "]") { return String(authority[...end]).lowercased() }
        return String(authority.prefix { $0 != ":" }).lowercased()
    }

    private struct Seen {
        var isCollection = false
        var isPrincipal = false
        var principal: DAVPath?
        var homes: [DAVPath] = []
    }

    /// What is there; `nil` with the answer's head where there is nothing to see.
    private func look(at path: DAVPath) async throws(ConnectorError) -> (HTTPReplyHead, Seen?) {
        let (head, seen) = try await look(at: path, isCollection: true)
        // Cyrus sends people to the address without its last slash when it has nothing there. Once is enough.
        guard [301, 302, 307, 308].contains(head.status), let location = head["Location"], isHere(location),
            let next = try? DAVPath(href: location)
        else { return (head, seen) }
        return try await look(at: next, isCollection: location.hasSuffix("/"))
    }

    private func look(
        at path: DAVPath, isCollection: Bool
    ) async throws(ConnectorError) -> (HTTPReplyHead, Seen?) {
        var seen: Seen?
        let head = try await session.propfind(path, isCollection: isCollection, depth: 0, request) { response in
            var found = Seen()
            let types = response.property("DAV: resourcetype")?.children.map(\.name) ?? []
            found.isCollection = types.contains("DAV: collection")
            found.isPrincipal = types.contains("DAV: principal")
            found.principal = Self.hrefs(response.property("DAV: current-user-principal")).first
            found.homes = Self.hrefs(response.property("\(kind.namespace) \(kind.homeSet)"))
            if response.status ?? 200 < 300 { seen = found }
        }
        return (head, head.status == 207 ? seen ?? Seen() : nil)
    }

    private static func hrefs(_ property: DAVProperty?) -> [DAVPath] {
        (property?.children ?? []).filter { $0.name == "DAV: href" }.compactMap {
            try? DAVPath(href: $0.text.trimmingBlanks)
        }
    }

    private func sight(_ head: HTTPReplyHead) throws(ConnectorError) -> Sight {
        switch head.status {
        case 404, 410: return .absent
        case 403: return .forbidden
        default: throw session.side.folder(head, "The place of the person's \(kind.plural)")
        }
    }
}
