import FerryFormats

/// A mailbox's name as the server spells it: bytes, because servers also hold names that are valid in no encoding.
///
/// `INBOX` in any case is one mailbox (RFC 9051 section 5.1) and always spelled in capitals here.
package struct MailboxName: Sendable, Hashable {
    /// Never empty for a mailbox; an empty one stands for the root in LIST and GETQUOTA.
    package let bytes: [UInt8]

    package static let inbox = MailboxName(wire: Array("INBOX".utf8))

    /// As it came from the server, unescaped.
    package init(wire bytes: [UInt8]) {
        let isInbox = bytes.count == 5 && String(decoding: bytes, as: UTF8.self).uppercased() == "INBOX"
        self.bytes = isInbox ? Array("INBOX".utf8) : bytes
    }

    /// For people's text. `utf8` says that the session enabled `UTF8=ACCEPT` or IMAP4rev2, where names are UTF-8; else
    /// modified UTF-7.
    package init(_ text: String, utf8: Bool) {
        self.init(wire: Array((utf8 ? text : ModifiedUTF7.encode(text)).utf8))
    }

    /// As people see it. `nil` when the bytes are not valid in the session's encoding; then only `bytes` names the box.
    package func text(utf8: Bool) -> String? {
        guard let spelled = String(validating: bytes, as: UTF8.self) else { return nil }
        return utf8 ? spelled : ModifiedUTF7.decode(spelled)
    }
}
