package import FerryConnector
package import FerryHTTP

/// How one tenant's WebDAV service is reached.
package struct DAVSettings: Sendable {
    package var endpoint: HTTPEndpoint
    /// Where a person's own collection is.
    package var root: @Sendable (Account) -> DAVPath
    /// As whom a person's collection is entered; `nil` where there is no password for the person.
    package var credentials: @Sendable (Account) -> HTTPCredentials?
    /// Connections to this endpoint at once, for all people together.
    package var connections: Int
    /// Requests of one person on their way at once, as far as `connections` allows.
    package var width: Int
    /// How long the server may be silent.
    package var timeout: Duration

    package init(
        endpoint: HTTPEndpoint, connections: Int = 16, width: Int = 8, timeout: Duration = .seconds(60),
        root: @escaping @Sendable (Account) -> DAVPath,
        credentials: @escaping @Sendable (Account) -> HTTPCredentials?
    ) {
        self.endpoint = endpoint
        self.root = root
        self.credentials = credentials
        self.connections = max(1, connections)
        self.width = max(1, width)
        self.timeout = timeout
    }
}
