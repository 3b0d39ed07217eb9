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
