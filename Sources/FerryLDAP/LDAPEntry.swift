import FerryCore

/// An entry as the server sent it.
struct LDAPEntry: Sendable {
    /// Distinguished name, as the server writes it.
    var name: String
    /// Octets by attribute; names in lower case, options (`;range=0-1499`) included.
    var values: [String: [[UInt8]]]

    /// The values that are UTF-8, without blanks around them; none that is empty.
    func texts(_ attribute: String) -> [String] {
        (values[attribute.lowercased()] ?? []).compactMap { octets in
            guard let text = String(validating: octets, as: UTF8.self) else { return nil }
            let start = text.drop(while: \.isWhitespace)
            guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return nil }
            return String(start[...last])
        }
    }

    /// Of several attributes the first that has a value.
    func text(_ attributes: [String]) -> (attribute: String, text: String)? {
        for attribute in attributes {
            if let text = texts(attribute).first { return (attribute, text) }
        }
        return nil
    }
}

extension GUID {
    /// Reads what directories write for identities: the canonical form, with or without braces; 32 digits with dashes
    /// elsewhere (`nsUniqueId`); or 16 octets.
    /// - Parameter isMicrosofts: of 16 octets, the first three fields have the least significant octet first, as in
    ///   `objectGUID` ([MS-DTYP] 2.3.4.2).
    init?(octets: [UInt8], isMicrosofts: Bool) {
        if octets.count == 16 {
            let order = isMicrosofts ? [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15] : Array(0..<16)
            var words: (UInt64, UInt64) = (0, 0)
            for (place, index) in order.enumerated() {
                if place < 8 {
                    words.0 = words.0 << 8 | UInt64(octets[index])
                } else {
                    words.1 = words.1 << 8 | UInt64(octets[index])
                }
            }
            self.init(high: words.0, low: words.1)
            return
        }
        var digits = octets[...]
        if digits.first == UInt8(ascii: "{"), digits.last == UInt8(ascii: "}") {
            digits = digits.dropFirst().dropLast()
        }
        digits = digits.filter { $0 != UInt8(ascii: "-") }[...]
        guard digits.count == 32 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for (place, byte) in digits.enumerated() {
            guard let digit = Hexadecimal.digit(byte) else { return nil }
            if place < 16 { words.0 = words.0 << 4 | UInt64(digit) } else { words.1 = words.1 << 4 | UInt64(digit) }
        }
        self.init(high: words.0, low: words.1)
    }
}
