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
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : name)
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
