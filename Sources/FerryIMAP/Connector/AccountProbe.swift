import FerryConnector

/// Looks at a mailbox without changing it: what is in it, what may be done, how much room is left.
struct AccountProbe {
    let link: IMAPLink

    func facts() async throws(ConnectorError) -> AccountFacts {
        let session = try await link.session()
        let tree: MailboxTree
        do throws(IMAPError) {
            tree = try await MailboxTree.read(session, status: [.messages, .size])
        } catch {
            throw link.side.connection(error)
        }
        let statuses = tree.folders.compactMap(\.status)
        let items = statuses.reduce(Int64(0)) { $0 + Int64($1.messages ?? 0) }
        let sizes = statuses.compactMap(\.size)
        let hasInbox = tree[.inbox] != nil
        let rights = hasInbox ? await self.rights(session) : nil
        var facts = AccountFacts(
            exists: !tree.folders.isEmpty, isReadable: rights?.contains("r") ?? true,
            isWritable: rights.map { $0.contains("i") && ($0.contains("k") || $0.contains("c")) } ?? true,
            isEmpty: items == 0, remark: "", roomBytes: hasInbox ? await room(session) : nil, items: items,
            bytes: sizes.count == statuses.count ? sizes.reduce(Int64(0)) { $0 + Int64(clamping: $1) } : nil)
        if let rights, !facts.isReadable || !facts.isWritable {
            facts.remark =
                "The rights in INBOX are '\(rights)' (RFC 4314); reading needs l and r, writing l, r, s, w, i, k, t and e."
        }
        facts.peer = Self.peer(session)
        facts.largestItemBytes = session.capabilities.appendLimit.map { Int64(clamping: $0) }
        facts.canRedirect = link.redirection != nil
        return facts
    }

    /// `nil` where the server has no ACL or does not tell.
    private func rights(_ session: IMAPSession) async -> String? {
        guard session.capabilities.acl else { return nil }
        do throws(IMAPError) { return try await session.myRights(in: .inbox) } catch { return nil }
    }

    private func room(_ session: IMAPSession) async -> Int64? {
        guard session.capabilities.quota else { return nil }
        do throws(IMAPError) {
            // RFC 9208 section 5.1: STORAGE counts units of 1,024 octets.
            return try await session.quota(of: .inbox).flatMap(\.resources).filter { $0.name == "STORAGE" }
                .map { Int64(clamping: $0.limit) * 1024 - Int64(clamping: $0.usage) * 1024 }.min().map { max(0, $0) }
        } catch {
            return nil
        }
    }

    /// What the server is, and what it lacks that makes Ferry slower or less careful.
    private static func peer(_ session: IMAPSession) -> String {
        let identity = session.serverIdentity
        var words = [identity["name"], identity["version"]].compactMap(\.self).joined(separator: " ")
        if words.isEmpty { words = "an IMAP server that does not say its name" }
        let offered = session.capabilities
        let lacks = [
            ("UIDPLUS", offered.uidPlus), ("MULTIAPPEND", offered.multiAppend), ("LIST-STATUS", offered.listStatus),
            ("CONDSTORE", offered.condStore), ("SPECIAL-USE", offered.specialUse), ("LITERAL+", offered.literalPlus),
        ].filter { !$0.1 }.map(\.0)
        if !lacks.isEmpty { words += "; without \(lacks.joined(separator: ", ")) (see docs/imap.md)" }
        return words
    }
}
