/// One property of an iCalendar or vCard object: RFC 5545 section 3.1, RFC 6350 section 3.3.
///
/// Holds the line unfolded, and what a writer needs to fold it again. Ranges are of `octets`.
package struct ContentLine: Sendable, Hashable {
    package struct Parameter: Sendable, Hashable {
        /// Upper case.
        package var name: String
        /// Without the quotes of quoted values; empty for vCard 2.1's bare words.
        package var values: [Range<Int>]
    }

    /// The line without folds and line end.
    package private(set) var octets: [UInt8]
    /// Upper case, without the group.
    package private(set) var name: String
    /// vCard: what stands before the dot of `item1.EMAIL`, as written.
    package private(set) var group: String?
    package private(set) var parameters: [Parameter]
    /// From after the colon to the end.
    package private(set) var value: Range<Int>

    /// Reads an unfolded line; `nil` when it has no name or no colon.
    package init?(unfolded octets: [UInt8]) {
        guard let nameEnd = octets.firstIndex(where: { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: ":") }),
            nameEnd > 0
        else { return nil }
        let dot = octets[..<nameEnd].firstIndex(of: UInt8(ascii: "."))
        name = ASCII.uppercasedText(octets[(dot.map { $0 + 1 } ?? 0)..<nameEnd])
        group = dot.map { String(decoding: octets[..<$0], as: UTF8.self) }
        parameters = []
        var position = nameEnd
        while position < octets.count, octets[position] == UInt8(ascii: ";") {
            guard let (parameter, end) = Self.parameter(octets, from: position + 1) else { return nil }
            parameters.append(parameter)
            position = end
        }
        guard position < octets.count, octets[position] == UInt8(ascii: ":") else { return nil }
        value = position + 1..<octets.count
        self.octets = octets
    }

    /// The octets of the value.
    package var valueOctets: ArraySlice<UInt8> { octets[value] }

    /// Reads `NAME=value,"value"` from `start`, to the `;` or `:` after it.
    private static func parameter(_ octets: [UInt8], from start: Int) -> (Parameter, end: Int)? {
        let isEnd = { (byte: UInt8) in byte == UInt8(ascii: ";") || byte == UInt8(ascii: ":") }
        guard var position = octets[start...].firstIndex(where: { isEnd($0) || $0 == UInt8(ascii: "=") }) else {
            return nil
        }
        var parameter = Parameter(name: ASCII.uppercasedText(octets[start..<position]), values: [])
        guard octets[position] == UInt8(ascii: "=") else { return (parameter, position) }
        repeat {
            position += 1
            if position < octets.count, octets[position] == UInt8(ascii: "\"") {
                guard let quote = octets[(position + 1)...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
                parameter.values.append(position + 1..<quote)
                position = quote + 1
                // What follows a closing quote is no part of any grammar; it is passed over and kept.
                guard let next = octets[position...].firstIndex(where: { isEnd($0) || $0 == UInt8(ascii: ",") }) else {
                    return nil
                }
                position = next
            } else {
                guard let next = octets[position...].firstIndex(where: { isEnd($0) || $0 == UInt8(ascii: ",") }) else {
                    return nil
                }
                parameter.values.append(position..<next)
                position = next
            }
        } while octets[position] == UInt8(ascii: ",")
        return (parameter, position)
    }
}
