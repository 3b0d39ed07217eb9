import AsyncHTTPClient
import FerryCore
import NIOCore
import NIOSSL

/// Connections to one endpoint, shared by all people: kept alive, at most so many at once, TLS 1.2 at least.
package final class HTTPConnections: Sendable {
    package let endpoint: HTTPEndpoint
    let client: HTTPClient

    /// - Parameters:
    ///   - connections: to the endpoint at once; further requests wait.
    ///   - timeout: how long the server may be silent while something is expected of it.
    package init(_ endpoint: HTTPEndpoint, connections: Int, timeout: Duration = .seconds(60)) {
        self.endpoint = endpoint
        let silence = TimeAmount.microseconds(timeout.wholeMicroseconds)
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        if case .authorities(let path) = endpoint.trust { tls.trustRoots = .file(path) }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10), read: silence), decompression: .disabled)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = max(1, connections)
        // Whoever asks decides how often.
        configuration.connectionPool.retryConnectionEstablishment = false
        // A server that closes idle connections earlier than we do would close them under our requests.
        configuration.connectionPool.idleTimeout = .seconds(4)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit { client.shutdown { _ in } }
}
