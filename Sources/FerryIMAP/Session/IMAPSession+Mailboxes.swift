import Synchronization

/// Mailboxes: listing, status, selecting, making.
extension IMAPSession {
    package func namespaces() async throws(IMAPError) -> Namespaces {
        guard capabilities.has("NAMESPACE") || capabilities.isRev2 else {
            return Namespaces(personal: [Namespaces.Namespace(prefix: MailboxName(wire: []), separator: nil)])
        }
        return try await ask("NAMESPACE", CommandText("NAMESPACE"), into: Namespaces()) { value, response, _ in
            guard case .namespace(let namespaces) = response else { return false }
            value = namespaces
            return true
        }
    }

    // MARK: LIST

    private struct Listing: Sendable {
        var mailboxes: [ListedMailbox] = []
        var places: [MailboxName: Int] = [:]
        var status: [MailboxName: MailboxStatus] = [:]

        mutating func add(_ mailbox: ListedMailbox) {
            if let place = places[mailbox.name] {
                mailboxes[place].attributes.formUnion(mailbox.attributes)
            } else {
                places[mailbox.name] = mailboxes.count
                mailboxes.append(mailbox)
            }
        }
    }

    /// All mailboxes whose name begins with `prefix` (`nil`: all), with subscription, special uses and, when `status` is
    /// not empty, their status: one command with LIST-EXTENDED and LIST-STATUS, else LIST, LSUB and STATUS, pipelined.
    package func list(prefix: MailboxName? = nil, status: StatusItems = []) async throws(IMAPError) -> [ListedMailbox] {
        var listing = capabilities.listExtended ? try await extendedList(prefix, status) : try await plainList(prefix)
        for index in listing.mailboxes.indices {
            listing.mailboxes[index].status = listing.status[listing.mailboxes[index].name]
        }
        guard !status.isEmpty else { return listing.mailboxes }
        let silent = listing.mailboxes.indices.filter {
            listing.mailboxes[$0].isSelectable && listing.mailboxes[$0].status == nil
        }
        let answers = try await self.status(of: silent.map { listing.mailboxes[$0].name }, status)
        for (index, answer) in zip(silent, answers) { listing.mailboxes[index].status = try? answer.get() }
        return listing.mailboxes
    }

    private func extendedList(_ prefix: MailboxName?, _ status: StatusItems) async throws(IMAPError) -> Listing {
        var text = CommandText("LIST \"\"", literals: literals)
        text.pattern((prefix?.bytes ?? []) + [UInt8(ascii: "*")])
        var returned = ["SUBSCRIBED", "CHILDREN"]
        if capabilities.specialUse { returned.append("SPECIAL-USE") }
        if capabilities.listStatus, !status.isEmpty { returned.append("STATUS \(words(status))") }
        text.word("RETURN (\(returned.joined(separator: " ")))")
        return try await ask("LIST", text, into: Listing()) { listing, response, _ in
            switch response {
            case .list(let mailbox): listing.add(mailbox)
            case .mailboxStatus(let name, let status): listing.status[name] = status
            default: return false
            }
            return true
        }
    }

    private func plainList(_ prefix: MailboxName?) async throws(IMAPError) -> Listing {
        let requests = ["LIST", "LSUB"].map { name in
            var text = CommandText("\(name) \"\"", literals: literals)
            text.pattern((prefix?.bytes ?? []) + [UInt8(ascii: "*")])
            return Request(name: name, text: text, value: Listing()) { listing, response, _ in
                switch response {
                case .list(let mailbox) where name == "LIST": listing.add(mailbox)
                case .lsub(let mailbox) where name == "LSUB": listing.add(mailbox)
                default: return false
                }
                return true
            }
        }
        let answers = try await runAll(requests)
        let list = try answers[0].get()
        try requireOK(list.status, "LIST")
        var listing = list.value
        // Servers that keep no subscriptions may refuse LSUB; then nothing is subscribed.
        let subscribed = try answers[1].get().value
        for mailbox in subscribed.mailboxes where !mailbox.attributes.contains(.noSelect) {
            guard let place = listing.places[mailbox.name] else { continue }
            listing.mailboxes[place].attributes.insert(.subscribed)
        }
        return listing
    }

    // MARK: STATUS

