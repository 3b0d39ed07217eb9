import ServiceLifecycle
import Synchronization

/// The way out of service. From its beginning `/readyz` is 503 and every answer tells its connection to close; after the
/// delay the services before it are stopped, the listening socket first of all.
///
/// As a service it has its place behind the server, because services are stopped in reverse order.
package final class Drain: Service {
    private let delay: Duration
    private let clock: any Clock<Duration>
    private let began = Atomic(false)

    /// - Parameter delay: how long new connections are still taken, so that a load balancer can see 503 and send people
    ///   elsewhere. Zero where nothing stands in front.
    package init(delay: Duration = .zero, clock: any Clock<Duration>) {
        self.delay = delay
        self.clock = clock
    }

    package func run() async throws {
        try? await gracefulShutdown()
        begin()
        if delay > .zero { try? await clock.sleep(for: delay) }
    }

    /// No way back leads from here.
    func begin() { began.store(true, ordering: .relaxed) }

    var hasBegun: Bool { began.load(ordering: .relaxed) }
}
