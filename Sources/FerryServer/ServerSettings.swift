/// What an operator may choose about the HTTP side.
package struct ServerSettings: Sendable, Hashable {
    /// Address to listen on.
    package var host: String
    /// Port to listen on; 0 lets the system choose, see `FerryServer.init(onBound:)`.
    package var port: Int
    /// Scheme, authority and path prefix of links, as clients see the server; a slash at the end is dropped. `nil`: taken
    /// from each request's `Host`.
    package var publicBaseURL: String?
    /// Origins whose pages may call the API from a browser, such as `https://admin.example`; none unless set.
    package var allowedOrigins: Set<String> = []
    /// Largest request body, in bytes. 2,000 people take about 80 KiB.
    package var maximumBodyBytes: Int
    /// Largest request head, in bytes, all header lines together.
    package var maximumHeadBytes: Int
    /// Connections at once; further ones wait in the backlog.
    package var maximumConnections: Int
    /// Time in which a request's body must have arrived completely.
    package var requestTimeout: Duration
    /// Time without a complete request head, or without progress of a body, after which a connection is closed.
    package var idleTimeout: Duration

    package init(
        host: String = "127.0.0.1", port: Int = 8080, publicBaseURL: String? = nil, maximumBodyBytes: Int = 1 << 20,
        maximumHeadBytes: Int = 64 << 10, maximumConnections: Int = 4096, requestTimeout: Duration = .seconds(30),
        idleTimeout: Duration = .seconds(60)
    ) {
        self.host = host
        self.port = port
        self.publicBaseURL = publicBaseURL.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        self.maximumBodyBytes = maximumBodyBytes
        self.maximumHeadBytes = maximumHeadBytes
        self.maximumConnections = maximumConnections
        self.requestTimeout = requestTimeout
        self.idleTimeout = idleTimeout
    }
}
