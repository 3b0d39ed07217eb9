import AsyncHTTPClient
import FerryCore
import Logging
import NIOCore

/// Every issuer by the exact text of `iss`. A token's own word for who made it only chooses among these; keys of one
/// issuer are never tried on tokens of another, so equal key ids do no harm.
struct IssuerTable: Sendable {
    /// One value of `iss`.
    struct Entry: Sendable {
        var name: String
        var keys: KeyRing
        /// The tenant of all its tokens; `nil`: each token says it.
        var tenant: TenantID?
        /// Whether a token may leave out the tenant, because there is only one.
        var mayOmitTenant: Bool
        var audiences: Set<String>
        var claims: TrustedIssuer.ClaimNames
    }

    private let entries: [String: Entry]
    /// Each once, in the order of the configuration, the embedded one first.
    let rings: [KeyRing]
    /// The embedded issuer's.
    let embedded: KeyRing?

    init(
        _ settings: AuthenticationSettings, embedded issuer: EmbeddedIssuer?,
        uptime: @escaping @Sendable () -> Duration, logger: Logger
    ) {
        var entries: [String: Entry] = [:]
        var rings: [KeyRing] = []
        let fetcher = DocumentFetcher(timeout: settings.issuerTimeout)
        var rhythm = KeyRing.Rhythm(
            minimumInterval: settings.keyInterval, freshness: settings.keyFreshness,
            usualFreshness: min(.seconds(600), settings.keyFreshness.upperBound), outlasts: settings.keysOutlastOutage)
        let tenants = settings.tenants.sorted()
        func add(_ entry: Entry) {
            // Two issuers of one name would be told apart by nobody; the first one counts, the configuration warns.
            if entries[entry.name] == nil { entries[entry.name] = entry }
        }
        func makeRing(_ name: String, _ source: any KeySource) -> KeyRing {
            let ring = KeyRing(name: name, source: source, rhythm: rhythm, uptime: uptime, logger: logger)
            rings.append(ring)
            return ring
        }
        for trusted in settings.issuers {
            let audiences = trusted.audiences.isEmpty ? settings.audiences : trusted.audiences
            func entry(_ name: String, _ tenant: TenantID?, mayOmitTenant: Bool) -> Entry {
                let keyAddress = trusted.keys.map { keys in
                    tenant.map { TrustedIssuer.expand(keys, $0) } ?? keys
                }
                let source = DiscoveredKeys(issuer: name, keyAddress: keyAddress, fetcher: fetcher)
                return Entry(
                    name: name, keys: makeRing(name, source), tenant: tenant, mayOmitTenant: mayOmitTenant,
                    audiences: audiences, claims: trusted.claims)
            }
            if trusted.isTemplate {
                for tenant in tenants { add(entry(trusted.name(of: tenant), tenant, mayOmitTenant: false)) }
            } else {
                add(entry(trusted.name, trusted.tenant, mayOmitTenant: trusted.tenant != nil))
            }
        }
        if let issuer {
            // A look at a file costs nothing, so a replaced key is seen soon.
            rhythm.freshness = settings.keyInterval...max(settings.keyInterval, .seconds(10))
            rhythm.usualFreshness = rhythm.freshness.upperBound
            let ring = makeRing("embedded", KeyFileKeys(issuer: issuer, eventLoop: fetcher.eventLoop))
            for tenant in tenants {
                for name in Set([issuer.issuer(of: tenant), EmbeddedIssuer.localIssuer(of: tenant)]) {
                    add(
                        Entry(
                            name: name, keys: ring, tenant: tenant, mayOmitTenant: false,
                            audiences: settings.audiences, claims: .init()))
                }
            }
            embedded = ring
        } else {
            embedded = nil
        }
        self.entries = entries
        self.rings = rings
    }

    subscript(name: String) -> Entry? { entries[name] }
}
