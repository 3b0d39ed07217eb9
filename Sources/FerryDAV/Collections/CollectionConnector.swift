package import FerryConnector
package import FerryCore
import FerryHTTP

/// One tenant's calendars (CalDAV, RFC 4791) or address books (CardDAV, RFC 6352).
package struct CollectionConnector: Connector {
    private let kind: CollectionKind
    private let settings: DAVSettings
    private let connections: HTTPConnections
    private let manners: ServerManners
    private let pace: Pace
    /// The tenant's name, for messages.
    private let tenant: String

    package init(_ kind: CollectionKind, tenant: String, settings: DAVSettings) {
        self.kind = kind
        self.tenant = tenant
        self.settings = settings
        pace = settings.pace
        manners = ServerManners(sendsMany: settings.sendsMany)
        connections = HTTPConnections(
            settings.endpoint, connections: settings.connections, timeout: settings.timeout)
    }

    package var service: ServiceKind { kind.service }
    package var lane: LaneID { LaneID("http:\(settings.endpoint.host):\(settings.endpoint.port)") }
    package var parallelism: Int { max(1, settings.connections / settings.width) }

    /// Hardly a server keeps the bytes that it is given.
    package var rewritesObjects: Bool { true }

    package func counterpart(of container: Container, among present: [Container]) -> [String] {
        [ObjectName.collection(container.path)]
    }

    package func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
        let (session, sight) = try await find(account, .source)
        switch sight {
        case .homes(let homes): return DAVObjectSource(session, kind, homes: homes)
        case .absent:
            throw ConnectorError(
                .sourceNotFound, .failRun,
                "\(tenant) has no \(kind.plural) of '\(account.login.printable(limit: 120))'. Mend the login in the"
                    + " list of people.")
        case .forbidden:
            throw ConnectorError(
                .sourceForbidden, .failRun,
                "The \(kind.plural) of '\(account.login.printable(limit: 120))' cannot be read. Give the account that"
                    + " Ferry uses the right to.")
        }
    }

    package func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
        var (session, sight) = try await find(account, .target)
        if sight == .absent, settings.isPersonal, let own = settings.root(account) {
            // Where an administrator may make a home for somebody who has never come in, that is all it takes.
            let head = try await session.status(HTTPRequest("MKCOL", own.encoded(isCollection: true)))
            if head.isDone { (session, sight) = try await find(account, .target) }
        }
        guard case .homes(let homes) = sight, let home = homes.first else {
            throw ConnectorError(
                .targetForbidden, .failRun,
                "\(tenant) has no place for the \(kind.plural) of '\(account.login.printable(limit: 120))', or forbids"
                    + " to see it. Create the account there, or mend the login in the list of people.")
        }
        return DAVObjectTarget(session, kind, home: home, manners)
    }

    package func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
        let found: (session: DAVSession, sight: Discovery.Sight)
        let side: DAVSide = role == .source ? .source : .target
        do throws(ConnectorError) { found = try await find(account, side) } catch {
            guard error.code == side.authRejected || error.disposition == .failRun else { throw error }
            return AccountFacts(
                exists: false, isReadable: false, isWritable: false, isEmpty: true, remark: error.context)
        }
        switch found.sight {
        case .absent:
            // A home can be made where there is something to make it in.
            var isWritable = false
            if side == .target, settings.isPersonal, let own = settings.root(account), !own.names.isEmpty {
                let parent = DAVSession(found.session.http, side: side, root: own.parent, pace: pace)
                isWritable = try await AccountProbe(parent).look() == .present
            }
            return AccountFacts(
                exists: false, isReadable: false, isWritable: isWritable, isEmpty: true,
                remark: isWritable ? "" : "The server has no \(kind.plural) for this login.")
        case .forbidden:
            return AccountFacts(
                exists: true, isReadable: false, isWritable: false, isEmpty: false,
                remark: "The server forbids this login to look at the person's \(kind.plural).")
        case .homes(let homes):
            return try await facts(found.session, homes)
        }
    }

    private func facts(_ session: DAVSession, _ homes: [DAVPath]) async throws(ConnectorError) -> AccountFacts {
        var facts = AccountFacts(exists: true, isReadable: true, isWritable: true, isEmpty: true)
        var items: Int64 = 0
        for home in homes {
            for collection in try await session.collections(in: home, kind) {
                items += Int64(try await session.objects(in: collection.path).objects.count)
            }
        }
        facts.items = items
        facts.isEmpty = items == 0
        let head = try await session.status(
            HTTPRequest("OPTIONS", (homes.first ?? DAVPath()).encoded(isCollection: true)))
        let classes = head.all("DAV").joined(separator: ",").split(separator: ",").map { String($0).trimmingBlanks }
        guard classes.contains(kind == .calendars ? "calendar-access" : "addressbook") else {
            facts.isWritable = false
            facts.remark =
                "The server does not say that it has \(kind.plural) here (RFC 4791 section 5.1, RFC 6352 section 6.1)."
            return facts
        }
        facts.peer =
            (head["Server"].map { "\($0.printable(limit: 60)), " } ?? "")
            + (kind == .calendars ? "CalDAV" : "CardDAV")
        return facts
    }

    private func find(
        _ account: Account, _ side: DAVSide
    ) async throws(ConnectorError) -> (session: DAVSession, sight: Discovery.Sight) {
        let (http, root) = try settings.entrance(account, side, tenant, kind.plural, connections)
        let session = DAVSession(http, side: side, root: DAVPath(), pace: pace)
        let discovery = Discovery(session, kind)
        let sight =
            settings.isPersonal ? try await discovery.homes(of: root) : try await discovery.homes(from: root)
        return (session, sight)
    }
}
