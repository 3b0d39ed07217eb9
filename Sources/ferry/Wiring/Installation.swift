import FerryCore
import FerryEngine
import FerrySQLite
import FerryServer
import FerryStore
import Logging
import ServiceLifecycle
import UnixSignals

/// Everything that a configuration stands for, made and put together. Nothing runs before `serve`.
struct Installation: Sendable {
    let configuration: Configuration
    let directory: LiveDirectory
    let connections: ConnectionTable
    let store: any Store
    let engine: Engine
    /// Makes manifests; `nil` when nobody is to, or when this process only reads.
    let manifests: ManifestOffice?
    let logger: Logger

    static let effects = Effects(
        now: SystemEffects.now, clock: ContinuousClock(), makeGUID: SystemEffects.makeGUID, random: SystemEffects.random
    )

    /// What the store is opened for.
    enum Purpose: Sendable {
        /// To be the one process that writes it.
        case serving
        /// To read beside it.
        case reading
    }

    init(
        _ configuration: Configuration, purpose: Purpose = .serving, pace: Pace = .normal, logLevel: Logger.Level
    ) async throws(Complaint) {
        self.configuration = configuration
        logger = Logger(label: "ferry") { LogfmtHandler(label: $0, level: logLevel) }
        directory = try await LiveDirectory.openAll(configuration, logger: logger)
        connections = ConnectionTable(configuration, now: SystemEffects.now)
        switch configuration.store {
        case .sqlite(let path):
            do throws(StoreError) {
                store = try await SQLiteStore.open(
                    path: path, access: purpose == .serving ? .exclusive : .readOnly, now: SystemEffects.now)
            } catch {
                throw Complaint(error, path: path)
            }
        }
        do throws(Complaint) {
            manifests = purpose == .serving ? try Self.manifests(of: configuration) : nil
        } catch {
            await store.close()
            throw error
        }
        engine = Engine(
            store: store, directory: directory, connections: connections, effects: Self.effects,
            settings: Self.engineSettings(configuration.settings, pace: pace), manifests: manifests, logger: logger)
    }

    /// Opens the key, makes one where there is none, and tidies the folder up.
    private static func manifests(of configuration: Configuration) throws(Complaint) -> ManifestOffice? {
        guard let places = configuration.manifests else { return nil }
        let folder = ManifestFolder(places.folder, makeID: effects.makeGUID)
        do throws(SystemFailure) { try folder.sweep() } catch {
            throw Complaint("The folder of manifests cannot be used: \(error).", status: .configuration)
        }
        return ManifestOffice(archive: folder, key: try ManifestKeyFile.open(places.key))
    }

    /// How often the engine looks again.
    enum Pace: Sendable {
        case normal
        /// Somebody sits before it and waits.
        case quick
    }

    private static func engineSettings(_ settings: Configuration.Settings, pace: Pace) -> EngineSettings {
        var engine = EngineSettings()
        if pace == .quick {
            engine.pulse = .milliseconds(200)
            engine.deltaInterval = .seconds(2)
            // So that what a killed demo held is free again soon.
            engine.leaseTerm = .seconds(5)
        }
        if let number = settings.maximumPeople { engine.jobs.maximumPeople = number }
        if let interval = settings.deltaInterval { engine.deltaInterval = interval }
        if let time = settings.freezeBudget { engine.freezeBudget = time }
        if let flag = settings.cancelsUntilCutover { engine.jobs.cancelsUntilCutover = flag }
        if let flag = settings.continuesWithoutMailbox { engine.jobs.continuesWithoutMailbox = flag }
        if let flag = settings.holdsSkippedItems { engine.jobs.holdsSkippedItems = flag }
        if let flag = settings.requiresRedirect { engine.jobs.requiresRedirect = flag }
        if let flag = settings.purgesCancelledCopies { engine.jobs.purgesCancelledCopies = flag }
        if let number = settings.cutoversAtOnce { engine.cutoversAtOnce = number }
        if let time = settings.tombstonesLast { engine.jobs.tombstoneLifetime = time }
        if let time = settings.repetitionsLast { engine.jobs.repetitionsLast = time }
        return engine
    }

    // MARK: serving

