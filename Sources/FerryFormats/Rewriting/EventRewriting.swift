package import FerryCore

/// The only changes that Ferry makes to Matrix events: user ids of mapped people become their new ones.
///
/// Looks at whole strings in the places where the specification puts user ids, never into message bodies. All other
/// octets stay, blanks and the spelling of numbers included.
package enum EventRewriting {
    /// One event. The same octets when nobody in it is mapped, and for what is not a JSON object (`MatrixEvent.parse`
    /// tells that apart).
    package static func rewrite(_ line: [UInt8], addresses: AddressBook) -> [UInt8] {
        guard let document = JSONDocument(line), document.kind(of: document.root) == .object else { return line }
        var collector = Collector(document: document, addresses: addresses)
        collector.visitEvent(document.root)
        return collector.result
    }

    /// A room's state, a JSON array of state events. The same octets for what is not one (`RoomState.parse` tells).
    package static func rewrite(state: [UInt8], addresses: AddressBook) -> [UInt8] {
        guard let document = JSONDocument(state), document.kind(of: document.root) == .array else { return state }
        var collector = Collector(document: document, addresses: addresses)
        for event in document.children(of: document.root) { collector.visitEvent(event) }
        return collector.result
    }

    /// User ids that an event names, lower case.
    package static func people(in line: [UInt8]) -> Set<String> {
        guard let document = JSONDocument(line), document.kind(of: document.root) == .object else { return [] }
        var collector = Collector(document: document, addresses: AddressBook(), collectsPeople: true)
        collector.visitEvent(document.root)
        return collector.people
    }

    /// The same of a room's state.
    package static func people(inState state: [UInt8]) -> Set<String> {
        guard let document = JSONDocument(state), document.kind(of: document.root) == .array else { return [] }
        var collector = Collector(document: document, addresses: AddressBook(), collectsPeople: true)
        for event in document.children(of: document.root) { collector.visitEvent(event) }
        return collector.people
    }

    private struct Collector {
        let document: JSONDocument
        let addresses: AddressBook
        private var found: [(range: Range<Int>, replacement: [UInt8])] = []
        private let collectsPeople: Bool
        private(set) var people: Set<String> = []

        init(document: JSONDocument, addresses: AddressBook, collectsPeople: Bool = false) {
            self.collectsPeople = collectsPeople
            self.document = document
            self.addresses = addresses
        }

        var result: [UInt8] {
            var edits = ByteEdits()
            var end = 0
            for edit in found.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
            where edit.range.lowerBound >= end {
                edits.replace(edit.range, with: edit.replacement)
                end = edit.range.upperBound
            }
            return edits.applied(to: document.bytes)
        }

        mutating func visitEvent(_ event: JSONDocument.Node) {
            guard collectsPeople || !addresses.targets.isEmpty else { return }
            // A redacted event carries the one that redacted it, and that one may carry another.
            var events = [event]
            while let event = events.popLast() {
                for name in ["sender", "state_key", "user_id"] { visit(event, [name]) }
                visitContent(of: event)
                visit(event, ["unsigned", "prev_sender"])
                for unsigned in document.members(of: event, named: "unsigned") {
                    events += document.members(of: unsigned, named: "redacted_because")
                }
            }
        }

        private mutating func visitContent(of event: JSONDocument.Node) {
            visit(event, ["content", "m.mentions", "user_ids"])
            switch document[event, "type"].flatMap(document.string) {
            case "m.room.member":
                visit(event, ["content", "join_authorised_via_users_server"])
                visit(event, ["content", "third_party_invite", "signed", "mxid"])
            case "m.room.create":
                visit(event, ["content", "creator"])
                visit(event, ["content", "additional_creators"])
            case "m.room.power_levels": visitNames(event, ["content", "users"])
            case "m.call.invite": visit(event, ["content", "invitee"])
            default: break
            }
        }

        /// Replaces the string at the path, or each string of the array there.
        private mutating func visit(_ node: JSONDocument.Node, _ path: [String]) {
            for value in values(node, path) {
                let strings = document.kind(of: value) == .array ? document.children(of: value) : [value]
                for string in strings {
                    if let text = document.string(string) { replace(document.range(of: string), text) }
                }
            }
        }

        /// Replaces names of members of the object at the path.
        private mutating func visitNames(_ node: JSONDocument.Node, _ path: [String]) {
            for value in values(node, path) {
                for member in document.children(of: value) {
                    guard let range = document.keyRange(of: member), let name = document.key(of: member) else {
                        continue
                    }
                    replace(range, name)
                }
            }
        }

        /// Where names are repeated all of them count: nobody knows which one a reader takes.
        private func values(_ node: JSONDocument.Node, _ path: [String]) -> [JSONDocument.Node] {
            path.reduce([node]) { nodes, name in nodes.flatMap { document.members(of: $0, named: name) } }
        }

        private mutating func replace(_ range: Range<Int>, _ text: String) {
            if collectsPeople, text.utf8.first == UInt8(ascii: "@") { people.insert(text.lowercased()) }
            guard text.utf8.first == UInt8(ascii: "@"), let target = addresses.target(of: text)?.address,
                target.utf8.first == UInt8(ascii: "@"), target != text
            else { return }
            found.append((range, JSONDocument.quoted(target)))
        }
    }
}
