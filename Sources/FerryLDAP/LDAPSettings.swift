package import FerryConnector
package import FerryCore

/// Where a directory is, who asks it, and which of its entries are people.
package struct LDAPSettings: Sendable, Hashable {
    /// How what is said is kept from others.
    package enum Security: Sendable, Hashable {
        /// `ldaps://`: TLS from the first byte.
        case implicit
        /// `ldap://`, and TLS before anything else is said (RFC 4511, 4.14).
        case startTLS
        case none
    }

    /// How far below `base` people are looked for (RFC 4511, 4.5.1.2).
    package enum Scope: String, Sendable, Hashable, CaseIterable {
        case base, one, subtree
    }

    /// A simple bind. `nil` in the settings asks anonymously.
    package struct Bind: Sendable, Hashable {
        package var name: String
        package var password: Secret

        package init(name: String, password: Secret) {
            self.name = name
            self.password = password
        }
    }

    package var host: String
    package var port: Int
    package var security: Security
    /// PEM file of the authorities that may vouch for the server; `nil`: those of the system.
    package var authorities: String?
    package var bind: Bind?
    package var base: String
    package var filter = "(objectClass=person)"
    package var scope = Scope.subtree
    package var attributes = LDAPAttributes()
    /// Entries in one answer (RFC 2696); memory holds one page of entries, however many people there are.
    package var pageSize = 500
    /// For each single request.
    package var timeout = Duration.seconds(30)

    package init(host: String, port: Int, security: Security, authorities: String?, bind: Bind?, base: String) {
        self.host = host
        self.port = port
        self.security = security
        self.authorities = authorities
        self.bind = bind
        self.base = base
    }

    /// `ldap://host:389`, for libraries and for people.
    package var url: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(security == .implicit ? "ldaps" : "ldap")://\(name):\(port)"
    }
}

/// Which attributes say what of a person. Of several names the first that an entry has counts, of `aliases` all do.
package struct LDAPAttributes: Sendable, Hashable {
    /// Holds a GUID: as text, or as 16 octets, which `objectGUID` writes in Microsoft's order.
    package var id = ["entryUUID", "objectGUID"]
    package var userPrincipalName = ["userPrincipalName", "mail"]
    package var displayName = ["displayName", "cn"]
    package var mail = ["mail"]
    package var aliases = ["proxyAddresses", "mailAlternateAddress"]
    /// Account names by service.
    package var logins: [ServiceKind: [String]] = [:]

    package init() {}

    /// Everything that a search has to ask for. `uid` is what groups of POSIX name their members by.
    var all: [String] {
        let names = [id, userPrincipalName, displayName, mail, aliases, ["uid"]] + logins.values
        return Array(Set(names.joined())).sorted()
    }
}
