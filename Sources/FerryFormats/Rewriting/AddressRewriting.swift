import FerryCore

/// The one rule by which an address in a calendar or a contact becomes another.
struct AddressRewriting {
    let addresses: AddressBook

    /// Replaces the address in `range`, with or without `mailto:` (RFC 6068), if it belongs to a mapped person.
    ///
    /// What stands around it (blanks, the scheme as written) stays. `nil` for everybody else, and for a new address
    /// with octets that would break the line.
    func replacement(for range: Range<Int>, of octets: [UInt8]) -> (range: Range<Int>, address: [UInt8])? {
        let range = Self.address(in: range, of: octets)
        guard let text = Self.text(octets[range]), let target = addresses.target(of: text)?.address,
            target != text, !target.isEmpty,
            target.utf8.allSatisfy({ !ASCII.isControl($0) && $0 != UInt8(ascii: "\"") })
        else { return nil }
        return (range, Array(target.utf8))
    }

    /// The address of a `CAL-ADDRESS`, lower case.
    static func address(of octets: ArraySlice<UInt8>) -> String? {
        let octets = Array(octets)
        return text(octets[address(in: 0..<octets.count, of: octets)])?.lowercased()
    }

    /// Without blanks, scheme and what follows `?`.
    private static func address(in range: Range<Int>, of octets: [UInt8]) -> Range<Int> {
        var range = ASCII.trimmed(range, of: octets)
        guard range.count >= 7, ASCII.equal(octets[range.prefix(7)], "mailto:") else { return range }
        range = range.dropFirst(7)
        if let query = octets[range].firstIndex(of: UInt8(ascii: "?")) { range = range.lowerBound..<query }
        return ASCII.trimmed(range, of: octets)
    }

    /// The text with `%40` and its like decoded; `nil` when there is none or it is not UTF-8.
    private static func text(_ octets: ArraySlice<UInt8>) -> String? {
        guard !octets.isEmpty else { return nil }
        guard octets.contains(UInt8(ascii: "%")) else { return String(validating: octets, as: UTF8.self) }
        var decoded = [UInt8]()
        var position = octets.startIndex
        while position < octets.endIndex {
            if octets[position] == UInt8(ascii: "%"), position + 2 < octets.endIndex,
                let high = Hexadecimal.digit(octets[position + 1]), let low = Hexadecimal.digit(octets[position + 2])
            {
                decoded.append(high << 4 | low)
                position += 3
            } else {
                decoded.append(octets[position])
                position += 1
            }
        }
        return String(validating: decoded, as: UTF8.self)
    }

    /// The line with the addresses replaced that it names in its value and in the given parameters; `nil` when nobody
    /// in it is mapped.
    func rewrite(_ line: ContentLine, parameters: Set<String>) -> [UInt8]? {
        var edits = ByteEdits()
        for parameter in line.parameters where parameters.contains(parameter.name) {
            for value in parameter.values {
                guard let (range, address) = replacement(for: value, of: line.octets) else { continue }
                let isQuoted = value.lowerBound > 0 && line.octets[value.lowerBound - 1] == UInt8(ascii: "\"")
                let needsQuotes = address.contains { ",;:".utf8.contains($0) }
                if isQuoted || !needsQuotes {
                    edits.replace(range, with: address)
                } else {
                    let quote = [UInt8(ascii: "\"")]
                    let before = line.octets[value.lowerBound..<range.lowerBound]
                    let after = line.octets[range.upperBound..<value.upperBound]
                    edits.replace(value, with: quote + before + address + after + quote)
                }
            }
        }
        if let (range, address) = replacement(for: line.value, of: line.octets) { edits.replace(range, with: address) }
        return edits.isEmpty ? nil : edits.applied(to: line.octets)
    }
}
