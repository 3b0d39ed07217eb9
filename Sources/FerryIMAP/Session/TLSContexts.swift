import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// TLS settings by what they trust, made once: reading all authorities of a system takes time and memory. A changed file
/// is read after a restart.
enum TLSContexts {
    private static let made = Mutex<[IMAPEndpoint.Trust: NIOSSLContext]>([:])

    /// Certificates and host names are always verified. TLS 1.2 is the oldest version (RFC 8997).
    static func context(trusting trust: IMAPEndpoint.Trust) async throws(IMAPError) -> NIOSSLContext {
        if let context = made.withLock({ $0[trust] }) { return context }
        let context: NIOSSLContext
        do {
            // Reads files, so not on a thread that runs tasks.
            context = try await NIOThreadPool.singleton.runIfActive {
                var configuration = TLSConfiguration.makeClientConfiguration()
                configuration.minimumTLSVersion = .tlsv12
                if case .authorities(let path) = trust { configuration.trustRoots = .file(path) }
                return try NIOSSLContext(configuration: configuration)
            }
        } catch {
            let place =
                switch trust {
                case .system: "the system's certificate authorities"
                case .authorities(let path): "the certificate authorities in \(path)"
                }
            throw IMAPError(.insecure, "Cannot read \(place); give a readable PEM file with at least one certificate.")
        }
        return made.withLock { made in
            made[trust] = made[trust] ?? context
            return made[trust] ?? context
        }
    }

    /// For a connection to the endpoint.
    static func handler(_ context: NIOSSLContext, for endpoint: IMAPEndpoint) throws -> NIOSSLClientHandler {
        let name = endpoint.certificateName ?? endpoint.host
        // A certificate names an address as such, not as a host (RFC 6125); NIOSSL then compares the peer's address.
        let isAddress = (try? SocketAddress(ipAddress: name, port: 0)) != nil
        guard !isAddress else { return try NIOSSLClientHandler(context: context, serverHostname: nil) }
        return try NIOSSLClientHandler._makeSSLClientHandler(
            context: context, serverHostname: name,
            additionalPeerCertificateVerificationCallback: { certificate, channel in
                isNamed(name, certificate)
                    ? channel.eventLoop.makeSucceededVoidFuture()
                    : channel.eventLoop.makeFailedFuture(NIOSSLExtraError.failedToValidateHostname)
            })
    }

    /// A certificate that names addresses must name the host, too.
    ///
    /// NIOSSL 2.37 also accepts a certificate for the address that was reached when a host name was asked for. Public
    /// authorities sell those, so that whoever can lie about the name in DNS could stand in between (RFC 9525 section
    /// 6.1.2 has the name compared with names alone). To see it: a certificate for localhost and 127.0.0.1, asked for
    /// as `elsewhere.example`.
    private static func isNamed(_ name: String, _ certificate: NIOSSLCertificate) -> Bool {
        var hasAddress = false
        for alternative in certificate._subjectAlternativeNames() {
            if alternative.nameType == .ipAddress { hasAddress = true }
            if alternative.nameType == .dnsName,
                matches(name, pattern: String(decoding: alternative.contents, as: UTF8.self))
            {
                return true
            }
        }
        return !hasAddress
    }

    /// Without case; `*` may stand for the whole first label (RFC 9525 section 6.3).
    static func matches(_ name: String, pattern: String) -> Bool {
        let name = labels(name)
        let pattern = labels(pattern)
        guard name.count == pattern.count else { return false }
        return pattern == name || pattern.first == "*" && name.count > 2 && pattern.dropFirst() == name.dropFirst()
    }

    private static func labels(_ name: String) -> [Substring] {
        let name = name.lowercased()
        return (name.hasSuffix(".") ? name.dropLast() : name[...]).split(
            separator: ".", omittingEmptySubsequences: false)
    }
}

extension IMAPError {
    /// What the network or TLS says, for people.
    init(connection error: any Error, host: String) {
        switch error {
        case let error as IMAPError: self = error
        case let error as NIOSSLError:
            if case .uncleanShutdown = error {
                self.init(.connectionLost, "\(host) closed the connection without goodbye.")
                return
            }
            self.init(
                .insecure,
                "TLS with \(host) failed (\(error)). Is its certificate valid, and issued by a trusted authority?")
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            self.init(.insecure, "The certificate of \(host) is for another name; set the name that it carries.")
        case is NIOSSLExtraError, is BoringSSLError:
            self.init(.insecure, "TLS with \(host) failed (\(error)).")
        case let error as IOError:
            self.init(.connectionLost, "The connection to \(host) broke: error \(error.errnoCode).")
        default: self.init(.connectionLost, "The connection to \(host) broke.")
        }
    }
}
