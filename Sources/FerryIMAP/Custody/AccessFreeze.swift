import FerryConnector
import FerryCore

/// Takes the right to change mailboxes away from everybody, and gives it back (ACL, RFC 4314).
///
/// What somebody had is kept in the same list, as negative rights of an identifier that nobody has: `ferry.frozen.` and
/// the name. Negative rights of nobody grant and deny nothing (RFC 4314 section 2), and they are as durable as the list
/// itself. They are there before any right goes, and go when all are back, so a crash in between leaves everything known
/// that thawing needs, and either verb may be repeated.
struct AccessFreeze {
    private static let record = "-ferry.frozen."
    /// Everything that changes a mailbox or the messages in it: flags, mail, folders. `p` stays, so that mail is still
    /// delivered until it is redirected, and `a`, without which nobody could thaw. `c` and `d` are what RFC 2086 called
    /// some of the others.
    private static let changing = Set("swikxtecd")
    /// Some servers leave the owner the right to make and delete folders whatever the list says (Cyrus:
    /// `implicit_owner_rights`). Without any of these a mailbox is as it was.
    private static let decisive = Set("swite")

    let session: IMAPSession

    private struct MailboxRights {
        var name: MailboxName
        var entries: [AccessRights]

        /// What each identifier had before it was frozen.
        var records: [(identifier: String, rights: String)] {
            entries.compactMap { entry in
                guard entry.identifier.hasPrefix(AccessFreeze.record) else { return nil }
                return (String(entry.identifier.dropFirst(AccessFreeze.record.count)), entry.rights)
            }
        }

        /// Those that can change the mailbox. Negative rights only take away.
        func writers(_ rights: Set<Character>) -> [AccessRights] {
            entries.filter { !$0.identifier.hasPrefix("-") && !rights.isDisjoint(with: $0.rights) }
        }
    }

    // MARK: freezing

    func freeze() async throws(ConnectorError) {
        let mailboxes = try await read()
        let records = mailboxes.flatMap { mailbox in
            let known = Set(mailbox.records.map(\.identifier))
            return mailbox.writers(Self.changing).filter { !known.contains($0.identifier) }.map { entry in
                IMAPSession.RightsChange(mailbox.name, Self.record + entry.identifier, entry.rights)
            }
        }
        do throws(ConnectorError) {
            // All records are with the server before the first right goes.
            try await apply(records)
            try await apply(
                mailboxes.flatMap { mailbox in
                    mailbox.writers(Self.changing).map { entry in
                        IMAPSession.RightsChange(
                            mailbox.name, entry.identifier, entry.rights.filter { !Self.changing.contains($0) })
                    }
                })
            if let open = try await read().first(where: { !$0.writers(Self.decisive).isEmpty }) {
                throw Self.impossible("the rights in '\(open.name.printable)' stay as they are")
            }
        } catch {
            // All or nothing: a mailbox that is frozen in part helps nobody.
            if error.disposition == .skip { try await thaw() }
            throw error
        }
    }

    // MARK: thawing

    func thaw() async throws(ConnectorError) {
        let mailboxes = try await read().filter { !$0.records.isEmpty }
        try await apply(
            mailboxes.flatMap { mailbox in
                mailbox.records.map { IMAPSession.RightsChange(mailbox.name, $0.identifier, $0.rights) }
            })
        try await apply(
            mailboxes.flatMap { mailbox in
                mailbox.records.map { IMAPSession.RightsChange(mailbox.name, Self.record + $0.identifier, nil) }
            })
    }

    // MARK: access control lists

    /// The lists of all mailboxes of the person's own.
    private func read() async throws(ConnectorError) -> [MailboxRights] {
        let answers: [(MailboxName, Result<[AccessRights], IMAPError>)]
        do throws(IMAPError) {
            let names = try await MailboxTree.read(session, status: []).folders.map(\.name)
            answers = Array(zip(names, try await session.rights(of: names)))
        } catch {
            throw Self.translated(error)
        }
        var found: [MailboxRights] = []
        for (name, answer) in answers {
            switch answer {
            case .success(let entries):
                guard !entries.isEmpty else {
                    throw Self.impossible("the server does not tell the rights in '\(name.printable)'")
                }
                found.append(MailboxRights(name: name, entries: entries))
            case .failure(let error): try Self.pass(error, name)
            }
        }
        return found
    }

    private func apply(_ changes: [IMAPSession.RightsChange]) async throws(ConnectorError) {
        guard !changes.isEmpty else { return }
        let answers: [Result<StatusText, IMAPError>]
        do throws(IMAPError) { answers = try await session.change(changes) } catch { throw Self.translated(error) }
        for (change, answer) in zip(changes, answers) {
            if case .failure(let error) = answer { try Self.pass(error, change.mailbox) }
        }
    }

    /// A mailbox that was deleted meanwhile has nothing to freeze.
    private static func pass(_ error: IMAPError, _ name: MailboxName) throws(ConnectorError) {
        guard error.refusal?.reason != .mailboxMissing else { return }
        guard error.kind == .refused, let refusal = error.refusal else { throw translated(error) }
        throw impossible("the rights in '\(name.printable)' cannot be changed; the server said: \(refusal.text)")
    }

    private static func translated(_ error: IMAPError) -> ConnectorError {
        guard error.kind == .refused, error.refusal?.asksToWait != true else {
            return IMAPSide.source.connection(error)
        }
        return impossible(error.message)
    }

    private static func impossible(_ reason: String) -> ConnectorError {
        ConnectorError(
            .sourceForbidden, .skip,
            "The mailbox cannot be frozen: \(reason). Give the account that Ferry uses the right a in every folder (RFC"
                + " 4314), or stop the person's access to the server before the cutover.")
    }
}