    /// Status of many mailboxes, pipelined; results in order, a failure where the server refused.
    package func status(
        of names: [MailboxName], _ items: StatusItems
    ) async throws(IMAPError) -> [Result<MailboxStatus, IMAPError>] {
        var results: [Result<MailboxStatus, IMAPError>] = []
        results.reserveCapacity(names.count)
        for start in stride(from: 0, to: names.count, by: 500) {
            let requests = names[start..<min(start + 500, names.count)].map { statusRequest($0, items) }
            for answer in try await runAll(requests) {
                results.append(
                    answer.flatMap { answer in
                        guard answer.status.condition == .ok else {
                            return .failure(.refusal(of: "STATUS", answer.status))
                        }
                        return .success(answer.value ?? MailboxStatus())
                    })
            }
        }
        return results
    }

    private func statusRequest(_ name: MailboxName, _ items: StatusItems) -> Request<MailboxStatus?> {
        var text = command("STATUS", name)
        text.word(words(items))
        return Request(name: "STATUS", text: text, value: nil) { value, response, _ in
            guard case .mailboxStatus(let answered, let status) = response, value == nil, answered == name else {
                return false
            }
            value = status
            return true
        }
    }

    private func words(_ items: StatusItems) -> String {
        var words: [String] = []
        if items.contains(.messages) { words.append("MESSAGES") }
        if items.contains(.uidNext) { words.append("UIDNEXT") }
        if items.contains(.uidValidity) { words.append("UIDVALIDITY") }
        if items.contains(.unseen) { words.append("UNSEEN") }
        if items.contains(.highestModSeq), capabilities.condStore { words.append("HIGHESTMODSEQ") }
        if items.contains(.size), capabilities.has("STATUS=SIZE") || capabilities.isRev2 { words.append("SIZE") }
        // A status of nothing is no command.
        return "(" + (words.isEmpty ? ["MESSAGES"] : words).joined(separator: " ") + ")"
    }

    // MARK: SELECT

    /// Opens a mailbox. What was asked of the one before may still be in flight.
    package func select(
        _ name: MailboxName, readOnly: Bool, known: KnownState? = nil
    ) async throws(IMAPError) -> SelectedMailbox {
        let verb = readOnly ? "EXAMINE" : "SELECT"
        selected.withLock { $0 = name }
        let answer = try await run(
            verb, selection(name, readOnly: readOnly, known: known), into: SelectedMailbox(name: name),
            isSelection: true,
            take: { mailbox, response, _ in Self.take(&mailbox, response) })
        try requireOK(answer.status, verb)
        var mailbox = answer.value
        mailbox.isReadOnly = readOnly || answer.status.code == .named("READ-ONLY")
        return mailbox
    }

    func selection(_ name: MailboxName, readOnly: Bool, known: KnownState?) -> CommandText {
        var text = CommandText(readOnly ? "EXAMINE" : "SELECT", literals: literals)
        text.mailbox(name)
        if usesQResync, let known, known.modSeq > 0 {
            var parameters = "\(known.uidValidity) \(known.modSeq)"
            if let uids = known.uids, !uids.isEmpty {
                let set = uids.description
                if set.utf8.count < options.commandLineBytes { parameters += " \(set)" }
            }
            text.word("(QRESYNC (\(parameters)))")
        } else if capabilities.condStore {
            text.word("(CONDSTORE)")
        }
        return text
    }

    static func take(_ mailbox: inout SelectedMailbox, _ response: Response) -> Bool {
        switch response {
        case .exists(let count): mailbox.exists = count
        case .flags(let flags): if mailbox.permanentFlags == MessageFlags() { mailbox.permanentFlags = flags }
        case .vanished(_, let uids): mailbox.vanished.formUnion(uids)
        case .fetch(let message):
            guard let row = MessageRow(message) else { return false }
            mailbox.changed.append(row)
        case .status(let status):
            switch status.code {
            case .uidValidity(let value): mailbox.uidValidity = value
            case .uidNext(let value): mailbox.uidNext = value
            case .highestModSeq(let value): mailbox.highestModSeq = value
            case .named("NOMODSEQ"): mailbox.highestModSeq = nil
            case .permanentFlags(var flags):
                mailbox.allowsNewKeywords = flags.keywords.contains("\\*")
                flags.keywords.removeAll { $0 == "\\*" }
                mailbox.permanentFlags = flags
            // What was said so far was about the mailbox before (RFC 7162 section 3.2.11).
            case .named("CLOSED"): mailbox = SelectedMailbox(name: mailbox.name)
            default: return false
            }
        default: return false
        }
        return true
    }

