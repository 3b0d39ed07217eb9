import NIOCore

/// Messages of the selected mailbox, and appending to any.
extension IMAPSession {
    /// UIDs that fulfil raw search criteria (`ALL`, `DELETED`, `UID 1:100 UNSEEN`; ASCII), by ESEARCH where offered.
    package func search(_ criteria: String) async throws(IMAPError) -> UIDSet {
        let answer = try await runAll([searchRequest(criteria, into: UIDSet(), \.self)])[0].get()
        try requireOK(answer.status, "UID SEARCH")
        return answer.value
    }

    /// A search that puts what it finds into a part of a value.
    func searchRequest<Value: Sendable>(
        _ criteria: String, into value: Value, _ part: any WritableKeyPath<Value, UIDSet> & Sendable
    ) -> Request<Value> {
        let isExtended = capabilities.has("ESEARCH") || capabilities.isRev2
        let text = CommandText(isExtended ? "UID SEARCH RETURN (ALL) \(criteria)" : "UID SEARCH \(criteria)")
        return Request(name: "UID SEARCH", text: text, value: value) { value, response, tag in
            switch response {
            case .search(let uids): value[keyPath: part].formUnion(uids)
            case .extendedSearch(let about, let uids) where about == nil || about == tag:
                value[keyPath: part].formUnion(uids)
            default: return false
            }
            return true
        }
    }

    /// Rows of the messages. `changedSince` (CONDSTORE) keeps to those changed after that modification sequence;
    /// `vanished` (QRESYNC) also asks what was expunged since. Ask for a page at a time (thousands), as all are held.
    package func messages(
        _ uids: UIDSet, _ attributes: MessageAttributes, changedSince: UInt64? = nil, vanished: Bool = false
    ) async throws(IMAPError) -> MessageRows {
        guard !uids.isEmpty else { return MessageRows() }
        let asked = capabilities.condStore ? attributes : attributes.subtracting(.modSeq)
        let requests = uids.split(bytes: options.commandLineBytes).map { part in
            var text = CommandText("UID FETCH")
            text.word(part.description)
            text.word(asked.words)
            if let changedSince {
                text.word("(CHANGEDSINCE \(changedSince)\(vanished ? " VANISHED" : ""))")
            }
            return Request(name: "UID FETCH", text: text, value: MessageRows()) { rows, response, _ in
                switch response {
                case .fetch(let message):
                    guard let row = MessageRow(message), row.answers(asked), part.contains(row.uid) else {
                        return false
                    }
                    rows.rows.append(row)
                    return true
                case .vanished(true, let uids) where vanished:
                    rows.vanished.formUnion(uids)
                    return true
                default: return false
                }
            }
        }
        var rows = MessageRows()
        for answer in try await runAll(requests) {
            let answer = try answer.get()
            // Some messages were expunged by others meanwhile: the rest was told (RFC 5530).
            if answer.status.condition != .no || answer.status.code?.name != "EXPUNGEISSUED" {
                try requireOK(answer.status, "UID FETCH")
            }
            rows.rows += answer.value.rows
            rows.vanished.formUnion(answer.value.vanished)
        }
        rows.rows.keepLastOfEach()
        return rows
    }

    /// Rows with the bytes of the headers (BODY.PEEK[HEADER], or only `fields`), for matching after a crash. A header
    /// above 4 MiB is left out (`nil`).
    package func headers(of uids: UIDSet, fields: [String]? = nil) async throws(IMAPError) -> [MessageRow] {
        guard !uids.isEmpty else { return [] }
        let section = fields.map { "HEADER.FIELDS (\($0.joined(separator: " ")))" } ?? "HEADER"
        let parts = uids.split(bytes: options.commandLineBytes)
        let outcomes = Outcomes<Answer<[MessageRow]>>(count: parts.count)
        eventLoop.execute { [connection] in
            connection.value.submit(
                parts.enumerated().map { index, part in
                    HeaderCommand(part, section: section) { outcomes.set($0, at: index) }
                })
        }
        var rows: [MessageRow] = []
        for answer in try await outcomes.all() {
            let answer = try answer.get()
            try requireOK(answer.status, "UID FETCH")
            rows += answer.value
        }
        rows.keepLastOfEach()
        return rows
    }

