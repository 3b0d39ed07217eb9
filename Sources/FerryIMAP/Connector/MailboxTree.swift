import FerryConnector

/// The mailboxes of a person's own namespace, and how their names stand for paths: which separator, which prefix.
struct MailboxTree: Sendable {
    /// A mailbox that messages can be in.
    struct Folder: Sendable {
        var name: MailboxName
        /// Names from the top level down, as people see them.
        var path: [String]
        var isSubscribed: Bool
        var use: MailFolderUse?
        var status: MailboxStatus?
    }

    /// Parents before children; INBOX first where there is one.
    private(set) var folders: [Folder]
    /// Before the names of all folders but INBOX itself, such as `INBOX.`; empty as a rule.
    let prefix: [UInt8]
    /// `nil` where there are no levels.
    let separator: UInt8?

    /// Asks the server: NAMESPACE and LIST go out together.
    static func read(_ session: IMAPSession, status: StatusItems) async throws(IMAPError) -> MailboxTree {
        async let namespaces = attempt { () async throws(IMAPError) in try await session.namespaces() }
        let listed = await attempt { () async throws(IMAPError) in
            try await session.list(prefix: nil, status: status)
        }
        // Both are awaited before either can throw: nothing stays in flight.
        let spaces = await namespaces
        return MailboxTree(try listed.get(), try spaces.get())
    }

    private static func attempt<Value: Sendable>(
        _ body: @Sendable () async throws(IMAPError) -> Value
    ) async -> Result<Value, IMAPError> {
        do throws(IMAPError) { return .success(try await body()) } catch { return .failure(error) }
    }

    init(_ listed: [ListedMailbox], _ namespaces: Namespaces) {
        let personal = namespaces.personal.first
        prefix = personal?.prefix.bytes ?? []
        separator = personal?.separator ?? listed.lazy.compactMap(\.separator).first
        let others = (namespaces.otherUsers + namespaces.shared).map(\.prefix.bytes).filter { !$0.isEmpty }
        folders = []
        var taken: Set<[String]> = []
        let own = listed.filter { mailbox in
            mailbox.isSelectable && !others.contains { mailbox.name.bytes.starts(with: $0) }
        }
        for mailbox in own.sorted(by: { Self.order($0.name) < Self.order($1.name) }) {
            folders.append(
                Folder(
                    name: mailbox.name, path: Self.unique(path(of: mailbox.name), &taken),
                    isSubscribed: mailbox.attributes.contains(.subscribed), use: MailFolderUse(mailbox.attributes),
                    status: mailbox.status))
        }
    }

    subscript(name: MailboxName) -> Folder? { folders.first { $0.name == name } }

    /// Adds a folder that was made.
    mutating func add(_ name: MailboxName, _ path: [String], isSubscribed: Bool, use: MailFolderUse?) {
        folders.append(Folder(name: name, path: path, isSubscribed: isSubscribed, use: use, status: nil))
    }

    mutating func setSubscribed(_ isSubscribed: Bool, _ name: MailboxName) {
        guard let index = folders.firstIndex(where: { $0.name == name }) else { return }
        folders[index].isSubscribed = isSubscribed
    }

    // MARK: names and paths

    private static func order(_ name: MailboxName) -> String {
        name == .inbox ? "" : String(decoding: name.bytes, as: UTF8.self)
    }

    private func path(of name: MailboxName) -> [String] {
        if name == .inbox { return ["INBOX"] }
        var rest = name.bytes[...]
        if rest.starts(with: prefix) { rest = rest.dropFirst(prefix.count) }
        let parts = separator.map { rest.split(separator: $0, omittingEmptySubsequences: false) } ?? [rest]
        return parts.map { part in
            MailboxName(wire: Array(part)).text(utf8: false) ?? MailboxName(wire: Array(part)).printable
        }
    }

    /// Damaged names may decode to a path that exists already: the later folder gets a number, or it would be lost.
    private static func unique(_ path: [String], _ taken: inout Set<[String]>) -> [String] {
        guard let last = path.last else { return path }
        var candidate = path
        var number = 1
        while !taken.insert(candidate).inserted {
            number += 1
            candidate = path.dropLast() + ["\(last) (\(number))"]
        }
        return candidate
    }

    /// The mailbox name for a path; `nil` when a level is empty or there are levels and no separator.
    func name(for path: [String]) -> MailboxName? {
        if FolderPath.isInbox(path) { return .inbox }
        guard !path.isEmpty, path.allSatisfy({ !$0.isEmpty }), path.count == 1 || separator != nil else { return nil }
        var bytes = prefix
        for (level, part) in path.enumerated() {
            if level > 0, let separator { bytes.append(separator) }
            bytes.append(contentsOf: MailboxName(part, utf8: false).bytes)
        }
        return MailboxName(wire: bytes)
    }
}

