import FerryCore
import FerryFormats

/// One message in the making: RFC 5322 with CRLF line breaks.
struct MessageWriter {
    enum Shape: Hashable, Sendable {
        case plain
        /// Plain text and HTML.
        case alternative
        /// Text with a file.
        case mixed
    }

    struct Attachment: Sendable {
        var name: String
        var type: String
        var bytes: [UInt8]
    }

    var charset: Charset
    var from: (name: String, address: String)
    var to: [(name: String, address: String)]
    var subject: String
    var sent: Instant
    var messageID: String
    /// Message-IDs of the thread before this message, the oldest first.
    var references: [String] = []
    /// With LF line breaks.
    var text: String
    var shape: Shape = .plain
    var attachment: Attachment?
    /// Letters, digits and dashes.
    var boundary: String

    func bytes() -> [UInt8] {
        var output = Array(headers().utf8)
        switch shape {
        case .plain:
            output += part(text, subtype: "plain")
        case .alternative:
            output += multipart("alternative", [part(text, subtype: "plain"), part(html, subtype: "html")])
        case .mixed:
            output += multipart("mixed", [part(text, subtype: "plain"), attachment.map(file) ?? []])
        }
        return output
    }

    private func headers() -> String {
        var lines = [
            "Date: \(InternetDate.format(sent))", "From: \(MIME.mailbox(from.name, from.address, charset))",
            "To: " + to.map { MIME.mailbox($0.name, $0.address, charset) }.joined(separator: ",\r\n "),
            "Subject: \(MIME.headerText(subject, charset))", "Message-ID: <\(messageID)>",
        ]
        if let last = references.last {
            lines.append("In-Reply-To: <\(last)>")
            lines.append("References: " + references.map { "<\($0)>" }.joined(separator: "\r\n "))
        }
        lines.append("MIME-Version: 1.0")
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// Header lines and body of one text part. Each charset travels as its users are wont to send it.
    private func part(_ text: String, subtype: String) -> [UInt8] {
        let broken = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n") + "\r\n"
        let isASCII = text.utf8.allSatisfy { $0 < 128 }
        // What the charset cannot say is said in UTF-8.
        let encoded = isASCII ? nil : charset.encode(broken)
        let used = isASCII ? "us-ascii" : encoded == nil ? Charset.utf8.rawValue : charset.rawValue
        let bytes = encoded ?? Array(broken.utf8)
        let (name, body): (String, [UInt8]) =
            switch used {
            case "us-ascii" where broken.utf8.count < 2000: ("7bit", bytes)
            case Charset.iso2022jp.rawValue: ("7bit", bytes)
            case Charset.koi8r.rawValue: ("8bit", bytes)
            case Charset.latin1.rawValue: ("quoted-printable", MIME.quotedPrintable(bytes))
            default:
                subtype == "html"
                    ? ("base64", MIME.base64Lines(bytes)) : ("quoted-printable", MIME.quotedPrintable(bytes))
            }
        let head = "Content-Type: text/\(subtype); charset=\(used)\r\nContent-Transfer-Encoding: \(name)\r\n\r\n"
        return Array(head.utf8) + body
    }

    private func file(_ attachment: Attachment) -> [UInt8] {
        let name = MIME.headerText(attachment.name, .utf8)
        let head = """
            Content-Type: \(attachment.type); name="\(name)"\r
            Content-Disposition: attachment; filename="\(name)"\r
            Content-Transfer-Encoding: base64\r
            \r\n
            """
        return Array(head.utf8) + MIME.base64Lines(attachment.bytes)
    }

    private func multipart(_ subtype: String, _ parts: [[UInt8]]) -> [UInt8] {
        var output = Array("Content-Type: multipart/\(subtype); boundary=\"\(boundary)\"\r\n\r\n".utf8)
        for part in parts where !part.isEmpty { output += Array("--\(boundary)\r\n".utf8) + part + [13, 10] }
        return output + Array("--\(boundary)--\r\n".utf8)
    }

    private var html: String {
        let paragraphs = text.split(separator: "\n\n").map { "<p>\(Self.escaped(String($0)))</p>" }
        return "<!DOCTYPE html>\n<html><body>\n\(paragraphs.joined(separator: "\n"))\n</body></html>"
    }

    private static func escaped(_ text: String) -> String {
        var output = ""
        for character in text {
            switch character {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "\n": output += "<br>\n"
            default: output.append(character)
            }
        }
        return output
    }
}
