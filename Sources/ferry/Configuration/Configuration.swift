import FerryCore
import FerryServer

/// What the administrator wrote into the YAML file and the files that it names, read and checked.
struct Configuration: Sendable {
    /// Where the server listens.
    struct Listen: Hashable, Sendable {
        var host: String
        /// 0 lets the system choose a free port.
        var port: Int
    }

    /// PEM files with the server's certificate and its private key; paths as they are opened.
    struct TLS: Hashable, Sendable {
        var certificate: String
        var key: String
    }

    /// Paths as they are opened.
    struct Manifests: Hashable, Sendable {
        var folder: String
        /// The private key that signs them; made at the first start, with its public half beside it.
        var key: String
    }

    /// Which store keeps jobs, work and ledgers.
    enum StoreLocation: Hashable, Sendable {
        /// A path; relative ones are relative to the configuration file.
        case sqlite(path: String)
    }

    /// Who may sign tokens.
    enum Issuer: Hashable, Sendable {
        /// The key in `keys`, for `ferry token` and the demo; with the address under which other servers find it.
        case embedded(address: String?)
        /// An OpenID Connect issuer.
        case trusted(TrustedIssuer)
    }

    /// The file this was read from, as it was named.
    var file: String
    var listen: Listen
    /// `nil`: the API is plain HTTP.
    var tls: TLS?
    var store: StoreLocation
    /// Path of the embedded issuer's private key; made at the first start.
    var keys: String
    /// Where manifests of finished jobs go; `nil`: none are made.
    var manifests: Manifests?
    var issuers: [Issuer]
    /// What custom roles may do, by name or template id in lower case.
    var roles: [String: Permission] = [:]
    var tenants: [TenantConfiguration]
    var trusts: [TrustConfiguration]
    var settings: Settings
    /// How many requests the server lets through.
    var limits = RateLimits.standard
    /// Proxies whose `X-Forwarded-For` is believed.
    var trustedProxies: [AddressBlock] = []

    /// What may be tuned; `nil` leaves the engine's own default.
    struct Settings: Hashable, Sendable {
        /// Origins whose pages may call the API from a browser; none unless named.
        var allowedOrigins: Set<String> = []
        /// People in one job.
        var maximumPeople: Int?
        /// Time between delta passes before the date.
        var deltaInterval: Duration?
        /// How long a person may be locked out of the source at the cutover.
        var freezeBudget: Duration?
        /// Cancel stays possible until each person's own cutover, not only until the job's date.
        var cancelsUntilCutover: Bool?
        /// A failed mailbox does not hold back the person's other workloads.
        var continuesWithoutMailbox: Bool?
        /// Whoever would leave items behind waits for an approval.
        var holdsSkippedItems: Bool?
        var requiresRedirect: Bool?
        /// What was copied for cancelled people is removed from the target, instead of being kept as a seed.
        var purgesCancelledCopies: Bool?
        /// People at once in their cutover at each endpoint.
        var cutoversAtOnce: Int?
        /// How long deleted jobs stay readable.
        var tombstonesLast: Duration?
        /// Time between `/readyz` turning 503 and the end of listening.
        var drainDelay: Duration?
        /// Time that requests have to end once the server has stopped listening.
        var drainTimeout: Duration?
        /// How long a creation is known again by its `client-request-id`.
        var repetitionsLast: Duration?
    }
}

/// A tenant with its people and the places of their data.
struct TenantConfiguration: Sendable {
    var id: TenantID
    var name: String
    /// Lower case.
    var domains: [String]
    /// Those of the file; empty where there is a directory.
    var people: [Person]
    /// A server that is asked who the people are, instead of a file.
    var directory: LDAPSource?
    var services: [ServiceKind: ServiceLocation]
    /// How the join links of the tenant's meetings begin; `nil` leaves links as they are.
    var meetingLinks: String?
}

/// Where one service's data lives.
enum ServiceLocation: Hashable, Sendable {
    /// A folder with one folder per login.
    case folder(path: String)
    /// Mail on an IMAP server.
    case imap(IMAPLocation)
    /// Files on a WebDAV server.
    case webdav(DAVLocation)
    /// Calendars on a CalDAV server.
    case caldav(DAVLocation)
    /// Address books on a CardDAV server.
    case carddav(DAVLocation)
}

/// Under which conditions people may move from one tenant to another.
struct TrustConfiguration: Sendable {
    var source: TenantID
    var target: TenantID
    var endpoint: String
    var scope = Scope.everybody
    var inbound = Trust.Consent.given
    var outbound = Trust.Consent.given
    var identities = Identities.byAddress

    /// Who may leave.
    enum Scope: Hashable, Sendable {
        case everybody
        case people(Set<PersonID>)
        /// As a file names them; who they are is known once the source's directory has been read.
        case named([PersonReference])
        /// Everybody in a group of the source's directory, by its distinguished name.
        case group(String)
    }

    /// What the configuration says of who becomes whom.
    enum Identities: Sendable {
        /// The pairs of a file.
        case pairs([(source: PersonID, target: PersonID)])
        /// The pairs of a file, of which a side comes from a directory.
        case named([(source: PersonReference, target: PersonReference)])
        case byAddress
        /// Nothing: only what administrators have put into the map counts.
        case managed

        /// The pairs of the file; `nil` where there is none.
        var pairs: [(source: PersonID, target: PersonID)]? {
            if case .pairs(let pairs) = self { pairs } else { nil }
        }
    }
}

/// How a file names somebody: by id, sign-in name or address.
struct PersonReference: Hashable, Sendable {
    var text: String
    var place: SourcePlace
    /// The column.
    var key: String
}
