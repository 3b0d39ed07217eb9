/// Where an IMAP server is and how it is spoken to.
package struct IMAPEndpoint: Sendable, Hashable {
    /// When TLS begins.
    package enum Security: Sendable, Hashable {
        /// TLS from the first byte; port 993 (RFC 8314 section 3.2).
        case implicit
        /// STARTTLS, without which nothing is sent; port 143.
        case startTLS
        /// No TLS. Only for loopback and private links.
        case none
    }

    /// Whose certificates are believed.
    package enum Trust: Sendable, Hashable {
        /// The system's certificate authorities.
        case system
        /// Only the authorities in this PEM file.
        case authorities(path: String)
    }

    package var host: String
    /// 1 ... 65535.
    package var port: Int
    package var security: Security
    package var trust: Trust
    /// The name that the certificate must carry; `host` unless the server is reached under another one.
    package var certificateName: String?

    package init(
        host: String, port: Int, security: Security, trust: Trust = .system, certificateName: String? = nil
    ) {
        self.host = host
        self.port = port
        self.security = security
        self.trust = trust
        self.certificateName = certificateName
    }
}
