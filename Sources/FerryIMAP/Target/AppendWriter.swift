import FerryConnector
import FerryCore
import NIOCore

/// Writes one batch of messages into one folder.
///
/// Small messages are gathered and go out together (MULTIAPPEND: one command, one sync of the server's disk, all or
/// nothing), the next lot while the server works on the one before, in turn over all connections; when the server refuses a lot, halves are tried until
/// the one to blame is alone. Large ones stream on their own, and are never held.
struct AppendWriter {
    /// Messages up to this size are gathered.
    static let smallBytes: Int64 = 256 << 10
    /// How much goes out together.
    struct LotSize {
        var bytes: Int
        var items: Int

        static let least = LotSize(bytes: 256 << 10, items: 64)
        static let most = LotSize(bytes: 1 << 20, items: 500)

        /// A batch as a whole.
        init(of batch: [ItemHeader]) {
            self.init(bytes: Int(clamping: batch.reduce(0) { $0 + max(0, $1.size) }), items: batch.count)
        }

        private init(bytes: Int, items: Int) { (self.bytes, self.items) = (bytes, items) }

        /// Over how many connections that much can usefully go.
        var links: Int { max(1, bytes / (2 * Self.least.bytes), items / Self.least.items) }

        /// A batch dealt out to connections evenly, since a server that syncs each message works on several faster.
        func dealt(to links: Int) -> LotSize {
            LotSize(
                bytes: min(max(bytes / links, Self.least.bytes), Self.most.bytes),
                items: min(max((items + links - 1) / links, Self.least.items), Self.most.items))
        }
    }

    /// A server whose link broke may still be writing what it was sent before.
    static let settling = Duration.seconds(10)

    /// A message that is ready to be sent.
    private struct Gathered {
        /// In the batch.
        var index: Int
        var header: ItemHeader
        var content: ByteBuffer
    }

    private enum Sent {
        case lot(ArraySlice<Gathered>, MessageAppender)
        case large(index: Int, ItemHeader, size: Int64, MessageAppender)
    }

    /// Large messages go over the first.
    private let links: [IMAPLink]
    private let folder: MailboxName
    /// The server's limit for one message in bytes, where it tells.
    private let limit: Int64?
    private var receipts: [WriteReceipt?] = []
    private var gathered: [Gathered] = []
    private var gatheredBytes = 0
    /// What was sent last over each, until its answer is looked at.
    private var sent: [Sent?]
    /// Over which the next lot goes.
    private var turn = 0

    /// - Parameter links: connections of the person, connected but for the first; at least one.
    init(links: [IMAPLink], folder: MailboxName, limit: Int64?) {
        self.links = links
        sent = Array(repeating: nil, count: links.count)
        self.folder = folder
        self.limit = limit
    }

    mutating func write(
        _ headers: [ItemHeader], _ bodies: any BodyReader
    ) async throws(ConnectorError) -> [WriteReceipt] {
        do throws(ConnectorError) {
            return try await writeAll(headers, bodies)
        } catch {
            // Whoever looks what has arrived is not to be overtaken by what a server still works on.
            for link in links.indices {
                if case .lot(_, let appender) = sent[link].take() { _ = try? await appender.finish() }
            }
            guard error.code == .targetUnreachable, case .retry(let wait) = error.disposition else { throw error }
            var error = error
            error.disposition = .retry(after: max(wait ?? .zero, Self.settling))
            throw error
        }
    }

    private mutating func writeAll(
        _ headers: [ItemHeader], _ bodies: any BodyReader
    ) async throws(ConnectorError) -> [WriteReceipt] {
        receipts = Array(repeating: nil, count: headers.count)
        let lot = LotSize(of: headers).dealt(to: links.count)
        var pieces = BodyPieces(bodies)
        for (index, header) in headers.enumerated() {
            if header.size <= Self.smallBytes {
                try await gather(index, header, &pieces)
            } else {
                try await send()
                try await stream(index, header, &pieces)
            }
            if gatheredBytes >= lot.bytes || gathered.count >= lot.items { try await send() }
        }
        try await send()
        for link in links.indices { try await settleSent(over: link) }
        return receipts.map { receipt in
            receipt
                ?? .failure(ConnectorError(.internalFault, .failRun, "A message has no receipt. Please report this."))
        }
    }

