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
    private let responder: TransportResponder<GraphResponder>
    private let doorkeeper: Doorkeeper
    private let certificate: ServerCertificate?
    private let drain: Drain
    private let effects: Effects
    private let onBound: @Sendable (Int) async -> Void
    private let logger: Logger

    /// - Parameters:
    ///   - commands: carries out every change.
    ///   - reader: answers every read.
    ///   - readiness: asked by `/readyz`; all problems `nil` means ready.
    ///   - outages: what is out of order and keeps nothing from working; `/readyz` tells it.
    ///   - certificate: what connections are greeted with; `nil`: they are not encrypted.
    ///   - drain: says when the end has begun; as a service it goes behind this one.
    ///   - directory: names people in reports; without it they are ids.
    ///   - identities: builds identity maps; `nil`: nobody does here.
    ///   - manifests: what finished jobs left; `nil`: nobody makes manifests here.
    ///   - onBound: told the port once the server listens.
    package init(
        settings: ServerSettings, commands: any CommandHandling, reader: any StoreReader,
        authenticator: Authenticator, readiness: @escaping Readiness,
        outages: @escaping @Sendable () -> [String] = { [] }, effects: Effects,
        certificate: ServerCertificate? = nil, drain: Drain? = nil, directory: (any Directory)? = nil,
        identities: (any IdentityMapping)? = nil, manifests: ServedManifests? = nil, logger: Logger,
        onBound: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        var settings = settings
        settings.isEncrypted = certificate != nil
        let drain = drain ?? Drain(clock: effects.clock)
        self.settings = settings
        self.certificate = certificate
        self.drain = drain
        self.effects = effects
        self.onBound = onBound
        self.logger = logger
        doorkeeper = Doorkeeper(limits: settings.limits, commands: commands, effects: effects, logger: logger)
        let pipeline = Pipeline(
            settings: settings,
            operations: Operations(
                commands: commands, reader: reader, identities: identities, directory: directory, manifests: manifests,
                effects: effects, logger: logger),
            authenticator: authenticator, doorkeeper: doorkeeper,
            readiness: { drain.hasBegun ? [("server", "stopping")] : await readiness() },
            outages: outages, effects: effects, logger: logger)
        responder = TransportResponder(
            base: GraphResponder(settings: settings, pipeline: pipeline, effects: effects), settings: settings)
    }

    /// Returns when the server has stopped listening, every request has ended, or has been cut off because the time for
    /// that is over, and what was refused stands in the audit trail.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { [doorkeeper, clock = effects.clock] group in
            group.addTask(name: "refusals to the audit trail") { await doorkeeper.refusals.run(on: clock) }
            // Cancelled, it writes what is left; the group waits for that.
            defer { group.cancelAll() }
            try await serve()
        }
    }

    private func serve() async throws {
        let application = makeApplication()
        try await withThrowingTaskGroup(of: Bool.self) { [drain, effects, settings, logger] group in
            group.addTask(name: "server") {
                try await application.run()
                return true
            }
            group.addTask(name: "drain") {
                try? await gracefulShutdown()
                drain.begin()
                try? await effects.clock.sleep(for: settings.drainTimeout)
                return false
            }
            let hasEnded = try await group.next() ?? true
            if !hasEnded, !Task.isCancelled {
                logger.warning(
                    "Requests cut off at the end",
                    metadata: ["seconds": "\(settings.drainTimeout.wholeMicroseconds / 1_000_000)"])
            }
            group.cancelAll()
            // What ends because it was told to is no failure of the server.
            if !hasEnded { _ = try? await group.next() }
        }
    }

    /// Writes what was refused until now into the audit trail.
    func flushRefusals() async { await doorkeeper.refusals.flush(all: true) }

    /// The application that `run` runs; tests put their client in front of it.
    func makeApplication() -> Application<TransportResponder<GraphResponder>> {
        let refusals = Refusals(effects: effects, logger: logger)
        return Application(
            responder: responder,
            server: HTTPServerBuilder { [settings, certificate, drain] responder in
                ServerChannel(
                    settings: settings, certificate: certificate, drain: drain, refusals: refusals, responder: responder
                )
            },
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections)),
            onServerRunning: { [onBound] channel in await onBound(channel.localAddress?.port ?? 0) },
            logger: logger)
    }
}
