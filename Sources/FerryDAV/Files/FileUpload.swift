import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP
import NIOCore
import Synchronization

/// Writes the files of one batch. Small ones wait in memory until they are complete and are then sent several at once;
/// a large one is sent while it comes, under a name of Ferry's own, and moved to its place when it has arrived, so that
/// nobody ever finds half of it there.
struct FileUpload {
    /// Bytes up to which a file is small.
    static let smallBytes = 1 << 20

    /// Where large files are while they come, below the person's root.
    private static let staging = DAVPath([".ferry-tmp"])

    let session: DAVSession
    let headers: [ItemHeader]
    /// Where an item goes, or why it cannot.
    let placing: (Int) -> Result<DAVPath, ConnectorError>

    static func removeLeftovers(_ session: DAVSession) async throws(ConnectorError) {
        try await session.delete(staging, isFolder: true).get()
    }

    /// Receipts per header, in order. Folders are only taken note of.
    func run(_ bodies: any BodyReader) async throws(ConnectorError) -> [WriteReceipt] {
        let feed = Feed(bodies)
        var receipts = BatchReceipts(count: headers.count)
        let failure: ConnectorError? = await withTaskGroup(of: (Int, WriteReceipt).self) { [session] group in
            var underWay = 0
            do throws(ConnectorError) {
                for (index, header) in headers.enumerated() {
                    guard case .file = header.metadata, case .success(let path) = placing(index) else {
                        receipts[index] = try await skip(header, index, feed)
                        continue
                    }
                    if header.size > Self.smallBytes {
                        receipts[index] = try await sendLarge(header, to: path, feed)
                        continue
                    }
                    let content: ByteBuffer
                    switch try await feed.whole() {
                    case .failure(let error):
                        receipts[index] = .failure(error)
                        continue
                    case .success(let whole): content = whole
                    }
                    if underWay >= session.width, let (index, receipt) = await group.next() {
                        underWay -= 1
                        try receipts.take(receipt, at: index)
                    }
                    underWay += 1
                    group.addTask { (index, await Self.send(content, of: header, to: path, session)) }
                }
                for await (index, receipt) in group { try receipts.take(receipt, at: index) }
                return nil
            } catch {
                // What is under way ends by itself: a server that lost its client in the middle of a file may keep the
                // file locked for a while (rclone 1.60 does).
                return error
            }
        }
        if let failure { throw failure }
        return receipts.complete()
    }

    private func skip(_ header: ItemHeader, _ index: Int, _ feed: Feed) async throws(ConnectorError) -> WriteReceipt {
        if let error = try await feed.pass() { return .failure(error) }
        if case .failure(let error) = placing(index) { return .failure(error) }
        if case .fileFolder = header.metadata { return .written(bytes: 0) }
        return .failure(
            ConnectorError(.targetItemRefused, .skip, "\(header.printableName) is neither a file nor a folder."))
    }

    // MARK: small

    private static func send(
        _ content: ByteBuffer, of header: ItemHeader, to path: DAVPath, _ session: DAVSession
    ) async -> WriteReceipt {
        do throws(ConnectorError) {
            let request = HTTPRequest("PUT", session.address(path), headers: headers(of: header), body: content)
            var head = try await session.status(request)
            if [403, 404, 405, 409].contains(head.status), try await makeWay(at: path, session) {
                head = try await session.status(request)
            }
            guard head.isDone else {
                throw ConnectorError.targetFile(head, header.printableName)
            }
            try await markExecutable(header, path, session)
            return .written(bytes: Int64(content.readableBytes))
        } catch {
            return .failure(error)
        }
    }

    private static func headers(of header: ItemHeader) -> [(name: String, value: String)] {
        guard case .file(let metadata) = header.metadata else { return [] }
        // Nextcloud, ownCloud and others take the time so; the rest does not know it.
        return [
            ("Content-Type", "application/octet-stream"), ("X-OC-Mtime", "\(metadata.modified.seconds)"),
        ]
    }

    /// Removes an empty folder where the source has a file by now; whether it did.
    private static func makeWay(at path: DAVPath, _ session: DAVSession) async throws(ConnectorError) -> Bool {
        guard try await session.kind(of: path) == .folder else { return false }
        let listing = try await session.list(path)
        guard listing.exists, listing.entries.isEmpty, listing.problems.isEmpty else {
            throw ConnectorError(
                .targetConflict, .retry(after: nil),
                "'\(path.text.printable(limit: 400))' is a folder with something in it at the target.")
        }
        try await session.delete(path, isFolder: true).get()
        return true
    }