    // MARK: small messages

    private mutating func gather(
        _ index: Int, _ header: ItemHeader, _ pieces: inout BodyPieces
    ) async throws(ConnectorError) {
        var content = ByteBuffer()
        var text = CanonicalText()
        while true {
            switch try await pieces.next() {
            case .bytes(let buffer):
                var piece = text.canonical(buffer)
                if content.readableBytes == 0 { content = piece } else { content.writeBuffer(&piece) }
                guard content.readableBytes <= 16 * LotSize.most.bytes else {
                    try await pieces.skip()
                    receipts[index] = .failure(Self.wrongSize(header))
                    return
                }
            case .end:
                if let refusal = obstacle(header, size: Int64(content.readableBytes)) {
                    receipts[index] = .failure(refusal)
                } else {
                    gathered.append(Gathered(index: index, header: header, content: content))
                    gatheredBytes += content.readableBytes
                }
                return
            case .failed(let error):
                receipts[index] = .failure(error)
                return
            }
        }
    }

    /// Why there is no use in sending a message.
    private func obstacle(_ header: ItemHeader, size: Int64) -> ConnectorError? {
        if size == 0 {
            return ConnectorError(
                .targetItemRefused, .skip,
                "The message \(header.name) is empty, which IMAP servers refuse. Delete it at the source.")
        }
        if let limit, size > limit {
            return ConnectorError(
                .targetItemTooLarge, .skip,
                "The message \(header.name) has \(size) bytes, the target takes \(limit) at most (APPENDLIMIT). Raise"
                    + " the target's limit, or move the message by hand.")
        }
        return nil
    }

    private static func wrongSize(_ header: ItemHeader) -> ConnectorError {
        ConnectorError(
            .sourceItemMalformed, .retry(after: nil),
            "The source says that the message \(header.name) has \(header.size) bytes, and hands out another number."
                + " Repair the mailbox there.")
    }

    /// Sends what was gathered, and looks at the answer to the lot before while the server works on this one.
    private mutating func send() async throws(ConnectorError) {
        guard !gathered.isEmpty else { return }
        let lot = gathered[...]
        (gathered, gatheredBytes) = ([], 0)
        let link = turn
        turn = (turn + 1) % links.count
        let appender = try await begin(lot, over: link)
        try await settleSent(over: link)
        sent[link] = .lot(lot, appender)
    }

    private mutating func settleSent(over link: Int) async throws(ConnectorError) {
        switch sent[link].take() {
        case .lot(let lot, let appender): try await settle(lot, appender, over: link)
        case .large(let index, let header, let size, let appender):
            try await settle(index, header, size: size, appender)
        case nil: break
        }
    }

    private mutating func settle(
        _ lot: ArraySlice<Gathered>, _ appender: MessageAppender, over link: Int
    ) async throws(ConnectorError) {
        // A stack of lots still to be sent, in order; the first has been.
        var lots = [lot]
        var first: MessageAppender? = appender
        while let lot = lots.popLast() {
            let appender: MessageAppender
            if let sent = first.take() { appender = sent } else { appender = try await begin(lot, over: link) }
            let results = try await finish(appender, lot)
            guard case .refused(let refusal, _) = results.first(where: \.isRefusal) else {
                for (message, result) in zip(lot, results) { note(message, result, loss: nil) }
                continue
            }
            if let first = lot.first {
                let error = ConnectorError.append(refusal, of: first.header, to: folder)
                if error.stopsBatch { throw error }
            }
            if lot.count == 1, let message = lot.first {
                try await settle(message, refusal, over: link)
                continue
            }
            // Where the server names the culprit it goes alone; else halves.
            if let culprit = results.firstIndex(where: \.isCulprit) {
                let position = lot.startIndex + culprit
                lots.append(lot[(position + 1)...])
                lots.append(lot[position...position])
                lots.append(lot[..<position])
            } else if results.allSatisfy(\.isRefusal) {
                let middle = lot.startIndex + lot.count / 2
                lots.append(lot[middle...])
                lots.append(lot[..<middle])
            } else {
                // Without MULTIAPPEND each stands for itself.
                for (offset, result) in results.enumerated() {
                    let message = lot[lot.startIndex + offset]
                    switch result {
                    case .appended: note(message, result, loss: nil)
                    case .refused(let refusal, _): try await settle(message, refusal, over: link)
                    }
                }
            }
            lots.removeAll(where: \.isEmpty)
        }
    }

