import FerryConnector
import FerryCore

/// Freezing a mailbox by its access control lists, and redirecting its mail by a Sieve script.
struct IMAPCustody: SourceCustody {
    let abilities: CustodyAbilities
    private let link: IMAPLink
    private let redirection: SieveRedirection?

    /// `nil` where neither can be done: the server has no ACL, and no ManageSieve is configured.
    init?(link: IMAPLink, hasAccessControl: Bool, redirection: SieveRedirection?) {
        var abilities: CustodyAbilities = []
        if hasAccessControl { abilities.insert(.freeze) }
        if redirection != nil { abilities.insert(.redirect) }
        guard !abilities.isEmpty else { return nil }
        (self.link, self.abilities, self.redirection) = (link, abilities, redirection)
    }

    func freeze() async throws(ConnectorError) { try await AccessFreeze(session: link.session()).freeze() }
    func thaw() async throws(ConnectorError) { try await AccessFreeze(session: link.session()).thaw() }
    func redirect(to address: String) async throws(ConnectorError) { try await redirection?.redirect(to: address) }
    func removeRedirect() async throws(ConnectorError) { try await redirection?.remove() }
}