/// Which names a folder may get at a target: its own, else one in which what servers stumble over is replaced.
///
/// Replacements are the fullwidth forms of the characters (U+FF01 ... U+FF5E), which look alike and mean nothing to any
/// server; control characters become their pictures (U+2400 ...).
enum FolderPath {
    static func isInbox(_ path: [String]) -> Bool { path.count == 1 && path[0].uppercased() == "INBOX" }

    /// What to try, best first.
    static func candidates(for path: [String], separator: UInt8?) -> [[String]] {
        if isInbox(path) { return [["INBOX"]] }
        let plain = path.map { Self.plain($0, separator: separator) }
        let tame = path.map { safe($0) }
        return plain == tame ? [plain] : [plain, tame]
    }

    /// Under which path a target that lists `present` has the folder; the separator is not known here.
    static func counterpart(of path: [String], among present: Set<[String]>) -> [String] {
        let separators: [UInt8?] = [UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "\\"), nil]
        let all = separators.flatMap { candidates(for: path, separator: $0) }
        return all.first(where: present.contains) ?? all[0]
    }

    /// Only what is never taken or does damage: the separator, wildcards (RFC 9051 section 5.1), controls, beginnings
    /// that mean something else, and names of the server's own files.
    private static func plain(_ level: String, separator: UInt8?) -> String {
        var scalars = String.UnicodeScalarView()
        for (index, scalar) in level.unicodeScalars.enumerated() {
            let isSeparator = separator.map { scalar.value == UInt32($0) } ?? false
            let isBeginning = index == 0 && (scalar == "~" || scalar == "#")
            scalars.append(
                isSeparator || isBeginning || scalar == "*" || scalar == "%" ? wide(scalar) : visible(scalar))
        }
        let name = String(scalars)
        return isServersOwn(name) ? widening(first: name) : name
    }

    /// Letters, digits, blanks and the rest of Unicode; no ASCII punctuation but `-`, `_` and what is between words.
    private static func safe(_ level: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in level.unicodeScalars {
            let isPunctuation =
                (0x21...0x7E).contains(scalar.value) && !scalar.properties.isAlphabetic
                && !(0x30...0x39).contains(scalar.value) && !"-_,+@=()".unicodeScalars.contains(scalar)
            scalars.append(isPunctuation ? wide(scalar) : visible(scalar))
        }
        let name = String(scalars)
        return isServersOwn(name) || name.uppercased() == "INBOX" ? widening(first: name) : name
    }

    /// Dovecot keeps folders as directories beside files of its own: a folder `dovecot.index` ruins INBOX's index.
    private static func isServersOwn(_ name: String) -> Bool {
        [".", "..", "cur", "new", "tmp", "maildirfolder", "subscriptions"].contains(name.lowercased())
            || name.lowercased().hasPrefix("dovecot.") || name.lowercased().hasPrefix("dovecot-")
    }

    private static func widening(first name: String) -> String {
        guard let scalar = name.unicodeScalars.first else { return name }
        return String(wide(scalar)) + String(String.UnicodeScalarView(name.unicodeScalars.dropFirst()))
    }

    private static func wide(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        guard (0x21...0x7E).contains(scalar.value) else { return scalar }
        return Unicode.Scalar(scalar.value + 0xFEE0) ?? scalar
    }

    private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0..<0x20: Unicode.Scalar(scalar.value + 0x2400) ?? scalar
        case 0x7F: "\u{2421}"
        case 0x80..<0xA0: "\u{FFFD}"
        default: scalar
        }
    }
}

extension MailFolderUse {
    /// `nil` where the attributes say nothing, or only what no folder is alone in (`\All`, `\Flagged`, `\Important`).
    init?(_ attributes: ListedMailbox.Attributes) {
        guard let use = Self.allCases.first(where: { attributes.contains($0.attribute) }) else { return nil }
        self = use
    }

    var attribute: ListedMailbox.Attributes {
        switch self {
        case .archive: .archive
        case .drafts: .drafts
        case .junk: .junk
        case .sent: .sent
        case .trash: .trash
        }
    }
}

/// Mailbox names as containers spell them: printable ASCII as it is, every other byte and `%` as `%XX`.
extension MailboxName {
    var spelled: String {
        var text = ""
        for byte in bytes {
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }

    /// `nil` for anything that `spelled` did not make.
    init?(spelled: String) {
        var bytes: [UInt8] = []
        var rest = Array(spelled.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        self.init(wire: bytes)
    }
}
