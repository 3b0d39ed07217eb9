/// The flags of a message (RFC 9051 section 2.3.2): system flags as a set, everything else by name.
package struct MessageFlags: Sendable, Hashable {
    /// The flags that every server knows.
    package struct System: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let seen = System(rawValue: 1)
        package static let answered = System(rawValue: 2)
        package static let flagged = System(rawValue: 4)
        package static let deleted = System(rawValue: 8)
        package static let draft = System(rawValue: 16)
        /// Set by the server alone (RFC 3501); never sent.
        package static let recent = System(rawValue: 32)
    }

    package var system: System
    /// Keywords (`$Forwarded`, `work`) and unknown `\Flags`, as the server spells them, in its order.
    package var keywords: [String]

    package init(_ system: System = [], keywords: [String] = []) {
        self.system = system
        self.keywords = keywords
    }

    /// Whether a message with these flags needs no change to have the others: \Recent and the order and case of keywords
    /// are the server's own.
    package func means(_ other: MessageFlags) -> Bool {
        system.subtracting(.recent) == other.system.subtracting(.recent)
            && Set(keywords.map { $0.lowercased() }) == Set(other.keywords.map { $0.lowercased() })
    }
}
