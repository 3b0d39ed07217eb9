/// Writes lines as iCalendar and vCard fold them.
enum ContentLineWriter {
    /// Lines of at most 75 octets, ended by CRLF, the rest on lines that begin with a blank (RFC 5545 section 3.1, RFC
    /// 6350 section 3.2); never within a character.
    static func folded(_ line: String) -> String {
        var output = ""
        var width = 0
        for scalar in line.unicodeScalars {
            let length = String(scalar).utf8.count
            if width + length > 75 {
                output += "\r\n "
                width = 1
            }
            output.unicodeScalars.append(scalar)
            width += length
        }
        return output + "\r\n"
    }

    static func text(_ lines: [String]) -> String { lines.map(folded).joined() }

    /// A TEXT value: backslash, comma, semicolon and line break escaped (RFC 5545 section 3.3.11).
    static func escaped(_ text: String) -> String {
        var output = ""
        for character in text {
            switch character {
            case "\\", ",", ";": output += "\\\(character)"
            case "\n": output += "\\n"
            default: output.append(character)
            }
        }
        return output
    }
}
