/// Mailbox names of IMAP4rev1 and Maildir++: RFC 3501 section 5.1.3.
///
/// Printable ASCII stands for itself but for `&`, which is `&-`; everything else is UTF-16 in a base 64 with `,` for
/// `/` and without padding, between `&` and `-`.
package enum ModifiedUTF7 {
    package static func encode(_ text: String) -> String {
        var output = [UInt8]()
        var run = [UInt8]()
        for unit in text.utf16 {
            if unit >= 0x20, unit <= 0x7E {
                flush(&run, to: &output)
                output.append(UInt8(truncatingIfNeeded: unit))
                if unit == 0x26 { output.append(UInt8(ascii: "-")) }
            } else {
                run.append(UInt8(truncatingIfNeeded: unit >> 8))
                run.append(UInt8(truncatingIfNeeded: unit))
            }
        }
        flush(&run, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// The text; `nil` unless `name` is exactly what `encode` gives for it. So two different mailboxes never get the
    /// same text: printable ASCII in base 64, adjacent runs, stray bits and lone surrogates are all refused.
    package static func decode(_ name: String) -> String? {
        var units = [UInt16]()
        let bytes = Array(name.utf8)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte >= 0x20, byte <= 0x7E else { return nil }
            guard byte == UInt8(ascii: "&") else {
                units.append(UInt16(byte))
                continue
            }
            guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "-")) else { return nil }
            if end == position {
                units.append(UInt16(byte))
            } else {
                guard let run = decodeRun(bytes[position..<end]) else { return nil }
                units += run
            }
            position = end + 1
        }
        guard let text = String(validating: units, as: UTF16.self), encode(text) == name else { return nil }
        return text
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,".utf8)

    private static func flush(_ run: inout [UInt8], to output: inout [UInt8]) {
        guard !run.isEmpty else { return }
        output.append(UInt8(ascii: "&"))
        var bits: UInt32 = 0
        var held = 0
        for byte in run {
            bits = bits << 8 | UInt32(byte)
            held += 8
            while held >= 6 {
                held -= 6
                output.append(alphabet[Int(bits >> UInt32(held) & 0x3F)])
            }
        }
        if held > 0 { output.append(alphabet[Int(bits << UInt32(6 - held) & 0x3F)]) }
        output.append(UInt8(ascii: "-"))
        run.removeAll(keepingCapacity: true)
    }

    private static func decodeRun(_ characters: ArraySlice<UInt8>) -> [UInt16]? {
        var units = [UInt16]()
        var bits: UInt32 = 0
        var held = 0
        for character in characters {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 16 {
                held -= 16
                units.append(UInt16(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        return units
    }
}
