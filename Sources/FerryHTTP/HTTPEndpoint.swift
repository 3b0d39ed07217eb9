/// Where an HTTP server is and how it is trusted.
package struct HTTPEndpoint: Sendable, Hashable {
    /// Whose certificates are believed.
    package enum Trust: Sendable, Hashable {
        /// The system's certificate authorities.
        case system
        /// Only the authorities in this PEM file.
        case authorities(path: String)
    }

    package var isEncrypted: Bool
    /// A name or an address, IPv6 without brackets.
    package var host: String
    /// 1 ... 65535.
    package var port: Int
    package var trust: Trust

    package init(isEncrypted: Bool, host: String, port: Int, trust: Trust = .system) {
        self.isEncrypted = isEncrypted
        self.host = host
        self.port = port
        self.trust = trust
    }

    /// `https://host:port`, without a path.
    package var origin: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(isEncrypted ? "https" : "http")://\(name):\(port)"
    }
}
