package import FerryCore

/// The only changes that Ferry makes to iCalendar objects (RFC 5545). Lines that are not changed keep every octet.
package enum CalendarRewriting {
    /// Gives mapped people their new addresses: the values of ORGANIZER and ATTENDEE in all components, and those of
    /// their parameters that name people (RFC 5545 section 3.2, RFC 7986 section 6.2). Names (CN) stay as the author
    /// wrote them.
    ///
    /// The same octets when nobody in the object is mapped, and for anything that is not iCalendar.
    package static func rewrite(_ bytes: [UInt8], addresses: AddressBook) -> [UInt8] {
        guard !addresses.targets.isEmpty else { return bytes }
        let rule = AddressRewriting(addresses: addresses)
        return edit(bytes) { name, line in
            people.contains(name) ? rule.rewrite(line, parameters: peopleParameters) : nil
        }
    }

    /// Makes a person's own meeting one of the target: `rewrite`, SEQUENCE raised by one in every VEVENT (the series
    /// and each override; a missing one counts as 0, RFC 5545 section 3.8.7.4), and join links moved.
    ///
    /// `joinLinks` are beginnings of links: `https://meet.contoso.example/` → `https://meet.fabrikam.example/`;
    /// replaced wherever they occur in CONFERENCE, URL, LOCATION, DESCRIPTION (where most people look for them) and X-
    /// properties. UID, PARTSTAT and all else stay, so that clients take it for an update of the meeting they know.
    package static func meeting(
        _ bytes: [UInt8], addresses: AddressBook, joinLinks: [(old: String, new: String)] = []
    ) -> [UInt8] {
        let rule = AddressRewriting(addresses: addresses)
        let numbered = eventsWithSequence(bytes)
        var event = 0
        var components = [String]()
        return edit(bytes) { name, line in
            switch name {
            case "BEGIN":
                components.append(ASCII.uppercasedText(line.valueOctets))
                if components.last == "VEVENT" { event += 1 }
                return nil
            case "END":
                _ = components.popLast()
                return nil
            case "SEQUENCE":
                return components.last == "VEVENT" ? raisedSequence(line) : nil
            case "ORGANIZER", "ATTENDEE":
                return rule.rewrite(line, parameters: peopleParameters)
            case "URL", "CONFERENCE":
                return moveLinks(line, joinLinks)
            case "LOCATION", "DESCRIPTION":
                return moveLinks(line, joinLinks.map { (escaped($0.old), escaped($0.new)) })
            default:
                return name.hasPrefix("X-") ? moveLinks(line, joinLinks) : nil
            }
        } after: { name, _ in
            guard name == "BEGIN", components.last == "VEVENT", !numbered.contains(event) else { return nil }
            return Array("SEQUENCE:1".utf8)
        }
    }

    /// The address of the ORGANIZER of the first VEVENT, lower case; `nil` when it has none.
    package static func organizer(of bytes: [UInt8]) -> String? {
        var organizer: String?
        visitEvents(bytes) { event, name, line in
            if event == 1, name == "ORGANIZER", organizer == nil {
                organizer = AddressRewriting.address(of: line.valueOctets)
            }
        }
        return organizer
    }

    /// Whether the object is a meeting that one of the addresses (any case) organizes: it has an attendee, and its
    /// first VEVENT that organizer.
    package static func isMeeting(organizedBy addresses: [String], _ bytes: [UInt8]) -> Bool {
        var hasAttendee = false
        visitEvents(bytes) { _, name, _ in if name == "ATTENDEE" { hasAttendee = true } }
        guard hasAttendee, let organizer = organizer(of: bytes) else { return false }
        return addresses.contains { $0.lowercased() == organizer }
    }

    /// Addresses of organizers and attendees, lower case.
    package static func people(in bytes: [UInt8]) -> Set<String> {
        var found: Set<String> = []
        let lines = ContentLines(bytes)
        for location in lines {
            if let name = lines.name(at: location), !people.contains(name) { continue }
            guard let line = lines.line(at: location), people.contains(line.name) else { continue }
            if let address = AddressRewriting.address(of: line.valueOctets) { found.insert(address) }
        }
        return found
    }

    private static let people: Set<String> = ["ORGANIZER", "ATTENDEE"]
    private static let peopleParameters: Set<String> = ["SENT-BY", "DELEGATED-TO", "DELEGATED-FROM", "MEMBER", "EMAIL"]

    /// Goes over the lines; `change` gives a line's new unfolded octets, `after` a line to put behind it, `nil`
    /// neither.
    private static func edit(
        _ bytes: [UInt8], change: (_ name: String, ContentLine) -> [UInt8]?,
        after: (_ name: String, ContentLine) -> [UInt8]? = { _, _ in nil }
    ) -> [UInt8] {
        let lines = ContentLines(bytes)
        var edits = ByteEdits()
        for location in lines {
            if let name = lines.name(at: location), !isEdited(name) { continue }
            guard let line = lines.line(at: location) else { continue }
            if let octets = change(line.name, line) {
                edits.replace(location.range, with: lines.folded(octets, insteadOf: location))
            }
            if let octets = after(line.name, line) {
                let end = location.range.upperBound
                edits.replace(end..<end, with: octets + lines.lineEnd(of: location))
            }
        }
        return edits.applied(to: bytes)
    }

    private static func isEdited(_ name: String) -> Bool {
        switch name {
        case "BEGIN", "END", "ORGANIZER", "ATTENDEE", "SEQUENCE", "URL", "CONFERENCE", "LOCATION",
            "DESCRIPTION":
            true
        default: name.hasPrefix("X-")
        }
    }

    /// Calls back for the properties of each VEVENT itself, not of the alarms in it. Events are counted from 1.
    private static func visitEvents(_ bytes: [UInt8], _ visit: (_ event: Int, _ name: String, ContentLine) -> Void) {
        let lines = ContentLines(bytes)
        var event = 0
        var components = [String]()
        for location in lines {
            if let name = lines.name(at: location), !isEdited(name) { continue }
            guard let line = lines.line(at: location) else { continue }
            if line.name == "BEGIN" {
                components.append(ASCII.uppercasedText(line.valueOctets))
                if components.last == "VEVENT" { event += 1 }
            } else if line.name == "END" {
                _ = components.popLast()
            } else if components.last == "VEVENT" {
                visit(event, line.name, line)
            }
        }
    }

    private static func eventsWithSequence(_ bytes: [UInt8]) -> Set<Int> {
        var events = Set<Int>()
        visitEvents(bytes) { event, name, _ in if name == "SEQUENCE" { events.insert(event) } }
        return events
    }

    /// `nil` when the value is no number below the largest INTEGER (RFC 5545 section 3.3.8).
    private static func raisedSequence(_ line: ContentLine) -> [UInt8]? {
        let range = ASCII.trimmed(line.value, of: line.octets)
        guard let number = Int32(String(decoding: line.octets[range], as: UTF8.self)), number < .max else { return nil }
        return line.octets[..<range.lowerBound] + Array(String(number + 1).utf8) + line.octets[range.upperBound...]
    }

    private static func moveLinks(_ line: ContentLine, _ links: [(old: String, new: String)]) -> [UInt8]? {
        var edits = ByteEdits()
        var position = line.value.lowerBound
        let links = links.map { (old: Array($0.old.utf8), new: Array($0.new.utf8)) }
        while position < line.octets.count {
            if let link = links.first(where: { !$0.old.isEmpty && line.octets[position...].starts(with: $0.old) }) {
                edits.replace(position..<position + link.old.count, with: link.new)
                position += link.old.count
            } else {
                position += 1
            }
        }
        return edits.isEmpty ? nil : edits.applied(to: line.octets)
    }

    /// As the link stands in a TEXT value (RFC 5545 section 3.3.11).
    private static func escaped(_ text: String) -> String {
        String(
            decoding: text.utf8.flatMap { byte -> [UInt8] in
                "\\,;".utf8.contains(byte) ? [UInt8(ascii: "\\"), byte] : [byte]
            }, as: UTF8.self)
    }
}
