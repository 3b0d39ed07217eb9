import FerryConnector
import FerryCore
import FerryHTTP

/// Looks at a person's collection without changing anything.
struct AccountProbe {
    enum Sight: Hashable {
        /// There is a collection.
        case present
        case absent
        case forbidden
    }

    private let session: DAVSession

    init(_ session: DAVSession) { self.session = session }

    private static let request =
        #"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/>"#
        + #"<D:quota-available-bytes/></D:prop></D:propfind>"#

    /// Whether the collection is there.
    func look() async throws(ConnectorError) -> Sight { try await glance().sight }

    private func glance() async throws(ConnectorError) -> (sight: Sight, room: Int64?) {
        var isCollection = false
        var room: Int64?
        let head = try await session.propfind(DAVPath(), depth: 0, Self.request) { response in
            isCollection =
                response.property("DAV: resourcetype")?.children.contains { $0.name == "DAV: collection" } ?? false
            // RFC 4331 section 3. Negative values stand for "unlimited" and "unknown" at some servers.
            room = response.property("DAV: quota-available-bytes").flatMap { Int64($0.text.trimmingBlanks) }
                .flatMap { $0 < 0 ? nil : $0 }
        }
        switch head.status {
        case 207: return (isCollection ? .present : .absent, room)
        case 404, 410: return (.absent, nil)
        case 403: return (.forbidden, nil)
        default: throw session.side.folder(head, "The person's folder")
        }
    }

    func facts() async throws(ConnectorError) -> AccountFacts {
        let seen: (sight: Sight, room: Int64?)
        do throws(ConnectorError) { seen = try await glance() } catch {
            guard error.code == session.side.authRejected else { throw error }
            return AccountFacts(
                exists: false, isReadable: false, isWritable: false, isEmpty: true, remark: error.context)
        }
        switch seen.sight {
        case .forbidden:
            return AccountFacts(
                exists: true, isReadable: false, isWritable: false, isEmpty: false,
                remark: "The server forbids this login to look into the person's folder.")
        case .absent:
            let parent = DAVPath(Array(session.root.names.dropLast()))
            let above = DAVSession(session.http, side: session.side, root: parent, pace: session.pace)
            let isWritable =
                session.side == .target ? (try await AccountProbe(above).glance().sight) == .present : false
            return AccountFacts(
                exists: false, isReadable: false, isWritable: isWritable, isEmpty: true,
                remark: isWritable ? "" : "There is no folder at the person's address.")
        case .present:
            let listing = try await session.list(DAVPath())
            var facts = AccountFacts(
                exists: true, isReadable: true, isWritable: true,
                isEmpty: listing.entries.isEmpty && listing.problems.isEmpty, roomBytes: seen.room)
            let head = try await session.status(HTTPRequest("OPTIONS", session.address(DAVPath(), isCollection: true)))
            let classes = head.all("DAV").joined(separator: ",").split(separator: ",").map {
                String($0).trimmingBlanks
            }
            guard classes.contains("1") else {
                facts.isWritable = false
                facts.remark = "The server does not say that it speaks WebDAV here (RFC 4918 section 10.1)."
                return facts
            }
            facts.peer = "\(head["Server"].map { "\($0.printable(limit: 60)), " } ?? "")WebDAV; keeps no times of files"
            return facts
        }
    }
}