    /// Sends a lot, without waiting for the answer.
    private func begin(
        _ lot: ArraySlice<Gathered>, over link: Int, withoutKeywords: Bool = false
    ) async throws(ConnectorError) -> MessageAppender {
        let session = try await links[link].session()
        do throws(IMAPError) {
            let appender = try await session.append(to: folder, single: lot.count == 1)
            for message in lot {
                let announced = Self.announcement(
                    message.header, size: message.content.readableBytes, withoutKeywords: withoutKeywords)
                guard try await appender.begin(announced) else { break }
                try await appender.write(message.content)
            }
            try appender.seal()
            return appender
        } catch {
            throw IMAPSide.target.container(error, folder)
        }
    }

    private func finish(
        _ appender: MessageAppender, _ lot: ArraySlice<Gathered>
    ) async throws(ConnectorError) -> [AppendResult] {
        do throws(IMAPError) {
            let results = try await appender.finish()
            guard results.count < lot.count, let refusal = results.first(where: \.isRefusal) else { return results }
            // Those that were not even begun share the fate of the rest.
            guard case .refused(let reason, _) = refusal else { return results }
            return results
                + Array(repeating: .refused(reason, isCulprit: nil), count: lot.count - results.count)
        } catch {
            throw IMAPSide.target.container(error, folder)
        }
    }

    /// One message that was refused alone. If its keywords can be to blame, it is written without them.
    private mutating func settle(
        _ message: Gathered, _ refusal: Refusal, over link: Int
    ) async throws(ConnectorError) {
        let error = ConnectorError.append(refusal, of: message.header, to: folder)
        if error.stopsBatch { throw error }
        guard error.code == .targetItemRefused, case .message(let metadata) = message.header.metadata,
            !metadata.keywords.isEmpty || metadata.flags.contains(.forwarded),
            let result = try await finish(begin([message][...], over: link, withoutKeywords: true), [message][...])
                .first,
            case .appended = result
        else {
            receipts[message.index] = .failure(error)
            return
        }
        note(
            message, result,
            loss: ConnectorError(
                .targetItemRefused, .skip,
                "The message \(message.header.name) was written without its keywords, which the target does not take;"
                    + " it said: \(refusal.text)"))
    }

    private mutating func note(_ message: Gathered, _ result: AppendResult, loss: ConnectorError?) {
        guard case .appended(let uidValidity, let uid) = result else { return }
        receipts[message.index] = Self.receipt(
            message.header, bytes: Self.receiptBytes(message.header, message.content.readableBytes), uidValidity, uid,
            loss)
    }

    // MARK: large messages

    private mutating func stream(
        _ index: Int, _ header: ItemHeader, _ pieces: inout BodyPieces
    ) async throws(ConnectorError) {
        let first: ByteBuffer
        switch try await pieces.next() {
        case .bytes(let buffer): first = buffer
        case .end:
            receipts[index] = .failure(Self.wrongSize(header))
            return
        case .failed(let error):
            receipts[index] = .failure(error)
            return
        }
        if let refusal = obstacle(header, size: header.size) {
            receipts[index] = .failure(refusal)
            return try await pieces.skip()
        }
        if header.sizeIsHint || CanonicalText.hasBareLF(first) {
            try await streamFromSpool(index, header, first, &pieces)
        } else {
            try await streamThrough(index, header, first, &pieces)
        }
    }

