import FerryConnector
import FerryCore
import FerryFormats
import FerryHTTP
import NIOCore
import Synchronization

/// Contents of objects: small ones many in one request (RFC 4791 section 7.9, RFC 6352 section 8.7), large ones by
/// themselves, several requests on their way at once. An object that is not what was listed fails, to be listed and read
/// again by the next pass.
final class DAVObjectBodies: BodyReader {
    /// Bytes from which an object is asked for by itself.
    private static let largeBytes: Int64 = 128 << 10
    /// Objects and bytes of one request; what it answers is held in memory.
    private static let lotItems = 64
    private static let lotBytes: Int64 = 512 << 10
    /// Bytes after which a bunch is full.
    private static let bunchBytes = 1 << 20
    private static let tries = 3

    private enum Shape: Sendable { case many, one }

    private struct Lot: Sendable {
        var shape: Shape
        var headers: ArraySlice<ItemHeader>
        var download: Download?
        /// What was wrong before anything was asked.
        var failure: ConnectorError?
        var tries = 1
        /// Of a single object: its head has been seen and is good.
        var hasBegun = false
        var received: Int64 = 0
        /// Asked for as a vCard of version 4.
        var isNewer = false
    }

    private struct State: Sendable {
        /// Not asked for yet, the next one last.
        var waiting: [Lot]
        /// On their way, in order.
        var open: [Lot] = []
        /// Contents of a lot that has come as a whole, the next one last.
        var ready: [BodyEvent] = []
    }

    private let session: DAVSession
    private let collection: DAVPath
    private let kind: CollectionKind
    private let state: Mutex<State>

    init(_ headers: [ItemHeader], session: DAVSession, collection: DAVPath, _ kind: CollectionKind) {
        self.session = session
        self.collection = collection
        self.kind = kind
        state = Mutex(State(waiting: Self.lots(headers).reversed()))
        fill()
    }

    private static func lots(_ headers: [ItemHeader]) -> [Lot] {
        var lots: [Lot] = []
        var start = headers.startIndex
        var bytes: Int64 = 0
        func close(_ end: Int) {
            if start < end { lots.append(Lot(shape: .many, headers: headers[start..<end])) }
            start = end
            bytes = 0
        }
        for (index, header) in headers.enumerated() {
            if header.size > largeBytes || header.sizeIsHint {
                close(index)
                lots.append(Lot(shape: .one, headers: headers[index...index]))
                start = index + 1
                continue
            }
            if index - start >= lotItems || bytes + header.size > lotBytes { close(index) }
            bytes += header.size
        }
        close(headers.endIndex)
        return lots
    }

    func next() async throws(ConnectorError) -> [BodyEvent]? {
        if Task.isCancelled { throw .cancelled }
        var events: [BodyEvent] = []
        var bytes = 0
        while bytes < Self.bunchBytes {
            if let event = state.withLock({ $0.ready.popLast() }) {
                if case .bytes(let piece) = event { bytes += piece.readableBytes }
                events.append(event)
                continue
            }
            guard let lot = state.withLock({ $0.open.first }) else { break }
            guard let download = lot.download else {
                let failure = lot.failure ?? ConnectorError(.internalFault, .failRun, "A lot was never asked for.")
                guard failure.concernsOneItemOnly else { throw failure }
                events += lot.headers.map { _ in .failed(failure) }
                advance()
                continue
            }
            // What is there is handed on before anything is waited for.
            if !events.isEmpty, !download.isReady { break }
            switch lot.shape {
            case .many: try await readMany(lot, download)
            case .one: try await readOne(lot, download, &events, &bytes)
            }
        }
        return events.isEmpty ? nil : events
    }

    // MARK: many in one answer

