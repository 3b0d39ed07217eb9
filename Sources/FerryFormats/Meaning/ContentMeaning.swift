package import FerryCore

/// What an iCalendar object or a vCard says, whatever way it is written: servers lay out anew what they are given.
///
/// Not looked at: the order of components, properties and parameters; folds and line ends; the case of names and of
/// TYPE; which characters of a text are escaped that need not be; a VALUE that is the default; who made the object
/// (PRODID); and what servers note about scheduling (RFC 6638 section 7).
package enum ContentMeaning {
    /// Two objects that say the same have the same digest.
    package static func digest(of bytes: [UInt8]) -> ContentDigest {
        var open: [Component] = [Component()]
        let lines = ContentLines(bytes)
        for location in lines {
            guard let line = lines.line(at: location) else {
                // What is no property is compared as it stands.
                open[open.count - 1].properties.append(Array(bytes[location.range].filter { $0 > 0x20 }))
                continue
            }
            switch line.name {
            case "BEGIN" where open.count < deepest:
                open.append(Component(name: ASCII.uppercasedText(trimmed(line.valueOctets))))
            case "END" where open.count > 1:
                let done = open.removeLast()
                open[open.count - 1].components.append(done.octets)
            case "PRODID": break
            default: open[open.count - 1].properties += octets(line)
            }
        }
        while open.count > 1 {
            let done = open.removeLast()
            open[open.count - 1].components.append(done.octets)
        }
        return ContentDigest(hashing: open[0].octets)
    }

    /// The UID of the object: the first one that is not an alarm's. `nil` where there is none.
    package static func uid(of bytes: [UInt8]) -> String? {
        var components: [String] = []
        let lines = ContentLines(bytes)
        for location in lines {
            let name = lines.name(at: location)
            guard name == nil || name == "BEGIN" || name == "END" || name == "UID",
                let line = lines.line(at: location)
            else { continue }
            switch line.name {
            case "BEGIN": components.append(ASCII.uppercasedText(trimmed(line.valueOctets)))
            case "END": _ = components.popLast()
            case "UID" where components.last != "VALARM":
                return String(decoding: trimmed(line.valueOctets), as: UTF8.self)
            default: break
            }
        }
        return nil
    }

    /// The first component of an iCalendar object that is not a time zone: `VEVENT`, `VTODO`, `VJOURNAL`.
    package static func component(of bytes: [UInt8]) -> String? {
        let lines = ContentLines(bytes)
        var depth = 0
        for location in lines {
            let name = lines.name(at: location)
            guard name == nil || name == "BEGIN" || name == "END", let line = lines.line(at: location) else { continue }
            if line.name == "END" { depth -= 1 }
            guard line.name == "BEGIN" else { continue }
            depth += 1
            let component = ASCII.uppercasedText(trimmed(line.valueOctets))
            if depth == 2, component != "VTIMEZONE" { return component }
        }
        return nil
    }

    /// Components within each other; what is deeper is taken for properties.
    private static let deepest = 16

    private struct Component {
        var name = ""
        var properties: [[UInt8]] = []
        var components: [[UInt8]] = []

        /// Everything in an order that does not depend on how it was written. No octet of a line is below 0x09.
        var octets: [UInt8] {
            var all = [1] + Array(name.utf8)
            for part in properties.sorted(by: { $0.lexicographicallyPrecedes($1) }) { all += [2] + part }
            for part in components.sorted(by: { $0.lexicographicallyPrecedes($1) }) { all += part }
            return all + [3]
        }
    }

    /// Parameters in which servers note what became of invitations.
    private static let ignored: Set<String> = ["SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND"]
    /// Values of VALUE that say what holds anyway, for one property or another.
    private static let defaults: Set<String> = ["TEXT", "DATE-TIME", "DURATION", "URI", "CAL-ADDRESS", "UNKNOWN"]
    /// Properties whose values have parts: a separator that is escaped means something else there.
    private static let structured: Set<String> = [
        "CATEGORIES", "RESOURCES", "N", "ADR", "ORG", "NICKNAME", "GENDER", "CLIENTPIDMAP", "GEO", "REQUEST-STATUS",
        "RRULE", "EXRULE", "EXDATE", "RDATE", "FREEBUSY",
    ]

    /// Properties that may stand once with a list, or once for each element.
    private static let lists: Set<String> = ["CATEGORIES", "RESOURCES", "EXDATE", "RDATE"]

    /// The property, or each element of its list as one.
    private static func octets(_ line: ContentLine) -> [[UInt8]] {
        var parameters: [String: [[UInt8]]] = [:]
        for parameter in line.parameters where !ignored.contains(parameter.name) {
            // vCard 2.1 writes a type without saying that it is one.
            let isBare = parameter.values.isEmpty
            let name = isBare ? "TYPE" : parameter.name
            let values = isBare ? [Array(parameter.name.utf8)] : parameter.values.map { Array(line.octets[$0]) }
            parameters[name, default: []] += values
        }
        if let value = parameters["VALUE"], value.count == 1, defaults.contains(ASCII.uppercasedText(value[0])) {
            parameters["VALUE"] = nil
        }
        var octets = Array((line.group.map { $0.lowercased() + "." } ?? "").utf8) + Array(line.name.utf8)
        for (name, values) in parameters.sorted(by: { $0.key < $1.key }) {
            let isCaseless = name == "TYPE" || name == "ENCODING" || name == "VALUE"
            var values = values.map { isCaseless ? $0.map(ASCII.lowercased) : $0 }
            if name == "TYPE" {
                values = values.flatMap { $0.split(separator: UInt8(ascii: ",")).map { Array($0) } }
            }
            octets += [4] + Array(name.utf8)
            for value in values.sorted(by: { $0.lexicographicallyPrecedes($1) }) { octets += [5] + value }
        }
        var value = trimmed(line.valueOctets)
        // Parts at the end that are empty may be left out.
        if line.name == "N" || line.name == "ADR" || line.name == "ORG" {
            while value.last == UInt8(ascii: ";") { value.removeLast() }
        }
        return (lists.contains(line.name) ? elements(value) : [value]).map { element in
            let element =
                switch line.name {
                case "RRULE", "EXRULE": inOrder(element)
                case "GEO": withoutZeros(element)
                default: element
                }
            return octets + [6] + plain(element, keepsSeparators: structured.contains(line.name))
        }
    }

    /// The parts of a rule, which may stand in any order (RFC 5545 section 3.3.10).
    private static func inOrder(_ rule: [UInt8]) -> [UInt8] {
        let parts = rule.split(separator: UInt8(ascii: ";"))
            .map { ASCII.uppercasedText($0) }
        return Array(parts.sorted().joined(separator: ";").utf8)
    }

    /// Numbers without the zeros that end their fractions.
    private static func withoutZeros(_ numbers: [UInt8]) -> [UInt8] {
        let parts = numbers.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { part in
            var part = part
            guard part.contains(UInt8(ascii: ".")) else { return Array(part) }
            while part.last == UInt8(ascii: "0") { part = part.dropLast() }
            return Array(part.last == UInt8(ascii: ".") ? part.dropLast() : part)
        }
        return Array(parts.joined(separator: [UInt8(ascii: ";")]))
    }

    /// Parted at the commas that are not escaped.
    private static func elements(_ value: [UInt8]) -> [[UInt8]] {
        var elements: [[UInt8]] = [[]]
        var isEscaped = false
        for byte in value {
            if byte == UInt8(ascii: ","), !isEscaped {
                elements.append([])
            } else {
                elements[elements.count - 1].append(byte)
            }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return elements
    }

    private static func plain(_ octets: [UInt8], keepsSeparators: Bool) -> [UInt8] {
        var value: [UInt8] = []
        value.reserveCapacity(octets.count)
        var rest = octets[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let next = rest.first else {
                value.append(byte)
                continue
            }
            rest = rest.dropFirst()
            switch next {
            case UInt8(ascii: "n"), UInt8(ascii: "N"): value.append(0x0A)
            case UInt8(ascii: ","), UInt8(ascii: ";"):
                if keepsSeparators { value.append(byte) }
                value.append(next)
            case UInt8(ascii: "\\"): value += keepsSeparators ? [byte, next] : [next]
            default: value.append(next)
            }
        }
        return value
    }

    private static func trimmed(_ octets: ArraySlice<UInt8>) -> [UInt8] {
        var octets = octets
        while let last = octets.last, ASCII.isBlank(last) || last == 0x0D { octets = octets.dropLast() }
        while let first = octets.first, ASCII.isBlank(first) { octets = octets.dropFirst() }
        return Array(octets)
    }
}