    /// The embedded issuer; `nil` where the configuration does not want it.
    static func issuer(of configuration: Configuration) throws(Complaint) -> EmbeddedIssuer? {
        let addresses = configuration.issuers.compactMap { issuer -> String?? in
            if case .embedded(let address) = issuer { .some(address) } else { nil }
        }
        guard let address = addresses.first else { return nil }
        do throws(KeyFileError) {
            return try EmbeddedIssuer(keyFile: configuration.keys, address: address)
        } catch {
            throw Complaint(error.description, status: .configuration)
        }
    }

    /// The server's certificate; `nil` when there is to be none.
    static func certificate(of configuration: Configuration) throws(Complaint) -> ServerCertificate? {
        guard let tls = configuration.tls else { return nil }
        do throws(CertificateError) {
            return try ServerCertificate(CertificateFiles(certificate: tls.certificate, key: tls.key))
        } catch {
            throw Complaint("\(configuration.file): tls: \(error)", status: .configuration)
        }
    }

    /// The server, the engine and the watchdog; stopped in reverse order by SIGTERM or SIGINT.
    func makeServices(
        issuer: EmbeddedIssuer?, certificate: ServerCertificate? = nil,
        onBound: @escaping @Sendable (Int) async -> Void
    ) -> GuardedServices {
        let authenticator = Self.authenticator(of: configuration, embedded: issuer, logger: logger)
        authenticator.prepare()
        var settings = ServerSettings(host: configuration.listen.host, port: configuration.listen.port)
        settings.allowedOrigins = configuration.settings.allowedOrigins
        settings.limits = configuration.limits
        settings.trustedProxies = configuration.trustedProxies
        if let time = configuration.settings.drainTimeout { settings.drainTimeout = time }
        let drain = Drain(delay: configuration.settings.drainDelay ?? .zero, clock: Self.effects.clock)
        let server = FerryServer(
            settings: settings,
            commands: engine.commands, reader: store.reader, authenticator: authenticator, readiness: readiness,
            outages: { [directory] in directory.outages }, effects: Self.effects, certificate: certificate,
            drain: drain, directory: directory,
            identities: engine.identities,
            manifests: manifests.map {
                ServedManifests(archive: $0.archive, publicKey: ManifestKeyFile.pem($0.publicKey))
            },
            logger: logger, onBound: onBound)
        let tokens = TokenJournalReader(
            journal: TokenJournal(configuration.store), commands: engine.commands, clock: Self.effects.clock,
            logger: logger)
        let watchdog = Watchdog(
            patience: .seconds(20) + settings.drainTimeout + (configuration.settings.drainDelay ?? .zero),
            logger: logger)
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: engine), .init(service: tokens), .init(service: server),
            // These two end as soon as the stop begins, which must not end anything else.
            .init(service: drain, successTerminationBehavior: .ignore),
            .init(service: watchdog, successTerminationBehavior: .ignore),
        ]
        if let certificate {
            let watch = CertificateWatch(
                certificate, hints: Hangup.signals(), clock: Self.effects.clock, logger: logger)
            services.append(.init(service: watch, successTerminationBehavior: .ignore))
        }
        if !directory.servers.isEmpty {
            let watch = DirectoryWatch(directory: directory, hints: Hangup.signals(), clock: Self.effects.clock)
            services.append(.init(service: watch, successTerminationBehavior: .ignore))
        }
        let group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        return GuardedServices(group: ServiceGroup(configuration: group), watchdog: watchdog)
    }

    static func authenticator(
        of configuration: Configuration, embedded: EmbeddedIssuer?, logger: Logger
    ) -> Authenticator {
        let trusted = configuration.issuers.compactMap { issuer -> TrustedIssuer? in
            if case .trusted(let trusted) = issuer { trusted } else { nil }
        }
        let start = ContinuousClock.now
        return Authenticator(
            settings: AuthenticationSettings(
                tenants: Set(configuration.tenants.map(\.id)), issuers: trusted, roles: configuration.roles),
            embedded: embedded, now: SystemEffects.now, uptime: { start.duration(to: .now) }, logger: logger)
    }

    private var readiness: Readiness {
        { [store] in
            do throws(StoreError) {
                try await store.reader.ping()
                return [("store", nil)]
            } catch {
                return [("store", Complaint.words(for: error))]
            }
        }
    }

    /// The base address of the API, for people and clients on this machine.
    static func address(host: String, port: Int, isEncrypted: Bool = false) -> String {
        let reachable = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        return (isEncrypted ? "https" : "http") + "://\(reachable.contains(":") ? "[\(reachable)]" : reachable):\(port)"
    }
}