    private func readMany(_ lot: Lot, _ download: Download) async throws(ConnectorError) {
        var contents: [String: Result<ByteBuffer, ConnectorError>] = [:]
        do throws(HTTPFailure) {
            let head = try await download.head()
            session.pace.note(head.status)
            if head.status != 207 { return refused(lot, head) }
            var limits = MultistatusParser.Limits()
            limits.text = 8 << 20
            let parser = MultistatusParser(limits: limits)
            let wanted = Dictionary(lot.headers.map { ($0.name, $0) }) { first, _ in first }
            var trouble: XMLFailure?
            while let pieces = try await download.next() {
                do throws(XMLFailure) {
                    for piece in pieces where trouble == nil {
                        for response in try parser.feed(piece) { take(response, wanted, &contents) }
                    }
                } catch {
                    trouble = error
                }
            }
            do throws(XMLFailure) { if trouble == nil { try parser.finish() } } catch { trouble = error }
            if let trouble {
                throw HTTPFailure(.malformed, "The answer is not the XML that WebDAV has: \(trouble).")
            }
        } catch {
            return try again(lot, error)
        }
        var events: [BodyEvent] = []
        for header in lot.headers {
            switch contents[header.name] {
            case .success(let content): events += [.bytes(try await asStored(content, header)), .end]
            case .failure(let error): events.append(.failed(error))
            case nil: events.append(.failed(Self.vanished(header)))
            }
        }
        state.withLock { [events] in $0.ready = events.reversed() }
        advance()
    }

    /// Servers may give out a vCard 4 as version 3 unless they are asked for the newer one, and lose some of it (Cyrus does);
    /// that it is not the one that lies there shows in its size.
    private func asStored(_ content: ByteBuffer, _ header: ItemHeader) async throws(ConnectorError) -> ByteBuffer {
        guard isConverted(Int64(content.readableBytes), header) else { return content }
        do throws(HTTPFailure) {
            var request = request(header)
            request.headers.append(Self.newer)
            var reply = try await session.http.send(request)
            let whole = try await reply.collect(limit: 8 << 20)
            return reply.head.status == 200 && Int64(whole.readableBytes) == header.size ? whole : content
        } catch {
            throw session.side.connection(error)
        }
    }

    private static let newer = (name: "Accept", value: "text/vcard; version=4.0")

    private func isConverted(_ size: Int64, _ header: ItemHeader) -> Bool {
        kind == .addressBooks && !header.sizeIsHint && size != header.size
    }

    private func take(
        _ response: DAVResponse, _ wanted: [String: ItemHeader],
        _ contents: inout [String: Result<ByteBuffer, ConnectorError>]
    ) {
        guard let path = try? DAVPath(href: response.href), path.parent == collection, let name = path.names.last,
            let header = wanted[name]
        else { return }
        guard let data = response.property("\(kind.namespace) \(kind.data)") else {
            let status = response.status ?? response.properties.first?.status ?? 404
            contents[name] = .failure(
                status == 404 || status == 410
                    ? Self.vanished(header)
                    : ConnectorError(
                        .sourceItemUnreadable, .retry(after: nil),
                        "\(header.printableName) cannot be read: the server answers with status \(status)."))
            return
        }
        let found = FoundObject(name: name, tag: FoundObject.tag(response), size: nil)
        guard found.tag.isEmpty || found.version == header.version else {
            contents[name] = .failure(Self.changed(header))
            return
        }
        contents[name] = .success(ByteBuffer(bytes: Self.withLineEnds(Array(data.text.utf8), size: header.size)))
    }

    /// XML makes every line end one LF (XML 1.0 section 2.11), and the formats end lines with CRLF. What has the listed
    /// size as it is had LF alone.
    static func withLineEnds(_ bytes: [UInt8], size: Int64) -> [UInt8] {
        guard Int64(bytes.count) != size, !bytes.contains(0x0D) else { return bytes }
        var whole: [UInt8] = []
        whole.reserveCapacity(bytes.count + bytes.count / 32)
        for byte in bytes {
            if byte == 0x0A { whole.append(0x0D) }
            whole.append(byte)
        }
        return whole
    }

    /// A server that does not take the question is asked for one object after the other.
    private func refused(_ lot: Lot, _ head: HTTPReplyHead) {
        state.withLock { state in
            if let error = session.side.general(head) {
                state.open[0].download = nil
                state.open[0].failure = error
                return
            }
            state.waiting += state.open.dropFirst().reversed()
            state.open = []
            for index in lot.headers.indices.reversed() {
                state.waiting.append(Lot(shape: .one, headers: lot.headers[index...index]))
            }
        }
        fill()
    }

    // MARK: one by itself

