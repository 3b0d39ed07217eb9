package import FerryCore

/// The only changes that Ferry makes to contacts: vCard 3.0 (RFC 2426) and 4.0 (RFC 6350), groups included.
package enum ContactRewriting {
    /// Gives mapped people their new addresses: EMAIL, and addresses (`mailto:`) in RELATED, MEMBER, CALADRURI and in
    /// the member property of address books that speak vCard 3.0. All other octets stay, the whole object when nobody
    /// in it is mapped.
    package static func rewrite(_ bytes: [UInt8], addresses: AddressBook) -> [UInt8] {
        guard !addresses.targets.isEmpty else { return bytes }
        let rule = AddressRewriting(addresses: addresses)
        let lines = ContentLines(bytes)
        var edits = ByteEdits()
        for location in lines {
            if let name = lines.name(at: location), !people.contains(name) { continue }
            guard let line = lines.line(at: location), people.contains(line.name),
                let octets = rule.rewrite(line, parameters: [])
            else { continue }
            edits.replace(location.range, with: lines.folded(octets, insteadOf: location))
        }
        return edits.applied(to: bytes)
    }

    private static let people: Set<String> = ["EMAIL", "RELATED", "MEMBER", "CALADRURI", "X-ADDRESSBOOKSERVER-MEMBER"]
}