    /// From socket to socket: the size is known ahead.
    private mutating func streamThrough(
        _ index: Int, _ header: ItemHeader, _ first: ByteBuffer, _ pieces: inout BodyPieces
    ) async throws(ConnectorError) {
        let session = try await links[0].session()
        let appender: MessageAppender
        do throws(IMAPError) {
            appender = try await session.append(to: folder, single: true)
            _ = try await appender.begin(Self.announcement(header, size: Int(header.size)))
        } catch {
            throw IMAPSide.target.container(error, folder)
        }
        var left = header.size
        var piece: ByteBuffer? = first
        var failure: ConnectorError?
        while failure == nil, let buffer = piece {
            left -= Int64(buffer.readableBytes)
            if left < 0 {
                failure = Self.wrongSize(header)
                try await pieces.skip()
                break
            }
            do throws(IMAPError) { try await appender.write(buffer) } catch {
                throw IMAPSide.target.container(error, folder)
            }
            let next: BodyPieces.Piece
            do throws(ConnectorError) { next = try await pieces.next() } catch {
                await appender.abandon()
                throw error
            }
            switch next {
            case .bytes(let buffer): piece = buffer
            case .end:
                piece = nil
                if left != 0 { failure = Self.wrongSize(header) }
            case .failed(let error): failure = error
            }
        }
        if let failure {
            try await abandon(appender)
            receipts[index] = .failure(failure)
            return
        }
        try await finish(appender, index, header, size: header.size)
    }

    /// For line ends without CR: how long the message becomes is known at its end only.
    private mutating func streamFromSpool(
        _ index: Int, _ header: ItemHeader, _ first: ByteBuffer, _ pieces: inout BodyPieces
    ) async throws(ConnectorError) {
        let spool = try await Spool.open()
        var text = CanonicalText()
        var size: Int64 = 0
        var piece: ByteBuffer? = first
        while let buffer = piece {
            let canonical = text.canonical(buffer)
            size += Int64(canonical.readableBytes)
            try await spool.append(canonical)
            switch try await pieces.next() {
            case .bytes(let buffer): piece = buffer
            case .end: piece = nil
            case .failed(let error):
                receipts[index] = .failure(error)
                return
            }
        }
        if let refusal = obstacle(header, size: size) {
            receipts[index] = .failure(refusal)
            return
        }
        let session = try await links[0].session()
        let appender: MessageAppender
        do throws(IMAPError) {
            appender = try await session.append(to: folder, single: true)
            _ = try await appender.begin(Self.announcement(header, size: Int(size)))
        } catch {
            throw IMAPSide.target.container(error, folder)
        }
        var offset: Int64 = 0
        while offset < size {
            let buffer = try await spool.read(from: offset)
            guard buffer.readableBytes > 0 else {
                await appender.abandon()
                throw ConnectorError(.internalFault, .retry(after: nil), "A temporary file lost its content.")
            }
            offset += Int64(buffer.readableBytes)
            do throws(IMAPError) { try await appender.write(buffer) } catch {
                throw IMAPSide.target.container(error, folder)
            }
        }
        try await finish(appender, index, header, size: size)
    }

    /// Gives a message up in the middle. A literal that was begun cannot be taken back but by hanging up, so the answer to
    /// what was sent before is waited for; nothing of this one arrives.
    private func abandon(_ appender: MessageAppender) async throws(ConnectorError) {
        do throws(IMAPError) {
            switch sent[0] {
            case .lot(_, let before), .large(_, _, _, let before): _ = try await before.finish()
            case nil: break
            }
        } catch {
            throw IMAPSide.target.container(error, folder)
        }
        await appender.abandon()
    }

    /// A large message is complete. Its answer is looked at when the next one is on its way.
    private mutating func finish(
        _ appender: MessageAppender, _ index: Int, _ header: ItemHeader, size: Int64
    ) async throws(ConnectorError) {
        do throws(IMAPError) { try appender.seal() } catch { throw IMAPSide.target.container(error, folder) }
        try await settleSent(over: 0)
        sent[0] = .large(index: index, header, size: size, appender)
    }