    private func readOne(
        _ lot: Lot, _ download: Download, _ events: inout [BodyEvent], _ bytes: inout Int
    ) async throws(ConnectorError) {
        guard let header = lot.headers.first else { return advance() }
        let pieces: [ByteBuffer]?
        var problem: ConnectorError?
        do throws(HTTPFailure) {
            if !lot.hasBegun {
                let head = try await download.head()
                session.pace.note(head.status)
                if !lot.isNewer, head.status == 200, let size = head["Content-Length"].flatMap({ Int64($0) }),
                    isConverted(size, header)
                {
                    return askForNewer(lot)
                }
                problem = Self.judge(head, header)
                state.withLock { $0.open[0].hasBegun = true }
            }
            pieces = problem == nil ? try await download.next() : nil
        } catch {
            // What has come of it cannot be taken back.
            guard lot.received == 0 else { return try failed(session.side.connection(error), &events) }
            return try again(lot, error)
        }
        if let problem { return try failed(problem, &events) }
        guard let pieces else {
            events.append(.end)
            return advance()
        }
        for piece in pieces {
            bytes += piece.readableBytes
            events.append(.bytes(piece))
            state.withLock { $0.open[0].received += Int64(piece.readableBytes) }
        }
    }

    /// `nil` when the beginning of an answer is as it should be.
    private static func judge(_ head: HTTPReplyHead, _ header: ItemHeader) -> ConnectorError? {
        guard head.status == 200 else { return ConnectorError.sourceFile(head, header.printableName) }
        let tag = head["ETag"].flatMap(FileEntry.tag) ?? ""
        return tag.isEmpty || FoundObject(name: "", tag: tag).version == header.version ? nil : changed(header)
    }

    private func failed(_ error: ConnectorError, _ events: inout [BodyEvent]) throws(ConnectorError) {
        guard error.concernsOneItemOnly else { throw error }
        events.append(.failed(error))
        advance()
    }

    // MARK: asking

    private func again(_ lot: Lot, _ failure: HTTPFailure) throws(ConnectorError) {
        let error = session.side.connection(failure)
        guard lot.tries < Self.tries, failure.kind != .cancelled, failure.kind != .authenticationFailed else {
            throw error
        }
        session.pace.trouble()
        var lot = lot
        lot.tries += 1
        lot.hasBegun = false
        start(&lot)
        state.withLock { [lot] in $0.open[0] = lot }
    }

    private func askForNewer(_ lot: Lot) {
        var lot = lot
        lot.isNewer = true
        start(&lot)
        state.withLock { [lot] in $0.open[0] = lot }
    }

    private func advance() {
        state.withLock { _ = $0.open.removeFirst() }
        fill()
    }

    private func fill() {
        state.withLock { state in
            while state.open.count < session.width, var lot = state.waiting.popLast() {
                if lot.download == nil, lot.failure == nil { start(&lot) }
                state.open.append(lot)
            }
        }
    }

    private func start(_ lot: inout Lot) {
        do throws(HTTPFailure) { lot.download = try session.http.download(request(lot)) } catch {
            lot.failure = session.side.connection(error)
        }
    }

    private func request(_ header: ItemHeader) -> HTTPRequest {
        HTTPRequest("GET", collection.appending(header.name).encoded(isCollection: false))
    }

    private func request(_ lot: Lot) -> HTTPRequest {
        if case .one = lot.shape, let header = lot.headers.first {
            var request = request(header)
            if lot.isNewer { request.headers.append(Self.newer) }
            return request
        }
        var body =
            #"<?xml version="1.0" encoding="utf-8"?><C:\#(kind.multiget) xmlns:D="DAV:" xmlns:C="\#(kind.namespace)">"#
            + "<D:prop><D:getetag/><C:\(kind.data)/></D:prop>"
        // Percent-encoded, so nothing in it means anything to XML.
        for header in lot.headers {
            body += "<D:href>\(collection.appending(header.name).encoded(isCollection: false))</D:href>"
        }
        return HTTPRequest(
            "REPORT", collection.encoded(isCollection: true),
            headers: [("Depth", "0"), ("Content-Type", "application/xml; charset=utf-8")],
            body: ByteBuffer(string: body + "</C:\(kind.multiget)>"))
    }

    private static func vanished(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(.sourceItemVanished, .skip, "\(header.printableName) went away while it was read.")
    }

    private static func changed(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(
            .sourceItemUnreadable, .retry(after: nil),
            "\(header.printableName) is being changed; the next pass takes it.")
    }
}
