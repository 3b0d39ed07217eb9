/// Makes texts that were written carelessly safe from servers that take commas at their word.
///
/// A comma or semicolon in a TEXT must be escaped (RFC 5545 section 3.3.11, RFC 6350 section 3.4). Many programs forget it,
/// most readers do not mind, and some servers keep what stands before it and throw away the rest.
package enum TextEscaping {
    /// The object with such characters escaped, in properties that have one text each; all other octets stay. What it
    /// says is the same (`ContentMeaning`).
    package static func repair(_ bytes: [UInt8]) -> [UInt8] {
        let lines = ContentLines(bytes)
        var edits = ByteEdits()
        for location in lines {
            if let name = lines.name(at: location), !texts.contains(name), !addresses.contains(name) { continue }
            guard let line = lines.line(at: location),
                texts.contains(line.name) || isDataAddress(line),
                // Quoted-printable and base64 have rules of their own.
                !line.parameters.contains(where: { $0.name == "ENCODING" }),
                let octets = escaped(line)
            else { continue }
            edits.replace(location.range, with: lines.folded(octets, insteadOf: location))
        }
        return edits.isEmpty ? bytes : edits.applied(to: bytes)
    }

    private static let texts: Set<String> = [
        "SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CONTACT", "FN", "NOTE", "TITLE", "ROLE",
    ]
    /// vCard 4 has pictures and sounds as addresses (RFC 2397), each with a comma in it.
    private static let addresses: Set<String> = ["PHOTO", "LOGO", "SOUND", "KEY"]

    private static func isDataAddress(_ line: ContentLine) -> Bool {
        addresses.contains(line.name) && ASCII.equal(line.valueOctets.prefix(5), "data:")
    }

    /// `nil` when nothing is to be done.
    private static func escaped(_ line: ContentLine) -> [UInt8]? {
        var value: [UInt8] = []
        var isChanged = false
        var isEscaped = false
        for byte in line.valueOctets {
            if !isEscaped, byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") {
                value.append(UInt8(ascii: "\\"))
                isChanged = true
            }
            value.append(byte)
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return isChanged ? line.octets[..<line.value.lowerBound] + value : nil
    }
}
