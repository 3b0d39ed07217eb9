import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP
import NIOCore

/// Writes single objects of one collection, and knows what to do when something is there already.
struct ObjectWriter: Sendable {
    let session: DAVSession
    let collection: DAVPath
    let kind: CollectionKind

    func write(_ header: ItemHeader, _ given: ByteBuffer) async -> WriteReceipt {
        do throws(ConnectorError) {
            let content = ByteBuffer(bytes: TextEscaping.repair(Array(given.readableBytesView)))
            let path = collection.appending(ObjectName.item(header, kind))
            var (head, refusal) = try await put(content, at: path, [("If-None-Match", "*")])
            if head.status == 412 { (head, refusal) = try await replace(content, at: path) }
            if refusal.isUIDConflict, try await adopt(content, from: refusal, to: path) {
                return .written(bytes: Int64(given.readableBytes))
            }
            guard head.isDone else { throw Self.error(head, refusal, header) }
            return .written(bytes: Int64(given.readableBytes))
        } catch {
            return .failure(error)
        }
    }

    func remove(_ name: String) async -> Result<Void, ConnectorError> {
        do throws(ConnectorError) {
            try await delete(collection.appending(name))
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private typealias Answer = (head: HTTPReplyHead, refusal: Refusal)

    private func put(
        _ content: ByteBuffer, at path: DAVPath, _ conditions: [(name: String, value: String)]
    ) async throws(ConnectorError) -> Answer {
        try await session.answer(
            HTTPRequest(
                "PUT", path.encoded(isCollection: false),
                headers: [("Content-Type", kind.contentType)] + kind.quiet + conditions, body: content))
    }

    /// What is there under the object's own name is an older state of it, or what an interrupted batch has written;
    /// nothing that somebody writes meanwhile is lost.
    private func replace(_ content: ByteBuffer, at path: DAVPath) async throws(ConnectorError) -> Answer {
        let match = try await tag(of: path).map { [(name: "If-Match", value: $0)] } ?? []
        let answer = try await put(content, at: path, match)
        guard answer.refusal.isUIDConflict else { return answer }
        // The source has another object under the name by now, and an object never changes its UID.
        try await delete(path, match)
        return try await put(content, at: path, [("If-None-Match", "*")])
    }

    /// The entity tag as the server spells it; `nil` for a weak one, which matches nothing (RFC 9110 section 13.1.1).
    private func tag(of path: DAVPath) async throws(ConnectorError) -> String? {
        var tag: String?
        let head = try await session.propfind(path, isCollection: false, depth: 0, FoundObject.tagRequest) { response in
            tag = response.property("DAV: getetag")?.text.trimmingBlanks
        }
        if let error = session.side.general(head) { throw error }
        return tag.flatMap { $0.hasPrefix("\"") ? $0 : nil }
    }

    private func delete(
        _ path: DAVPath, _ conditions: [(name: String, value: String)] = []
    ) async throws(ConnectorError) {
        let head = try await session.status(
            HTTPRequest("DELETE", path.encoded(isCollection: false), headers: kind.quiet + conditions))
        guard head.isDone || head.status == 404 || head.status == 410 else {
            throw ConnectorError.targetFile(head, "'\(path.text.printable(limit: 400))'")
        }
    }

    // MARK: one UID, two names

    /// Gives an object that says the same its name by MOVE, so that an object that was renamed at the source, or put
    /// into another calendar, is not held up by its older self. Whether it did.
    private func adopt(
        _ content: ByteBuffer, from refusal: Refusal, to path: DAVPath
    ) async throws(ConnectorError) -> Bool {
        let bytes = Array(content.readableBytesView)
        guard let uid = ContentMeaning.uid(of: bytes),
            let holder = try await holder(of: uid, refusal, like: bytes), holder.path != path,
            ContentMeaning.digest(of: holder.content) == ContentMeaning.digest(of: bytes)
        else { return false }
        let destination = session.http.origin + path.encoded(isCollection: false)
        let head = try await session.status(
            HTTPRequest(
                "MOVE", holder.path.encoded(isCollection: false),
                headers: [("Destination", destination), ("Overwrite", "F")] + kind.quiet))
        return head.isDone
    }

    private func holder(
        of uid: String, _ refusal: Refusal, like bytes: [UInt8]
    ) async throws(ConnectorError) -> (path: DAVPath, content: [UInt8])? {
        if let href = refusal.href, let path = try? DAVPath(href: href) {
            do throws(HTTPFailure) {
                var reply = try await session.http.send(HTTPRequest("GET", path.encoded(isCollection: false)))
                let whole = try await reply.collect(limit: 32 << 20)
                return reply.head.status == 200 ? (path, Array(whole.readableBytesView)) : nil
            } catch {
                throw session.side.connection(error)
            }
        }
        var found: (path: DAVPath, content: [UInt8])?
        var limits = MultistatusParser.Limits()
        limits.text = 32 << 20
        let head = try await session.multistatus(
            HTTPRequest(
                "REPORT", collection.encoded(isCollection: true),
                headers: [("Depth", "1"), ("Content-Type", "application/xml; charset=utf-8")],
                body: ByteBuffer(string: query(uid, ContentMeaning.component(of: bytes) ?? "VEVENT"))),
            about: "'\(collection.text.printable(limit: 400))'", MultistatusParser(limits: limits)
        ) { response in
            guard let path = try? DAVPath(href: response.href), path.parent == collection,
                let data = response.property("\(kind.namespace) \(kind.data)")
            else { return }
            let content = DAVObjectBodies.withLineEnds(Array(data.text.utf8), size: -1)
            if ContentMeaning.uid(of: content) == uid { found = (path, content) }
        }
        if let error = session.side.general(head) { throw error }
        return found
    }

    /// A query for one UID (RFC 4791 section 7.8.6, RFC 6352 section 8.6.3).
    private func query(_ uid: String, _ component: String) -> String {
        let head = #"<?xml version="1.0" encoding="utf-8"?>"#
        let names = #"xmlns:D="DAV:" xmlns:C="\#(kind.namespace)""#
        let properties = "<D:prop><D:getetag/><C:\(kind.data)/></D:prop>"
        let match =
            #"<C:prop-filter name="UID"><C:text-match collation="i;octet">\#(Markup.escaped(uid))</C:text-match>"#
            + "</C:prop-filter>"
        switch kind {
        case .calendars:
            return head + "<C:calendar-query \(names)>\(properties)<C:filter><C:comp-filter name=\"VCALENDAR\">"
                + "<C:comp-filter name=\"\(component)\">\(match)</C:comp-filter></C:comp-filter></C:filter>"
                + "</C:calendar-query>"
        case .addressBooks:
            return head
                + "<C:addressbook-query \(names)>\(properties)<C:filter>\(match)</C:filter></C:addressbook-query>"
        }
    }

    // MARK: refusals

    private static func error(_ head: HTTPReplyHead, _ refusal: Refusal, _ header: ItemHeader) -> ConnectorError {
        if let error = DAVSide.target.general(head) { return error }
        let name = header.printableName
        func names(_ condition: String) -> Bool { refusal.conditions.contains { $0.hasSuffix(" \(condition)") } }
        if refusal.isUIDConflict {
            return ConnectorError(
                .targetConflict, .skip,
                "Another object at the target has the UID of \(name) already, and says something else. Remove or change"
                    + " one of the two.")
        }
        if names("max-resource-size") {
            return ConnectorError(
                .targetItemTooLarge, .skip, "\(name) is larger than the target takes. Raise the target's limit.")
        }
        if names("need-privileges") {
            return ConnectorError(
                .targetForbidden, .failRun,
                "\(name) may not be written at the target. Give the account that Ferry uses the right to.")
        }
        switch head.status {
        case 400, 403, 409, 415, 422:
            guard head.status != 409 || !refusal.conditions.isEmpty else { break }
            return ConnectorError(
                .targetItemRefused, .skip,
                "The target does not take \(name): status \(head.status)"
                    + (refusal.text.isEmpty ? "" : ", \(refusal.text)") + ". Repair it at the source.")
        default: break
        }
        return ConnectorError.targetFile(head, name)
    }
}
