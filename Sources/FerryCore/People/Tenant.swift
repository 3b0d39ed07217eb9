/// A tenant as Ferry knows it: who its people are and which domains it owns. Connections live elsewhere.
package struct Tenant: Sendable, Hashable {
    package var id: TenantID
    package var name: String
    /// Mail domains that the tenant owns, lower case.
    package var domains: [String]
    /// Services that a connector is configured for.
    package var services: Set<ServiceKind>
    /// How the links begin by which people join the tenant's meetings (`https://meet.contoso.example/`); `nil` where
    /// links stay as they are.
    package var meetingLinks: String?

    package init(
        id: TenantID, name: String, domains: [String], services: Set<ServiceKind>, meetingLinks: String? = nil
    ) {
        self.id = id
        self.name = name
        self.domains = domains
        self.services = services
        self.meetingLinks = meetingLinks
    }
}

/// One entry of a tenant's directory.
package struct Person: Sendable, Hashable {
    package var id: PersonID
    /// Sign-in name, unique in the tenant.
    package var userPrincipalName: String
    package var displayName: String
    /// Primary mail address.
    package var mail: String
    /// Other addresses that reach the person.
    package var aliases: [String]
    /// Account names per service where they differ from `mail`.
    package var logins: [ServiceKind: String]
    /// Services that the person is entitled to have; `nil` where nobody keeps a list, which means all.
    package var entitlements: Set<ServiceKind>?
    /// The person's data are under a legal hold, so they must not leave.
    package var isOnHold: Bool

    package init(
        id: PersonID, userPrincipalName: String, displayName: String, mail: String, aliases: [String] = [],
        logins: [ServiceKind: String] = [:], entitlements: Set<ServiceKind>? = nil, isOnHold: Bool = false
    ) {
        self.id = id
        self.userPrincipalName = userPrincipalName
        self.displayName = displayName
        self.mail = mail
        self.aliases = aliases
        self.logins = logins
        self.entitlements = entitlements
        self.isOnHold = isOnHold
    }

    /// Whether the person may have the service.
    package func mayHave(_ service: ServiceKind) -> Bool { entitlements?.contains(service) ?? true }

    /// All addresses of the person, the primary one first.
    package var addresses: [String] { [mail] + aliases }
}

/// The agreement of two tenants that people may move from one to the other. It takes both of them.
package struct Trust: Sendable, Hashable {
    /// What one side has said to it.
    package enum Consent: Sendable, Hashable {
        case given
        /// There is a statement, and it is switched off.
        case disabled
        /// That side has said nothing.
        case missing
    }

    package var source: TenantID
    package var target: TenantID
    /// The name that a job gives in `exchangeSettings.sourceEndpoint`.
    package var endpoint: String
    /// Source people who may leave; `nil` means everybody.
    package var scope: Set<PersonID>?
    /// Why nobody can say who is in the scope, as a sentence; `scope` is empty then.
    package var scopeProblem: String?
    /// The target's half: people may come in (capability `Inbound`).
    package var inbound: Consent
    /// The source's half: people may leave (capability `RemoteOutbound`).
    package var outbound: Consent

    package init(
        source: TenantID, target: TenantID, endpoint: String, scope: Set<PersonID>?, scopeProblem: String? = nil,
        inbound: Consent = .given, outbound: Consent = .given
    ) {
        self.source = source
        self.target = target
        self.endpoint = endpoint
        self.scope = scope
        self.scopeProblem = scopeProblem
        self.inbound = inbound
        self.outbound = outbound
    }

    /// What keeps people from moving: which side, what is wrong with its half, and the remedy. Empty when both agree.
    package var objections: [Objection] {
        [Objection(side: .source, consent: outbound), Objection(side: .target, consent: inbound)]
            .filter { $0.consent != .given }
    }

    /// One side that does not agree.
    package struct Objection: Sendable, Hashable {
        /// Whose half it is.
        package enum Side: String, Sendable, Hashable { case source, target }

        package var side: Side
        package var consent: Consent

        /// What is wrong and how to mend it, in two sentences.
        package var message: String {
            let (half, permission) =
                side == .source ? ("outbound", "that people leave") : ("inbound", "that people come in")
            return consent == .missing
                ? "The \(side.rawValue) tenant has not agreed \(permission): its half of the trust, \(half), is missing. "
                    + "Write \(half): { enabled: true } into the trust in the configuration."
                : "The \(side.rawValue) tenant does not agree any more \(permission): its half of the trust, \(half), is "
                    + "disabled. Set \(half).enabled of the trust in the configuration to true."
        }
    }
}

/// Source address → target address, for every person of the identity map, also aliases. Keys are lower case.
///
/// This is all that the rewriting of content needs to know of people.
package struct AddressBook: Sendable, Hashable {
    package private(set) var targets: [String: MappedPerson]
    /// Differs between books that differ; the same in every process, whatever the order of mapping.
    package private(set) var fingerprint: UInt64 = 0

    package struct MappedPerson: Sendable, Hashable {
        package var address: String
        package var displayName: String
        package init(address: String, displayName: String) {
            self.address = address
            self.displayName = displayName
        }
    }

    package init() { targets = [:] }

    package mutating func map(_ source: Person, to target: Person) {
        for address in source.addresses {
            enter(address, MappedPerson(address: target.mail, displayName: target.displayName))
        }
    }

    /// Adds one more spelling for a person, such as a chat handle (`@ada:contoso.example`).
    package mutating func map(handle: String, to target: String, displayName: String) {
        enter(handle, MappedPerson(address: target, displayName: displayName))
    }

    private mutating func enter(_ address: String, _ person: MappedPerson) {
        let address = address.lowercased()
        if let old = targets.updateValue(person, forKey: address) { fingerprint &-= Self.fingerprint(address, old) }
        fingerprint &+= Self.fingerprint(address, person)
    }

    /// FNV-1a over the entry. A sum of these does not depend on the order, which a dictionary does not keep.
    private static func fingerprint(_ address: String, _ person: MappedPerson) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for text in [address, person.address, person.displayName] {
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
            hash = (hash ^ 0xFF) &* 0x100_0000_01b3
        }
        return hash
    }

    /// The new address of a mapped person; `nil` for everybody else.
    package func target(of address: String) -> MappedPerson? {
        targets.isEmpty ? nil : targets[address.lowercased()]
    }
}

/// Everything that Ferry has been told about tenants and people.
package protocol Directory: Sendable {
    /// Rises whenever any answer of the others may have changed.
    var generation: Int { get }
    func tenant(_ id: TenantID) -> Tenant?
    func person(_ id: PersonID, in tenant: TenantID) -> Person?
    /// Everybody in a tenant, in no order.
    func people(in tenant: TenantID) -> [Person]
    /// All trusts under which people come to the tenant.
    func trusts(to target: TenantID) -> [Trust]
    func identityMap(from source: TenantID, to target: TenantID) -> IdentityMap
    func addressBook(from source: TenantID, to target: TenantID) -> AddressBook
    /// The addresses of those whom the map has completed.
    func addressBook(of map: IdentityMap, from source: TenantID, to target: TenantID) -> AddressBook
}

extension Directory {
    package var generation: Int { 0 }
    /// The trust under which people move from `source` to `target`; `nil` when there is none.
    package func trust(from source: TenantID, to target: TenantID) -> Trust? {
        trusts(to: target).first { $0.source == source }
    }
}
