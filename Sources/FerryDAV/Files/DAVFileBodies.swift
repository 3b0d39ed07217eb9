import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP
import NIOCore
import Synchronization

/// Contents of files, with many downloads on their way at once. A file that is not what was listed fails, to be listed
/// and read again by the next pass; one whose connection breaks goes on where it stopped.
final class DAVFileBodies: BodyReader {
    /// Bytes after which a bunch is full.
    private static let bunchBytes = 1 << 20
    /// Tries to go on with a broken download, for each that gave something.
    private static let resumptions = 5

    private struct Opened: Sendable {
        var header: ItemHeader
        /// `nil` for items without content.
        var download: Download?
        /// What was wrong before anything was asked.
        var failure: ConnectorError?
    }

    private struct State: Sendable {
        var nextIndex = 0
        /// In the order of the headers.
        var open: [Opened] = []
        /// The first of them: its head has been seen and is good.
        var hasBegun = false
        /// Of the first one's content.
        var received: Int64 = 0
        var resumptions = 0
        /// The entity tag that the first one's answer had; a range of it can be asked for.
        var tag: String?
    }

    private let session: DAVSession
    private let headers: [ItemHeader]
    private let state = Mutex(State())

    init(_ headers: [ItemHeader], session: DAVSession) {
        self.session = session
        self.headers = headers
        fill()
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        if Task.isCancelled { throw .cancelled }
        var events: [BodyEvent] = []
        var bytes = 0
        while bytes < Self.bunchBytes, let item = state.withLock({ $0.open.first }) {
            if let download = item.download {
                // What is there is handed on before anything is waited for.
                if !events.isEmpty, !download.isReady { break }
                try await read(item.header, download, &events, &bytes)
            } else {
                events.append(item.failure.map { .failed($0) } ?? .end)
                advance()
            }
        }
        return events.isEmpty ? nil : events
    }

    /// One step of the first item.
    private func read(
        _ header: ItemHeader, _ download: Download, _ events: inout [BodyEvent], _ bytes: inout Int
    ) async throws(ConnectorError) {
        if !state.withLock({ $0.hasBegun }) {
            let head: HTTPReplyHead
            do throws(HTTPFailure) { head = try await download.head() } catch {
                return try resume(header, after: error)
            }
            if let error = try begin(header, head) {
                if !error.concernsOneItemOnly { throw error }
                events.append(.failed(error))
                return advance()
            }
            state.withLock { $0.hasBegun = true }
        }
        let pieces: [ByteBuffer]?
        do throws(HTTPFailure) { pieces = try await download.next() } catch { return try resume(header, after: error) }
        guard let pieces else {
            let received = state.withLock { $0.received }
            events.append(received == header.size ? .end : .failed(Self.changed(header)))
            return advance()
        }
        for piece in pieces {
            bytes += piece.readableBytes
            events.append(.bytes(piece))
            state.withLock { $0.received += Int64(piece.readableBytes) }
        }
    }

    /// Judges the beginning of an answer.
    private func begin(_ header: ItemHeader, _ head: HTTPReplyHead) throws(ConnectorError) -> ConnectorError? {
        let received = state.withLock { $0.received }
        session.pace.note(head.status)
        guard head.status == (received == 0 ? 200 : 206) else {
            // A server that begins again has forgotten what we asked, or has another file by now.
            if received > 0, head.isDone { return Self.changed(header) }
            return ConnectorError.sourceFile(head, header.printableName)
        }
        let tag = head["ETag"].flatMap(FileEntry.tag)
        if received > 0 {
            let range = head["Content-Range"] ?? ""
            guard tag != nil, tag == state.withLock({ $0.tag }), range.hasPrefix("bytes \(received)-") else {
                return Self.changed(header)
            }
            return nil
        }
        state.withLock { $0.tag = tag }
        guard case .file(let metadata) = header.metadata else { return nil }
        var entry = FileEntry(name: "")
        entry.size = head["Content-Length"].flatMap { Int64($0) } ?? header.size
        entry.tag = tag
        entry.modified = head["Last-Modified"].flatMap { InternetDate.parse($0.utf8) }
        entry.isExecutable = metadata.isExecutable
        if entry.version == header.version { return nil }
        // Without a tag here, a listing's own tag cannot be compared.
        if tag == nil, entry.size == header.size, entry.modified == nil || entry.modified == metadata.modified {
            return nil
        }
        return Self.changed(header)
    }

    private func resume(_ header: ItemHeader, after failure: HTTPFailure) throws(ConnectorError) {
        let error = session.side.connection(failure)
        guard failure.kind == .connectionLost || failure.kind == .timedOut else { throw error }
        let (received, tries) = state.withLock { state in
            state.resumptions += 1
            return (state.received, state.resumptions)
        }
        session.pace.trouble()
        guard tries <= Self.resumptions else { throw error }
        let download = try start(header, from: received)
        state.withLock { state in
            state.open[0].download = download
            state.hasBegun = false
        }
    }

    private func advance() {
        state.withLock { state in
            state.open.removeFirst()
            (state.hasBegun, state.received, state.resumptions, state.tag) = (false, 0, 0, nil)
        }
        fill()
    }

    private func fill() {
        state.withLock { state in
            while state.open.count < session.width, state.nextIndex < headers.count {
                let header = headers[state.nextIndex]
                state.nextIndex += 1
                var item = Opened(header: header)
                if case .file = header.metadata {
                    do throws(ConnectorError) { item.download = try start(header, from: 0) } catch {
                        item.failure = error
                    }
                }
                state.open.append(item)
            }
        }
    }

    private func start(_ header: ItemHeader, from offset: Int64) throws(ConnectorError) -> Download {
        guard let path = DAVPath(relative: header.name) else {
            throw ConnectorError(.sourceNameUnusable, .skip, "\(header.printableName) is not a path in the tree.")
        }
        var request = HTTPRequest("GET", session.address(path))
        if offset > 0 { request.headers.append(("Range", "bytes=\(offset)-")) }
        do throws(HTTPFailure) { return try session.http.download(request) } catch {
            throw session.side.connection(error)
        }
    }

    private static func changed(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(
            .sourceItemUnreadable, .retry(after: nil),
            "\(header.printableName) is being changed; the next pass takes it.")
    }
}

extension FileEntry {
    fileprivate init(name: String) {
        self.name = name
        isFolder = false
    }
}