    private mutating func settle(
        _ index: Int, _ header: ItemHeader, size: Int64, _ appender: MessageAppender
    ) async throws(ConnectorError) {
        let results: [AppendResult]
        do throws(IMAPError) { results = try await appender.finish() } catch {
            throw IMAPSide.target.container(error, folder)
        }
        switch results.first {
        case .appended(let uidValidity, let uid):
            receipts[index] = Self.receipt(
                header, bytes: Self.receiptBytes(header, Int(size)), uidValidity, uid, nil)
        case .refused(let refusal, _):
            let error = ConnectorError.append(refusal, of: header, to: folder)
            if error.stopsBatch { throw error }
            receipts[index] = .failure(error)
        case nil:
            throw ConnectorError(.internalFault, .failRun, "An append has no answer. Please report this.")
        }
    }

    // MARK: what is told

    private static func announcement(
        _ header: ItemHeader, size: Int, withoutKeywords: Bool = false
    ) -> AppendedMessage {
        guard case .message(let message) = header.metadata else {
            return AppendedMessage(internalDate: nil, size: UInt64(size))
        }
        var flags = message.messageFlags
        if withoutKeywords { flags.keywords = [] }
        return AppendedMessage(flags: flags, internalDate: message.keptDate, size: UInt64(size))
    }

    /// Bytes of content as the source counts them.
    private static func receiptBytes(_ header: ItemHeader, _ sent: Int) -> Int64 {
        header.sizeIsHint ? Int64(sent) : header.size
    }

    private static func receipt(
        _ header: ItemHeader, bytes: Int64, _ uidValidity: UInt32?, _ uid: UID?, _ loss: ConnectorError?
    ) -> WriteReceipt {
        let place = uidValidity.flatMap { validity in uid.map { ItemPlace(uidValidity: validity, uid: $0) } }
        if let loss = loss ?? ownLoss(header) { return .altered(bytes: bytes, place: place, loss) }
        return .written(bytes: bytes, place: place)
    }

    /// What a message loses at every server.
    private static func ownLoss(_ header: ItemHeader) -> ConnectorError? {
        guard case .message(let message) = header.metadata else { return nil }
        if !MessageMetadata.keptDates.contains(message.internalDate) {
            return ConnectorError(
                .targetItemRefused, .skip,
                "The message \(header.name) arrived at a date that IMAP servers do not keep (before 1970 or after"
                    + " 2106); it was written with the nearest that they do.")
        }
        if !message.hasOnlyAtoms {
            return ConnectorError(
                .targetItemRefused, .skip,
                "The message \(header.name) was written without those of its keywords that IMAP cannot spell: blanks,"
                    + " brackets, and letters beyond ASCII.")
        }
        return nil
    }
}

extension AppendResult {
    fileprivate var isRefusal: Bool { if case .refused = self { true } else { false } }
    fileprivate var isCulprit: Bool { if case .refused(_, isCulprit: true) = self { true } else { false } }
}

/// The events of a body reader one at a time.
struct BodyPieces {
    enum Piece {
        case bytes(ByteBuffer)
        case end
        case failed(ConnectorError)
    }

    private let reader: any BodyReader
    private var events: ArraySlice<BodyEvent> = []

    init(_ reader: any BodyReader) { self.reader = reader }

    mutating func next() async throws(ConnectorError) -> Piece {
        while true {
            switch events.popFirst() {
            case .bytes(let buffer) where buffer.readableBytes == 0: continue
            case .bytes(let buffer): return .bytes(buffer)
            case .end: return .end
            case .failed(let error): return .failed(error)
            case nil:
                guard let bunch = try await reader.next() else {
                    throw ConnectorError(
                        .internalFault, .failRun,
                        "The source answered with fewer contents than were asked for. Please report this.")
                }
                events = bunch[...]
            }
        }
    }

    /// Passes over the rest of the current item.
    mutating func skip() async throws(ConnectorError) {
        while true {
            switch try await next() {
            case .bytes: continue
            case .end, .failed: return
            }
        }
    }
}
