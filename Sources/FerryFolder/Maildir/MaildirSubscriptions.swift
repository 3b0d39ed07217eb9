/// Which folders a person wants to see: Dovecot's `subscriptions` of a Maildir++, one folder per line, levels in modified
/// UTF-7 with `.` between them, without the leading dot. `INBOX` is the inbox.
struct MaildirSubscriptions: Sendable, Hashable {
    static let fileName = FileName(constant: "subscriptions")

    /// Lines in the file's order.
    private(set) var lines: [String]

    init(parsing content: [UInt8]) {
        lines = content.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    static func load(from root: Directory) throws(SystemError) -> MaildirSubscriptions {
        MaildirSubscriptions(parsing: try root.content(of: fileName) ?? [])
    }

    var content: [UInt8] { lines.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] } }

    /// `directory` is `nil` for the inbox.
    func contains(_ directory: FileName?) -> Bool { lines.contains(Self.line(for: directory)) }

    mutating func set(_ isSubscribed: Bool, for directory: FileName?) {
        let line = Self.line(for: directory)
        if isSubscribed {
            if !lines.contains(line) { lines.append(line) }
        } else {
            lines.removeAll { $0 == line }
        }
    }

    private static func line(for directory: FileName?) -> String {
        guard let directory else { return "INBOX" }
        return String(decoding: directory.bytes.dropFirst(), as: UTF8.self)
    }
}
