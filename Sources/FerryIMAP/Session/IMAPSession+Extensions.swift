/// Quota (RFC 9208), access control (RFC 4314), metadata (RFC 5464).
extension IMAPSession {
    /// The quota roots over the mailbox; empty without QUOTA.
    package func quota(of name: MailboxName) async throws(IMAPError) -> [Quota] {
        guard capabilities.quota else { return [] }
        return try await ask("GETQUOTAROOT", command("GETQUOTAROOT", name), into: []) { quotas, response, _ in
            switch response {
            case .quota(let quota): quotas.append(quota)
            case .quotaRoot: break
            default: return false
            }
            return true
        }
    }

    package func rights(of name: MailboxName) async throws(IMAPError) -> [AccessRights] {
        try require("ACL")
        return try await ask("GETACL", command("GETACL", name), into: []) { rights, response, _ in
            guard case .acl(_, let found) = response else { return false }
            rights += found
            return true
        }
    }

    /// The access control lists of many mailboxes, asked for at once; in order.
    package func rights(
        of names: [MailboxName]
    ) async throws(IMAPError) -> [Result<[AccessRights], IMAPError>] {
        try require("ACL")
        var results: [Result<[AccessRights], IMAPError>] = []
        for start in stride(from: 0, to: names.count, by: 500) {
            let requests = names[start..<min(start + 500, names.count)].map { name in
                Request(name: "GETACL", text: command("GETACL", name), value: [AccessRights]()) { rights, response, _ in
                    // Answers of equal commands come in order, so each takes the first that is not taken yet.
                    guard rights.isEmpty, case .acl(let about, let found) = response, about == name else {
                        return false
                    }
                    rights = found
                    return true
                }
            }
            for answer in try await runAll(requests) {
                results.append(
                    answer.flatMap {
                        $0.status.condition == .ok ? .success($0.value) : .failure(.refusal(of: "GETACL", $0.status))
                    })
            }
        }
        return results
    }

    /// One change to an access control list: `rights` replace what the identifier had; `nil` removes the identifier.
    package struct RightsChange: Sendable, Hashable {
        package var mailbox: MailboxName
        package var identifier: String
        package var rights: String?

        package init(_ mailbox: MailboxName, _ identifier: String, _ rights: String?) {
            self.mailbox = mailbox
            self.identifier = identifier
            self.rights = rights
        }
    }

    /// Changes many lists, pipelined and in order; results in order.
    package func change(_ changes: [RightsChange]) async throws(IMAPError) -> [Result<StatusText, IMAPError>] {
        try require("ACL")
        return try await checkAll(changes, "SETACL") { change in
            var text = command(change.rights == nil ? "DELETEACL" : "SETACL", change.mailbox)
            text.string(change.identifier)
            if let rights = change.rights { text.string(rights) }
            return text
        }
    }

    package func myRights(in name: MailboxName) async throws(IMAPError) -> String {
        try require("ACL")
        return try await ask("MYRIGHTS", command("MYRIGHTS", name), into: "") { rights, response, _ in
            guard case .myRights(_, let found) = response else { return false }
            rights = found
            return true
        }
    }

    /// `rights` replace what the identifier had; with `+` or `-` in front they are added or removed.
    package func setRights(
        _ rights: String, of identifier: String, in name: MailboxName
    ) async throws(IMAPError) {
        try require("ACL")
        var text = command("SETACL", name)
        text.string(identifier)
        text.string(rights)
        try await check("SETACL", text)
    }

    package func deleteRights(of identifier: String, in name: MailboxName) async throws(IMAPError) {
        try require("ACL")
        var text = command("DELETEACL", name)
        text.string(identifier)
        try await check("DELETEACL", text)
    }

    /// Values of metadata entries (`/private/comment`); entries without a value are left out. `name` `nil`: of the
    /// server.
    package func metadata(of name: MailboxName?, entries: [String]) async throws(IMAPError) -> [String: [UInt8]] {
        try requireMetadata(name)
        var text = command("GETMETADATA", name ?? MailboxName(wire: []))
        text.word("(" + entries.joined(separator: " ") + ")")
        return try await ask("GETMETADATA", text, into: [:]) { values, response, _ in
            guard case .metadata(_, let found) = response else { return false }
            values.merge(found) { $1 }
            return true
        }
    }

    /// `nil` removes the entry.
    package func setMetadata(of name: MailboxName?, entry: String, to value: [UInt8]?) async throws(IMAPError) {
        try requireMetadata(name)
        var text = command("SETMETADATA", name ?? MailboxName(wire: []))
        text.word("(\(entry)")
        if let value { text.binaryString(value) } else { text.word("NIL") }
        text.close()
        try await check("SETMETADATA", text)
    }

    private func requireMetadata(_ name: MailboxName?) throws(IMAPError) {
        if name == nil, capabilities.has("METADATA-SERVER") { return }
        try require("METADATA")
    }

    private func require(_ capability: String) throws(IMAPError) {
        guard capabilities.has(capability) else {
            throw IMAPError(.unsupported, "The server does not offer \(capability).")
        }
    }
}
