package import FerryConnector
package import FerryCore
import FerryHTTP

/// One tenant's files on a WebDAV server (RFC 4918): each person has a collection.
package struct DAVConnector: Connector {
    private let settings: DAVSettings
    private let connections: HTTPConnections
    private let pace: Pace
    /// The tenant's name, for messages.
    private let tenant: String

    package init(tenant: String, settings: DAVSettings) {
        self.tenant = tenant
        self.settings = settings
        pace = settings.pace
        connections = HTTPConnections(
            settings.endpoint, connections: settings.connections, timeout: settings.timeout)
    }

    package var service: ServiceKind { .files }
    package var lane: LaneID { LaneID("http:\(settings.endpoint.host):\(settings.endpoint.port)") }
    package var parallelism: Int { max(1, settings.connections / settings.width) }
    /// WebDAV has no means to set a file's time (RFC 4918 section 15.7), and none to say who may execute it.
    package var keepsFileMetadata: Bool { false }

    package func source(for account: Account) async throws(ConnectorError) -> any SourceSession {
        let session = try session(for: account, .source)
        guard try await AccountProbe(session).look() != .absent else {
            throw ConnectorError(
                .sourceNotFound, .failRun,
                "\(tenant) has no files of '\(account.login.printable(limit: 120))'. Mend the login in the list of"
                    + " people.")
        }
        return DAVFileSource(session)
    }

    package func target(for account: Account) async throws(ConnectorError) -> any TargetSession {
        DAVFileTarget(try session(for: account, .target), longestPath: settings.longestPath)
    }

    package func probe(_ account: Account, as role: AccountRole) async throws(ConnectorError) -> AccountFacts {
        let session: DAVSession
        do throws(ConnectorError) {
            session = try self.session(for: account, role == .source ? .source : .target)
        } catch {
            return AccountFacts(
                exists: false, isReadable: false, isWritable: false, isEmpty: true, remark: error.context)
        }
        return try await AccountProbe(session).facts()
    }

    package func objection(to header: ItemHeader) -> ConnectorError? {
        DAVFileTarget.path(of: header, longest: settings.longestPath) == nil
            ? DAVFileTarget.refused(header, longest: settings.longestPath) : nil
    }

    private func session(for account: Account, _ side: DAVSide) throws(ConnectorError) -> DAVSession {
        let (http, root) = try settings.entrance(account, side, tenant, "files", connections)
        return DAVSession(http, side: side, root: root, pace: pace)
    }
}
