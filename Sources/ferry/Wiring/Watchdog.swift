import Dispatch
import FerryCore
import Glibc
import Logging
import ServiceLifecycle
import Synchronization

/// Ends the process when a graceful stop takes too long, or when the administrator asks a second time: a blocked thread
/// must not keep anybody waiting. What was under way is as safe as after a crash: the last checkpoint counts.
final class Watchdog: Service, Sendable {
    private let patience: Duration
    private let logger: Logger
    private let isOff = Mutex(false)
    /// A queue of its own: the cooperative threads may be just what is blocked.
    private let queue = DispatchQueue(label: "ferry.watchdog")

    init(patience: Duration, logger: Logger) {
        self.patience = patience
        self.logger = logger
    }

    func run() async throws {
        try await gracefulShutdown()
        let seconds = Int(patience.inSeconds)
        for signal in [SIGTERM, SIGINT] {
            let source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
            source.setEventHandler { [self, source] in
                // The handler keeps its source alive, as long as the process lives.
                guard !source.isCancelled, !isOff.withLock({ $0 }) else { return }
                logger.critical("asked to stop a second time, ending at once")
                _exit(ExitReason.failed.rawValue)
            }
            source.activate()
        }
        queue.asyncAfter(deadline: .now() + .seconds(seconds)) { [self] in
            guard !isOff.withLock({ $0 }) else { return }
            logger.critical("the stop took too long, giving up", metadata: ["seconds": "\(seconds)"])
            _exit(ExitReason.failed.rawValue)
        }
    }

    /// Everything has stopped; what the process does from here on may take its time.
    func turnOff() { isOff.withLock { $0 = true } }
}

/// The long-lived parts of a server with the watchdog over their stop.
struct GuardedServices: Sendable {
    let group: ServiceGroup
    let watchdog: Watchdog

    /// Lasts until a stop is asked for and carried out.
    func run() async throws {
        defer { watchdog.turnOff() }
        try await group.run()
    }

    func triggerGracefulShutdown() async { await group.triggerGracefulShutdown() }
}
