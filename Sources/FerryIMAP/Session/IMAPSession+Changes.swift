import Synchronization

/// What has changed in a mailbox (CONDSTORE and QRESYNC, RFC 7162).
extension IMAPSession {
    /// What is collected of EXAMINE and of what is asked in its wake.
    private struct Examination: Sendable {
        var mailbox: SelectedMailbox
        var changes = MailboxChanges()
        var found = UIDSet()
    }

    private func opening(_ empty: Examination) -> Request<Examination> {
        Request(
            name: "EXAMINE", text: selection(empty.mailbox.name, readOnly: true, known: nil), value: empty,
            isSelection: true, take: { value, response, _ in Self.take(&value.mailbox, response) })
    }

    /// What EXAMINE said.
    private func opened(_ answer: Result<Answer<Examination>, IMAPError>) throws(IMAPError) -> SelectedMailbox {
        let opened = try answer.get()
        try requireOK(opened.status, "EXAMINE")
        var mailbox = opened.value.mailbox
        mailbox.isReadOnly = true
        return mailbox
    }

    /// Opens a mailbox for reading and asks in the same breath what is new, changed or gone since it had this modification
    /// sequence. `changes` is `nil` where the server cannot tell: it was made anew (UIDVALIDITY), its sequence went back,
    /// or it keeps none (NOMODSEQ). For servers with CONDSTORE only.
    ///
    /// Of the first `mostRows` messages whole rows are given, of others the numbers alone, so that memory is bounded
    /// however much has changed.
    package func examine(
        _ name: MailboxName, uidValidity: UInt32, changedSince modSeq: UInt64, mostRows: Int
    ) async throws(IMAPError) -> (mailbox: SelectedMailbox, changes: MailboxChanges?) {
        let empty = Examination(mailbox: SelectedMailbox(name: name))
        var requests = [opening(empty)]
        // Not "1:*", which ends at the last message that is left and would keep silent on those that were above it.
        let isTold = usesQResync
        let text = "UID FETCH 1:\(UID.max) (UID FLAGS INTERNALDATE RFC822.SIZE)"
        requests.append(
            Request(
                name: "UID FETCH",
                text: CommandText("\(text) (CHANGEDSINCE \(modSeq)\(isTold ? " VANISHED" : ""))"),
                value: empty,
                take: { value, response, _ in value.changes.take(response, mostRows: mostRows) }))
        if !isTold { requests.append(searchRequest("ALL", into: empty, \.found)) }
        selected.withLock { $0 = name }
        let answers = try await runAll(requests)
        let mailbox = try opened(answers[0])
        guard mailbox.uidValidity == uidValidity, let now = mailbox.highestModSeq, now >= modSeq else {
            return (mailbox, nil)
        }
        let fetched = try answers[1].get()
        var changes = fetched.value.changes
        changes.rows.keepLastOfEach()
        changes.others = changes.others.subtracting(UIDSet(changes.rows.map(\.uid)))
        guard fetched.status.condition == .ok || fetched.status.code?.name == "EXPUNGEISSUED" else {
            return (mailbox, nil)
        }
        if !isTold {
            let found = try answers[2].get()
            guard found.status.condition == .ok else { return (mailbox, nil) }
            changes.gone = UIDSet(1...UID.max).subtracting(found.value.found)
        }
        return (mailbox, changes)
    }
}

extension IMAPSession {
    /// Opens a mailbox for reading and asks in the same breath what is in it: rows of all messages where it is expected to
    /// have `mostRows` at most, else the numbers alone. Without an expectation, or where it turns out to be wrong, memory is
    /// bounded all the same.
    package func list(
        _ name: MailboxName, expecting count: UInt32?, mostRows: Int
    ) async throws(IMAPError) -> (mailbox: SelectedMailbox, contents: MailboxContents) {
        let empty = Examination(mailbox: SelectedMailbox(name: name))
        var requests = [opening(empty)]
        let isSmall = count.map { $0 > 0 && $0 <= mostRows } ?? false
        if isSmall {
            requests.append(
                Request(
                    name: "UID FETCH", text: CommandText("UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)"),
                    value: empty, take: { value, response, _ in value.changes.take(response, mostRows: mostRows) }))
        } else if count != 0 {
            requests.append(searchRequest("ALL", into: empty, \.found))
        }
        selected.withLock { $0 = name }
        let answers = try await runAll(requests)
        let mailbox = try opened(answers[0])
        var contents = MailboxContents()
        let told = answers.count > 1 ? try answers[1].get() : nil
        if isSmall, let told, told.status.condition == .ok {
            contents.rows = told.value.changes.rows
            contents.rows.keepLastOfEach()
            contents.uids = UIDSet(contents.rows.map(\.uid))
            contents.uids.formUnion(told.value.changes.others)
        } else if !isSmall, let told {
            try requireOK(told.status, "UID SEARCH")
            contents.uids = told.value.found
        } else if mailbox.exists > 0 {
            contents.uids = try await search("ALL")
        }
        return (mailbox, contents)
    }
}

/// What is in a mailbox.
package struct MailboxContents: Sendable, Hashable {
    package var uids = UIDSet()
    /// Flags, date and size of messages, ascending: of all, or of none where those are to be asked for a page at a time.
    package var rows: [MessageRow] = []

    package init() {}
}

/// New and changed messages of a mailbox, and those that are gone.
package struct MailboxChanges: Sendable, Hashable {
    /// Flags, date and size, ascending.
    package var rows: [MessageRow] = []
    /// More messages that are new or changed.
    package var others = UIDSet()
    /// Messages that were expunged, and numbers that may never have been a message's.
    package var gone = UIDSet()

    package init() {}

    fileprivate mutating func take(_ response: Response, mostRows: Int) -> Bool {
        switch response {
        case .fetch(let message):
            // News of flags that nobody asked for have no size.
            guard let row = MessageRow(message), row.flags != nil, row.size != nil else { return false }
            if rows.count < mostRows { rows.append(row) } else { others.insert(row.uid) }
            return true
        case .vanished(true, let uids):
            gone.formUnion(uids)
            return true
        default: return false
        }
    }
}
