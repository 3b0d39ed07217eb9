import FerryConnector
import FerryCore
import FerryFormats

// How messages of a mailbox become items, and flags become metadata, and back.

extension ItemKey {
    /// A UID names a message for ever, as long as the mailbox keeps its UIDVALIDITY (RFC 9051 section 2.3.1.1). The
    /// numbers are kept as they are, so that the ledger of a mailbox is ranges.
    init(uidValidity: UInt32, uid: UID) { self.init(high: UInt64(uidValidity), low: UInt64(uid)) }

    /// `nil` for the key of another kind of source, or of another life of the mailbox.
    func uid(in uidValidity: UInt32) -> UID? { high == UInt64(uidValidity) ? UID(exactly: low) : nil }
}

extension ItemPlace {
    init(uidValidity: UInt32, uid: UID) { self.init(UInt64(uidValidity) << 32 | UInt64(uid)) }

    /// `nil` when the mailbox was made anew since: its numbers mean other messages now.
    func uid(in uidValidity: UInt32) -> UID? {
        number >> 32 == UInt64(uidValidity) ? UID(truncatingIfNeeded: number) : nil
    }
}

extension MessageMetadata {
    private static let forwardedKeyword = "$Forwarded"

    init(_ flags: MessageFlags, internalDate: Instant) {
        var known: Flags = []
        if flags.system.contains(.seen) { known.insert(.seen) }
        if flags.system.contains(.answered) { known.insert(.answered) }
        if flags.system.contains(.flagged) { known.insert(.flagged) }
        if flags.system.contains(.deleted) { known.insert(.deleted) }
        if flags.system.contains(.draft) { known.insert(.draft) }
        var keywords: [String] = []
        for keyword in flags.keywords where !keyword.hasPrefix("\\") {
            if keyword.lowercased() == Self.forwardedKeyword.lowercased() {
                known.insert(.forwarded)
            } else {
                keywords.append(keyword)
            }
        }
        self.init(flags: known, keywords: keywords.sorted(), internalDate: internalDate)
    }

    /// As a server is told; without keywords that no server can take (RFC 9051: an atom).
    var messageFlags: MessageFlags {
        var system: MessageFlags.System = []
        if flags.contains(.seen) { system.insert(.seen) }
        if flags.contains(.answered) { system.insert(.answered) }
        if flags.contains(.flagged) { system.insert(.flagged) }
        if flags.contains(.deleted) { system.insert(.deleted) }
        if flags.contains(.draft) { system.insert(.draft) }
        var words = keywords.filter(Self.isAtom)
        if flags.contains(.forwarded) { words.append(Self.forwardedKeyword) }
        return MessageFlags(system, keywords: words)
    }

    /// Every keyword can be told to a server.
    var hasOnlyAtoms: Bool { keywords.allSatisfy(Self.isAtom) }

    private static func isAtom(_ keyword: String) -> Bool {
        !keyword.isEmpty
            && keyword.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"(){%*\"\\]".utf8.contains($0) }
    }

    /// The version of a message: nothing but flags and keywords can change under one UID.
    var version: ItemVersion {
        var hasher = VersionHasher()
        hasher.combine(Int64(flags.rawValue))
        for keyword in keywords { hasher.combine(keyword) }
        return hasher.finish()
    }

    /// Servers keep dates as 32-bit seconds: Dovecot wraps what is earlier or later, Cyrus refuses it.
    static let keptDates = Instant(seconds: 1)...Instant(seconds: Int64(UInt32.max))

    /// The date that a server is told.
    var keptDate: Instant { min(max(internalDate, Self.keptDates.lowerBound), Self.keptDates.upperBound) }
}
