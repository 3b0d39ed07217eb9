/// The capabilities of a server, in capitals as registered.
package struct Capabilities: Sendable, Hashable {
    package private(set) var names: Set<String>

    package init(_ names: some Sequence<String>) { self.names = Set(names.map { $0.uppercased() }) }

    package func has(_ name: String) -> Bool { names.contains(name) }

    package var isRev2: Bool { has("IMAP4REV2") }
    package var multiAppend: Bool { has("MULTIAPPEND") }
    package var uidPlus: Bool { has("UIDPLUS") || isRev2 }
    package var condStore: Bool { has("CONDSTORE") || qresync }
    package var qresync: Bool { has("QRESYNC") }
    package var listExtended: Bool { has("LIST-EXTENDED") || isRev2 }
    package var listStatus: Bool { has("LIST-STATUS") || isRev2 }
    package var specialUse: Bool { has("SPECIAL-USE") || isRev2 }
    package var quota: Bool { has("QUOTA") }
    package var acl: Bool { has("ACL") }
    package var metadata: Bool { has("METADATA") }
    /// Literals of any size without waiting (RFC 7888).
    package var literalPlus: Bool { has("LITERAL+") }
    /// Literals up to 4,096 bytes without waiting.
    package var literalMinus: Bool { has("LITERAL-") || isRev2 }
    /// Largest message in bytes for all mailboxes (RFC 7889); `nil` when not told.
    package var appendLimit: UInt64? { value(of: "APPENDLIMIT=").flatMap { UInt64($0) } }

    /// What follows the prefix in the capability that begins with it.
    package func value(of prefix: String) -> Substring? {
        names.first { $0.hasPrefix(prefix) }?.dropFirst(prefix.count)
    }

    /// The mechanisms of `AUTH=`.
    package var mechanisms: Set<String> { Set(names.filter { $0.hasPrefix("AUTH=") }.map { String($0.dropFirst(5)) }) }
}

/// NAMESPACE (RFC 2342).
package struct Namespaces: Sendable, Hashable {
    /// Mailboxes whose names begin with `prefix`; levels are divided by `separator`, `nil` where there are none.
    package struct Namespace: Sendable, Hashable {
        package var prefix: MailboxName
        package var separator: UInt8?
        package init(prefix: MailboxName, separator: UInt8?) {
            self.prefix = prefix
            self.separator = separator
        }
    }

    package var personal: [Namespace]
    package var otherUsers: [Namespace]
    package var shared: [Namespace]
    package init(personal: [Namespace] = [], otherUsers: [Namespace] = [], shared: [Namespace] = []) {
        self.personal = personal
        self.otherUsers = otherUsers
        self.shared = shared
    }
}

/// A quota root (RFC 9208).
package struct Quota: Sendable, Hashable {
    /// What is limited, how much of it is used and how much there may be.
    package struct Resource: Sendable, Hashable {
        /// `STORAGE` counts in units of 1,024 octets, `MESSAGE` in messages.
        package var name: String
        package var usage: UInt64
        package var limit: UInt64
        package init(name: String, usage: UInt64, limit: UInt64) {
            self.name = name
            self.usage = usage
            self.limit = limit
        }
    }

    package var root: String
    package var resources: [Resource]
    package init(root: String, resources: [Resource]) {
        self.root = root
        self.resources = resources
    }
}

/// What STATUS is asked for.
package struct StatusItems: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let messages = StatusItems(rawValue: 1)
    package static let uidNext = StatusItems(rawValue: 2)
    package static let uidValidity = StatusItems(rawValue: 4)
    package static let unseen = StatusItems(rawValue: 8)
    /// Left out silently where the server has no CONDSTORE.
    package static let highestModSeq = StatusItems(rawValue: 16)
    /// Left out silently where the server has no STATUS=SIZE.
    package static let size = StatusItems(rawValue: 32)
    /// Everything that tells whether a mailbox has changed.
    package static let change: StatusItems = [.messages, .uidNext, .uidValidity, .highestModSeq]
}
