import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Why there is no answer to a request. Texts are safe to log: no contents, no secrets, no paths.
package struct HTTPFailure: Error, Sendable, Hashable {
    /// What happened, as far as it decides what to do next.
    package enum Kind: Sendable, Hashable {
        /// No connection: name not found, refused, unreachable.
        case unreachable
        /// TLS failed: certificate not trusted, wrong name, no common version.
        case insecure
        /// The credentials were refused, or the server wants some that Ferry cannot give. A person must act.
        case authenticationFailed
        /// The connection ended with the request in flight. Whether it was carried out is not known.
        case connectionLost
        /// The server was silent for too long. Whether the request was carried out is not known.
        case timedOut
        /// The answer is not what HTTP allows, or larger than the caller takes.
        case malformed
        /// The caller's task was cancelled.
        case cancelled
    }

    package var kind: Kind
    /// What, where, and how to mend it.
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    init(_ error: any Error, host: String) {
        switch error {
        case let error as HTTPFailure: self = error
        case is CancellationError: self.init(.cancelled, "The request was cancelled.")
        case let error as HTTPClientError: self.init(client: error, host: host)
        case let error as NIOSSLError:
            if case .uncleanShutdown = error {
                self.init(.connectionLost, "\(host) closed the connection without goodbye.")
            } else {
                self.init(insecure: error, host: host)
            }
        case is NIOSSLExtraError, is BoringSSLError: self.init(insecure: error, host: host)
        case is NIOConnectionError, is ChannelError:
            self.init(.unreachable, "\(host) cannot be reached. Does it run, and is its address right?")
        case let error as IOError:
            self.init(.connectionLost, "The connection to \(host) broke: error \(error.errnoCode).")
        default: self.init(.connectionLost, "The connection to \(host) broke.")
        }
    }

    private init(insecure error: any Error, host: String) {
        self.init(
            .insecure,
            "TLS with \(host) failed (\(error)). Is its certificate valid, and issued by a trusted authority?")
    }

    private init(client error: HTTPClientError, host: String) {
        switch error {
        case .cancelled, .requestStreamCancelled: self.init(.cancelled, "The request was cancelled.")
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
            self.init(.unreachable, "\(host) does not take connections in time.")
        case .readTimeout, .writeTimeout, .deadlineExceeded:
            self.init(.timedOut, "\(host) was silent for too long.")
        case .remoteConnectionClosed: self.init(.connectionLost, "\(host) closed the connection.")
        default: self.init(.malformed, "\(host) cannot be talked to: \(error.shortDescription).")
        }
    }
}
