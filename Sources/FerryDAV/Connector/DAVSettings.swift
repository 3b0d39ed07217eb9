package import FerryConnector
import FerryCore
package import FerryHTTP

/// How one tenant's WebDAV service is reached.
package struct DAVSettings: Sendable {
    package var endpoint: HTTPEndpoint
    /// Where a person's own collection is; `nil` where the login cannot be part of an address.
    package var root: @Sendable (Account) -> DAVPath?
    /// Whether `root` is another for every person. Where it is the same for everybody, the server is asked who it is that
    /// has come in (calendars and address books only).
    package var isPersonal = true
    /// As whom a person's collection is entered; `nil` where there is no password for the person.
    package var credentials: @Sendable (Account) -> HTTPCredentials?
    /// Connections to this endpoint at once, for all people together.
    package var connections: Int
    /// Requests of one person on their way at once, to begin with; their number follows the server's answers.
    package var width: Int
    /// How long the server may be silent.
    package var timeout: Duration
    /// Whether many objects may go to a new collection in one request, where the server takes them so.
    package var sendsMany = true
    /// Bytes of the longest path below a person's folder that the server takes as a target (UTF-8, not escaped).
    package var longestPath = FolderListing.longestPath

    package init(
        endpoint: HTTPEndpoint, connections: Int = 16, width: Int = 8, timeout: Duration = .seconds(60),
        root: @escaping @Sendable (Account) -> DAVPath?,
        credentials: @escaping @Sendable (Account) -> HTTPCredentials?
    ) {
        self.endpoint = endpoint
        self.root = root
        self.credentials = credentials
        self.connections = max(1, connections)
        self.width = max(1, width)
        self.timeout = timeout
    }

    var pace: Pace { Pace(width: width, limit: connections) }

    /// A person's way in.
    func entrance(
        _ account: Account, _ side: DAVSide, _ tenant: String, _ what: String, _ connections: HTTPConnections
    ) throws(ConnectorError) -> (http: HTTPSession, root: DAVPath) {
        guard let credentials = credentials(account) else {
            throw ConnectorError(
                side.authRejected, .failRun,
                "\(tenant) has no password for the \(what) of '\(account.login.printable(limit: 120))'. Add it to the"
                    + " file of passwords.")
        }
        guard let root = root(account) else {
            throw ConnectorError(
                side == .source ? .sourceNameUnusable : .targetNameRefused, .failRun,
                "The login '\(account.login.printable(limit: 120))' cannot be part of an address: it is empty, '.', '..'"
                    + " or has a slash. Mend it in the list of people.")
        }
        return (HTTPSession(connections, as: credentials), root)
    }
}