    /// Only Apache knows the right to execute; the others answer that they do not, which changes nothing.
    private static func markExecutable(
        _ header: ItemHeader, _ path: DAVPath, _ session: DAVSession
    ) async throws(ConnectorError) {
        guard case .file(let metadata) = header.metadata, metadata.isExecutable else { return }
        let body =
            #"<?xml version="1.0" encoding="utf-8"?><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>"#
            + #"<A:executable xmlns:A="http://apache.org/dav/props/">T</A:executable></D:prop></D:set>"#
            + #"</D:propertyupdate>"#
        _ = try await session.status(
            HTTPRequest(
                "PROPPATCH", session.address(path), headers: [("Content-Type", "application/xml; charset=utf-8")],
                body: ByteBuffer(string: body)))
    }

    // MARK: large

    private func sendLarge(
        _ header: ItemHeader, to path: DAVPath, _ feed: Feed
    ) async throws(ConnectorError) -> WriteReceipt {
        let session = session
        let temporary = Self.staging.appending(header.key.hexadecimal)
        let made = try await session.status(
            HTTPRequest("MKCOL", session.address(Self.staging, isCollection: true)))
        guard made.isDone || made.status == 405 else {
            throw ConnectorError.targetFile(made, "the folder for unfinished files")
        }
        let channel = PieceChannel()
        let request = HTTPRequest("PUT", session.address(temporary), headers: Self.headers(of: header))
        async let answer = Self.put(request, header.size, channel, session)
        let problem: ConnectorError?
        do throws(ConnectorError) { problem = try await Self.pour(feed, of: header, into: channel) } catch {
            channel.finish(isComplete: false)
            _ = await answer
            throw error
        }
        let outcome = await answer
        if let problem {
            _ = await session.delete(temporary, isFolder: false)
            return .failure(problem)
        }
        let reply: HTTPReplyHead
        do throws(HTTPFailure) { reply = try outcome.get() } catch { throw session.side.connection(error) }
        do throws(ConnectorError) {
            guard reply.isDone else {
                throw ConnectorError.targetFile(reply, header.printableName)
            }
            _ = try await Self.makeWay(at: path, session)
            let moved = try await session.status(
                HTTPRequest(
                    "MOVE", session.address(temporary),
                    headers: [("Destination", session.http.origin + session.address(path)), ("Overwrite", "T")]))
            guard moved.isDone else {
                throw ConnectorError.targetFile(moved, header.printableName)
            }
            try await Self.markExecutable(header, path, session)
            return .written(bytes: header.size)
        } catch {
            _ = await session.delete(temporary, isFolder: false)
            guard error.concernsOneItemOnly else { throw error }
            return .failure(error)
        }
    }

    private static func put(
        _ request: HTTPRequest, _ length: Int64, _ channel: PieceChannel, _ session: DAVSession
    ) async -> Result<HTTPReplyHead, HTTPFailure> {
        defer { channel.giveUp() }
        do throws(HTTPFailure) {
            var reply = try await session.http.send(request, length: length, channel)
            await reply.drain()
            return .success(reply.head)
        } catch {
            return .failure(error)
        }
    }

    /// Takes one item's events, to its end in any case. Why the content is not what was listed, if it is not.
    private static func pour(
        _ feed: Feed, of header: ItemHeader, into channel: PieceChannel
    ) async throws(ConnectorError) -> ConnectorError? {
        var bytes: Int64 = 0
        var isTaken = true
        while true {
            switch try await feed.next() {
            case .bytes(let piece):
                bytes += Int64(piece.readableBytes)
                if bytes > header.size, isTaken {
                    isTaken = false
                    channel.finish(isComplete: false)
                }
                if isTaken { isTaken = await channel.send(piece) }
            case .end:
                channel.finish(isComplete: bytes == header.size)
                if bytes == header.size { return nil }
                return ConnectorError(
                    .sourceItemUnreadable, .retry(after: nil),
                    "\(header.printableName) was not as long as it was when it was listed; it is being changed.")
            case .failed(let error):
                channel.finish(isComplete: false)
                return error
            }
        }
    }
}