    /// Closes the mailbox without expunging: UNSELECT (RFC 3691), else EXAMINE and CLOSE.
    package func unselect() async throws(IMAPError) {
        if capabilities.has("UNSELECT") || capabilities.isRev2 {
            let answer = try await run("UNSELECT", CommandText("UNSELECT"), into: (), isSelection: true)
            try requireOK(answer.status, "UNSELECT")
        } else if let name = selected.withLock({ $0 }) {
            _ = try await select(name, readOnly: true)
            let answer = try await run("CLOSE", CommandText("CLOSE"), into: (), isSelection: true)
            try requireOK(answer.status, "CLOSE")
        }
        selected.withLock { $0 = nil }
    }

    // MARK: making and naming

    /// Creates mailboxes, pipelined, with special uses where CREATE-SPECIAL-USE is offered. One that exists already is a
    /// success.
    package func create(
        _ mailboxes: [(name: MailboxName, specialUse: ListedMailbox.Attributes)]
    ) async throws(IMAPError) -> [Result<Void, IMAPError>] {
        try await checkAll(mailboxes, "CREATE") { creation($0.name, $0.specialUse) }.map(Self.orPresent)
    }

    private func creation(_ name: MailboxName, _ specialUse: ListedMailbox.Attributes) -> CommandText {
        var text = command("CREATE", name)
        let uses = specialUse.specialUseNames
        if !uses.isEmpty, capabilities.has("CREATE-SPECIAL-USE") {
            text.word("(USE (\(uses.joined(separator: " "))))")
        }
        return text
    }

    private static func orPresent(_ result: Result<StatusText, IMAPError>) -> Result<Void, IMAPError> {
        if case .failure(let error) = result, error.refusal?.reason == .alreadyExists { return .success(()) }
        return result.map { _ in () }
    }

    /// A mailbox that was just made.
    package struct NewMailbox: Sendable, Hashable {
        package var isSubscribed: Bool
        /// `nil` where the server does not tell.
        package var status: MailboxStatus?
    }

    /// Creates a mailbox, subscribes it if wanted, and asks for its status, all at once. One that exists already is as
    /// good as new. A mailbox that is not subscribed although it should be is no failure.
    package func make(
        _ name: MailboxName, _ specialUse: ListedMailbox.Attributes, subscribed: Bool, _ items: StatusItems
    ) async throws(IMAPError) -> Result<NewMailbox, IMAPError> {
        var requests = [Request(name: "CREATE", text: creation(name, specialUse), value: MailboxStatus?.none)]
        if subscribed { requests.append(Request(name: "SUBSCRIBE", text: command("SUBSCRIBE", name), value: nil)) }
        requests.append(statusRequest(name, items))
        let answers = try await runAll(requests)
        func checked(_ index: Int) -> Result<StatusText, IMAPError> {
            answers[index].flatMap { answer in
                answer.status.condition == .ok
                    ? .success(answer.status) : .failure(.refusal(of: requests[index].name, answer.status))
            }
        }
        return Self.orPresent(checked(0)).map { _ in
            var isSubscribed = false
            if subscribed, case .success = checked(1) { isSubscribed = true }
            let last = answers.count - 1
            var status: MailboxStatus?
            if case .success = checked(last), case .success(let answer) = answers[last] { status = answer.value }
            return NewMailbox(isSubscribed: isSubscribed, status: status)
        }
    }

    package func delete(_ name: MailboxName) async throws(IMAPError) {
        try await check("DELETE", command("DELETE", name))
    }

    package func rename(_ name: MailboxName, to newName: MailboxName) async throws(IMAPError) {
        var text = command("RENAME", name)
        text.mailbox(newName)
        try await check("RENAME", text)
    }

    package func subscribe(_ names: [MailboxName]) async throws(IMAPError) -> [Result<Void, IMAPError>] {
        try await checkAll(names, "SUBSCRIBE") { command("SUBSCRIBE", $0) }.map { $0.map { _ in () } }
    }

    package func unsubscribe(_ names: [MailboxName]) async throws(IMAPError) -> [Result<Void, IMAPError>] {
        try await checkAll(names, "UNSUBSCRIBE") { command("UNSUBSCRIBE", $0) }.map { $0.map { _ in () } }
    }

    func command(_ verb: String, _ name: MailboxName) -> CommandText {
        var text = CommandText(verb, literals: literals)
        text.mailbox(name)
        return text
    }
}

extension ListedMailbox.Attributes {
    /// As RFC 6154 spells them.
    var specialUseNames: [String] {
        let names: [(ListedMailbox.Attributes, String)] = [
            (.all, "\\All"), (.archive, "\\Archive"), (.drafts, "\\Drafts"), (.flagged, "\\Flagged"),
            (.junk, "\\Junk"), (.sent, "\\Sent"), (.trash, "\\Trash"), (.important, "\\Important"),
        ]
        return names.filter { contains($0.0) }.map(\.1)
    }
}
