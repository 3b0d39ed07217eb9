package import FerryCore
package import FerryEngine
package import FerryStore
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// One thing that the server needs, and what is wrong with it.
package typealias Readiness = @Sendable () async -> [(name: String, problem: String?)]

/// The HTTP server as a lifecycle service: runs until graceful shutdown, which stops listening and lets requests that
/// have begun come to their end.
package struct FerryServer: Service {
    private let settings: ServerSettings
    private let responder: GraphResponder
    private let onBound: @Sendable (Int) async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - commands: carries out every change.
    ///   - reader: answers every read.
    ///   - readiness: asked by `/readyz`; all problems `nil` means ready.
    ///   - directory: names people in reports; without it they are ids.
    ///   - onBound: told the port once the server listens.
    package init(
        settings: ServerSettings, commands: any CommandHandling, reader: any StoreReader,
        authenticator: Authenticator, readiness: @escaping Readiness, effects: Effects,
        directory: (any Directory)? = nil, logger: Logger,
        onBound: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.settings = settings
        self.onBound = onBound
        self.logger = logger
        responder = GraphResponder(
            settings: settings,
            pipeline: Pipeline(
                settings: settings,
                operations: Operations(
                    commands: commands, reader: reader, directory: directory, effects: effects, logger: logger),
                authenticator: authenticator, readiness: readiness, effects: effects, logger: logger),
            effects: effects)
    }

    package func run() async throws { try await makeApplication().run() }

    /// The application that `run` runs; tests put their client in front of it.
    func makeApplication() -> Application<GraphResponder> {
        var http = HTTP1Channel.Configuration(
            // The handler behind it counts whole heads, so a head that trickles in is idleness too.
            idleTimeout: .nanoseconds(
                settings.idleTimeout.wholeMicroseconds.multipliedReportingOverflow(by: 1_000).partialValue))
        http.httpDecoder = .init(
            maxHeaderFieldSize: settings.maximumHeadBytes, maxHeaderListSize: settings.maximumHeadBytes,
            maxHeaderFieldCount: 128)
        return Application(
            responder: responder, server: .http1(configuration: http),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections)),
            onServerRunning: { [onBound] channel in await onBound(channel.localAddress?.port ?? 0) },
            logger: logger)
    }
}
