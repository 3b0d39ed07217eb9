import FerryConnector
import FerryCore
import FerryHTTP
import NIOCore

/// Freezing and redirecting a person's files at a server of WebDAV.
///
/// Frozen means that the person's whole folder has an exclusive lock that does not end (RFC 4918 section 6), so that nobody
/// writes there who does not name it. The lock is found again by what it says of its owner, so nothing has to be remembered.
/// A server that does not give such a lock, or does not say later that it has, cannot be frozen.
struct DAVCustody: SourceCustody {
    private static let owner = "Ferry keeps these files as they are, because their owner moves"
    private static let signature = "# Left by Ferry: this account has moved to"
    private static let marker = DAVPath([".ferry-moved"])
    /// Of a lock that is as good as endless.
    private static let leastSeconds = 7 * 86_400

    private let session: DAVSession

    init(_ session: DAVSession) { self.session = session }

    func freeze() async throws(ConnectorError) {
        guard try await lock() == nil else { return }
        let body =
            #"<?xml version="1.0" encoding="utf-8"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>"#
            + "<D:locktype><D:write/></D:locktype><D:owner>\(Self.owner)</D:owner></D:lockinfo>"
        let head = try await session.status(
            HTTPRequest(
                "LOCK", session.address(DAVPath(), isCollection: true),
                headers: [
                    ("Depth", "infinity"), ("Timeout", "Infinite"), ("Content-Type", "application/xml; charset=utf-8"),
                ], body: ByteBuffer(string: body)))
        guard head.status == 200 || head.status == 201 else {
            if [429, 503].contains(head.status), let error = session.side.general(head) { throw error }
            throw Self.impossible(
                head.status == 423 || head.status == 207
                    ? "something in there is locked by somebody" : "the server does not lock it (status \(head.status))"
            )
        }
        if try await lock() != nil { return }
        if let token = head["Lock-Token"] { try await unlock(token) }
        throw Self.impossible("the server gives no lock that lasts and can be found again")
    }

    func thaw() async throws(ConnectorError) {
        if let token = try await lock() { try await unlock("<\(token)>") }
    }

    func redirect(to address: String) async throws(ConnectorError) {
        if let present = try await markerContent(), !present.hasPrefix(Self.signature) { return }
        let head = try await session.status(
            HTTPRequest(
                "PUT", session.address(Self.marker),
                headers: [("Content-Type", "text/plain; charset=utf-8")] + (try await key()),
                body: ByteBuffer(string: "\(Self.signature)\n\(address)\n")))
        guard head.isDone else {
            if let error = session.side.general(head) { throw error }
            throw ConnectorError(
                .sourceForbidden, .skip,
                "No word can be left at the source where the person has gone (status \(head.status)). Give the account that"
                    + " Ferry uses the right to write there.")
        }
    }

    func removeRedirect() async throws(ConnectorError) {
        guard let present = try await markerContent(), present.hasPrefix(Self.signature) else { return }
        let head = try await session.status(
            HTTPRequest("DELETE", session.address(Self.marker), headers: try await key()))
        guard head.isDone || head.status == 404 else {
            throw ConnectorError.sourceFile(head, "'\(Self.marker.text)'")
        }
    }

    // MARK: locks

    private static let request =
        #"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:lockdiscovery/></D:prop></D:propfind>"#

    /// The token of our lock, without brackets; `nil` where there is none.
    private func lock() async throws(ConnectorError) -> String? {
        var token: String?
        let head = try await session.propfind(DAVPath(), depth: 0, Self.request) { response in
            for lock in response.property("DAV: lockdiscovery")?.children ?? [] where lock.name == "DAV: activelock" {
                token = token ?? Self.token(lock.text)
            }
        }
        guard head.status == 207 else { throw session.side.folder(head, "The person's folder") }
        return token
    }

    /// The token in the words of an `activelock` (RFC 4918 section 14.1), if it is ours and lasts.
    static func token(_ text: String) -> String? {
        guard text.contains(owner), let scheme = ["opaquelocktoken:", "urn:uuid:"].first(where: { text.contains($0) })
        else { return nil }
        let lasts =
            text.contains("Infinite")
            || text.split(separator: "Second-").dropFirst().contains {
                Int($0.prefix { $0.isASCII && $0.isNumber }) ?? 0 >= leastSeconds
            }
        let rest = text.split(separator: scheme, maxSplits: 1, omittingEmptySubsequences: false)[1]
        let uuid = rest.prefix { $0 == "-" || $0.isHexDigit }.prefix(36)
        return lasts && uuid.utf8.count == 36 ? scheme + uuid : nil
    }

    private func unlock(_ token: String) async throws(ConnectorError) {
        let head = try await session.status(
            HTTPRequest(
                "UNLOCK", session.address(DAVPath(), isCollection: true), headers: [("Lock-Token", token)]))
        // 409: it is not there any more.
        guard head.isDone || head.status == 409 || head.status == 412 else {
            throw ConnectorError.sourceFile(head, "The person's folder")
        }
    }

    /// What opens our own lock, if there is one.
    private func key() async throws(ConnectorError) -> [(name: String, value: String)] {
        guard let token = try await lock() else { return [] }
        let place = session.http.origin + session.address(DAVPath(), isCollection: true)
        return [("If", "<\(place)> (<\(token)>)")]
    }

    private func markerContent() async throws(ConnectorError) -> String? {
        do throws(HTTPFailure) {
            var reply = try await session.send(HTTPRequest("GET", session.address(Self.marker)))
            guard reply.head.status == 200 else {
                await reply.drain()
                return nil
            }
            let content = try await reply.collect(limit: 1 << 16)
            return String(decoding: content.readableBytesView, as: UTF8.self)
        } catch {
            throw session.side.connection(error)
        }
    }

    private static func impossible(_ reason: String) -> ConnectorError {
        ConnectorError(
            .sourceForbidden, .skip,
            "The person's files cannot be frozen: \(reason). Make them read-only at the source at the date.")
    }
}