    /// Full contents (BODY.PEEK[]: \Seen is never set). Ascending runs in `uids` share a command, so ascending order is
    /// fastest; servers answer in that order whatever is asked.
    package func bodies(of uids: [UID]) async throws(IMAPError) -> BodyFetch {
        if let failure { throw failure }
        let begun = Outcomes<BodyFetch>(count: 1)
        eventLoop.execute { [connection, eventLoop] in
            begun.set(.success(BodyFetch.begin(uids, on: connection.value, eventLoop: eventLoop)), at: 0)
        }
        return try await begun.all()[0].get()
    }

    /// Changes flags without an echo, pipelined; results in order: the UIDs that were left alone because they changed
    /// after `unchangedSince` (CONDSTORE), empty otherwise.
    package func store(
        _ changes: [(uids: UIDSet, change: FlagChange)], unchangedSince: UInt64? = nil
    ) async throws(IMAPError) -> [Result<UIDSet, IMAPError>] {
        var commands: [(change: Int, text: CommandText)] = []
        for (index, change) in changes.enumerated() where !change.uids.isEmpty {
            for part in change.uids.split(bytes: options.commandLineBytes) {
                var text = CommandText("UID STORE")
                text.word(part.description)
                if let unchangedSince, capabilities.condStore { text.word("(UNCHANGEDSINCE \(unchangedSince))") }
                text.word(change.change.words)
                commands.append((index, text))
            }
        }
        var results = [Result<UIDSet, IMAPError>](repeating: .success(UIDSet()), count: changes.count)
        for (command, result) in zip(commands, try await checkAll(commands, "UID STORE", { $0.text })) {
            results[command.change] = results[command.change].flatMap { unchanged in
                result.map { status in
                    guard case .modified(let more) = status.code else { return unchanged }
                    var unchanged = unchanged
                    unchanged.formUnion(more)
                    return unchanged
                }
            }
        }
        return results
    }

    /// Marks \Deleted and expunges just these (UID EXPUNGE of UIDPLUS; `unsupported` without it).
    package func expunge(_ uids: UIDSet) async throws(IMAPError) {
        guard !uids.isEmpty else { return }
        guard capabilities.uidPlus else {
            throw IMAPError(
                .unsupported, "The server has no UIDPLUS, so nothing can be expunged without touching other messages.")
        }
        // Sent together: what could not be marked is not expunged, and says so.
        let parts = uids.split(bytes: options.commandLineBytes)
        let words = "+FLAGS.SILENT \(MessageFlags(.deleted).commandText)"
        let commands =
            parts.map { (name: "UID STORE", text: "UID STORE \($0) \(words)") }
            + parts.map { (name: "UID EXPUNGE", text: "UID EXPUNGE \($0)") }
        for start in stride(from: 0, to: commands.count, by: 500) {
            let some = commands[start..<min(start + 500, commands.count)]
            let answers = try await runAll(
                some.map { Request(name: $0.name, text: CommandText($0.text), value: ()) })
            for (command, answer) in zip(some, answers) { try requireOK(try answer.get().status, command.name) }
        }
    }

    /// Marks \Deleted, for want of UID EXPUNGE: an EXPUNGE would also take what others have marked.
    package func markDeleted(_ uids: UIDSet) async throws(IMAPError) {
        guard !uids.isEmpty else { return }
        for result in try await store([(uids, .add(MessageFlags(.deleted)))]) { _ = try result.get() }
    }

    /// Starts to append to a mailbox, which need not be selected. `single`: one APPEND per message even where the server
    /// has MULTIAPPEND, so that each message has a result of its own.
    package func append(to name: MailboxName, single: Bool = false) async throws(IMAPError) -> MessageAppender {
        if let failure { throw failure }
        let made = Outcomes<MessageAppender>(count: 1)
        let isMulti = capabilities.multiAppend && !single
        eventLoop.execute { [connection, eventLoop, literals] in
            let appender = MessageAppender(
                mailbox: name, isMulti: isMulti, literals: literals, connection: connection.value,
                eventLoop: eventLoop)
            made.set(.success(appender), at: 0)
        }
        return try await made.all()[0].get()
    }
}

