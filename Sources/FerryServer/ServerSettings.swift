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
    /// Whether connections are TLS, so that links are `https`. The server knows it from its certificate.
    var isEncrypted = false
    /// Largest request body, in bytes. 2,000 people take about 80 KiB.
    package var maximumBodyBytes: Int
    /// Largest request head over HTTP/1.1, in bytes, all header lines together. Over HTTP/2 it is 16 KiB.
    package var maximumHeadBytes: Int
    /// Connections at once; further ones wait in the backlog.
    package var maximumConnections: Int
    /// Time from the first byte of a request head until its last one, and from the start of a connection until TLS is
    /// agreed on.
    package var headTimeout: Duration
    /// Time in which a request's body must have arrived completely.
    package var requestTimeout: Duration
    /// Time without a request after which a connection is closed, and time for which a client may take nothing of an
    /// answer.
    package var idleTimeout: Duration
    /// Time that requests have to come to their end once the server stops; what is left is cut off.
    package var drainTimeout: Duration
    /// Smallest body, in bytes, that is compressed for clients that accept it. Smaller ones fit into a packet anyway.
    package var compressionThresholdBytes: Int
    /// How many requests are let through.
    package var limits: RateLimits
    /// Proxies whose `X-Forwarded-For` is believed.
    package var trustedProxies: [AddressBlock]

    package init(
        host: String = "127.0.0.1", port: Int = 8080, publicBaseURL: String? = nil, maximumBodyBytes: Int = 1 << 20,
        maximumHeadBytes: Int = 64 << 10, maximumConnections: Int = 4096, headTimeout: Duration = .seconds(15),
        requestTimeout: Duration = .seconds(30), idleTimeout: Duration = .seconds(60),
        drainTimeout: Duration = .seconds(15), compressionThresholdBytes: Int = 1_400, limits: RateLimits = .off,
        trustedProxies: [AddressBlock] = []
    ) {
        self.host = host
        self.port = port
        self.publicBaseURL = publicBaseURL.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        self.maximumBodyBytes = maximumBodyBytes
        self.maximumHeadBytes = maximumHeadBytes
        self.maximumConnections = maximumConnections
        self.headTimeout = headTimeout
        self.requestTimeout = requestTimeout
        self.idleTimeout = idleTimeout
        self.drainTimeout = drainTimeout
        self.compressionThresholdBytes = compressionThresholdBytes
        self.limits = limits
        self.trustedProxies = trustedProxies
    }
}
