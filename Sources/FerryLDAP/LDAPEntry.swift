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
        var bytes = octets
        if octets.count != 16 {
            var text = String(decoding: octets, as: UTF8.self)
            if text.hasPrefix("{"), text.hasSuffix("}") { text = String(text.dropFirst().dropLast()) }
            guard let decoded = Hexadecimal.decode(text.filter { $0 != "-" }), decoded.count == 16 else { return nil }
            bytes = decoded
        } else if isMicrosofts {
            bytes = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map { octets[$0] }
        }
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: word(bytes[..<8]), low: word(bytes[8...]))
    }
}