/// A UID FETCH of headers, which are small and therefore collected.
private final class HeaderCommand: Command {
    private var rows: [MessageRow] = []
    private var header: [UInt8]?
    private let uids: UIDSet
    private let done: @Sendable (Result<Answer<[MessageRow]>, IMAPError>) -> Void
    private static let mostBytes: UInt64 = 4 << 20

    init(
        _ uids: UIDSet, section: String, done: @escaping @Sendable (Result<Answer<[MessageRow]>, IMAPError>) -> Void
    ) {
        self.uids = uids
        self.done = done
        var text = CommandText("UID FETCH")
        text.word(uids.description)
        text.word("(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[\(section)])")
        super.init("UID FETCH", text.sealed)
    }

    override func beginBody(
        of message: FetchedMessage, section: FetchedBody.Section, size: UInt64, in connection: Connection
    ) -> Bool {
        guard section == .header, message.uid.map({ uids.contains($0) }) ?? true else { return false }
        header = size <= Self.mostBytes ? [] : nil
        return true
    }

    override func bodyBytes(_ bytes: ByteBuffer, in connection: Connection) {
        header?.append(contentsOf: bytes.readableBytesView)
    }

    override func absorb(_ response: Response, in connection: Connection) -> Bool {
        guard case .fetch(let message) = response, var row = MessageRow(message), uids.contains(row.uid),
            let body = message.bodies.first(where: { $0.section == .header })
        else { return false }
        switch body.content {
        case .missing: row.header = nil
        case .inline(let bytes): row.header = bytes
        case .streamed: row.header = header
        }
        header = nil
        rows.append(row)
        return true
    }

    override func finish(_ outcome: Result<StatusText, IMAPError>, in connection: Connection) {
        let rows = rows
        done(outcome.map { Answer(value: rows, status: $0) })
    }
}

extension MessageAttributes {
    fileprivate var words: String {
        var words = ["UID"]
        if contains(.flags) { words.append("FLAGS") }
        if contains(.internalDate) { words.append("INTERNALDATE") }
        if contains(.size) { words.append("RFC822.SIZE") }
        if contains(.modSeq) { words.append("MODSEQ") }
        return "(" + words.joined(separator: " ") + ")"
    }
}

extension MessageRow {
    /// `nil` when the response does not say which message it is about.
    init?(_ message: FetchedMessage) {
        guard let uid = message.uid else { return nil }
        self.init(uid: uid)
        flags = message.flags
        internalDate = message.internalDate
        size = message.size
        modSeq = message.modSeq
    }

    /// Has everything that was asked for; news of flags that nobody asked for have less. A date may be missing, because
    /// it may have been none.
    fileprivate func answers(_ asked: MessageAttributes) -> Bool {
        (!asked.contains(.flags) || flags != nil) && (!asked.contains(.size) || size != nil)
            && (!asked.contains(.modSeq) || modSeq != nil)
    }
}

extension [MessageRow] {
    /// A message that was told about twice keeps its last row. Does nothing to what is ascending already.
    mutating func keepLastOfEach() {
        guard !zip(self, dropFirst()).allSatisfy({ $0.uid < $1.uid }) else { return }
        var last: [UID: Int] = [:]
        for (index, row) in enumerated() { last[row.uid] = index }
        self = enumerated().filter { last[$0.element.uid] == $0.offset }.map(\.element)
    }
}

extension FlagChange {
    fileprivate var words: String {
        switch self {
        case .set(let flags): "FLAGS.SILENT \(flags.commandText)"
        case .add(let flags): "+FLAGS.SILENT \(flags.commandText)"
        case .remove(let flags): "-FLAGS.SILENT \(flags.commandText)"
        }
    }
}
